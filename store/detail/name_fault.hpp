#pragma once

#include <string>
#include <string_view>

namespace holdfast::detail {

/// Why a name cannot stand in a line of a message, a tree or metrics: as what follows "the name";
/// empty if it can.
std::string line_fault(std::string_view name);

/// Why the name of a bucket cannot be one, as what follows "the name"; empty if it can.
std::string name_fault(std::string_view name);
/// The same of the name of a field: those with a `$` before them are operators in filters as JSON.
std::string field_name_fault(std::string_view name);

} // namespace holdfast::detail
