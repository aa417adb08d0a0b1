#pragma once

#include <holdfast/runtime/error.hpp>
#include <holdfast/store/field.hpp>

#include <chrono>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <vector>

namespace holdfast {

namespace detail {
struct unmapped {};
} // namespace detail

/// How a struct is kept in a bucket, or inside of another struct; see store/mapping.hpp.
template <class T>
inline constexpr auto mapping = detail::unmapped{};

} // namespace holdfast

/// From members to stored values and back.
namespace holdfast::detail {

/// A struct that stands in other structs: its mapping has fields and no bucket.
template <class T>
concept mapped_object = std::is_class_v<T> && requires {
  mapping<T>.members;
};

template <class T>
consteval bool is_mappable() {
  using content = typename unwrap_optional<T>::type;
  if constexpr (mappable_scalar<content> || std::same_as<content, object> ||
                std::same_as<content, array> || mapped_object<content>)
    return true;
  else if constexpr (is_vector<content>)
    return is_mappable<typename content::value_type>();
  else
    return false;
}
template <class T>
concept mappable = is_mappable<T>();

/// Calls `fn(field, position)` for each mapped field, in order.
template <class Fields, class F>
constexpr void for_each_field(const Fields& fields, F&& fn) {
  std::apply(
      [&](const auto&... each) {
        std::size_t position = 0;
        (fn(each, position++), ...);
      },
      fields);
}

template <class T>
value stored_array(const T& items);
template <class T>
value stored_object(const T& from);

/// A member's content in the form in which records keep it: a view of it where that is possible,
/// else a `value`.
template <class T>
auto to_stored(const T& content) {
  if constexpr (unwrap_optional<T>::optional) {
    using stored = decltype(to_stored(*content));
    return content ? to_stored(*content) : stored{};
  } else if constexpr (plain_integer<T>) {
    return stored_integer(content);
  } else if constexpr (enum_like<T>) {
    return stored_enum(content);
  } else if constexpr (time_like<T>) {
    return stored_time(content);
  } else if constexpr (duration_like<T>) {
    return to_stored(content.count());
  } else if constexpr (is_vector<T> && !std::same_as<T, array>) {
    return stored_array(content);
  } else if constexpr (mapped_object<T>) {
    return stored_object(content);
  } else {
    return value_view{content};
  }
}

template <class T>
value stored_array(const T& items) {
  array out;
  out.reserve(items.size());
  for (const typename T::value_type& each : items)
    out.emplace_back(to_stored(each));
  return out;
}

template <class T>
value stored_object(const T& from) {
  object out;
  for_each_field(mapping<T>.members, [&](const auto& each, std::size_t) {
    using field = std::remove_cvref_t<decltype(each)>;
    value content{to_stored(from.*field::member)};
    if (!content.is_null())
      out.set(field::name, std::move(content));
  });
  return out;
}

/// Where in a record a value stands: `address.city`, `tags[1]`. Refers to the places around it.
struct place {
  const place* outer = nullptr;
  std::string_view name{};
  std::size_t index = 0;

  std::string to_string() const;
};

/// Collects the values that do not fit their members.
class misfits {
public:
  explicit misfits(std::string_view bucket) : bucket_{bucket} {}

  void add(const place& where, value_view content);
  /// A text that is none of an enum's.
  void add_unknown(const place& where, value_view content, const std::vector<value>& known);

  bool empty() const noexcept { return issues_.empty(); }
  /// One `invalid` with all of them; takes them.
  error to_error(std::string key);

private:
  void add(const place& where, std::string_view code, const std::string& what);

