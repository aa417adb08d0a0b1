#pragma once

#include <holdfast/store/detail/mapping.hpp>
#include <holdfast/store/field.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>

/// Single members of a mapped struct: whether there are any such, where they stand, and how they
/// are read without the rest.
namespace holdfast::detail {

/// The type in which a typed handle takes and gives keys: views of texts, int64 for integers.
template <class T>
using key_argument = std::conditional_t<
    std::same_as<typename decltype(key_type_of(mapping<T>.fields))::type, std::string>,
    std::string_view, std::int64_t>;

/// Whether a conversion that C++ does silently would change what is meant: 1.5 to an integer, a
/// flag to a number.
template <class To, class From>
concept lossy = (plain_integer<To> && (std::floating_point<From> || std::same_as<From, bool>)) ||
                (std::floating_point<To> && std::same_as<From, bool>) ||
                (std::same_as<To, bool> && (number_like<From> || std::is_pointer_v<From>));

/// Whether an integer member is given an integer of another type, which may be out of its range.
template <class To, class From>
concept narrowed = plain_integer<To> && plain_integer<From> && !std::same_as<To, From>;

/// What a member is to hold, as it is stored.
template <class Content, class U>
value fill_value(const U& made) {
  if constexpr (plain_integer<Content> && plain_integer<U>) {
    // What the member cannot hold goes to the field as it is, whose bounds, or type, refuse it.
    if (std::in_range<Content>(made))
      return value{to_stored(static_cast<Content>(made))};
    return std::in_range<std::int64_t>(made) ? value{static_cast<std::int64_t>(made)}
                                             : value{static_cast<double>(made)};
  } else if constexpr (std::convertible_to<const U&, Content>) {
    const Content content = made;
    return value{to_stored(content)};
  } else {
    return value{std::string_view{made}};
  }
}

/// Where the member stands in the mapping; behind the last one if it is not there.
template <auto M, class... Fields>
consteval std::size_t position_of(const std::tuple<Fields...>&) {
  std::size_t at = 0;
  std::size_t found = sizeof...(Fields);
  ((found = std::same_as<member_tag<M>, member_tag<Fields::member>> ? at : found, ++at), ...);
  return found;
}

/// Whether `M` is a member of `T` that its mapping names.
template <class T, auto M>
concept maps = std::is_member_object_pointer_v<decltype(M)> &&
    std::same_as<typename member_of<decltype(M)>::record, T> && position_of<M>(mapping<T>.fields)
< std::tuple_size_v<decltype(mapping<T>.fields)>;

/// What is given of a member that is only looked at.
template <class X>
struct viewed_as {
  using type = X;
};
template <>
struct viewed_as<std::string> {
  using type = std::string_view;
};
template <>
struct viewed_as<std::optional<std::string>> {
  using type = std::optional<std::string_view>;
};
template <class X>
using viewed = typename viewed_as<X>::type;

template <class X>
void read_viewed(value_view from, X& to, misfits& bad, const place& where) {
  read_member(from, to, bad, where);
}
inline void read_viewed(value_view from, std::string_view& to, misfits& bad, const place& where) {
  if (auto text = from.if_string())
    to = *text;
  else
    bad.add(where, from);
}
inline void read_viewed(value_view from, std::optional<std::string_view>& to, misfits& bad,
                        const place& where) {
  if (!from.is_null())
    read_viewed(from, to.emplace(), bad, where);
}

/// The value of a member of a member, or null.
template <auto... M>
value_view descend_members(value_view from) noexcept {
  ((from = from[member_name<M>()]), ...);
  return from;
}

} // namespace holdfast::detail
