#pragma once

#include <holdfast/runtime/error.hpp>
#include <holdfast/store/record_limits.hpp>
#include <holdfast/store/value.hpp>

#include <optional>
#include <string_view>

namespace holdfast::detail {

/// Why these cannot be parameters of any query: groups keep them, and texts of errors name them.
/// They keep the limits of a record (names, number, bytes, levels), texts are UTF-8, numbers
/// finite. O(size).
std::optional<error> fault_in_parameters(std::string_view query, const object& given,
                                         const record_limits& most);

} // namespace holdfast::detail
