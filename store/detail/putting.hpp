#pragma once

#include <cstdint>

namespace holdfast::detail {

/// What becomes of a record that is to be put where one with its key is: refused, or made an update
/// of that one.
enum class putting : std::uint8_t { insert, upsert };

} // namespace holdfast::detail
