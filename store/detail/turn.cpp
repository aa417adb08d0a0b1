#include <holdfast/store/detail/turn.hpp>

#include <holdfast/runtime/detail/futex.hpp>

#include <chrono>
#include <thread>

namespace holdfast::detail {

bool turn::wait(const time_limit* until) noexcept {
  // A job is short: look a few times before sleeping.
  constexpr int looks = 64;
  for (int i = 0; i < looks; ++i) {
    if (try_take())
      return true;
    std::this_thread::yield();
  }
  const auto latest = until ? until->wake_up() : std::chrono::steady_clock::time_point::max();
  while (state_.exchange(awaited, std::memory_order_acquire) != free)
    if (!futex_wait(state_, awaited, latest))
      return false; // that it looks awaited costs whoever gives it one useless call
  return true;
}

void turn::wake() noexcept { futex_wake_all(state_); }

} // namespace holdfast::detail
