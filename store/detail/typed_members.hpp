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

/// The type in which a typed handle gives keys: views of texts, int64 for integers.
template <class T>
using key_content = std::conditional_t<
    std::same_as<typename decltype(key_type_of(mapping<T>.fields))::type, std::string>,
    std::string_view, std::int64_t>;

/// A key as a typed handle takes it: a text, or an integer of any type. What C++ would convert
/// silently, a flag, a fraction or a null pointer, does not compile. Refers to the text.
template <class T>
class key_argument {
public:
  template <class U>
  requires(std::same_as<key_content<T>, std::string_view> ? text_like<U> : plain_integer<U>)
      key_argument(const U& key)
      : key_{to_view(key)} {}

  operator value_view() const noexcept { return key_; }
  operator value() const { return value{key_}; }

private:
  template <class U>
  static value_view to_view(const U& key) {
    if constexpr (plain_integer<U>)
      return stored_integer(key); // above the range of int64 it is that of no record
    else
      return value_view{std::string_view{key}};
  }
  value_view key_;
};

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
