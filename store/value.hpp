#pragma once

#include <chrono>
#include <compare>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iosfwd>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace holdfast {

class value;
class value_view;
struct member;

/// What a value is. The order of the enumerators is the order of kinds, where both numbers count as
/// one.
enum class value_kind : std::uint8_t { null, boolean, integer, real, string, array, object };

/// `null`, `boolean`, `integer`, `real`, `string`, `array`, `object`.
std::string_view to_string(value_kind kind) noexcept;

/// What a field of a schema may hold. A `date` is stored as milliseconds since the epoch.
enum class field_type : std::uint8_t { string, number, integer, boolean, object, array, date };

/// `string`, `number`, ..., as in error texts.
std::string_view to_string(field_type type) noexcept;

/// A list of values. `array{1, "x", true}` makes one; beware that compilers differ about
/// `array{other}` (for g++ a list with `other` in it, for clang++ a copy), as about any
/// `std::vector` of a type that can hold vectors: `array{value{other}}` is a list with one item.
using array = std::vector<value>;

/// Names with values, in the order in which the names were added; no name twice.
///
/// Lookup is linear: objects are small, and a record finds its fields by slot instead. An ordinary
/// value type: copies are deep, and one object must not be changed by two threads at once.
class object {
public:
  object() noexcept;
  object(const object& other);
  object(object&& other) noexcept;
  object& operator=(const object& other);
  object& operator=(object&& other) noexcept;
  ~object();
  /// Of names given twice, the last wins.
  object(std::initializer_list<member> members);

  /// Adds a member, or replaces the value of the one that has this name.
  object& set(std::string_view name, value content);
  /// Adds a member whose name is not there yet, which is not looked at: O(1).
  object& append(std::string name, value content);
  /// Removes a member; false if there was none of that name.
  bool erase(std::string_view name);

  /// The value of that name, or null.
  const value* find(std::string_view name) const noexcept;
  value* find(std::string_view name) noexcept;
  bool contains(std::string_view name) const noexcept { return find(name) != nullptr; }
  /// The value of that name, added as null if there is none.
  value& operator[](std::string_view name);

  std::size_t size() const noexcept;
  bool empty() const noexcept { return size() == 0; }
  const member* begin() const noexcept;
  const member* end() const noexcept;

  /// Same names with equal values, in any order.
  friend bool operator==(const object& a, const object& b);

private:
  std::vector<member> members_;
};

namespace detail {
std::weak_ordering compare_views(const value_view& a, const value_view& b);

template <class T>
concept plain_integer = std::integral<T> && !std::same_as<T, bool> && !std::same_as<T, char> &&
                        !std::same_as<T, wchar_t> && !std::same_as<T, char8_t> &&
                        !std::same_as<T, char16_t> && !std::same_as<T, char32_t>;

/// Throws std::out_of_range for what an int64 cannot hold.
[[noreturn]] void integer_out_of_range();

template <plain_integer T>
constexpr std::int64_t checked_int64(T number) {
  if (std::cmp_greater(number, INT64_MAX))
    integer_out_of_range();
  return static_cast<std::int64_t>(number);
}
} // namespace detail

/// One value of a document: null, bool, int64, double, string, array or object.
///
/// Values have one total order: by kind (null < boolean < number < string < array < object), then
/// numbers by what they are worth, exactly, whether int64 or double (so `1 == 1.0`, and 2^53 + 1 is
/// above 2^53 as a double; NaN, which no record holds, is above all numbers and equal to itself),
/// strings bytewise, arrays item by item, objects by their members in order of name. Equality is
/// that of the order.
class value {
public:
  value() noexcept = default;
  value(std::nullptr_t) noexcept {}
  template <std::same_as<bool> B>
  value(B flag) noexcept : content_(flag) {}
  /// Throws std::out_of_range for unsigned numbers above the greatest int64.
  template <detail::plain_integer I>
  value(I number) : content_(detail::checked_int64(number)) {}
  template <std::floating_point F>
  value(F number) noexcept : content_(static_cast<double>(number)) {}
  /// A date as a record keeps it: whole milliseconds since the epoch.
  template <class Duration>
  value(std::chrono::sys_time<Duration> time)
      : value(std::chrono::floor<std::chrono::milliseconds>(time).time_since_epoch().count()) {}
  value(const char* text) : content_(std::string(text)) {}
  value(std::string_view text) : content_(std::string(text)) {}
  value(std::string text) noexcept : content_(std::move(text)) {}
  value(array items) noexcept : content_(std::move(items)) {}
  value(object members) noexcept : content_(std::move(members)) {}
  /// A deep copy of what `view` shows.
  explicit value(value_view view);

  value_kind kind() const noexcept { return static_cast<value_kind>(content_.index()); }
  bool is_null() const noexcept { return kind() == value_kind::null; }
  bool is_number() const noexcept {
    return kind() == value_kind::integer || kind() == value_kind::real;
  }

  /// The content; throws std::bad_variant_access if the value is of another kind. `as_int` also
  /// takes a double that is a whole number, `as_double` also an int64 (rounded to the nearest).
  bool as_bool() const;
  std::int64_t as_int() const;
  double as_double() const;
  const std::string& as_string() const { return std::get<std::string>(content_); }
  const array& as_array() const { return std::get<array>(content_); }
  array& as_array() { return std::get<array>(content_); }
  const object& as_object() const { return std::get<object>(content_); }
  object& as_object() { return std::get<object>(content_); }

  /// The value as JSON text, for people: doubles keep a decimal point, NaN is `nan`.
  std::string to_string() const;

  template <class T>
  requires std::convertible_to<const T&, value_view>
  friend bool operator==(const value& a, const T& b) { return detail::compare_views(a, b) == 0; }
  template <class T>
  requires std::convertible_to<const T&, value_view>
  friend std::weak_ordering operator<=>(const value& a, const T& b) {
    return detail::compare_views(a, b);
  }
  friend std::ostream& operator<<(std::ostream& out, const value& v);

private:
  friend class value_view;
  std::variant<std::monostate, bool, std::int64_t, double, std::string, array, object> content_;
};

/// One name of an object, with its value.
struct member {
  std::string name;
  value content;
};

inline object::object() noexcept = default;
inline object::object(const object&) = default;
inline object::object(object&&) noexcept = default;
inline object& object::operator=(const object&) = default;
inline object& object::operator=(object&&) noexcept = default;
inline object::~object() = default;
inline const member* object::begin() const noexcept { return members_.data(); }
inline std::size_t object::size() const noexcept { return members_.size(); }
inline const member* object::end() const noexcept { return members_.data() + members_.size(); }

} // namespace holdfast

#include <holdfast/store/value_view.hpp>
