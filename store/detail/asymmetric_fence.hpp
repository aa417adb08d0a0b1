#pragma once

#include <atomic>

namespace holdfast::detail {

/// A full fence between two sides of which one is passed far more often than the other: the light
/// side costs nothing, the heavy side makes every thread of the process pass a full fence. Linux's
/// `membarrier(2)`, private expedited; after P1202, "Asymmetric Fences". Whatever a thread did
/// before its light fence is seen by who loads after the heavy one, or else the thread's loads
/// behind its light fence see all that was stored before the heavy one.
///
/// Where the system has no such call, or forbids it, `offered()` is false, and both sides have to
/// be full fences. What it says never changes.
class asymmetric_fence {
public:
  static bool offered() noexcept { return offered_; }

  /// Keeps the compiler from moving loads before earlier stores.
  static void light() noexcept { std::atomic_signal_fence(std::memory_order_seq_cst); }
  /// Microseconds with other threads at work. Whether it took place: false only if the system
  /// takes back what it offered. Without the offer it is a full fence of the calling thread.
  [[nodiscard]] static bool heavy() noexcept;

private:
  static bool enrol() noexcept;
  static inline const bool offered_ = enrol();
};

} // namespace holdfast::detail
