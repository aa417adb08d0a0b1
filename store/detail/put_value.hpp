#pragma once

#include <holdfast/store/detail/member_codec.hpp>
#include <holdfast/store/field.hpp>

#include <concepts>
#include <optional>
#include <string>
#include <type_traits>

/// Contents of single members that are given without their struct: by `set`, as defaults, to fill
/// in a new field.
namespace holdfast::detail {

template <class U>
inline constexpr bool is_none = std::same_as<U, std::nullopt_t> || std::same_as<U, std::nullptr_t>;

/// Whether what a `U` says is the content of a `To`, without what C++ converts silently: a fraction
/// to an integer, a flag or a letter to a number, a null pointer to a text.
template <class To, class U>
consteval bool can_be_content() {
  if constexpr (std::same_as<To, std::string>)
    return text_like<U>;
  else if constexpr (std::same_as<To, bool> || enum_like<To>)
    return std::same_as<U, To>;
  else if constexpr (plain_integer<To>)
    return plain_integer<U>;
  else if constexpr (std::floating_point<To>)
    return number_like<U>;
  else if constexpr (time_like<To> || duration_like<To>)
    return kindred<To, U> && std::convertible_to<const U&, To>;
  else
    return std::convertible_to<const U&, To> && !is_none<U>;
}
/// Whether a `U` can be put into a member of type `T`; nothing, and an optional, only into an
/// optional.
template <class T, class U>
consteval bool can_be_put() {
  if constexpr (std::same_as<T, U>)
    return true;
  else if constexpr (is_none<U> || unwrap_optional<U>::optional)
    return unwrap_optional<T>::optional &&
           (is_none<U> ||
            can_be_content<typename unwrap_optional<T>::type, typename unwrap_optional<U>::type>());
  else
    return can_be_content<typename unwrap_optional<T>::type, U>();
}
template <class T, class U>
concept put_into = can_be_put<T, U>();

/// What is put into a member of type `T`, as it is stored. An integer or duration that the member
/// cannot hold goes to the field as it is, whose bounds, or type, refuse it.
template <class T, class U>
value put_value(const U& content) {
  using to = typename unwrap_optional<T>::type;
  if constexpr (is_none<U>) {
    return {};
  } else if constexpr (unwrap_optional<U>::optional) {
    return content ? put_value<T>(*content) : value{};
  } else if constexpr (std::floating_point<to> && std::floating_point<U>) {
    return value{static_cast<to>(content)};
  } else if constexpr (mappable_scalar<to>) {
    return value{to_operand<to>(content)};
  } else {
    const to made = content;
    return value{to_stored(made)};
  }
}

} // namespace holdfast::detail
