#pragma once

#include <holdfast/store/detail/mapping_rules.hpp>
#include <holdfast/store/detail/member_codec.hpp>
#include <holdfast/store/detail/validation_rules.hpp>
#include <holdfast/store/schema.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

/// The parts of store/mapping.hpp that its users do not name.
namespace holdfast::detail {

template <class N>
field_spec spec_of_integer() {
  using narrow = std::numeric_limits<N>;
  using wide = std::numeric_limits<std::int64_t>;
  auto spec = integer();
  if constexpr (std::cmp_greater(narrow::min(), wide::min()))
    spec.min(value{narrow::min()});
  if constexpr (std::cmp_less(narrow::max(), wide::max()))
    spec.max(value{narrow::max()});
  return spec;
}

/// The field that a member of type `T` makes, without its rules.
template <class T>
field_spec spec_of() {
  using content = typename unwrap_optional<T>::type;
  if constexpr (std::same_as<content, std::string>) {
    return string();
  } else if constexpr (std::same_as<content, bool>) {
    return boolean();
  } else if constexpr (std::floating_point<content>) {
    return number();
  } else if constexpr (enum_like<content>) {
    static_assert(enum_names<content>.size() > 0,
                  "an enum without names between 0 and 63 needs a specialization of enum_names");
    return string().one_of(enum_texts<content>());
  } else if constexpr (time_like<content>) {
    return date();
  } else if constexpr (duration_like<content>) {
    return spec_of<typename content::rep>();
  } else if constexpr (std::same_as<content, object>) {
    return object_of();
  } else if constexpr (mapped_object<content>) {
    auto spec = object_of();
    for_each_field(mapping<content>.members, [&](const auto& each, std::size_t) {
      spec.property(std::string{each.name}, each.spec());
    });
    return spec;
  } else if constexpr (std::same_as<content, array>) {
    return array_of();
  } else if constexpr (is_vector<content>) {
    return array_of().items(spec_of<typename content::value_type>());
  } else {
    return spec_of_integer<content>();
  }
}

/// A member with its rules.
template <auto M, bool Key, class... Rules>
struct mapped_field {
  using record_type = typename member_of<decltype(M)>::record;
  using type = typename member_of<decltype(M)>::type;
  static_assert(
      mappable<type>,
      "a mapped member is a string, bool, number, enum, sys_time, duration, object, "
      "array, a struct mapped with map_object, a vector of these or an optional of these");
  static_assert(!Key || std::same_as<type, std::string> || plain_integer<type>,
                "a key is a string or an integer and never optional");

  static constexpr auto member = M;
  static constexpr std::string_view name = member_name<M>();
  static constexpr bool is_key = Key;
  static constexpr bool generated = (std::same_as<Rules, generated_by> || ...);
  static constexpr bool filled_in = (fills_in<Rules> || ...);
  static constexpr bool indexed = (std::same_as<Rules, indexed_rule> || ...);
  static constexpr bool inverted = (std::same_as<Rules, inverted_rule> || ...);
  static constexpr bool only_in_buckets = Key || (top_level<Rules> || ...);

  std::tuple<Rules...> rules;

  field_spec spec() const {
    auto out = spec_of<type>();
    if (!unwrap_optional<type>::optional && !generated)
      out.required();
    std::apply([&](const auto&... r) { (apply_rule<type>(out, r), ...); }, rules);
    return out;
  }
};

/// Something said about a bucket.
template <class Apply>
struct schema_rule {
  Apply apply;
};
template <class Apply>
schema_rule(Apply) -> schema_rule<Apply>;

template <class T>
inline constexpr bool is_schema_rule = false;
template <class Apply>
inline constexpr bool is_schema_rule<schema_rule<Apply>> = true;

/// The part in a tuple if it is what is looked for, else an empty one.
template <bool Rules, class Part>
constexpr auto part_if(const Part& part) {
  if constexpr (is_schema_rule<Part> == Rules)
    return std::tuple<Part>{part};
  else
    return std::tuple<>{};
}

/// How a struct is kept in a bucket.
template <class T, class Fields, class Rules>
struct record_map;
template <class T, class... Fields, class... Rules>
struct record_map<T, std::tuple<Fields...>, std::tuple<Rules...>> {
  using record_type = T;
  static_assert((std::same_as<T, typename Fields::record_type> && ...),
                "every mapped member belongs to the mapped struct");
  static_assert((static_cast<int>(Fields::is_key) + ... + 0) == 1,
                "a mapping names exactly one key");

  std::string_view bucket;
  std::tuple<Fields...> fields;
  std::tuple<Rules...> rules;
};

/// How a struct is kept inside of others.
template <class T, class... Fields>
struct object_map {
  static_assert((std::same_as<T, typename Fields::record_type> && ...),
                "every mapped member belongs to the mapped struct");
  static_assert((!Fields::only_in_buckets && ...),
                "keys, indexes, unique, generated and default values are for fields of buckets");

  std::tuple<Fields...> members;
};

/// The key's member of a mapping.
template <class... Fields>
consteval auto key_type_of(const std::tuple<Fields...>&) {
  using type = decltype([] {
    std::tuple<
        std::conditional_t<Fields::is_key, std::tuple<typename Fields::type>, std::tuple<>>...>
        all;
    return std::apply([](auto... each) { return std::tuple_cat(each...); }, all);
  }());
  return std::type_identity<std::tuple_element_t<0, type>>{};
}

/// Whether the store is to fill in the field: an empty optional, or a generated one without
/// content.
template <class Field, class T>
bool holds_nothing(const T& content) {
  if constexpr (unwrap_optional<T>::optional)
    return !content.has_value();
  else if constexpr (Field::generated)
    return content == T{};
  else
    return false;
}

} // namespace holdfast::detail
