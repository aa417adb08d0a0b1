#pragma once

#include <holdfast/store/value.hpp>

#include <compare>
#include <cstring>
#include <iterator>
#include <optional>

namespace holdfast {

struct member_view;
class item_range;
class member_range;

/// A look at one value that lives elsewhere: in a record, in a `value`, or in a C++ variable. 16
/// bytes, to be passed by value; valid as long as what it shows is alive and unchanged.
///
/// Compares with the order of `value`; comparing scalars never allocates, and neither does walking
/// the arrays and objects of a record, which stay in their encoded form.
class value_view {
public:
  constexpr value_view() noexcept = default;
  constexpr value_view(std::nullptr_t) noexcept {}
  template <std::same_as<bool> B>
  constexpr value_view(B flag) noexcept : head_(head(value_kind::boolean)), integer_(flag) {}
  /// Throws std::out_of_range for unsigned numbers above the greatest int64.
  template <detail::plain_integer I>
  constexpr value_view(I number)
      : head_(head(value_kind::integer)), integer_(detail::checked_int64(number)) {}
  template <std::floating_point F>
  constexpr value_view(F number) noexcept
      : head_(head(value_kind::real)), real_(static_cast<double>(number)) {}
  /// A date as a record keeps it: whole milliseconds since the epoch.
  template <class Duration>
  constexpr value_view(std::chrono::sys_time<Duration> time)
      : value_view(std::chrono::floor<std::chrono::milliseconds>(time).time_since_epoch().count()) {
  }
  constexpr value_view(std::string_view text) noexcept
      : head_(head(value_kind::string, text.size())), bytes_(text.data()) {}
  constexpr value_view(const char* text) : value_view(std::string_view(text)) {}
  value_view(const std::string& text) noexcept : value_view(std::string_view(text)) {}
  value_view(const array& items) noexcept : head_(head(value_kind::array)), items_(&items) {}
  value_view(const object& members) noexcept
      : head_(head(value_kind::object)), members_(&members) {}
  value_view(const value& v) noexcept;
  /// An empty optional is null.
  template <class T>
  requires std::convertible_to<const T&, value_view> value_view(const std::optional<T>& maybe)
      : value_view(maybe ? value_view(*maybe) : value_view()) {}

  /// An array or object in the form of store/detail/value_codec.hpp; `body` begins with its count.
  static value_view encoded(value_kind kind, std::string_view body) noexcept {
    value_view v;
    v.head_ = head(kind, body.size()) | encoded_bit;
    v.bytes_ = body.data();
    return v;
  }

  constexpr value_kind kind() const noexcept { return static_cast<value_kind>(head_ & 0xff); }
  constexpr bool is_null() const noexcept { return kind() == value_kind::null; }
  constexpr bool is_number() const noexcept {
    return kind() == value_kind::integer || kind() == value_kind::real;
  }
  constexpr bool is_string() const noexcept { return kind() == value_kind::string; }

  /// The content; throws std::bad_variant_access if the value is of another kind. `as_int` also
  /// takes a double that is a whole number, `as_double` also an int64 (rounded to the nearest).
  bool as_bool() const { return kind() == value_kind::boolean ? integer_ != 0 : throw_mismatch(); }
  std::int64_t as_int() const { return kind() == value_kind::integer ? integer_ : whole_number(); }
  double as_double() const {
    return kind() == value_kind::real ? real_ : static_cast<double>(whole_number());
  }
  std::string_view as_string() const {
    return is_string() ? text() : (throw_mismatch(), std::string_view{});
  }

  /// The same, or nothing if the value is of another kind.
  std::optional<bool> if_bool() const noexcept;
  std::optional<std::int64_t> if_int() const noexcept;
  std::optional<double> if_double() const noexcept;
  std::optional<std::string_view> if_string() const noexcept;

  /// How many items or members; 0 for scalars. O(1).
  std::size_t size() const noexcept;
  /// The items of an array, else none. Walking is O(1) a step.
  item_range items() const noexcept;
  /// The members of an object, else none. Walking is O(1) a step.
  member_range members() const noexcept;
  /// The member of that name, or null. Linear.
  value_view operator[](std::string_view name) const noexcept;

  /// A deep copy that owns what it holds.
  value materialize() const;
  /// The value as JSON text, for people; see `value::to_string`.
  std::string to_string() const;

  friend bool operator==(value_view a, value_view b) { return compare(a, b) == 0; }
  friend std::weak_ordering operator<=>(value_view a, value_view b) { return compare(a, b); }
  friend std::ostream& operator<<(std::ostream& out, value_view v);

