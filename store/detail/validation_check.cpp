#include <holdfast/store/detail/validation_check.hpp>

#include <holdfast/store/detail/formats.hpp>
#include <holdfast/store/detail/stored_form.hpp>
#include <holdfast/store/record_input.hpp>

#include <re2/re2.h>

#include <algorithm>
#include <cmath>

namespace holdfast::detail {

namespace {

std::string_view noun(field_type type) noexcept {
  switch (type) {
  case field_type::string:
    return "a string";
  case field_type::number:
    return "a number";
  case field_type::integer:
    return "an integer";
  case field_type::boolean:
    return "a boolean";
  case field_type::object:
    return "an object";
  case field_type::array:
    return "an array";
  case field_type::date:
    return "a date (ISO 8601 text or milliseconds since the epoch)";
  }
  return "a value";
}

std::string_view noun(text_format format) noexcept {
  switch (format) {
  case text_format::any:
    return "a text";
  case text_format::email:
    return "an email address";
  case text_format::url:
    return "an absolute URL";
  case text_format::iso_date:
    return "an ISO 8601 date";
  }
  return "a text";
}

bool matches(text_format format, std::string_view text) noexcept {
  switch (format) {
  case text_format::any:
    return true;
  case text_format::email:
    return is_email(text);
  case text_format::url:
    return is_url(text);
  case text_format::iso_date:
    return is_iso_date(text);
  }
  return false;
}

void check_length(const field_rule& rule, std::size_t length, issue_list& found) {
  auto told = "length " + std::to_string(length);
  if (length < rule.min_length)
    found.add(rule.name, "min_length",
              told + " is below the minimum " + std::to_string(rule.min_length));
  if (length > rule.max_length)
    found.add(rule.name, "max_length",
              told + " is above the maximum " + std::to_string(rule.max_length));
}

void check_text(const field_rule& rule, std::string_view text, issue_list& found) {
  bool ascii = is_ascii(text);
  if (!ascii && !is_utf8(text)) {
    found.add(rule.name, "utf8", "text is not valid UTF-8");
    return;
  }
  if (text.size() > rule.max_bytes)
    found.add(rule.name, "size",
              std::to_string(text.size()) + " bytes are above the limit " +
                  std::to_string(rule.max_bytes));
  if (rule.has_length) {
    auto length = ascii ? text.size() : code_points(text);
    if (length < rule.min_length || length > rule.max_length)
      check_length(rule, length, found);
  }
  if (rule.pattern &&
      !re2::RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), *rule.pattern))
    found.add(rule.name, "pattern",
              shown(text) + " does not match the pattern " + shortened(rule.pattern->pattern()));
  if (rule.format != text_format::any && !matches(rule.format, text))
    found.add(rule.name, "format", shown(text) + " is not " + std::string(noun(rule.format)));
}

void check_bounds(const field_rule& rule, value_view v, issue_list& found) {
  auto told = [&](value_view bound) {
    return rule.type == field_type::date ? to_iso_date(bound.as_int()) : shown(bound);
  };
  if (!rule.min.is_null() && v < rule.min)
    found.add(rule.name, "min", told(v) + " is below the minimum " + told(rule.min));
  if (!rule.max.is_null() && v > rule.max)
    found.add(rule.name, "max", told(v) + " is above the maximum " + told(rule.max));
}

bool is_finite(value_view v) noexcept {
  return v.kind() != value_kind::real || std::isfinite(*v.if_double());
}

void check_one_of(const field_rule& rule, value_view v, issue_list& found) {
  for (auto allowed : rule.one_of)
    if (v == allowed)
      return;
  found.add(rule.name, "enum", shown(v) + " is not one of " + shown(rule.allowed));
}

bool sound(value_view v) noexcept {
  if (v.is_string())
    return is_utf8(*v.if_string());
  for (auto item : v.items())
    if (!sound(item))
      return false;
  for (auto m : v.members())
    if (!is_utf8(m.name) || !sound(m.content))
      return false;
  return is_finite(v);
}

} // namespace

