#pragma once

#include <holdfast/store/detail/issue_list.hpp>
#include <holdfast/store/detail/name_fault.hpp>
#include <holdfast/store/detail/shown.hpp>
#include <holdfast/store/detail/validation_rules.hpp>

#include <string_view>

namespace holdfast::detail {

/// Checks one value, in stored form, against all rules of its field and of what is nested in it.
/// The user's own checks run only if they are shown the `whole` record.
void check_field(const field_rule& rule, value_view v, issue_list& found,
                 const record_input* whole = nullptr);

/// Runs the user's own checks alone, of a value and of what is nested in it, where the type fits.
void check_by_functions(const field_rule& rule, value_view v, const record_input& whole,
                        issue_list& found);
/// Runs the user's own check of the whole record, if there is one.
void check_by_function(const schema& definition, const record_input& whole, issue_list& found);

/// Checks what every value must be, rules or not: texts UTF-8, numbers finite.
void check_content(std::string_view field, value_view v, issue_list& found);

} // namespace holdfast::detail
