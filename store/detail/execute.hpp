#pragma once

#include <holdfast/store/detail/execute_order.hpp>
#include <holdfast/store/detail/plan.hpp>
#include <holdfast/store/query.hpp>

#include <cstdint>
#include <optional>
#include <string_view>
#include <type_traits>

/// What the bucket handles call. Every function reads one version of one bucket, at the reader's
/// seq and at `now` (microseconds since the epoch), under the reader's pin; the answer does not
/// depend on which indexes there are. Errors are `invalid_argument` for a query that makes no sense
/// in this bucket.
namespace holdfast::detail {

/// Counts of records, up to `query::unlimited`.
constexpr std::uint64_t capped_sum(std::uint64_t x, std::uint64_t y) noexcept {
  return x > query::unlimited - y ? query::unlimited : x + y;
}

/// How many matching records decide the answer: offset and limit together.
inline std::uint64_t needed_for(const query& q) noexcept {
  return capped_sum(q.offset(), q.limit());
}

/// Whether the query makes sense in this bucket.
result<void> validate(const reader& from, const query& q);

/// Calls `fn(const record_block&) -> bool` for the records that match in this order, until it
/// returns false; `needed` says how many it will take at most, and those up to `after` are left
/// out. `offset` says how many at the beginning `fn` is going to leave out; those that can be
/// passed by without a look are, and are subtracted from it.
template <class Fn>
result<void> each_ordered(const reader& from, const filter& which, const order_spec& order,
                          std::int64_t now, const position* after, std::uint64_t needed,
                          std::uint64_t& offset, Fn&& fn) {
  auto how = make_plan(from, which, order, {.needed = needed});
  if (!how)
    return fail(std::move(how.error()));
  const bool can_skip =
      offset > 0 && !after && from.is_countable() && how->residual.is_everything();
  if (how->ordering == explanation::ordering::index) {
    auto check = [&](const record_block& block) {
      return expired(block, now) || !how->residual(block) || fn(block);
    };
    index_walk walk{from, *how, after};
    const auto before = offset;
    if (can_skip)
      walk.skip(offset);
    walk.each(check, needed == query::unlimited ? needed : needed - (before - offset));
    return {};
  }
  auto first_row = after && order.by_row() ? after->row + 1 : 0;
  if (how->ordering == explanation::ordering::stored) {
    if (can_skip && how->is_scan())
      first_row = from.skip_rows(offset);
    else if (can_skip && !how->nothing)
      skip_entries(*how, offset);
    each_match(from, *how, now, first_row, fn);
    return {};
  }
  item_order compare{order};
  std::optional<ordered_item> limit;
  if (after)
    limit = compare.item(*after);
  top_items top{compare, needed, top_items::end::front};
  each_match(from, *how, now, first_row, [&](const record_block& block) {
    auto item = compare.item(block);
    if (!limit || compare(*limit, item))
      top.add(item);
    return true;
  });
  for (const auto& item : top.sorted())
    if (!fn(*item.block))
      break;
  return {};
}

/// Calls `fn(const record_block&)` for the query's records in order; how many those were. No
/// reference is counted and nothing is copied: what `fn` sees is valid during the call. If `fn`
/// returns a bool, false ends the visit.
template <class Fn>
result<std::uint64_t> visit(const reader& from, const query& q, std::int64_t now, Fn&& fn) {
  std::uint64_t seen = 0, left_out = q.offset();
  const auto needed = q.limit() == 0 ? 0 : needed_for(q);
  auto take = [&](const record_block& block) {
    if (left_out > 0)
      return --left_out, true;
    ++seen;
    if constexpr (std::is_same_v<std::invoke_result_t<Fn&, const record_block&>, bool>) {
      if (!fn(block))
        return false;
    } else {
      fn(block);
    }
    return seen < q.limit();
  };
  if (needed == 0)
    return validate(from, q).map([] { return std::uint64_t{0}; });
  auto order = bind_order(from, q);
  if (!order)
    return fail(std::move(order.error()));
  auto done = each_ordered(from, q.which(), *order, now, nullptr, needed, left_out, take);
  if (!done)
    return fail(std::move(done.error()));
  return seen;
}

/// Whether offset or limit leave records out.
inline bool is_cut(const query& q) noexcept {
  return q.offset() > 0 || q.limit() != query::unlimited;
}

/// Calls `fn` for the query's records in any order.
template <class Fn>
result<void> each_of_query(const reader& from, const query& q, std::int64_t now, Fn&& fn) {
  if (is_cut(q)) {
    auto seen = visit(from, q, now, fn);
    return seen ? result<void>{} : fail(std::move(seen.error()));
  }
  auto how = make_plan(from, q.which(), {}, {.any_order = true});
  if (!how)
    return fail(std::move(how.error()));
  each_match(from, *how, now, 0, [&](const record_block& block) {
    fn(block);
    return true;
  });
  return {};
}

/// All records of the query, in order.
result<records> all(const reader& from, const query& q, std::int64_t now);
/// Copies of the fields that the query names, of all its records, in order.
result<std::vector<object>> objects(const reader& from, const query& q, std::int64_t now);
/// The first record of the query; `not_found` if there is none.
result<record> find_one(const reader& from, const query& q, std::int64_t now);
/// The last `count` records of the query's order, in that order. The query's offset and limit do
/// not count.
result<records> last(const reader& from, const query& q, std::uint64_t count, std::int64_t now);
/// How many records the query has. O(log n) if the indexes answer alone and nothing has expired.
result<std::uint64_t> count(const reader& from, const query& q, std::int64_t now);
/// At most `size` records behind the cursor `after`, or from the start without one. The query's
/// limit does not count; its offset counts on the first page only. `beyond`, if given, becomes
/// the record behind the page, which was looked at and none behind it; null if all were.
result<page> page_of(const reader& from, const query& q, std::uint64_t size,
                     std::optional<std::string_view> after, std::int64_t now,
                     const record_block** beyond = nullptr);
/// How the query would be answered.
result<explanation> explain(const reader& from, const query& q);

} // namespace holdfast::detail
