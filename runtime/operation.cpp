#include <holdfast/runtime/operation.hpp>

#include <holdfast/runtime/detail/futex.hpp>
#include <holdfast/runtime/runtime.hpp>

#include <immintrin.h>

namespace holdfast {

bool operation_base::wait_until(std::chrono::steady_clock::time_point deadline) noexcept {
  if (ready())
    return true;
  if (runtime_.options().deterministic) {
    while (!ready())
      if (!runtime_.run_one())
        return ready();
    return true;
  }
  for (int i = 0; i < 100; ++i) {
    if (ready())
      return true;
    _mm_pause();
  }
  for (;;) {
    auto seen = open;
    if (!state_.compare_exchange_strong(seen, waited_for, std::memory_order_acq_rel) &&
        seen == done)
      return true;
    if (!detail::futex_wait(state_, waited_for, deadline))
      return ready();
  }
}

void operation_base::when_ready(std::function<void()> f) {
  continuation_ = std::move(f);
  auto seen = open;
  if (!state_.compare_exchange_strong(seen, continued, std::memory_order_acq_rel))
    std::exchange(continuation_, nullptr)();
}

void operation_base::finish() noexcept {
  auto before = state_.exchange(done, std::memory_order_acq_rel);
  if (before == waited_for)
    detail::futex_wake_all(state_);
  else if (before == continued)
    std::exchange(continuation_, nullptr)();
}

} // namespace holdfast
