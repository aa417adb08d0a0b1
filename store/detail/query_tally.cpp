#include <holdfast/store/detail/query_tally.hpp>

#include <holdfast/store/detail/aggregate.hpp>

namespace holdfast::detail {

namespace {

/// The slot of the number's field, if changes of records are enough to know the number.
std::optional<std::uint16_t> slot_of(const aggregate& one, const query_basis& basis,
                                     const record_layout& layout) {
  if (one.what == aggregate::function::count)
    return one.field.empty() ? std::optional<std::uint16_t>{0} : std::nullopt;
  auto field = find_field(layout, one.field);
  if (!field || !field->path.empty())
    return std::nullopt;
  const auto adds = one.what == aggregate::function::sum || one.what == aggregate::function::avg;
  return adds && !basis.numbers ? std::nullopt : std::optional{field->slot};
}

} // namespace

std::unique_ptr<query_upkeep> query_tally::of(const aggregate& what, query_basis basis,
                                              const record_layout& layout,
                                              std::shared_ptr<read_set::query_read> over,
                                              const query_value& now) {
  const auto* number = now.if_a<value>();
  if (!number)
    return nullptr;
  const auto slot = slot_of(what, basis, layout);
  if (!slot)
    return nullptr;
  auto numbers = basis.numbers ? std::move(*basis.numbers) : adder{};
  return std::make_unique<query_tally>(what.what, std::move(over), *slot, *number,
                                       std::move(numbers));
}

std::optional<query_value> query_tally::now() {
  if (what_ == aggregate::function::sum)
    now_ = numbers_.sum();
  if (what_ == aggregate::function::avg)
    now_ = numbers_.mean();
  return query_value::of(now_);
}

/// As exactly as by a run, so that it comes to the same.
bool query_tally::take_number(value_view was, value_view is) {
  numbers_.add(is); // first: it may throw
  numbers_.remove(was);
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
  const auto number = [this](const record_block* b) {
    return b ? std::optional{field_of(*b, slot_)} : std::nullopt;
  };
  return take_change(number(before), number(after));
}

/// Not the record: its other fields may change unseen, and the old versions would all be kept.
query_upkeep::ending query_tally::keep_of(const record_block& b) const {
  const auto counts = what_ == aggregate::function::count;
  return {{}, counts ? value{} : field_of(b, slot_).materialize()};
}

bool query_tally::take_end(const ending& e) {
  return take_change(value_view{e.used}, std::nullopt);
}

bool query_tally::take_change(const std::optional<value_view>& before,
                              const std::optional<value_view>& after) {
  const auto old = before.value_or(value_view{}), fresh = after.value_or(value_view{});
  switch (what_) {
  case aggregate::function::count:
    now_ = now_.as_int() + (after ? 1 : 0) - (before ? 1 : 0);
    return true;
  case aggregate::function::sum:
  case aggregate::function::avg:
    return take_number(old, fresh);
  case aggregate::function::min:
  case aggregate::function::max:
    break;
  }
  return take_extreme(old, fresh);
}

} // namespace holdfast::detail