  std::string_view bucket_;
  std::vector<issue> issues_;
};

template <enum_like E>
std::vector<value> enum_texts() {
  std::vector<value> out;
  for (auto& each : enum_names<E>)
    out.emplace_back(each.name);
  return out;
}

/// Whether a date is one of `T`'s, to the millisecond or whatever its unit is.
template <time_like T>
bool read_time(std::int64_t ms, T& to) {
  using std::chrono::milliseconds;
  using duration = typename T::duration;
  if constexpr (std::ratio_less_v<typename duration::period, std::milli>) {
    if (ms > std::chrono::floor<milliseconds>(duration::max()).count() ||
        ms < std::chrono::ceil<milliseconds>(duration::min()).count())
      return false;
    to = T{std::chrono::duration_cast<duration>(milliseconds{ms})};
    return true;
  } else {
    to = T{std::chrono::floor<duration>(milliseconds{ms})};
    return to.time_since_epoch() == milliseconds{ms};
  }
}

/// Reads a number, flag, text, time or duration; false if it does not fit.
template <class T>
bool read_scalar(value_view from, T& to) {
  if constexpr (std::same_as<T, std::string>) {
    return from.is_string() && (to = from.as_string(), true);
  } else if constexpr (std::same_as<T, bool>) {
    return from.kind() == value_kind::boolean && (to = from.as_bool(), true);
  } else if constexpr (std::floating_point<T>) {
    if (!from.is_number())
      return false;
    auto number = from.as_double();
    if (std::isfinite(number) &&
        std::abs(number) > static_cast<double>(std::numeric_limits<T>::max()))
      return false;
    return to = static_cast<T>(number), true;
  } else if constexpr (time_like<T>) {
    auto ms = from.if_int();
    return ms && read_time(*ms, to);
  } else if constexpr (duration_like<T>) {
    typename T::rep count{};
    return read_scalar(from, count) && (to = T{count}, true);
  } else {
    auto number = from.if_int();
    return number && std::in_range<T>(*number) && (to = static_cast<T>(*number), true);
  }
}

template <class T>
void read_items(value_view from, T& to, misfits& bad, const place& where);
template <class T>
void read_members(value_view from, T& to, misfits& bad, const place& where);

/// Reads a stored value into a member, or says why it does not fit; then the member's content is
/// unspecified.
template <class T>
void read_member(value_view from, T& to, misfits& bad, const place& where) {
  if constexpr (unwrap_optional<T>::optional) {
    if (from.is_null())
      to.reset();
    else
      read_member(from, to.emplace(), bad, where);
  } else if constexpr (std::same_as<T, object> || std::same_as<T, array>) {
    constexpr auto kind = std::same_as<T, object> ? value_kind::object : value_kind::array;
    if (from.kind() != kind)
      return bad.add(where, from);
    auto copy = from.materialize();
    if constexpr (std::same_as<T, object>)
      to = copy.as_object();
    else
      to = std::move(copy.as_array());
  } else if constexpr (is_vector<T>) {
    read_items(from, to, bad, where);
  } else if constexpr (mapped_object<T>) {
    read_members(from, to, bad, where);
  } else if constexpr (enum_like<T>) {
    auto text = from.if_string();
    auto known = text ? from_text<T>(*text) : std::nullopt;
    if (known)
      to = *known;
    else
      bad.add_unknown(where, from, enum_texts<T>());
  } else if (!read_scalar(from, to)) {
    bad.add(where, from);
  }
}

template <class T>
void read_items(value_view from, T& to, misfits& bad, const place& where) {
  if (from.kind() != value_kind::array)
    return bad.add(where, from);
  to.clear();
  to.reserve(from.size());
  std::size_t index = 0;
  for (auto each : from.items()) {
    typename T::value_type item{};
    read_member(each, item, bad, place{.outer = &where, .name = {}, .index = index++});
    to.push_back(std::move(item));
  }
}

template <class T>
void read_members(value_view from, T& to, misfits& bad, const place& where) {
  if (from.kind() != value_kind::object)
    return bad.add(where, from);
  for_each_field(mapping<T>.members, [&](const auto& each, std::size_t) {
    using field = std::remove_cvref_t<decltype(each)>;
    read_member(from[field::name], to.*field::member, bad,
                place{.outer = &where, .name = field::name});
  });
}

} // namespace holdfast::detail
