#include <holdfast/store/detail/query_tally.hpp>

#include <holdfast/store/detail/aggregate.hpp>

namespace holdfast::detail {

namespace {

/// The slot of the number's field, if changes of records are enough to know the number.
std::optional<std::uint16_t> slot_of(const aggregate& one, const query_basis& basis,
                                     const record_layout& layout, const value& now) {
  if (one.what == aggregate::function::count)
    return one.field.empty() ? std::optional<std::uint16_t>{0} : std::nullopt;
  auto field = find_field(layout, one.field);
  if (!field || !field->path.empty())
    return std::nullopt;
  switch (one.what) {
  case aggregate::function::avg: // of reals it depends on their order, as the sum does
    if (!only_integers(layout, *field) || !basis.numbers)
      return std::nullopt;
    return field->slot;
  case aggregate::function::sum:
    if (!only_integers(layout, *field) || now.kind() != value_kind::integer)
      return std::nullopt;
    return field->slot;
  case aggregate::function::min:
  case aggregate::function::max:
    return field->slot;
  case aggregate::function::count:
    break;
  }
  return std::nullopt;
}

} // namespace

std::unique_ptr<query_upkeep> query_tally::of(const aggregate& what, const query_basis& basis,
                                              const record_layout& layout,
                                              std::shared_ptr<read_set::query_read> over,
                                              const query_value& now) {
  const auto* number = now.if_a<value>();
  if (!number)
    return nullptr;
  const auto slot = slot_of(what, basis, layout, *number);
  return slot ? std::make_unique<query_tally>(what.what, std::move(over), *slot, *number,
                                              basis.numbers.value_or(adder{}))
              : nullptr;
}

std::optional<query_value> query_tally::now() {
  auto out = query_value::of(now_);
  told_ = now_;
  return out;
}

bool query_tally::add(std::int64_t n) {
  std::int64_t sum = 0;
  if (__builtin_add_overflow(now_.as_int(), n, &sum))
    return lacks(run_cause::extreme);
  now_ = sum;
  return true;
}

/// As exactly as by a run, which adds up integers of any size, too.
bool query_tally::take_mean(value_view was, value_view is) {
  auto next = numbers_;
  if (const auto gone = was.if_int())
    next.remove(*gone);
  next.add(is);
  now_ = next.mean();
  numbers_ = next;
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
  return was.is_null() || was != best || lacks(run_cause::extreme);
}

bool query_tally::take_matching(const record_block* before, const record_block* after) {
  const auto old = before ? field_of(*before, slot_) : value_view{};
  const auto fresh = after ? field_of(*after, slot_) : value_view{};
  switch (what_) {
  case aggregate::function::count:
    return add((after ? 1 : 0) - (before ? 1 : 0));
  case aggregate::function::sum: {
    std::int64_t difference = 0;
    return __builtin_sub_overflow(fresh.if_int().value_or(0), old.if_int().value_or(0), &difference)
               ? lacks(run_cause::extreme)
               : add(difference);
  }
  case aggregate::function::avg:
    return take_mean(old, fresh);
  case aggregate::function::min:
  case aggregate::function::max:
    break;
  }
  return take_extreme(old, fresh);
}

} // namespace holdfast::detail
