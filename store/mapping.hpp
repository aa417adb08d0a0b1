#pragma once

#include <holdfast/store/detail/mapping.hpp>
#include <holdfast/store/draft.hpp>
#include <holdfast/store/field.hpp>
#include <holdfast/store/record.hpp>
#include <holdfast/store/schema.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

/// Plain structs as records, without macros and base classes:
///
///     struct user { std::string id, name; std::optional<std::string> email; int age = 0; };
///     template <>
///     inline constexpr auto holdfast::mapping<user> = holdfast::map_to<user>(
///         "users", key<&user::id>(uuid), field<&user::name>(length(1, 200)),
///         field<&user::email>(email, unique), field<&user::age>(indexed, minimum(0)));
///
/// Field names are the members' names. Members may be `std::string`, `bool`, integers, floating
/// point and `std::optional` of these; one that is not optional is required. Integers narrower than
/// 64 bits, and unsigned ones, get the bounds of their type.
namespace holdfast {

/// How a struct is kept in a bucket. Specialize it for your struct, see above.
template <class T>
inline constexpr auto mapping = detail::unmapped{};

/// A struct that has a mapping.
template <class T>
concept mapped = !std::same_as<std::remove_cvref_t<decltype(mapping<T>)>, detail::unmapped>;

/// The key's member, with its rules.
template <auto M, class... Rules>
constexpr auto key(Rules... rules) {
  return detail::mapped_field<M, true, Rules...>{{rules...}};
}
/// Any other member, with its rules: those below, a format such as `email`, a generator such as
/// `uuid`.
template <auto M, class... Rules>
constexpr auto field(Rules... rules) {
  return detail::mapped_field<M, false, Rules...>{{rules...}};
}
template <class T, class... Fields>
constexpr auto map_to(std::string_view bucket, Fields... fields) {
  return detail::record_map<T, Fields...>{bucket, {fields...}};
}

/// An ordered index over the field.
inline constexpr detail::indexed_rule indexed{};
/// No two records of the bucket have the same value.
inline constexpr auto unique = detail::rule{[](field_spec& s) { s.unique(); }};
/// A text's length in code points, inclusive.
constexpr auto length(std::size_t least, std::size_t most) {
  return detail::rule{[=](field_spec& s) { s.length(least, most); }};
}
/// A number's bounds, inclusive.
template <detail::number_like N>
constexpr auto minimum(N least) {
  return detail::rule{[=](field_spec& s) { s.min(value{least}); }};
}
template <detail::number_like N>
constexpr auto maximum(N most) {
  return detail::rule{[=](field_spec& s) { s.max(value{most}); }};
}
/// A regular expression to be found in a text. The argument must live on: a literal.
constexpr auto pattern(std::string_view regex) {
  return detail::rule{[=](field_spec& s) { s.pattern(std::string{regex}); }};
}
/// The only values allowed. Texts must live on: literals.
template <class... U>
constexpr auto one_of(U... allowed) {
  return detail::rule{[=](field_spec& s) { s.one_of(value{allowed}...); }};
}
/// What an insert stores for an empty optional.
template <class U>
constexpr auto otherwise(U content) {
  return detail::default_rule<U>{content};
}

/// The schema of a mapped struct, its fields in the order of the mapping.
template <mapped T>
schema schema_of() {
  schema out{std::string{mapping<T>.bucket}};
  detail::for_each_field(mapping<T>, [&](const auto& each, std::size_t) {
    std::string name{each.name};
    if constexpr (std::remove_cvref_t<decltype(each)>::is_key)
      out.key(name, each.spec());
    else
      out.field(name, each.spec());
    if constexpr (std::remove_cvref_t<decltype(each)>::indexed)
      out.index(name);
  });
  return out;
}

/// The struct as the input of a write to the bucket of that schema, which must outlive the draft.
/// Allocates nothing for an ordinary record.
///
/// An empty optional is given as null, and a generated field that holds nothing ("" or 0) is left
/// out; so is an empty optional with `otherwise`, which the store then fills in.
template <mapped T>
draft to_draft(const compiled_schema& schema, const T& from) {
  draft out{schema};
  detail::for_each_field(mapping<T>, [&](const auto& each, std::size_t position) {
    using member_field = std::remove_cvref_t<decltype(each)>;
    const auto& content = from.*member_field::member;
    if (member_field::filled_in && detail::holds_nothing<member_field>(content))
      return;
    auto slot = schema.layout().find(member_field::name, position);
    if (slot == detail::record_layout::npos)
      out.set(member_field::name, detail::view_of_member(content));
    else
      out.set(slot, detail::view_of_member(content));
  });
  return out;
}

/// The record as a struct. `invalid`, with all issues, if the bucket was defined otherwise and a
/// value does not fit its member; fields that the record does not have are null.
template <mapped T>
result<T> from_record(const record& from) {
  T out{};
  std::vector<issue> issues;
  const auto& layout = *from.block()->layout;
  detail::for_each_field(mapping<T>, [&](const auto& each, std::size_t position) {
    using member_field = std::remove_cvref_t<decltype(each)>;
    auto slot = layout.find(member_field::name, position);
    auto content =
        slot == detail::record_layout::npos ? from[member_field::name] : from.field(slot);
    if (!detail::read_member(content, out.*member_field::member))
      issues.push_back(detail::misfit(layout.bucket(), member_field::name, content));
  });
  if (issues.empty())
    return out;
  auto first = issues.front();
  return fail(errc::invalid, first.message, {layout.bucket(), from.key().to_string(), first.field},
              std::move(issues));
}

} // namespace holdfast