void check_content(std::string_view field, value_view v, issue_list& found) {
  if (sound(v))
    return;
  if (v.is_string() && !is_utf8(*v.if_string()))
    found.add(field, "utf8", "text is not valid UTF-8");
  else if (!is_finite(v))
    found.add(field, "finite", shown(v) + " is not a finite number");
  std::size_t position = 0;
  for (auto item : v.items())
    check_content(std::string(field) + "[" + std::to_string(position++) + "]", item, found);
  for (auto m : v.members()) {
    if (!is_utf8(m.name))
      found.add(field, "utf8", "a member's name is not valid UTF-8");
    else
      check_content(std::string(field) + "." + std::string(m.name), m.content, found);
  }
}

namespace {

void check_members(const field_rule& rule, value_view v, issue_list& found,
                   const record_input* whole) {
  for (auto& property : rule.properties)
    check_field(property, v[property.name], found, whole);
  if (!rule.closed)
    return;
  for (auto m : v.members())
    if (std::ranges::find(rule.properties, m.name, &field_rule::name) == rule.properties.end())
      found.add(is_utf8(m.name) ? m.name : "", "unknown", "the schema has no such field");
}

/// Null items are not checked, whatever the rules of items say.
void check_items(const field_rule& rule, value_view v, issue_list& found,
                 const record_input* whole) {
  std::size_t position = 0;
  for (auto item : v.items()) {
    issue_list::scope here{found, position++};
    if (!item.is_null())
      check_field(*rule.items, item, found, whole);
  }
}

void check_nested(const field_rule& rule, value_view v, issue_list& found,
                  const record_input* whole) {
  issue_list::scope here{found, rule.name};
  if (rule.items)
    check_items(rule, v, found, whole);
  else
    check_members(rule, v, found, whole);
}

/// What is nested is checked by its rules only where it is sound: else every fault would be told
/// twice.
void check_collection(const field_rule& rule, value_view v, issue_list& found,
                      const record_input* whole) {
  auto before = found.count();
  check_content(rule.name, v, found);
  if (rule.nested && found.count() == before)
    check_nested(rule, v, found, whole);
}

/// Calls a validator and turns what it throws into an issue. Lack of memory is not its fault.
template <class F>
void guarded(std::string_view field, issue_list& found, F&& call) {
  try {
    call();
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& e) {
    found.add(field, "custom", "the validator threw: " + std::string(e.what()));
  } catch (...) {
    found.add(field, "custom", "the validator threw something unknown");
  }
}

void check_by_function(const field_rule& rule, value_view v, const record_input& whole,
                       issue_list& found) {
  if (!rule.options->validator)
    return;
  guarded(rule.name, found, [&] {
    if (auto wrong = rule.options->validator(v, whole))
      found.add(rule.name, "custom", *wrong);
  });
}

} // namespace

void check_by_functions(const field_rule& rule, value_view v, const record_input& whole,
                        issue_list& found) {
  if (!rule.validates || !of_type(rule.type, v))
    return;
  if (rule.nested) {
    issue_list::scope here{found, rule.name};
    std::size_t position = 0;
    for (auto item : v.items()) {
      issue_list::scope at{found, position++};
      check_by_functions(*rule.items, item, whole, found);
    }
    for (auto& property : rule.properties)
      check_by_functions(property, v[property.name], whole, found);
  }
  check_by_function(rule, v, whole, found);
}

void check_by_function(const schema& definition, const record_input& whole, issue_list& found) {
  if (!definition.validator())
    return;
  guarded("_record", found, [&] {
    for (auto& wrong : definition.validator()(whole))
      found.add("_record", "custom", wrong);
  });
}

void check_field(const field_rule& rule, value_view v, issue_list& found,
                 const record_input* whole) {
  if (v.is_null()) {
    if (rule.required)
      found.add(rule.name, "required", "a value is required");
    return;
  }
  if (!is_finite(v)) {
    found.add(rule.name, "finite", shown(v) + " is not a finite number");
    return;
  }
  if (!of_type(rule.type, v)) {
    found.add(rule.name, "type", shown(v) + " is not " + std::string(noun(rule.type)));
    return;
  }
  if (v.is_string())
    check_text(rule, *v.if_string(), found);
  else if (v.kind() >= value_kind::array)
    check_collection(rule, v, found, whole);
  else if (rule.has_bounds)
    check_bounds(rule, v, found);
  if (!rule.one_of.empty())
    check_one_of(rule, v, found);
  if (whole) [[unlikely]]
    check_by_function(rule, v, *whole, found);
}

} // namespace holdfast::detail
