#pragma once

#include <holdfast/store/detail/validation_rules.hpp>

#include <optional>

namespace holdfast::detail {

/// What a definition has more of than its store allows: `invalid_schema`, with all of it. For
/// definitions that are made; those that are there from before may stay, so `compile` knows the
/// limits of the format only. O(fields and properties).
std::optional<error> beyond_limits(const compiled_schema& made);

} // namespace holdfast::detail
