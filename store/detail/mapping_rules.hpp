#pragma once

#include <holdfast/store/detail/member_codec.hpp>
#include <holdfast/store/detail/put_value.hpp>
#include <holdfast/store/schema.hpp>

#include <ratio>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

/// The rules of a mapping: `apply_rule<T>` checks a rule against the member's type and writes it
/// down.
namespace holdfast::detail {

/// Something said about a text.
template <class Apply>
struct text_rule {
  Apply apply;
};
template <class Apply>
text_rule(Apply) -> text_rule<Apply>;

struct indexed_rule {};
struct inverted_rule {};
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
inline constexpr bool top_level = fills_in<R> || std::same_as<R, indexed_rule> ||
                                  std::same_as<R, inverted_rule> || std::same_as<R, unique_rule>;
template <class Key>
inline constexpr bool top_level<reference_rule<Key>> = true;

template <class T>
field_spec spec_of();

template <class T>
concept text_member = std::same_as<typename unwrap_optional<T>::type, std::string>;
/// What an inverted index is over.
template <class T>
concept has_parts = text_member<T> || is_vector<typename unwrap_optional<T>::type>;
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
void apply_rule(field_spec&, inverted_rule) {
  static_assert(has_parts<T>, "an inverted index is over texts or vectors");
}
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

} // namespace holdfast::detail
