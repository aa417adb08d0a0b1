#include <holdfast/store/value.hpp>

#include <algorithm>
#include <ostream>
#include <stdexcept>

namespace holdfast {

std::string_view to_string(value_kind kind) noexcept {
  switch (kind) {
  case value_kind::null:
    return "null";
  case value_kind::boolean:
    return "boolean";
  case value_kind::integer:
    return "integer";
  case value_kind::real:
    return "real";
  case value_kind::string:
    return "string";
  case value_kind::array:
    return "array";
  case value_kind::object:
    return "object";
  }
  return "unknown";
}

std::string_view to_string(field_type type) noexcept {
  switch (type) {
  case field_type::string:
    return "string";
  case field_type::number:
    return "number";
  case field_type::integer:
    return "integer";
  case field_type::boolean:
    return "boolean";
  case field_type::object:
    return "object";
  case field_type::array:
    return "array";
  case field_type::date:
    return "date";
  }
  return "unknown";
}

void detail::integer_out_of_range() {
  throw std::out_of_range("value: an unsigned number above the greatest int64");
}

object::object(std::initializer_list<member> members) {
  members_.reserve(members.size());
  for (auto& m : members)
    set(m.name, m.content);
}

object& object::set(std::string_view name, value content) {
  if (auto* there = find(name))
    *there = std::move(content);
  else
    members_.push_back({std::string(name), std::move(content)});
  return *this;
}

object& object::append(std::string name, value content) {
  members_.push_back({std::move(name), std::move(content)});
  return *this;
}

bool object::erase(std::string_view name) {
  return std::erase_if(members_, [&](auto& m) { return m.name == name; }) != 0;
}

const value* object::find(std::string_view name) const noexcept {
  auto at = std::ranges::find(members_, name, &member::name);
  return at == members_.end() ? nullptr : &at->content;
}

value* object::find(std::string_view name) noexcept {
  return const_cast<value*>(std::as_const(*this).find(name));
}

value& object::operator[](std::string_view name) {
  if (auto* there = find(name))
    return *there;
  members_.push_back({std::string(name), {}});
  return members_.back().content;
}

bool operator==(const object& a, const object& b) { return value_view(a) == value_view(b); }

value::value(value_view view) : value(view.materialize()) {}

bool value::as_bool() const { return std::get<bool>(content_); }
std::int64_t value::as_int() const { return value_view(*this).as_int(); }
double value::as_double() const { return value_view(*this).as_double(); }

std::string value::to_string() const { return value_view(*this).to_string(); }

std::ostream& operator<<(std::ostream& out, const value& v) { return out << v.to_string(); }

} // namespace holdfast
