#pragma once

#include <holdfast/store/detail/named_member.hpp>
#include <holdfast/store/field.hpp>
#include <holdfast/store/value.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace holdfast {

struct aggregate;
template <class T>
struct aggregate_of;

namespace detail {
template <class Field, class R = typename named_member<Field>::record>
struct aggregate_over {
  using type = aggregate_of<R>;
};
template <class Field>
struct aggregate_over<Field, void> {
  using type = aggregate;
};
} // namespace detail

/// One number over the records of a group: `aggregate::count()`, `aggregate::sum("age")`. A value;
/// fields may be paths, see `filter`. A member that the function makes no sense for, as in
/// `aggregate::sum(f<&user::name>)`, does not compile.
struct aggregate {
  enum class function : std::uint8_t {
    count, ///< of records, or with a field of records that have a value there
    sum,   ///< of the numbers, rounded at most once; 0 of none. An integer if all are and it fits
    avg,   ///< of the numbers, as a real; null of none. It and a sum of reals may be infinite
    min,   ///< by the order of `value`; null of none
    max,
  };

  function what = function::count;
  std::string field; ///< empty only for `count`

  static aggregate count() { return {}; }
  template <detail::names_field Field>
  static auto count(const Field& of) {
    return over(function::count, of);
  }
  template <detail::numeric_field Field>
  static auto sum(const Field& of) {
    return over(function::sum, of);
  }
  template <detail::numeric_field Field>
  static auto avg(const Field& of) {
    return over(function::avg, of);
  }
  template <detail::ordered_field Field>
  static auto min(const Field& of) {
    return over(function::min, of);
  }
  template <detail::ordered_field Field>
  static auto max(const Field& of) {
    return over(function::max, of);
  }

  friend bool operator==(const aggregate&, const aggregate&) = default;

private:
  template <class Field>
  static auto over(function what, const Field& of) {
    typename detail::aggregate_over<Field>::type out;
    out.what = what;
    out.field = field_name{of}.text;
    return out;
  }
};

/// One over a member of `T`: what `aggregate::sum(f<&T::age>)` gives, so that the handle of another
/// struct's bucket does not take it.
template <class T>
struct aggregate_of : aggregate {};

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
