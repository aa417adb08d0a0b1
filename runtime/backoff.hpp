#pragma once

#include <chrono>
#include <cstdint>

namespace holdfast {

class random_source;

/// How long to wait before a restart: `min`, then twice as long each time, at most `max`.
struct backoff_options {
  std::chrono::milliseconds min{100};
  std::chrono::milliseconds max{30'000};
  /// Each delay is spread evenly over +-`jitter` of itself; 0 to 1.
  double jitter = 0.2;
  /// A child that stays up this long starts over at `min`. Zero: `(min + max) / 2`.
  std::chrono::milliseconds reset_after{0};
};

/// The delays of one child. Not thread-safe; O(1).
class backoff {
public:
  explicit backoff(backoff_options options) : options_(options) {}

  /// The next delay; each call doubles the one after it.
  std::chrono::nanoseconds next(random_source& random);
  /// The child had been up for this long; starts over if that was long enough.
  void was_up_for(std::chrono::nanoseconds time);
  void reset() { attempts_ = 0; }
  std::uint32_t attempts() const { return attempts_; }

private:
  backoff_options options_;
  std::uint32_t attempts_ = 0;
};

} // namespace holdfast
