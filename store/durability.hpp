#pragma once

#include <cstdint>
#include <string_view>

namespace holdfast {

/// When a write is acknowledged, and so what a crash may take back.
enum class durability : std::uint8_t {
  sync,  ///< after its fsync; the writer starts as soon as it is idle
  group, ///< after its fsync, which may wait a little for company (`group_delay`)
  async, ///< at once; written later, in order. A crash keeps a prefix of the commit order
  none,  ///< never written: buckets that are not persistent
};

std::string_view to_string(durability level) noexcept;

} // namespace holdfast
