#pragma once

#include <holdfast/runtime/result.hpp>
#include <holdfast/store/json_limits.hpp>
#include <holdfast/store/value.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace holdfast::detail {

/// The one value that a JSON text is. Whole numbers within int64 are integers, others reals.
/// `invalid_argument` names `subject` and the place, for what is malformed by line and column (in
/// bytes, from 1): a text that is no JSON or no UTF-8, a name that stands twice in an object, more
/// than the limits allow. O(bytes), and O(members log members) per object.
result<value> parse_json(std::string_view text, std::string_view subject,
                         const json_limits& within = {});

/// The value as JSON, without blanks. An infinity becomes the greatest finite number of its sign, a
/// NaN the text "nan", and bytes that are no UTF-8 become U+FFFD: JSON has no words for them.
std::string print_json(value_view v);

} // namespace holdfast::detail