  /// For the codec: whether an array or object is in encoded form, and its bytes then.
  bool is_encoded() const noexcept { return (head_ & encoded_bit) != 0; }
  std::string_view body() const noexcept { return {bytes_, head_ >> 16}; }

private:
  friend class item_range;
  friend class member_range;
  static constexpr std::uint64_t encoded_bit = 0x100;
  static constexpr std::uint64_t head(value_kind kind, std::size_t size = 0) noexcept {
    return static_cast<std::uint64_t>(kind) | (static_cast<std::uint64_t>(size) << 16);
  }
  std::string_view text() const noexcept { return {bytes_, head_ >> 16}; }
  [[noreturn]] static bool throw_mismatch();
  std::int64_t whole_number() const;
  static std::weak_ordering compare(value_view a, value_view b);
  static std::weak_ordering compare_slow(value_view a, value_view b);

  // The kind, the encoded bit, and the size of a text or body in the upper 48 bits.
  std::uint64_t head_ = 0;
  union {
    std::int64_t integer_ = 0;
    double real_;
    const char* bytes_;
    const array* items_;
    const object* members_;
  };
};
static_assert(sizeof(value_view) == 16 && std::is_trivially_copyable_v<value_view>);

/// One name of an object, with its value.
struct member_view {
  std::string_view name;
  value_view content;
};

namespace detail {

/// Walks native items and members by pointer, encoded ones by bytes. Malformed bytes end the walk.
class view_cursor {
public:
  view_cursor() = default;
  /// At the first of `left` entries; `named` if each begins with a name.
  view_cursor(const char* at, const char* end, std::size_t left, bool named) noexcept
      : at_(at), end_(end), left_(left), named_(named) {
    load();
  }
  explicit view_cursor(const array& items) noexcept;
  explicit view_cursor(const object& members) noexcept;

  bool done() const noexcept { return left_ == 0; }
  const member_view& current() const noexcept { return current_; }
  void advance() noexcept;

private:
  void load() noexcept;

  const char* at_ = nullptr;
  const char* end_ = nullptr;
  const value* item_ = nullptr;
  const member* member_ = nullptr;
  std::size_t left_ = 0;
  bool named_ = false;
  member_view current_;
};

template <class Item>
class view_iterator {
public:
  using value_type = Item;
  using difference_type = std::ptrdiff_t;
  using reference = Item;
  using iterator_category = std::input_iterator_tag;

  view_iterator() = default;
  explicit view_iterator(view_cursor at) noexcept : at_(at) {}

  Item operator*() const noexcept {
    if constexpr (std::same_as<Item, member_view>)
      return at_.current();
    else
      return at_.current().content;
  }
  view_iterator& operator++() noexcept {
    at_.advance();
    return *this;
  }
  view_iterator operator++(int) noexcept {
    auto old = *this;
    ++*this;
    return old;
  }
  bool operator==(std::default_sentinel_t) const noexcept { return at_.done(); }

private:
  view_cursor at_;
};

} // namespace detail

/// The items of an array view.
class item_range {
public:
  explicit item_range(value_view shown) noexcept : shown_(shown) {}
  detail::view_iterator<value_view> begin() const noexcept;
  std::default_sentinel_t end() const noexcept { return {}; }

private:
  value_view shown_;
};

/// The members of an object view.
class member_range {
public:
  explicit member_range(value_view shown) noexcept : shown_(shown) {}
  detail::view_iterator<member_view> begin() const noexcept;
  std::default_sentinel_t end() const noexcept { return {}; }

private:
  value_view shown_;
};

inline value_view::value_view(const value& v) noexcept : head_(head(v.kind())) {
  switch (v.kind()) {
  case value_kind::null:
    break;
  case value_kind::boolean:
    integer_ = *std::get_if<bool>(&v.content_);
    break;
  case value_kind::integer:
    integer_ = *std::get_if<std::int64_t>(&v.content_);
    break;
  case value_kind::real:
    real_ = *std::get_if<double>(&v.content_);
    break;
  case value_kind::string: {
    auto& text = *std::get_if<std::string>(&v.content_);
    head_ = head(value_kind::string, text.size());
    bytes_ = text.data();
    break;
  }
  case value_kind::array:
    items_ = std::get_if<array>(&v.content_);
    break;
  case value_kind::object:
    members_ = std::get_if<object>(&v.content_);
    break;
  }
}

inline item_range value_view::items() const noexcept { return item_range(*this); }
inline member_range value_view::members() const noexcept { return member_range(*this); }

inline std::weak_ordering value_view::compare(value_view a, value_view b) {
  if (a.kind() == value_kind::integer && b.kind() == value_kind::integer)
    return a.integer_ <=> b.integer_;
  if (a.kind() == value_kind::string && b.kind() == value_kind::string) {
    auto order = a.text().compare(b.text());
    return order <=> 0;
  }
  return compare_slow(a, b);
}

inline std::weak_ordering detail::compare_views(const value_view& a, const value_view& b) {
  return a <=> b;
}

/// A hash that agrees with equality: equal values, of whatever kind and form, have equal hashes.
std::uint64_t hash_value(value_view v) noexcept;

} // namespace holdfast
