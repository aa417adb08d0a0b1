#include <holdfast/store/detail/filter_intervals.hpp>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

namespace holdfast::detail {

namespace {

using intervals = std::vector<value_interval>;

/// The texts that begin with a prefix lie before the next text of its length, if there is one.
std::optional<value> behind_prefix(std::string_view prefix) {
  std::string next{prefix};
  while (!next.empty() && next.back() == '\xff')
    next.pop_back();
  if (next.empty())
    return std::nullopt;
  next.back() = static_cast<char>(static_cast<unsigned char>(next.back()) + 1);
  return value{std::move(next)};
}

/// The values that are in none of the intervals, which are ascending.
intervals rest_of(const intervals& ranges) {
  intervals out;
  value_interval next;
  for (const auto& r : ranges) {
    if (r.from) {
      next.to = r.from;
      next.open_to = !r.open_from;
      out.push_back(next);
    }
    if (!r.to)
      return out;
    next = {.from = r.to, .open_from = !r.open_to};
  }
  out.push_back(next);
  return out;
}

intervals each_of(std::vector<value> values) {
  std::ranges::sort(values, [](value_view a, value_view b) { return a < b; });
  intervals out;
  out.reserve(values.size());
  for (auto& x : values)
    out.push_back({.from = x, .to = x});
  return out;
}

/// What the comparison says without its negation. Null is the first of all values.
intervals plain_intervals_of(const bound_node& leaf) {
  const value null{};
  if (leaf.op == filter::kind::is_null)
    return {{.from = null, .to = null}};
  if (leaf.op == filter::kind::exists)
    return {{.from = null, .open_from = true}};
  if (leaf.op == filter::kind::in)
    return each_of({leaf.operands.begin(), leaf.operands.end()});
  const auto& first = leaf.operands.front();
  switch (leaf.op) {
  case filter::kind::eq:
    return {{.from = first, .to = first}};
  case filter::kind::ne:
    return {{.from = null, .to = first, .open_from = true, .open_to = true},
            {.from = first, .open_from = true}};
  case filter::kind::lt:
    return {{.from = null, .to = first, .open_from = true, .open_to = true}};
  case filter::kind::le:
    return {{.from = null, .to = first, .open_from = true}};
  case filter::kind::gt:
    return {{.from = first, .open_from = true}};
  case filter::kind::ge:
    return {{.from = first}};
  case filter::kind::between:
    return {{.from = first, .to = leaf.operands[1]}};
  case filter::kind::starts_with:
    return {{.from = first, .to = behind_prefix(first.as_string()), .open_to = true}};
  default:
    return {};
  }
}

} // namespace

std::vector<value_interval> intervals_of(const bound_node& leaf) {
  const bool scalars = std::ranges::all_of(
      leaf.operands, [](const value& x) { return x.kind() < value_kind::array; });
  if (!scalars || leaf.op == filter::kind::contains || leaf.op == filter::kind::ends_with)
    return {};
  if (!leaf.negated)
    return plain_intervals_of(leaf);
  // A member may hold a value of any kind, also one to which the comparison does not apply.
  return leaf.field.path.empty() ? rest_of(plain_intervals_of(leaf)) : intervals{};
}

} // namespace holdfast::detail
