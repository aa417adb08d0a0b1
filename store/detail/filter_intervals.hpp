#pragma once

#include <holdfast/store/detail/interval_tree.hpp>
#include <holdfast/store/detail/match.hpp>

#include <vector>

namespace holdfast::detail {

/// Intervals of values that contain each one for which a comparison holds, ascending; none if they
/// are not known. What a comparison other than by members is negated of, they leave out exactly.
/// O(operands * log operands).
std::vector<value_interval> intervals_of(const bound_node& leaf);

} // namespace holdfast::detail
