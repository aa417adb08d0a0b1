#include <holdfast/store/detail/stored_form.hpp>

#include <holdfast/store/detail/formats.hpp>

#include <algorithm>

namespace holdfast::detail {

value_view stored_form(field_type type, value_view v) noexcept {
  if (type == field_type::date && v.is_string()) {
    if (auto ms = parse_iso_date(*v.if_string()))
      return *ms;
  } else if ((type == field_type::date || type == field_type::integer) &&
             v.kind() == value_kind::real) {
    if (auto whole = v.if_int())
      return *whole;
  }
  return v;
}

bool of_type(field_type type, value_view v) noexcept {
  switch (type) {
  case field_type::string:
    return v.is_string();
  case field_type::number:
    return v.is_number();
  case field_type::integer:
    return v.kind() == value_kind::integer;
  case field_type::boolean:
    return v.kind() == value_kind::boolean;
  case field_type::object:
    return v.kind() == value_kind::object;
  case field_type::array:
    return v.kind() == value_kind::array;
  case field_type::date:
    return v.kind() == value_kind::integer && *v.if_int() >= -max_date_ms &&
           *v.if_int() <= max_date_ms;
  }
  return false;
}

bool to_be_converted(const field_rule& rule, value_view v) noexcept {
  if (rule.items) {
    for (auto item : v.items())
      if (to_be_converted(*rule.items, item))
        return true;
    return false;
  }
  for (auto& property : rule.properties)
    if (property.converts && to_be_converted(property, v[property.name]))
      return true;
  return stored_form(rule.type, v).kind() != v.kind();
}

value converted(const field_rule& rule, value_view v) {
  if (rule.items && v.kind() == value_kind::array) {
    array out;
    for (auto item : v.items())
      out.push_back(converted(*rule.items, item));
    return out;
  }
  if (!rule.properties.empty() && v.kind() == value_kind::object) {
    object out;
    for (auto m : v.members()) {
      auto found = std::ranges::find(rule.properties, m.name, &field_rule::name);
      out.set(m.name, found == rule.properties.end() ? m.content.materialize()
                                                     : converted(*found, m.content));
    }
    return out;
  }
  return stored_form(rule.type, v).materialize();
}

} // namespace holdfast::detail
