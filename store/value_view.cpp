#include <holdfast/store/value_view.hpp>

#include <holdfast/store/detail/value_codec.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <ostream>
#include <span>
#include <vector>

namespace holdfast {

namespace {

std::weak_ordering compare_exactly(std::int64_t a, double b) noexcept {
  constexpr double limit = 9223372036854775808.0; // 2^63
  if (std::isnan(b) || b >= limit)
    return std::weak_ordering::less;
  if (b < -limit)
    return std::weak_ordering::greater;
  auto whole = static_cast<std::int64_t>(b);
  if (a != whole)
    return a <=> whole;
  // Equal up to the fraction, and a double with a fraction is far below 2^53, so this is exact.
  auto fraction = b - static_cast<double>(whole);
  return fraction > 0   ? std::weak_ordering::less
         : fraction < 0 ? std::weak_ordering::greater
                        : std::weak_ordering::equivalent;
}

std::weak_ordering compare_reals(double a, double b) noexcept {
  if (std::isnan(a) || std::isnan(b))
    return std::isnan(a) <=> std::isnan(b);
  return a < b   ? std::weak_ordering::less
         : a > b ? std::weak_ordering::greater
                 : std::weak_ordering::equivalent;
}

std::weak_ordering compare_items(value_view a, value_view b) {
  auto left = a.items().begin();
  auto right = b.items().begin();
  for (; left != std::default_sentinel && right != std::default_sentinel; ++left, ++right)
    if (auto order = *left <=> *right; order != 0)
      return order;
  return (left != std::default_sentinel) <=> (right != std::default_sentinel);
}

/// The members of an object by name; on the stack if they are few.
class sorted_members {
public:
  explicit sorted_members(value_view v) {
    auto count = v.size();
    if (count > few_.size())
      many_.resize(count);
    auto* to = count > few_.size() ? many_.data() : few_.data();
    for (auto m : v.members())
      to[size_++] = m;
    all_ = {to, size_};
    std::ranges::sort(all_, {}, &member_view::name);
  }
  std::span<const member_view> all() const noexcept { return all_; }

private:
  std::array<member_view, 16> few_;
  std::vector<member_view> many_;
  std::size_t size_ = 0;
  std::span<member_view> all_;
};

std::weak_ordering compare_members(value_view a, value_view b) {
  sorted_members sorted_a(a);
  sorted_members sorted_b(b);
  auto left = sorted_a.all();
  auto right = sorted_b.all();
  for (std::size_t i = 0; i < left.size() && i < right.size(); ++i) {
    if (auto order = left[i].name <=> right[i].name; order != 0)
      return order;
    if (auto order = left[i].content <=> right[i].content; order != 0)
      return order;
  }
  return left.size() <=> right.size();
}

} // namespace

bool value_view::throw_mismatch() { throw std::bad_variant_access{}; }

std::int64_t value_view::whole_number() const {
  if (kind() == value_kind::integer)
    return integer_;
  if (kind() == value_kind::real && real_ >= -9223372036854775808.0 &&
      real_ < 9223372036854775808.0 && std::trunc(real_) == real_)
    return static_cast<std::int64_t>(real_);
  throw std::bad_variant_access{};
}

std::optional<bool> value_view::if_bool() const noexcept {
  return kind() == value_kind::boolean ? std::optional(integer_ != 0) : std::nullopt;
}

std::optional<std::int64_t> value_view::if_int() const noexcept {
  if (kind() == value_kind::integer)
    return integer_;
  if (kind() == value_kind::real && real_ >= -9223372036854775808.0 &&
      real_ < 9223372036854775808.0 && std::trunc(real_) == real_)
    return static_cast<std::int64_t>(real_);
  return {};
}

std::optional<double> value_view::if_double() const noexcept {
  if (kind() == value_kind::real)
    return real_;
  if (kind() == value_kind::integer)
    return static_cast<double>(integer_);
  return {};
}

std::optional<std::string_view> value_view::if_string() const noexcept {
  return is_string() ? std::optional(text()) : std::nullopt;
}

std::size_t value_view::size() const noexcept {
  if (kind() < value_kind::array)
    return 0;
  if (is_encoded())
    return detail::encoded_count(body());
  return kind() == value_kind::array ? items_->size() : members_->size();
}

value_view value_view::operator[](std::string_view name) const noexcept {
  for (auto m : members())
    if (m.name == name)
      return m.content;
  return {};
}

value value_view::materialize() const {
  switch (kind()) {
  case value_kind::null:
    return {};
  case value_kind::boolean:
    return integer_ != 0;
  case value_kind::integer:
    return integer_;
  case value_kind::real:
    return real_;
  case value_kind::string:
    return text();
  case value_kind::array: {
    array copy;
    copy.reserve(size());
    for (auto item : items())
      copy.push_back(item.materialize());
    return copy;
  }
  case value_kind::object: {
    if (!is_encoded())
      return *members_;
    object copy;
    for (auto m : members())
      copy.set(m.name, m.content.materialize());
    return copy;
  }
  }
  return {};
}

std::weak_ordering value_view::compare_slow(value_view a, value_view b) {
  if (a.is_number() && b.is_number()) {
    if (a.kind() == b.kind())
      return a.kind() == value_kind::integer ? a.integer_ <=> b.integer_
                                             : compare_reals(a.real_, b.real_);
    return a.kind() == value_kind::integer ? compare_exactly(a.integer_, b.real_)
                                           : 0 <=> compare_exactly(b.integer_, a.real_);
  }
  if (a.kind() != b.kind())
    return a.kind() <=> b.kind();
  switch (a.kind()) {
  case value_kind::null:
    return std::weak_ordering::equivalent;
  case value_kind::boolean:
    return a.integer_ <=> b.integer_;
  case value_kind::array:
    return compare_items(a, b);
  case value_kind::object:
    return compare_members(a, b);
  case value_kind::integer:
  case value_kind::real:
  case value_kind::string:
    break;
  }
  return a.text().compare(b.text()) <=> 0;
}

detail::view_iterator<value_view> item_range::begin() const noexcept {
  using iterator = detail::view_iterator<value_view>;
  if (shown_.kind() != value_kind::array)
    return iterator{};
  if (shown_.is_encoded())
    return iterator{detail::encoded_entries(shown_.body(), false)};
  return iterator{detail::view_cursor(*shown_.items_)};
}

detail::view_iterator<member_view> member_range::begin() const noexcept {
  using iterator = detail::view_iterator<member_view>;
  if (shown_.kind() != value_kind::object)
    return iterator{};
  if (shown_.is_encoded())
    return iterator{detail::encoded_entries(shown_.body(), true)};
  return iterator{detail::view_cursor(*shown_.members_)};
}

namespace detail {

view_cursor::view_cursor(const array& items) noexcept : item_(items.data()), left_(items.size()) {
  load();
}

view_cursor::view_cursor(const object& members) noexcept
    : member_(members.begin()), left_(members.size()) {
  load();
}

void view_cursor::advance() noexcept {
  if (item_)
    ++item_;
  else if (member_)
    ++member_;
  --left_;
  load();
}

void view_cursor::load() noexcept {
  if (left_ == 0)
    return;
  if (item_)
    current_.content = *item_;
  else if (member_)
    current_ = {member_->name, member_->content};
  else if ((named_ && !read_name(at_, end_, current_.name)) ||
           !read_value(at_, end_, current_.content))
    left_ = 0;
}

} // namespace detail

namespace {

void print_string(std::string& out, std::string_view text) {
  constexpr char digits[] = "0123456789abcdef";
  out += '"';
  for (char c : text) {
    switch (c) {
    case '"':
      out += "\\\"";
      break;
    case '\\':
      out += "\\\\";
      break;
    case '\n':
      out += "\\n";
      break;
    case '\r':
      out += "\\r";
      break;
    case '\t':
      out += "\\t";
      break;
    default:
      if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
        out += "\\u00";
        out += digits[static_cast<unsigned char>(c) >> 4];
        out += digits[static_cast<unsigned char>(c) & 15];
      } else {
        out += c;
      }
    }
  }
  out += '"';
}

void print_number(std::string& out, double number) {
  char buffer[32];
  auto end = std::to_chars(buffer, buffer + sizeof buffer, number).ptr;
  std::string_view text(buffer, static_cast<std::size_t>(end - buffer));
  out += text;
  if (text.find_first_not_of("-0123456789") == std::string_view::npos)
    out += ".0";
}

void print(std::string& out, value_view v) {
  switch (v.kind()) {
  case value_kind::null:
    out += "null";
    return;
  case value_kind::boolean:
    out += v.as_bool() ? "true" : "false";
    return;
  case value_kind::integer:
    out += std::to_string(v.as_int());
    return;
  case value_kind::real:
    print_number(out, v.as_double());
    return;
  case value_kind::string:
    print_string(out, v.as_string());
    return;
  case value_kind::array: {
    const char* separator = "[";
    for (auto item : v.items()) {
      out += std::exchange(separator, ", ");
      print(out, item);
    }
    out += v.size() == 0 ? "[]" : "]";
    return;
  }
  case value_kind::object: {
    const char* separator = "{";
    for (auto m : v.members()) {
      out += std::exchange(separator, ", ");
      print_string(out, m.name);
      out += ": ";
      print(out, m.content);
    }
    out += v.size() == 0 ? "{}" : "}";
    return;
  }
  }
}

} // namespace

std::string value_view::to_string() const {
  std::string out;
  print(out, *this);
  return out;
}

std::ostream& operator<<(std::ostream& out, value_view v) { return out << v.to_string(); }

} // namespace holdfast
