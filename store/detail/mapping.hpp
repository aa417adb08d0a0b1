#pragma once

#include <holdfast/store/detail/member_codec.hpp>
#include <holdfast/store/detail/put_value.hpp>
#include <holdfast/store/detail/validation_rules.hpp>
#include <holdfast/store/schema.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <ratio>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

/// The parts of store/mapping.hpp that its users do not name.
namespace holdfast::detail {

// -- rules of a field: `apply_rule<T>` checks a rule against the member's type and writes it down

/// Something said about a text.
template <class Apply>
struct text_rule {
  Apply apply;
};
template <class Apply>
text_rule(Apply) -> text_rule<Apply>;

struct indexed_rule {};
struct unique_rule {};
template <class N>
struct least_rule {
  N content;
};
template <class N>
struct most_rule {
  N content;
};
template <class... U>
struct one_of_rule {
  std::tuple<U...> contents;
};
template <class U>
struct default_rule {
  U content;
};
/// `Key` is the type of the other's key; `void` if it is not known.
template <class Key>
struct reference_rule {
  std::string_view bucket;
  on_delete what;
};
/// A check of the user's own: of the field as it is stored, or of the member.
template <class F>
struct check_rule {
  F check;
};
template <class... Rules>
struct item_rules {
  std::tuple<Rules...> rules;
};

/// Whether the store fills the field in when an insert leaves it out.
template <class R>
inline constexpr bool fills_in = std::same_as<R, generated_by>;
template <class T>
inline constexpr bool fills_in<default_rule<T>> = true;
/// Whether a rule is for the fields of buckets, not for those of structs in them.
template <class R>
inline constexpr bool top_level =
    fills_in<R> || std::same_as<R, indexed_rule> || std::same_as<R, unique_rule>;
template <class Key>
inline constexpr bool top_level<reference_rule<Key>> = true;

template <class T>
field_spec spec_of();

template <class T>
concept text_member = std::same_as<typename unwrap_optional<T>::type, std::string>;
/// What has bounds: numbers, times and durations.
template <class T>
concept bounded = number_like<T> || time_like<T> || duration_like<T>;

/// Cannot be called when a mapping is compiled, which is the error.
inline void a_generated_time_is_in_milliseconds() {}

/// A time that the store fills in must fit its member.
template <class T, class R>
constexpr void check_generated(const R& rule) {
  using content = typename unwrap_optional<T>::type;
  if constexpr (std::same_as<R, generated_by> && time_like<content>) {
    if (rule == insertion_time &&
        std::ratio_greater_v<typename content::duration::period, std::milli>)
      a_generated_time_is_in_milliseconds();
  }
}

template <class T>
void apply_rule(field_spec& spec, generated_by how) {
  spec.generated(how);
}
template <class T>
void apply_rule(field_spec& spec, text_format format) {
  static_assert(text_member<T>, "a format is for texts");
  spec.format(format);
}
template <class T, class F>
void apply_rule(field_spec& spec, const text_rule<F>& r) {
  static_assert(text_member<T>, "length and pattern are for texts");
  r.apply(spec);
}
template <class T>
void apply_rule(field_spec&, indexed_rule) {}
template <class T>
void apply_rule(field_spec& spec, unique_rule) {
  spec.unique();
}
template <class T, class N>
void apply_rule(field_spec& spec, const least_rule<N>& r) {
  static_assert(operand_of<T, N>, "the minimum is of another type than the member");
  const auto least = to_operand<T>(r.content);
  if (auto& own = spec.options().min; !own || value_view{*own} < value_view{least})
    spec.min(least); // else the member's type is stricter
}
template <class T, class N>
void apply_rule(field_spec& spec, const most_rule<N>& r) {
  static_assert(operand_of<T, N>, "the maximum is of another type than the member");
  const auto most = to_operand<T>(r.content);
  if (auto& own = spec.options().max; !own || value_view{most} < value_view{*own})
    spec.max(most);
}
template <class T, class... U>
void apply_rule(field_spec& spec, const one_of_rule<U...>& r) {
  static_assert((operand_of<T, U> && ...), "a choice is of another type than the member");
  std::apply([&](const U&... each) { spec.one_of(std::vector<value>{to_operand<T>(each)...}); },
             r.contents);
}
template <class T, class U>
void apply_rule(field_spec& spec, const default_rule<U>& r) {
  if constexpr (std::is_invocable_v<const U&>) {
    using content = typename unwrap_optional<T>::type;
    static_assert(put_into<content, std::remove_cvref_t<std::invoke_result_t<const U&>>>,
                  "the default function makes another type than the member's");
    spec.otherwise([make = r.content] { return put_value<content>(make()); });
  } else {
    static_assert(operand_of<T, U> && put_into<T, U>,
                  "the default is of another type than the member");
    spec.otherwise(to_operand<T>(r.content));
  }
}

template <class T, class F>
void apply_rule(field_spec& spec, const check_rule<F>& r) {
  using content = typename unwrap_optional<T>::type;
  if constexpr (std::is_invocable_v<const F&, value_view, const record_input&>) {
    spec.validate(r.check);
  } else {
    static_assert(std::is_invocable_r_v<std::optional<std::string>, const F&, const content&>,
                  "a check takes the member's type, or a value_view and a record_input, and gives "
                  "an optional text");
    spec.validate(
        [check = r.check](value_view stored, const record_input&) -> std::optional<std::string> {
          content given{};
          misfits bad{""};
          read_member(stored, given, bad, place{.name = ""});
          return bad.empty() ? check(given) : std::nullopt; // else another rule has said so
        });
  }
}

template <class T, class Key>
void apply_rule(field_spec& spec, const reference_rule<Key>& r) {
  if constexpr (std::is_void_v<Key>)
    static_assert(text_member<T> || plain_integer<typename unwrap_optional<T>::type>,
                  "a reference holds a key: a text or an integer");
  else
    static_assert(operand_of<T, Key>, "the reference is of another type than the other's key");
  spec.references(std::string{r.bucket}, r.what);
}
template <class T, class... Rules>
void apply_rule(field_spec& spec, const item_rules<Rules...>& r) {
  using content = typename unwrap_optional<T>::type;
  static_assert(is_vector<content> && !std::same_as<content, array>, "items are those of a vector");
  static_assert((!top_level<Rules> && ...),
                "indexes, unique, references, generated and default values are for fields");
  using item = typename content::value_type;
  auto out = spec_of<item>();
  std::apply([&](const auto&... each) { (apply_rule<item>(out, each), ...); }, r.rules);
  spec.items(out);
}

// -- types

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
