#pragma once

#include <cstdint>

namespace holdfast::detail {

/// Asks for the cache lines at these distances behind `p`. A hint, so `p` may be null or near an
/// end: the sums are of addresses, not of pointers.
template <std::uintptr_t... Distances>
inline void prefetch(const void* p) noexcept {
  const auto at = reinterpret_cast<std::uintptr_t>(p);
  (__builtin_prefetch(reinterpret_cast<const void*>(at + Distances)), ...);
}

} // namespace holdfast::detail
