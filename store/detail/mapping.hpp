#pragma once

#include <holdfast/store/detail/validation_rules.hpp>
#include <holdfast/store/field.hpp>
#include <holdfast/store/schema.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

/// The parts of store/mapping.hpp that its users do not name.
namespace holdfast::detail {

struct unmapped {};

template <class Apply>
struct rule {
  Apply apply;
};
template <class Apply>
rule(Apply) -> rule<Apply>;

/// Rules that mean more than an option of the field.
struct indexed_rule {};
template <class T>
struct default_rule {
  T content;
};

template <class T>
concept mappable_scalar = std::same_as<T, std::string> || std::same_as<T, bool> || number_like<T>;
template <class T>
concept mappable = mappable_scalar<typename unwrap_optional<T>::type>;

template <class T>
field_spec spec_of() {
  using content = typename unwrap_optional<T>::type;
  if constexpr (std::same_as<content, std::string>) {
    return string();
  } else if constexpr (std::same_as<content, bool>) {
    return boolean();
  } else if constexpr (std::floating_point<content>) {
    return number();
  } else {
    using narrow = std::numeric_limits<content>;
    using wide = std::numeric_limits<std::int64_t>;
    auto spec = integer();
    if constexpr (std::cmp_greater(narrow::min(), wide::min()))
      spec.min(value{narrow::min()});
    if constexpr (std::cmp_less(narrow::max(), wide::max()))
      spec.max(value{narrow::max()});
    return spec;
  }
}

inline void apply(field_spec& spec, generated_by how) { spec.generated(how); }
inline void apply(field_spec& spec, text_format format) { spec.format(format); }
inline void apply(field_spec&, indexed_rule) {}
template <class F>
void apply(field_spec& spec, const rule<F>& r) {
  r.apply(spec);
}
template <class T>
void apply(field_spec& spec, const default_rule<T>& r) {
  spec.otherwise(to_operand(r.content));
}

/// Whether the store fills the field in when an insert leaves it out.
template <class R>
inline constexpr bool fills_in = std::same_as<R, generated_by>;
template <class T>
inline constexpr bool fills_in<default_rule<T>> = true;

/// A member with its rules.
template <auto M, bool Key, class... Rules>
struct mapped_field {
  using record_type = typename member_of<decltype(M)>::record;
  using type = typename member_of<decltype(M)>::type;
  static_assert(mappable<type>,
                "a mapped member is a string, bool, number or an optional of these");
  static_assert(!Key || !unwrap_optional<type>::optional, "a key is never optional");

  static constexpr auto member = M;
  static constexpr std::string_view name = member_name<M>();
  static constexpr bool is_key = Key;
  static constexpr bool generated = (std::same_as<Rules, generated_by> || ...);
  static constexpr bool filled_in = (fills_in<Rules> || ...);
  static constexpr bool indexed = (std::same_as<Rules, indexed_rule> || ...);

  std::tuple<Rules...> rules;

  field_spec spec() const {
    auto out = spec_of<type>();
    if (!unwrap_optional<type>::optional && !generated)
      out.required();
    std::apply([&](const auto&... r) { (detail::apply(out, r), ...); }, rules);
    return out;
  }
};

template <class T, class... Fields>
struct record_map {
  using record_type = T;
  static constexpr std::size_t size = sizeof...(Fields);
  static_assert((std::same_as<T, typename Fields::record_type> && ...),
                "every mapped member belongs to the mapped struct");
  static_assert((static_cast<int>(Fields::is_key) + ...) == 1, "a mapping names exactly one key");

  std::string_view bucket;
  std::tuple<Fields...> fields;
};

/// Calls `fn(field, position)` for each mapped field, in order.
template <class Map, class F>
constexpr void for_each_field(const Map& map, F&& fn) {
  std::apply(
      [&](const auto&... each) {
        std::size_t position = 0;
        (fn(each, position++), ...);
      },
      map.fields);
}

/// Whether the store is to fill in the field: an empty optional, or a generated one without
/// content.
template <class Field, class T>
bool holds_nothing(const T& content) {
  if constexpr (unwrap_optional<T>::optional)
    return !content.has_value();
  else
    return Field::generated && content == T{};
}

template <class T>
value_view view_of_member(const T& content) {
  if constexpr (unwrap_optional<T>::optional)
    return content ? view_of_member(*content) : value_view{};
  else if constexpr (plain_integer<T>)
    return std::in_range<std::int64_t>(content) ? value_view{content}
                                                : value_view{static_cast<double>(content)};
  else
    return value_view{content};
}

template <class T>
bool read_member(value_view from, T& to) {
  if constexpr (unwrap_optional<T>::optional) {
    return from.is_null() ? (to.reset(), true) : read_member(from, to.emplace());
  } else if constexpr (std::same_as<T, std::string>) {
    return from.is_string() && (to = from.as_string(), true);
  } else if constexpr (std::same_as<T, bool>) {
    return from.kind() == value_kind::boolean && (to = from.as_bool(), true);
  } else if constexpr (std::floating_point<T>) {
    return from.is_number() && (to = static_cast<T>(from.as_double()), true);
  } else {
    auto number = from.if_int();
    return number && std::in_range<T>(*number) && (to = static_cast<T>(*number), true);
  }
}

/// Says that a stored value does not fit the member of its name.
issue misfit(std::string_view bucket, std::string_view field, value_view content);

} // namespace holdfast::detail
