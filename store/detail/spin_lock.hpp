#pragma once

#include <atomic>

namespace holdfast::detail {

/// For sections of a few instructions. Waiters spin, then give way.
class spin_lock {
public:
  void lock() noexcept {
    if (flag_.exchange(true, std::memory_order_acquire)) [[unlikely]]
      wait();
  }
  void unlock() noexcept { flag_.store(false, std::memory_order_release); }
  /// For assertions: whether anybody has it.
  bool held() const noexcept { return flag_.load(std::memory_order_relaxed); }

private:
  void wait() noexcept;
  std::atomic<bool> flag_{false};
};

} // namespace holdfast::detail
