#include <holdfast/store/detail/turn.hpp>

#include <holdfast/runtime/detail/futex.hpp>

#include <chrono>
#include <thread>

namespace holdfast::detail {

void turn::wait() noexcept {
  // A job is short: look a few times before sleeping.
  constexpr int looks = 64;
  for (int i = 0; i < looks; ++i) {
    std::uint32_t expected = free;
    if (state_.compare_exchange_strong(expected, taken, std::memory_order_acquire))
      return;
    std::this_thread::yield();
  }
  while (state_.exchange(awaited, std::memory_order_acquire) != free)
    futex_wait(state_, awaited, std::chrono::steady_clock::time_point::max());
}

void turn::wake() noexcept { futex_wake_all(state_); }

} // namespace holdfast::detail
