#include <holdfast/store/detail/definition_limits.hpp>

#include <holdfast/store/detail/validation_check.hpp>

#include <string>

namespace holdfast::detail {

namespace {

void check_name(std::string_view field, std::string_view name, const record_limits& most,
                issue_list& found) {
  if (name.size() > most.name_bytes)
    found.add(field, "name",
              "the name has " + std::to_string(name.size()) + " bytes, above the limit " +
                  std::to_string(most.name_bytes));
}

/// `level` 0: a field of the record itself.
void check_nested(const field_rule& rule, unsigned level, const record_limits& most,
                  issue_list& found) {
  if (!rule.nested)
    return;
  if (level >= most.nesting)
    return found.add(rule.name, "depth",
                     "nested deeper than the limit " + std::to_string(most.nesting));
  issue_list::scope here{found, rule.name};
  for (auto& property : rule.properties) {
    check_name(property.name, property.name, most, found);
    check_nested(property, level + 1, most, found);
  }
  if (rule.items) {
    issue_list::scope each{found, "[]"};
    check_nested(*rule.items, level + 1, most, found);
  }
}

} // namespace

std::optional<error> beyond_limits(const compiled_schema& made) {
  auto& most = made.limits();
  issue_list found{made.bucket(), most.issues};
  check_name("", made.bucket(), most, found);
  // No record of a definition with more fields than a record may have could be stored.
  if (const auto fields = made.layout().size(); fields > most.fields)
    found.add("", "fields",
              std::to_string(fields) + " fields are above the limit " +
                  std::to_string(most.fields));
  for (auto& rule : made.rules()) {
    check_name(rule.name, rule.name, most, found);
    check_nested(rule, 0, most, found);
  }
  return found.as_error(errc::invalid_schema);
}

} // namespace holdfast::detail
