#pragma once

#include <holdfast/runtime/clock.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <limits>

namespace holdfast::detail {

/// The time of a store: that of the machine, but it never goes back. When the machine's clock is
/// set back, the store's goes on at the pace of the steady one, from where it was, until the
/// machine's has caught up: so what has expired stays so, later commits do not have earlier times,
/// and what is inserted meanwhile lives as long as it is meant to. A restart forgets it.
///
/// All that is kept is the greatest distance of the two clocks that was seen, so it is written only
/// when the machine's clock is set forward. Thread-safe. Good for the years 1970 to 2262.
class store_time {
public:
  timestamp now(const clock& by) noexcept {
    using std::chrono::microseconds, std::chrono::nanoseconds;
    constexpr auto latest = std::chrono::floor<microseconds>(nanoseconds::max());
    const auto wall = by.now();
    // The steady clock is looked at last: who is interrupted in between sees a lesser distance.
    const auto steady = by.steady();
    auto known = distance_.load(std::memory_order_relaxed);
    if (const auto since = wall.time_since_epoch(); since >= since.zero() && since <= latest) {
      const auto seen = (nanoseconds{since} - steady).count();
      while (seen > known)
        if (distance_.compare_exchange_weak(known, seen, std::memory_order_relaxed))
          return wall;
    }
    if (known == unknown)
      return wall;
    return std::max(wall, timestamp{std::chrono::floor<microseconds>(steady + nanoseconds{known})});
  }

private:
  static constexpr auto unknown = std::numeric_limits<std::int64_t>::min();
  std::atomic<std::int64_t> distance_{unknown};
};

} // namespace holdfast::detail
