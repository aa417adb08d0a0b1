#pragma once

#include <holdfast/store/detail/member_types.hpp>
#include <holdfast/store/field.hpp>
#include <holdfast/store/filter.hpp>
#include <holdfast/store/value.hpp>

#include <concepts>
#include <optional>
#include <type_traits>

namespace holdfast::detail {

/// Of which struct and type a member is that something names; `void` where that does not say.
template <class Field>
struct named_member {
  using record = void;
  using type = void;
};
template <class X, class R>
struct named_member<field_ref<X, R>> {
  using record = R;
  using type = X;
};

/// What may name a field: a name, which is looked at when it is used, or a member.
template <class Field>
concept names_field = std::constructible_from<field_name, const Field&>;
template <class Field>
concept numeric_field = names_field<Field> && adds_up<typename named_member<Field>::type>;
template <class Field>
concept ordered_field = names_field<Field> && has_order<typename named_member<Field>::type>;

/// What may name a field of `T`'s bucket.
template <class Field, class T>
concept field_in = names_field<Field> &&(std::is_void_v<typename named_member<Field>::record> ||
                                         std::same_as<typename named_member<Field>::record, T>);
template <class Field, class T>
concept member_in = field_in<Field, T> && std::same_as<typename named_member<Field>::record, T>;
template <class Field, class T>
concept numeric_field_in = field_in<Field, T> && numeric_field<Field>;
template <class Field, class T>
concept ordered_field_in = field_in<Field, T> && ordered_field<Field>;

template <class X>
struct extreme_value {
  using type = std::optional<typename unwrap_optional<X>::type>;
};
template <>
struct extreme_value<void> {
  using type = value;
};
/// The least or greatest value of a member; of a name, as a value.
template <class Field>
using extreme_of = typename extreme_value<typename named_member<Field>::type>::type;

} // namespace holdfast::detail
