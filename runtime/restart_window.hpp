#pragma once

#include <chrono>
#include <cstddef>
#include <deque>

namespace holdfast {

/// How many restarts are tolerated in how much time: more than `intensity` in any `period` is
/// too many. OTP's defaults.
struct restart_budget {
  std::size_t intensity = 1;
  std::chrono::milliseconds period{5000};
};

/// Counts restarts in a sliding window.
///
/// A restart that is exactly `period` old still counts, as in OTP. Keeps at most `intensity + 1`
/// times. Times never go back. Not thread-safe.
class restart_window {
public:
  explicit restart_window(restart_budget budget) : budget_(budget) {}

  /// Counts a restart; false if it is one too many.
  bool add(std::chrono::nanoseconds now) {
    forget(now);
    times_.push_back(now);
    if (times_.size() > budget_.intensity + 1)
      times_.pop_front();
    return times_.size() <= budget_.intensity;
  }
  /// Restarts in the period that ends at `now`.
  std::size_t count(std::chrono::nanoseconds now) {
    forget(now);
    return times_.size();
  }
  void clear() { times_.clear(); }

private:
  void forget(std::chrono::nanoseconds now) {
    while (!times_.empty() && now - times_.front() > budget_.period)
      times_.pop_front();
  }

  restart_budget budget_;
  std::deque<std::chrono::nanoseconds> times_;
};

} // namespace holdfast
