#pragma once

#include <holdfast/runtime/clock.hpp>

#include <chrono>

namespace holdfast {

/// How long something may take, by a clock that a test may own. A value; the clock must outlive it.
///
/// What decides asks `passed`. A thread that sleeps does so in the machine's time, for what is left
/// when it begins: under a clock that stands still it wakes up all the same, and nothing wakes it
/// earlier when the clock is moved.
class time_limit {
public:
  time_limit(const clock& by, std::chrono::milliseconds length) noexcept;

  std::chrono::milliseconds length() const noexcept { return length_; }
  /// One look at the clock.
  bool passed() const noexcept { return by_->steady() >= ends_; }
  /// When a thread that begins to sleep must wake up.
  std::chrono::steady_clock::time_point wake_up() const noexcept;

private:
  const clock* by_;
  std::chrono::milliseconds length_;
  std::chrono::nanoseconds ends_; ///< as `clock::steady` has it
};

} // namespace holdfast
