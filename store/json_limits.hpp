#pragma once

#include <cstddef>

namespace holdfast {

/// What a JSON text - a schema, a filter, a query - may be at most; all of it is read into memory.
/// Past it the text is `invalid_argument`.
struct json_limits {
  /// How deep arrays and objects may be in one another at the very most: what is made of them is
  /// walked by recursion. Enough for any filter that a store takes by default: two for each of its
  /// levels, and what an operand may have (`record_limits`).
  static constexpr unsigned most_depth = 256;

  std::size_t bytes = std::size_t{1} << 20;
  std::size_t values = 100'000;
  unsigned depth = most_depth; ///< more than `most_depth` counts as that
};

} // namespace holdfast
