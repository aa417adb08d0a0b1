#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

namespace holdfast {

/// A point in time as the store knows it: microseconds since the Unix epoch, UTC.
using timestamp = std::chrono::sys_time<std::chrono::microseconds>;

/// Where the time comes from. Injected, so that a test owns it. Thread-safe.
class clock {
public:
  virtual ~clock() = default;
  /// Wall time; may jump with the machine's clock.
  virtual timestamp now() const noexcept = 0;
  /// Time for waiting and back-off; never goes back. Nanoseconds since an arbitrary point.
  virtual std::chrono::nanoseconds steady() const noexcept = 0;
};

/// The machine's clock. Lives for the whole process.
clock& system_clock() noexcept;

/// A clock that a test moves by hand. Both of its times advance together.
class manual_clock final : public clock {
public:
  explicit manual_clock(timestamp start = timestamp{std::chrono::seconds{1'000'000'000}}) noexcept
      : now_{start.time_since_epoch().count()} {}

  timestamp now() const noexcept override {
    return timestamp{std::chrono::microseconds{now_.load(std::memory_order_relaxed)}};
  }
  std::chrono::nanoseconds steady() const noexcept override {
    return std::chrono::microseconds{now_.load(std::memory_order_relaxed)};
  }
  void advance(std::chrono::microseconds by) noexcept {
    now_.fetch_add(by.count(), std::memory_order_relaxed);
  }

private:
  std::atomic<std::int64_t> now_;
};

} // namespace holdfast
