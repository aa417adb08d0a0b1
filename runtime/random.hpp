#pragma once

#include <atomic>
#include <cstdint>

namespace holdfast {

/// Where random numbers come from. Injected, so that a test can repeat a run. Thread-safe.
class random_source {
public:
  virtual ~random_source() = default;
  /// 64 uniformly distributed bits.
  virtual std::uint64_t next() noexcept = 0;
  /// A number in [0, 1).
  double fraction() noexcept;
  /// A number in [0, bound); 0 when `bound` is 0. The bias is below 2^-32 for bounds below 2^32.
  std::uint64_t below(std::uint64_t bound) noexcept;
};

/// Unpredictable enough for identifiers and jitter, not for keys of a cipher. A generator of 256
/// bits of state for each thread, seeded by the operating system, and again after a fork, so that
/// no two processes make the same identifiers. Lives for the whole process.
random_source& system_random() noexcept;

/// The same numbers for the same seed, in the order of the calls (SplitMix64).
class seeded_random final : public random_source {
public:
  explicit seeded_random(std::uint64_t seed) noexcept : state_{seed} {}
  std::uint64_t next() noexcept override;

private:
  std::atomic<std::uint64_t> state_;
};

} // namespace holdfast
