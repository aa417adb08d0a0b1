#include <holdfast/store/value_view.hpp>

#include <holdfast/store/detail/value_codec.hpp>

#include <cmath>
#include <variant>

namespace holdfast {

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
      copy.append(std::string{m.name}, m.content.materialize()); // each name is there once
    return copy;
  }
  }
  return {};
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

} // namespace holdfast
