#include <holdfast/store/detail/execute.hpp>

#include <holdfast/store/detail/projection.hpp>
#include <holdfast/store/detail/shown.hpp>

#include <algorithm>
#include <utility>

namespace holdfast::detail {

namespace {

/// Blocks are immutable but for their atomics, the reference count among them.
record handle_to(const record_block& block) {
  return record::share(const_cast<record_block*>(&block));
}

} // namespace

result<void> validate(const reader& from, const query& q) {
  if (auto order = bind_order(from, q); !order)
    return fail(std::move(order.error()));
  if (auto bound = matcher::bind(q.which(), from.layout()); !bound)
    return fail(std::move(bound.error()));
  return {};
}

result<records> all(const reader& from, const query& q, std::int64_t now) {
  records out;
  auto seen =
      visit(from, q, now, [&](const record_block& block) { out.push_back(handle_to(block)); });
  if (!seen)
    return fail(std::move(seen.error()));
  return out;
}

result<std::vector<object>> objects(const reader& from, const query& q, std::int64_t now) {
  auto columns = projection::bind(q.fields(), from.layout());
  if (!columns)
    return fail(std::move(columns.error()));
  std::vector<object> out;
  auto seen =
      visit(from, q, now, [&](const record_block& block) { out.push_back(columns->of(block)); });
  if (!seen)
    return fail(std::move(seen.error()));
  return out;
}

result<record> find_one(const reader& from, const query& q, std::int64_t now) {
  record out;
  auto seen = visit(from, q, now, [&](const record_block& block) {
    out = handle_to(block);
    return false;
  });
  if (!seen)
    return fail(std::move(seen.error()));
  if (!out)
    return fail(errc::not_found, from.layout().bucket() + ": no record " + shortened(q.to_string()),
                {from.layout().bucket(), {}, {}});
  return out;
}

namespace {

/// Of a part of what matches.
result<records> last_of_part(const reader& from, const query& q, std::uint64_t count,
                             std::int64_t now) {
  auto part = detail::count(from, q, now);
  if (!part)
    return fail(std::move(part.error()));
  const auto taken = std::min(*part, count);
  auto some = q;
  some.offset(q.offset() + (*part - taken)).limit(taken);
  return all(from, some, now);
}

} // namespace

result<records> last(const reader& from, const query& q, std::uint64_t count, std::int64_t now) {
  if (q.offset() > 0 || q.limit() != query::unlimited)
    return last_of_part(from, q, count, now);
  auto order = bind_order(from, q);
  if (!order)
    return fail(std::move(order.error()));
  // No walk from the front would end before the end, so any order will do.
  auto how = make_plan(
      from, q.which(), *order,
      {.needed = order->by_row() ? count : query::unlimited, .any_order = true, .from_end = true});
  if (!how)
    return fail(std::move(how.error()));
  records out;
  if (order->by_row() && how->is_scan()) {
    auto check = [&](const record_block& block) {
      if (!expired(block, now) && how->residual(block))
        out.push_back(handle_to(block));
      return out.size() < count;
    };
    if (count > 0)
      from.each_row_back(check);
    std::ranges::reverse(out);
    return out;
  }
  item_order compare{*order};
  top_items top{compare, count, top_items::end::back};
  each_match(from, *how, now, 0, [&](const record_block& block) {
    top.add(compare.item(block));
    return true;
  });
  for (const auto& item : top.sorted())
    out.push_back(handle_to(*item.block));
  return out;
}

namespace {

/// How many of the query's records have expired. O(expired).
std::uint64_t expired_matches(const reader& from, const query& q, std::int64_t now) {
  if (!from.may_have_expired())
    return 0;
  auto matches = matcher::bind(q.which(), from.layout());
  std::uint64_t found = 0;
  from.each_expired(now, [&](const record_block& block) { found += (*matches)(block) ? 1 : 0; });
  return found;
}

} // namespace

result<std::uint64_t> count(const reader& from, const query& q, std::int64_t now) {
  if (auto order = bind_order(from, q); !order)
    return fail(std::move(order.error()));
  auto how = make_plan(from, q.which(), {},
                       {.needed = needed_for(q), .any_order = true, .counting = true});
  if (!how)
    return fail(std::move(how.error()));
  std::uint64_t found = 0;
  if (how->nothing)
    return found;
  if (how->covers_count() && !from.own() && from.expired_count(now) <= how->rows)
    found = how->rows - expired_matches(from, q, now);
  else
    each_match(from, *how, now, 0, [&](const record_block&) {
      ++found;
      return found < needed_for(q);
    });
  return std::min(found - std::min(found, q.offset()), q.limit());
}

result<page> page_of(const reader& from, const query& q, std::uint64_t size,
                     std::optional<std::string_view> after, std::int64_t now,
                     const record_block** beyond) {
  const auto& bucket = from.layout().bucket();
  if (size == 0)
    return fail(errc::invalid_argument, bucket + ": page size 0 is below the minimum 1",
                {bucket, {}, {}});
  auto order = bind_order(from, q);
  if (!order)
    return fail(std::move(order.error()));
  auto scope = cursor_scope(from.identity(), q);
  std::optional<position> start;
  if (after) {
    auto decoded = decode_cursor(scope, order->terms.size(), *after);
    if (!decoded)
      return fail(decoded.error().at({bucket, {}, {}}));
    start = std::move(*decoded);
  }
  auto skip = after ? 0 : q.offset();
  page out;
  const record_block* more = nullptr;
  auto take = [&](const record_block& block) {
    if (skip > 0)
      return --skip, true;
    if (out.items.size() == size)
      return more = &block, false;
    out.items.push_back(handle_to(block));
    return true;
  };
  auto needed = size >= query::unlimited - skip - 1 ? query::unlimited : size + skip + 1;
  auto done =
      each_ordered(from, q.which(), *order, now, start ? &*start : nullptr, needed, skip, take);
  if (!done)
    return fail(std::move(done.error()));
  if (beyond)
    *beyond = more;
  if (more) {
    const auto& block = *out.items.back().block();
    position end{{}, block.row};
    for (const auto& term : order->terms)
      end.at.push_back(term.key(block).materialize());
    out.next = encode_cursor(scope, end);
  }
  return out;
}

result<explanation> explain(const reader& from, const query& q) {
  auto order = bind_order(from, q);
  if (!order)
    return fail(std::move(order.error()));
  auto how = make_plan(from, q.which(), *order, {.needed = needed_for(q), .texts = true});
  if (!how)
    return fail(std::move(how.error()));
  explanation out;
  const auto& layout = from.layout();
  out.bucket = layout.bucket();
  // Without an order of its own a query has that of the bucket: of its keys, or of insertion.
  const bool by_key = q.order().empty() && from.key_ordered();
  out.order_text = by_key ? layout.name(layout.key_slot()) : to_string(q.order());
  out.condition = how->condition;
  out.residual = how->residual.to_string();
  out.total_rows = from.size();
  out.estimated_rows = how->nothing ? 0 : how->rows;
  out.order = q.order().empty() && !by_key && how->ordering == explanation::ordering::index
                  ? explanation::ordering::stored
                  : how->ordering;
  auto counted = make_plan(from, q.which(), {}, {.any_order = true, .counting = true});
  out.covers_count = counted && (counted->nothing || counted->covers_count());
  for (const auto& part : how->parts)
    out.indexes.push_back(part.from == explanation::source::index ? from.index_name(part.index)
                                                                  : layout.name(part.slot));
  if (how->nothing)
    out.from = explanation::source::nothing;
  else if (how->parts.size() > 1)
    out.from = explanation::source::index_union;
  else if (how->parts.size() == 1)
    out.from = how->parts[0].from;
  else if (how->ordering == explanation::ordering::index) {
    out.from = explanation::source::index;
    out.indexes.push_back(from.index_name(how->walk));
  }
  return out;
}

} // namespace holdfast::detail
