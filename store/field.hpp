#pragma once

#include <holdfast/store/detail/member_types.hpp>
#include <holdfast/store/parameter.hpp>
#include <holdfast/store/typed_filter.hpp>

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace holdfast {

namespace detail {

template <class T>
concept text_like =
    std::convertible_to<const T&, std::string_view> && !std::same_as<T, std::nullptr_t>;
template <class T>
concept number_like = plain_integer<T> || std::floating_point<T>;

/// Whether a member of type `T` can hold what an operand of type `U` says. `T` is `void` for a
/// dynamic field, whose operand is checked against the schema when the filter is used.
template <class T, class U>
concept operand_of = (std::same_as<T, void> &&
                      (text_like<U> || std::constructible_from<value, const U&>)) ||
                     (std::same_as<U, std::nullptr_t> && unwrap_optional<T>::optional) ||
                     (std::same_as<typename unwrap_optional<T>::type, bool> &&
                      std::same_as<U, bool>) ||
                     (number_like<typename unwrap_optional<T>::type> && number_like<U>) ||
                     (text_like<typename unwrap_optional<T>::type> && text_like<U>) ||
                     kindred<typename unwrap_optional<T>::type, U>;

/// Whether a filter may compare it with that, or with a parameter that stands for it.
template <class T, class U>
concept compared_with = std::same_as<U, query_parameter> || operand_of<T, U>;

/// What is stored as one text, flag, number or date.
template <class T>
concept mappable_scalar = std::same_as<T, std::string> || std::same_as<T, bool> || number_like<T> ||
    enum_like<T> || time_like<T> || duration_like<T>;

/// Whether values of a member add up: numbers, and durations, which are stored as such. `void` is a
/// field by its name, which is looked at when it is used.
template <class T>
concept adds_up = std::same_as<T, void> || number_like<typename unwrap_optional<T>::type> ||
    duration_like<typename unwrap_optional<T>::type>;
/// Whether values of a member have an order: what is stored neither as an array nor as an object.
/// Enums have that of their texts.
template <class T>
concept has_order = std::same_as<T, void> || mappable_scalar<typename unwrap_optional<T>::type> ||
    text_like<typename unwrap_optional<T>::type>;

template <class T, class U>
consteval bool can_contain() {
  using plain = typename unwrap_optional<T>::type;
  if constexpr (std::same_as<T, void> || std::same_as<plain, array>) {
    return compared_with<void, U>;
  } else {
    if constexpr (is_vector<plain>)
      return compared_with<typename plain::value_type, U>;
    else
      return text_like<plain> && (text_like<U> || std::same_as<U, query_parameter>);
  }
}

/// Whether a text member may contain a `U`, or an array member have it as an item.
template <class T, class U>
concept part_of = can_contain<T, U>();

/// The operand as a value, for a member of type `T`: in the form in which records keep such
/// members.
template <class T, class U>
value to_operand(const U& x) {
  if constexpr (plain_integer<U>)
    return value{stored_integer(x)};
  else if constexpr (text_like<U>)
    return value{std::string_view{x}};
  else if constexpr (enum_like<U>)
    return value{stored_enum(x)};
  else if constexpr (time_like<U>)
    return value{stored_time(x)};
  else if constexpr (duration_like<U>)
    return value{in_units_of<typename unwrap_item<T>::type>(x)};
  else
    return value{x};
}

template <auto>
struct member_tag {};
template <class T>
consteval std::string_view pretty() {
  return __PRETTY_FUNCTION__;
}

/// The name of the member that `M` points to, as written in the source: `member_name<&user::age>()`
/// is "age". g++ ends the tag with ">; " and clang++ with ">]".
template <auto M>
consteval std::string_view member_name() {
  auto text = pretty<member_tag<M>>();
  auto end = text.find(">; ");
  if (end == text.npos)
    end = text.rfind(">]");
  text = text.substr(0, end);
  return text.substr(text.rfind("::") + 2);
}

template <class>
struct member_of;
template <class C, class T>
struct member_of<T C::*> {
  using record = C;
  using type = T;
};

/// The way to a member of a nested struct: `path_to<&user::address, &address::city>`.
template <auto M, auto... Rest>
struct path_to {
  using first = typename member_of<decltype(M)>::type;
  using further = path_to<Rest...>;
  using nested = typename unwrap_optional<first>::type;
  using record = typename member_of<decltype(M)>::record;
  static_assert(std::same_as<nested, typename further::record>,
                "each member of a path belongs to the struct of the member before");
  static constexpr bool optional = unwrap_optional<first>::optional;
  /// The last member's type, optional if any struct on the way is.
  using type = std::conditional_t<optional && !unwrap_optional<typename further::type>::optional,
                                  std::optional<typename further::type>, typename further::type>;
  static constexpr std::size_t size = member_name<M>().size() + 1 + further::size;
  static constexpr auto text = [] {
    std::array<char, size> out{};
    auto end = std::ranges::copy(member_name<M>(), out.begin()).out;
    *end++ = '.';
    std::ranges::copy(further::name, end);
    return out;
  }();
  static constexpr std::string_view name{text.data(), text.size()};
};
template <auto M>
struct path_to<M> {
  using record = typename member_of<decltype(M)>::record;
  using type = typename member_of<decltype(M)>::type;
  static constexpr std::string_view name = member_name<M>();
  static constexpr std::size_t size = name.size();
};

} // namespace detail

/// Names a field. `T` is the member's type for a typed field, where an operand of an unrelated type
/// does not compile, and `void` for a dynamic one, where it is an error when the filter is used.
/// `R` is the struct of a typed one: its comparisons give a `typed_filter<R>`, others a `filter`.
///
/// The name is not copied: it must outlive the `field_ref`, and does not have to outlive the
/// filter.
template <class T, class R = void>
struct field_ref {
  using compared = typename detail::filter_over<R>::type;

  std::string_view name;

  /// Equal to one of the operands.
  template <class... U>
  requires(detail::compared_with<T, std::decay_t<const U&>>&&...) compared in(const U&... operands)
  const {
    std::vector<value> list;
    list.reserve(sizeof...(U));
    (list.push_back(operand(operands)), ...);
    return compared{filter::in(name, std::move(list))};
  }
  /// Equal to an element of the list.
  template <class U>
  requires detail::compared_with<T, U> compared in(const std::vector<U>& operands)
  const {
    std::vector<value> list;
    list.reserve(operands.size());
    for (const auto& x : operands)
      list.push_back(operand(x));
    return compared{filter::in(name, std::move(list))};
  }
  /// At least `low` and at most `high`.
  template <class U, class V>
  requires detail::compared_with<T, std::decay_t<const U&>> &&
      detail::compared_with<T, std::decay_t<const V&>>
          compared between(const U& low, const V& high)
  const { return compared{filter::between(name, operand(low), operand(high))}; }
  /// A text that begins with `prefix`, bytewise.
  compared
  starts_with(std::string_view prefix) const requires detail::operand_of<T, std::string_view> {
    return compared{filter::starts_with(name, prefix)};
  }
  /// A text that ends with `suffix`, bytewise.
  compared
  ends_with(std::string_view suffix) const requires detail::operand_of<T, std::string_view> {
    return compared{filter::ends_with(name, suffix)};
  }
  /// A text with `part` in it, whatever the case of letters, or an array with such an item; see
  /// `filter::kind::contains`.
  template <class U>
  requires detail::part_of<T, std::decay_t<const U&>> compared contains(const U& part)
  const { return compared{filter::contains(name, operand(part))}; }
  compared is_null() const { return compared{filter::is_null(name)}; }
  compared exists() const { return compared{filter::exists(name)}; }

  template <class U>
  static value operand(const U& x) {
    return detail::to_operand<T, std::decay_t<const U&>>(x);
  }
};

namespace detail {
template <class T, class R, class U>
typename field_ref<T, R>::compared compare(field_ref<T, R> field, filter::kind op, const U& x) {
  return typename field_ref<T, R>::compared{
      filter::compare(field.name, op, field_ref<T, R>::operand(x))};
}
} // namespace detail

template <class T, class R, class U>
requires detail::compared_with<T, std::decay_t<const U&>>
typename field_ref<T, R>::compared operator==(field_ref<T, R> field, const U& x) {
  return detail::compare(field, filter::kind::eq, x);
}
template <class T, class R, class U>
requires detail::compared_with<T, std::decay_t<const U&>>
typename field_ref<T, R>::compared operator!=(field_ref<T, R> field, const U& x) {
  return detail::compare(field, filter::kind::ne, x);
}
template <class T, class R, class U>
requires detail::compared_with<T, std::decay_t<const U&>>
typename field_ref<T, R>::compared operator<(field_ref<T, R> field, const U& x) {
  return detail::compare(field, filter::kind::lt, x);
}
template <class T, class R, class U>
requires detail::compared_with<T, std::decay_t<const U&>>
typename field_ref<T, R>::compared operator<=(field_ref<T, R> field, const U& x) {
  return detail::compare(field, filter::kind::le, x);
}
template <class T, class R, class U>
requires detail::compared_with<T, std::decay_t<const U&>>
typename field_ref<T, R>::compared operator>(field_ref<T, R> field, const U& x) {
  return detail::compare(field, filter::kind::gt, x);
}
template <class T, class R, class U>
requires detail::compared_with<T, std::decay_t<const U&>>
typename field_ref<T, R>::compared operator>=(field_ref<T, R> field, const U& x) {
  return detail::compare(field, filter::kind::ge, x);
}

/// The name of a field or a path, where a list of them is asked for: `{"name", f<&user::age>}`.
struct field_name {
  std::string text;

  field_name(std::string name) : text{std::move(name)} {}
  field_name(std::string_view name) : text{name} {}
  field_name(const char* name) : text{name} {}
  template <class T, class R>
  field_name(field_ref<T, R> field) : text{field.name} {}

  friend bool operator==(const field_name&, const field_name&) = default;
};

// The texts of enums have an order that says nothing.
template <class T, class R, class U>
requires detail::compared_with<T, std::decay_t<const U&>> && detail::enum_like<U>
    filter operator<(field_ref<T, R> field, const U& x) = delete;
template <class T, class R, class U>
requires detail::compared_with<T, std::decay_t<const U&>> && detail::enum_like<U>
    filter operator<=(field_ref<T, R> field, const U& x) = delete;
template <class T, class R, class U>
requires detail::compared_with<T, std::decay_t<const U&>> && detail::enum_like<U>
    filter operator>(field_ref<T, R> field, const U& x) = delete;
template <class T, class R, class U>
requires detail::compared_with<T, std::decay_t<const U&>> && detail::enum_like<U>
    filter operator>=(field_ref<T, R> field, const U& x) = delete;

inline namespace literals {
/// A dynamic field, or a path into one: `"age"_f >= 18`, `"address.city"_f == "Brno"`.
constexpr field_ref<void> operator""_f(const char* text, std::size_t size) noexcept {
  return {{text, size}};
}
} // namespace literals

/// A field of a mapped struct, `f<&user::age> >= 18`, or a member of a struct in it,
/// `f<&user::address, &address::city> == "Brno"`. Enums compare with enums of their type, times
/// with times (in whole milliseconds), durations with durations of any unit.
template <auto... M>
inline constexpr field_ref<typename detail::path_to<M...>::type,
                           typename detail::path_to<M...>::record>
    f{{detail::path_to<M...>::name}};

} // namespace holdfast
