#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

namespace holdfast {

/// An enumerator with the text that stands for it in records.
template <class E>
struct enum_name {
  E content;
  std::string_view name;
};

namespace detail {

template <auto V>
consteval std::string_view enumerator_text() {
  return __PRETTY_FUNCTION__;
}

/// The name of an enumerator as written in the source; empty for a value that has none. g++ ends
/// the value with "; " and clang++ with "]"; both write `(color)7` for a value without a name. What
/// stands before the last "::" may have parentheses of its own: clang++'s `(anonymous namespace)`,
/// or a function's.
template <auto V>
consteval std::string_view enumerator_name() {
  auto text = enumerator_text<V>();
  auto start = text.find("V = ") + 4;
  auto end = text.find("; ", start);
  if (end == text.npos)
    end = text.rfind(']');
  text = text.substr(start, end - start);
  if (auto scope = text.rfind("::"); scope != text.npos)
    text.remove_prefix(scope + 2);
  return text.find_first_of("()") == text.npos ? text : std::string_view{};
}

/// The enumerators from 0 to 63.
inline constexpr std::size_t reflected_values = 64;

template <class E, std::size_t... I>
consteval auto reflect(std::index_sequence<I...>) {
  constexpr std::array<std::string_view, sizeof...(I)> all{enumerator_name<static_cast<E>(I)>()...};
  constexpr auto named = (static_cast<std::size_t>(!all[I].empty()) + ...);
  std::array<enum_name<E>, named> out{};
  std::size_t next = 0;
  for (std::size_t i = 0; i < all.size(); ++i)
    if (!all[i].empty())
      out[next++] = {static_cast<E>(i), all[i]};
  return out;
}

template <class E>
consteval auto reflected_names() {
  if constexpr (std::is_enum_v<E>)
    return reflect<E>(std::make_index_sequence<reflected_values>{});
  else
    return std::array<enum_name<int>, 0>{};
}

} // namespace detail

/// The texts for an enum's values in records: the enumerators' own names, for those that are worth
/// 0 to 63. Specialize it for other texts and other values:
///
///     template <>
///     inline constexpr auto holdfast::enum_names<color> =
///         std::to_array<holdfast::enum_name<color>>({{color::red, "r"}, {color::blue, "b"}});
template <class E>
inline constexpr auto enum_names = detail::reflected_names<E>();

/// The text for an enum's value; nothing if it has none. Linear in the number of names.
template <class E>
requires std::is_enum_v<E>
constexpr std::optional<std::string_view> to_text(E content) noexcept {
  for (auto& each : enum_names<E>)
    if (each.content == content)
      return each.name;
  return {};
}

/// The enum's value for a text; nothing if no value has it. Linear in the number of names.
template <class E>
requires std::is_enum_v<E>
constexpr std::optional<E> from_text(std::string_view text) noexcept {
  for (auto& each : enum_names<E>)
    if (each.name == text)
      return each.content;
  return {};
}

} // namespace holdfast
