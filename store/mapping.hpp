#pragma once

#include <holdfast/store/detail/mapping.hpp>
#include <holdfast/store/draft.hpp>
#include <holdfast/store/field.hpp>
#include <holdfast/store/record.hpp>
#include <holdfast/store/record_view.hpp>
#include <holdfast/store/schema.hpp>

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

/// Plain structs as records, without macros and base classes:
///
///     enum class role { guest, member, admin };
///     struct address { std::string street, city; };
///     template <>
///     inline constexpr auto holdfast::mapping<address> = holdfast::map_object<address>(
///         field<&address::street>(), field<&address::city>(length(1, 100)));
///
///     struct user {
///       std::string id, name;
///       std::optional<std::string> email;
///       int age = 0;
///       role part = role::guest;
///       address home;
///       std::vector<std::string> tags;
///       std::chrono::sys_seconds joined;
///     };
///     template <>
///     inline constexpr auto holdfast::mapping<user> = holdfast::map_to<user>(
///         "users", key<&user::id>(uuid), field<&user::name>(length(1, 200)),
///         field<&user::email>(email, unique), field<&user::age>(indexed, minimum(0)),
///         field<&user::part>(), field<&user::home>(), field<&user::tags>(),
///         field<&user::joined>());
///
/// Field names are the members' names; members that the mapping leaves out are not stored. A member
/// that is not optional is required. What it is decides how it is stored:
///
/// | member | field | stored as |
/// | --- | --- | --- |
/// | `std::string`, `bool`, floating point | string, boolean, number | itself |
/// | integers | integer with the bounds of the type | int64; larger unsigned numbers are refused |
/// | enums | string, one of the enum's texts | its name, see store/enum_names.hpp |
/// | `std::chrono::sys_time` | date | milliseconds since the epoch, rounded down |
/// | `std::chrono::duration` | integer or number | the number of its own units |
/// | a struct with a `map_object` | object with properties | an object, without empty optionals |
/// | `std::vector` of any of these | array with items | an array |
/// | `holdfast::object`, `array` | object, array | itself |
namespace holdfast {

/// A struct whose mapping names a bucket.
template <class T>
concept mapped = requires {
  { mapping<T>.bucket } -> std::convertible_to<std::string_view>;
};

/// The key's member, with its rules.
template <auto M, class... Rules>
constexpr auto key(Rules... rules) {
  return detail::mapped_field<M, true, Rules...>{{rules...}};
}
/// Any other member, with its rules: those below, a format such as `email`, a generator such as
/// `uuid`.
template <auto M, class... Rules>
constexpr auto field(Rules... rules) {
  (detail::check_generated<typename detail::member_of<decltype(M)>::type>(rules), ...);
  return detail::mapped_field<M, false, Rules...>{{rules...}};
}
/// The struct in a bucket of that name: its fields, and what else is said about the bucket, such as
/// `ordered()`.
template <class T, class... Parts>
constexpr auto map_to(std::string_view bucket, Parts... parts) {
  auto fields = std::tuple_cat(detail::part_if<false>(parts)...);
  auto rules = std::tuple_cat(detail::part_if<true>(parts)...);
  return detail::record_map<T, decltype(fields), decltype(rules)>{bucket, fields, rules};
}
/// The struct inside of other structs.
template <class T, class... Fields>
constexpr auto map_object(Fields... fields) {
  return detail::object_map<T, Fields...>{{fields...}};
}

/// An ordered index over the field.
inline constexpr detail::indexed_rule indexed{};
/// An inverted index over a text or vector; see `schema::inverted_index`.
inline constexpr detail::inverted_rule inverted{};
/// No two records of the bucket have the same value.
inline constexpr detail::unique_rule unique{};
/// A text's length in code points, inclusive.
constexpr auto length(std::size_t least, std::size_t most) {
  return detail::text_rule{[=](field_spec& s) { s.length(least, most); }};
}
/// A regular expression to be found in a text. The argument must live on: a literal.
constexpr auto pattern(std::string_view regex) {
  return detail::text_rule{[=](field_spec& s) { s.pattern(std::string{regex}); }};
}
/// The bounds of a number, time or duration, inclusive.
template <detail::bounded N>
constexpr auto minimum(N least) {
  return detail::least_rule<N>{least};
}
template <detail::bounded N>
constexpr auto maximum(N most) {
  return detail::most_rule<N>{most};
}
/// The only values allowed. Texts must live on: literals.
template <class... U>
constexpr auto one_of(U... allowed) {
  return detail::one_of_rule<U...>{{allowed...}};
}
/// What an insert stores for an empty optional, or a function without arguments that makes it, such
/// as a lambda; see `field_spec::otherwise`. Texts must live on: literals.
template <class U>
constexpr auto otherwise(U content) {
  return detail::default_rule<U>{content};
}

/// A check of one's own, for which the field must be there: `check(const member_type&)`, or with
/// the whole record `check(value_view, const record_input&)`, gives what is wrong or nothing; see
/// `field_validator`. A lambda without captures, or another literal.
template <class F>
constexpr auto validate(F check) {
  return detail::check_rule<F>{check};
}

/// Rules of each item of a vector: `items(length(1, 20))`.
template <class... Rules>
constexpr auto items(Rules... rules) {
  return detail::item_rules<Rules...>{{rules...}};
}
/// The field holds the key of a record in the bucket of another mapped struct, of the same type;
/// see `field_spec::references`. A struct that refers to itself names its bucket.
template <mapped T>
constexpr auto references(on_delete what = on_delete::restrict) {
  using key_type = typename decltype(detail::key_type_of(mapping<T>.fields))::type;
  return detail::reference_rule<key_type>{mapping<T>.bucket, what};
}
constexpr auto references(std::string_view bucket, on_delete what = on_delete::restrict) {
  return detail::reference_rule<void>{bucket, what};
}

// -- about buckets; see `schema`

/// An ordered index over several members: by the first, then the second, and so on.
template <auto... M>
constexpr auto indexed_by() {
  static_assert(sizeof...(M) > 1, "an index over one member is the rule `indexed` of that member");
  return detail::schema_rule{
      [](schema& s) { s.index({std::string{detail::member_name<M>()}...}); }};
}
/// Records end by themselves so long after their insert.
constexpr auto expire_after(std::chrono::milliseconds how_long) {
  return detail::schema_rule{[=](schema& s) { s.expire_after(how_long); }};
}
/// At most so many records: an insert beyond evicts others.
constexpr auto capacity(std::uint64_t most, evict policy = evict::oldest) {
  return detail::schema_rule{[=](schema& s) { s.capacity(most, policy); }};
}
/// A check of whole records: `check(const record_input&)` gives what is wrong, one text each; see
/// `record_validator`.
template <std::convertible_to<record_validator> F>
constexpr auto validate_record(F check) {
  return detail::schema_rule{[=](schema& s) { s.validate(check); }};
}
/// Results come in key order.
constexpr auto ordered() {
  return detail::schema_rule{[](schema& s) { s.ordered(); }};
}
/// Fields that the struct does not have are refused.
constexpr auto closed() {
  return detail::schema_rule{[](schema& s) { s.closed(); }};
}
/// Whether the bucket is kept in the store's journal.
constexpr auto persistent(std::same_as<bool> auto yes) {
  return detail::schema_rule{[=](schema& s) { s.persistent(yes); }};
}

/// The schema of a mapped struct, its fields in the order of the mapping.
template <mapped T>
schema schema_of() {
  schema out{std::string{mapping<T>.bucket}};
  detail::for_each_field(mapping<T>.fields, [&](const auto& each, std::size_t) {
    std::string name{each.name};
    if constexpr (std::remove_cvref_t<decltype(each)>::is_key)
      out.key(name, each.spec());
    else
      out.field(name, each.spec());
    if constexpr (std::remove_cvref_t<decltype(each)>::indexed)
      out.index(name);
    if constexpr (std::remove_cvref_t<decltype(each)>::inverted)
      out.inverted_index(name);
  });
  std::apply([&](const auto&... rule) { (rule.apply(out), ...); }, mapping<T>.rules);
  return out;
}

/// The struct as the input of a write to the bucket of that schema, which must outlive the draft.
/// Allocates nothing for an ordinary record without vectors and structs in it.
///
/// An empty optional is given as null, and a generated field that holds nothing ("" or 0) is left
/// out; so is an empty optional with `otherwise`, which the store then fills in.
template <mapped T>
draft to_draft(const compiled_schema& schema, const T& from) {
  draft out{schema};
  detail::for_each_field(mapping<T>.fields, [&](const auto& each, std::size_t position) {
    using member_field = std::remove_cvref_t<decltype(each)>;
    const auto& content = from.*member_field::member;
    if (member_field::filled_in && detail::holds_nothing<member_field>(content))
      return;
    auto slot = schema.layout().find(member_field::name, position);
    if (slot == detail::record_layout::npos)
      out.set(member_field::name, detail::to_stored(content));
    else
      out.set(slot, detail::to_stored(content));
  });
  return out;
}

/// The struct as an object with the fields that `to_draft` would set: for messages, bulk writes and
/// tools.
template <mapped T>
object to_object(const T& from) {
  object out;
  detail::for_each_field(mapping<T>.fields, [&](const auto& each, std::size_t) {
    using member_field = std::remove_cvref_t<decltype(each)>;
    const auto& content = from.*member_field::member;
    if (!member_field::filled_in || !detail::holds_nothing<member_field>(content))
      out.set(member_field::name, value{detail::to_stored(content)});
  });
  return out;
}

namespace detail {
/// What makes the one of the other.
template <mapped T>
object difference(const T& from, const T& to) {
  object out;
  for_each_field(mapping<T>.fields, [&](const auto& each, std::size_t) {
    using member_field = std::remove_cvref_t<decltype(each)>;
    const auto before = to_stored(from.*member_field::member);
    const auto now = to_stored(to.*member_field::member);
    if (value_view{now} != value_view{before})
      out.append(std::string{member_field::name}, value{now});
  });
  return out;
}

template <mapped T>
result<T> struct_of(const record_view& from) {
  T out{};
  misfits bad{from.bucket()};
  for_each_field(mapping<T>.fields, [&](const auto& each, std::size_t position) {
    using member_field = std::remove_cvref_t<decltype(each)>;
    read_member(from.field(member_field::name, position), out.*member_field::member, bad,
                place{.name = member_field::name});
  });
  if (bad.empty())
    return out;
  return fail(bad.to_error(from.key().to_string()));
}
} // namespace detail

/// The record as a struct. `invalid`, with all issues, if a value does not fit its member: in a
/// bucket that was defined otherwise (a number out of its range, a text that is none of an enum's),
/// or written by field names where the field takes what the member does not (a fraction of a time's
/// unit, a null item, a real that is too large for a float). Fields that the record does not have
/// are null.
template <mapped T>
result<T> from_record(const record& from) {
  return detail::struct_of<T>(record_view{*from.block()});
}

namespace detail {
template <mapped T>
result<std::vector<T>> from_records(const std::vector<record>& list) {
  std::vector<T> out;
  out.reserve(list.size());
  for (auto& r : list) {
    auto one = from_record<T>(r);
    if (!one)
      return fail(std::move(one.error()));
    out.push_back(std::move(*one));
  }
  return out;
}
} // namespace detail

} // namespace holdfast
