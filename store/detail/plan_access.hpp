#pragma once

#include <holdfast/store/detail/plan.hpp>

#include <cstdint>
#include <vector>

namespace holdfast::detail {

/// A way to answer a part of a filter from indexes: records outside the parts cannot match it.
struct candidate {
  std::vector<access> parts;
  std::uint64_t rows = 0;
  /// The nodes that hold for every record of the parts and need no further check.
  std::vector<std::uint32_t> answered;

  /// The ordered index it walks, if that is all it does.
  const access* ranged() const noexcept {
    return parts.size() == 1 && parts[0].from == explanation::source::index ? &parts[0] : nullptr;
  }
};

/// The ways to answer a bound filter, one per key, index or disjunction that is of use; none if it
/// takes a scan. Ranges on one index are intersected.
std::vector<candidate> find_candidates(const reader& from, std::span<const bound_node> nodes);

} // namespace holdfast::detail
