#pragma once

#include <holdfast/store/field.hpp>
#include <holdfast/store/value.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast {

/// One number over the records of a group: `aggregate::count()`, `aggregate::sum("age")`. A value;
/// fields may be paths, see `filter`.
struct aggregate {
  enum class function : std::uint8_t {
    count, ///< of records, or with a field of records that have a value there
    sum,   ///< of the numbers; 0 of none. Exact for integers as long as it fits into one
    avg,   ///< of the numbers, as a real; null of none
    min,   ///< by the order of `value`; null of none
    max,
  };

  function what = function::count;
  std::string field; ///< empty only for `count`

  static aggregate count() { return {}; }
  static aggregate count(field_name of) { return {function::count, std::move(of.text)}; }
  static aggregate sum(field_name of) { return {function::sum, std::move(of.text)}; }
  static aggregate avg(field_name of) { return {function::avg, std::move(of.text)}; }
  static aggregate min(field_name of) { return {function::min, std::move(of.text)}; }
  static aggregate max(field_name of) { return {function::max, std::move(of.text)}; }

  friend bool operator==(const aggregate&, const aggregate&) = default;
};

/// `count`, `sum`, ...
std::string_view to_string(aggregate::function what) noexcept;

/// The records that have equal values in some fields, and what was asked about them.
struct group {
  std::vector<value> key;     ///< in the order of the fields; null for absent
  std::vector<value> results; ///< in the order of the aggregates

  friend bool operator==(const group&, const group&) = default;
};

/// In the order in which the groups first appear in the bucket's own order.
using groups = std::vector<group>;

} // namespace holdfast
