#pragma once

#include <holdfast/store/enum_names.hpp>
#include <holdfast/store/value_view.hpp>

#include <chrono>
#include <concepts>
#include <cstdint>
#include <optional>
#include <ratio>
#include <type_traits>
#include <vector>

/// The types that a mapped member may have besides texts, flags and numbers, and what they are in a
/// record.
namespace holdfast::detail {

template <class T>
struct unwrap_optional {
  using type = T;
  static constexpr bool optional = false;
};
template <class T>
struct unwrap_optional<std::optional<T>> {
  using type = T;
  static constexpr bool optional = true;
};

/// A vector's item, or the type itself; optional or not. A dynamic `array` has no item type.
template <class T>
struct unwrap_item {
  using type = T;
};
template <class T>
struct unwrap_item<std::optional<T>> : unwrap_item<T> {};
template <class T>
struct unwrap_item<std::vector<T>> : unwrap_optional<T> {};
template <>
struct unwrap_item<array> {
  using type = array;
};

template <class T>
inline constexpr bool is_vector = false;
template <class T>
inline constexpr bool is_vector<std::vector<T>> = true;
template <class T>
inline constexpr bool is_duration = false;
template <class Rep, class Period>
inline constexpr bool is_duration<std::chrono::duration<Rep, Period>> = true;
template <class T>
inline constexpr bool is_sys_time = false;
template <class Duration>
inline constexpr bool is_sys_time<std::chrono::sys_time<Duration>> =
    std::integral<typename Duration::rep>;

template <class T>
concept enum_like = std::is_enum_v<T>;
template <class T>
concept duration_like = is_duration<T>;
template <class T>
concept time_like = is_sys_time<T>;

/// Whether an operand of type `U` says something about a member of type `T`, both of the types
/// above.
template <class T, class U>
concept kindred = (enum_like<T> && std::same_as<T, U>) || (duration_like<T> && duration_like<U>) ||
                  (time_like<T> && time_like<U>);

/// An integer as a record keeps it. Unsigned numbers above the range of int64 become reals, which
/// compare with every int64 as they should, and which no integer field accepts.
template <plain_integer N>
constexpr value_view stored_integer(N number) {
  return std::in_range<std::int64_t>(number) ? value_view{number}
                                             : value_view{static_cast<double>(number)};
}

/// A time as a record keeps it: whole milliseconds, rounded down. Times that do not fit into them
/// become reals, which no date field accepts.
template <class Duration>
constexpr value_view stored_time(std::chrono::sys_time<Duration> time) {
  using std::chrono::milliseconds;
  auto since = time.time_since_epoch();
  if constexpr (std::ratio_greater_v<typename Duration::period, std::milli>) {
    if (since > std::chrono::floor<Duration>(milliseconds::max()) ||
        since < std::chrono::ceil<Duration>(milliseconds::min()))
      return std::chrono::duration<double, std::milli>{since}.count();
  }
  return std::chrono::floor<milliseconds>(since).count();
}

/// The enum's text; one without a text gives its number, which no text field accepts.
template <enum_like E>
value_view stored_enum(E content) {
  if (auto text = to_text(content))
    return *text;
  return stored_integer(static_cast<std::int64_t>(content));
}

/// A duration as a number of another's units: an integer where that is exact, else a real.
template <duration_like D, duration_like U>
constexpr value_view in_units_of(U time) {
  if constexpr (std::integral<typename U::rep> && std::integral<typename D::rep>) {
    using factor = std::ratio_divide<typename U::period, typename D::period>;
    auto count = static_cast<std::int64_t>(time.count());
    auto whole = count / factor::den;
    if (count % factor::den == 0 && whole <= INT64_MAX / factor::num &&
        whole >= INT64_MIN / factor::num)
      return whole * factor::num;
  }
  return std::chrono::duration<double, typename D::period>{time}.count();
}

} // namespace holdfast::detail
