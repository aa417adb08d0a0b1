#include <holdfast/store/detail/query_tally.hpp>

#include <holdfast/store/detail/aggregate.hpp>

namespace holdfast::detail {

namespace {

/// Whether the query is one number over all records of its filter.
bool is_tally(const declared_query& what) {
  return what.aggregates.size() == 1 && what.group_by.empty() && what.what.offset() == 0 &&
         what.what.limit() == query::unlimited && what.offset_parameter.empty() &&
         what.limit_parameter.empty();
}

/// The slot of the number's field, if changes of records are enough to know the number.
std::optional<std::uint16_t> slot_of(const aggregate& one, const record_layout& layout,
                                     const value& now) {
  if (one.what == aggregate::function::count)
    return one.field.empty() ? std::optional<std::uint16_t>{0} : std::nullopt;
  auto field = find_field(layout, one.field);
  if (!field || !field->path.empty())
    return std::nullopt;
  switch (one.what) {
  case aggregate::function::sum: // of reals it depends on their order
    if (!only_integers(layout, *field) || now.kind() != value_kind::integer)
      return std::nullopt;
    return field->slot;
  case aggregate::function::min:
  case aggregate::function::max:
    return field->slot;
  case aggregate::function::count:
  case aggregate::function::avg: // would need the sum as well
    break;
  }
  return std::nullopt;
}

} // namespace

std::optional<query_tally> query_tally::of(const declared_query& what,
                                           const std::vector<query_reads>& reads,
                                           const result<query_value>& now) {
  auto* number = now ? now->if_a<value>() : nullptr;
  if (!number || !is_tally(what) || reads.size() != 1)
    return std::nullopt;
  auto& read = reads[0];
  if (read.may_expire || read.set.queries().size() != 1 || read.set.has_everything() ||
      !read.keys.empty())
    return std::nullopt;
  auto& over = read.set.queries()[0];
  auto slot = slot_of(what.aggregates[0], read.schema->layout(), *number);
  if (!slot || !over->bound(read.schema->layout()))
    return std::nullopt;
  return query_tally{what.aggregates[0].what, over, *slot, *number};
}

bool query_tally::add(std::int64_t n) {
  std::int64_t sum = 0;
  if (__builtin_add_overflow(now_.as_int(), n, &sum))
    return false;
  now_ = sum;
  return true;
}

/// A value that is gone may have been the only one like it.
bool query_tally::take_extreme(value_view was, value_view is) {
  const value_view best{now_};
  if (!is.is_null() && !best.is_null() && is == best)
    return true;
  const auto less = what_ == aggregate::function::min ? is < best : best < is;
  if (!is.is_null() && (best.is_null() || less)) {
    now_ = is.materialize();
    return true;
  }
  return was.is_null() || was != best;
}

bool query_tally::take(const place& at, const record_block* before, const record_block* after) {
  if (at <= taken_)
    return true;
  if ((before && before->expires_at != 0) || (after && after->expires_at != 0))
    return false;
  auto& which = *over_->which;
  const bool was = before && which(*before), is = after && which(*after);
  const auto old = was ? field_of(*before, slot_) : value_view{};
  const auto fresh = is ? field_of(*after, slot_) : value_view{};
  auto taken = [&] {
    switch (what_) {
    case aggregate::function::count:
      return add((is ? 1 : 0) - (was ? 1 : 0));
    case aggregate::function::sum: {
      std::int64_t difference = 0;
      return !__builtin_sub_overflow(fresh.if_int().value_or(0), old.if_int().value_or(0),
                                     &difference) &&
             add(difference);
    }
    case aggregate::function::min:
    case aggregate::function::max:
    case aggregate::function::avg:
      break;
    }
    return take_extreme(old, fresh);
  };
  if (!taken())
    return false;
  taken_ = at;
  return true;
}

} // namespace holdfast::detail
