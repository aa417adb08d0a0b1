#pragma once

#include <holdfast/store/detail/validation_rules.hpp>

namespace holdfast::detail {

/// The form in which a field of that type stores `v`: dates as milliseconds, whole numbers of
/// integer fields as int64. Values that do not fit the type are returned as they are. Never
/// allocates.
value_view stored_form(field_type type, value_view v) noexcept;

/// Whether a value in stored form is of the type; null is of none.
bool of_type(field_type type, value_view v) noexcept;

/// Whether a nested value is not in stored form; and that form.
bool to_be_converted(const field_rule& rule, value_view v) noexcept;
value converted(const field_rule& rule, value_view v);

} // namespace holdfast::detail
