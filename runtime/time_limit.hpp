#pragma once

#include <holdfast/runtime/clock.hpp>

#include <chrono>

namespace holdfast {

/// The longest time that may be asked for: 100 years, of 365 days each. Longer than any process
/// lives, and far from the ends of what nanoseconds can count.
inline constexpr std::chrono::milliseconds longest_time = std::chrono::hours{24 * 365 * 100};

/// A time between `-longest_time` and `longest_time`: so it can be added to a point in time.
constexpr std::chrono::milliseconds bounded(std::chrono::milliseconds length) noexcept {
  return length < -longest_time ? -longest_time : length > longest_time ? longest_time : length;
}

/// When a wait that begins now ends, in the machine's time. Any length may be given, also
/// `milliseconds::max()`, for ever.
inline std::chrono::steady_clock::time_point end_of_wait(std::chrono::milliseconds length) {
  return std::chrono::steady_clock::now() + bounded(length);
}

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
