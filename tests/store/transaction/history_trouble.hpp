#pragma once

#include "history_bench.hpp"

#include <holdfast/runtime/fault.hpp>

#include <atomic>
#include <cstdint>
#include <optional>
#include <random>

namespace holdfast::testing {

/// What comes over a history from outside: crashes, faults, other definitions, a slow disk. Used by
/// one thread at a time.
class trouble {
public:
  trouble(bench& on, const history_options& options);

  /// Before a step of an interleaved history: makes some if the numbers that `draw` gives say so.
  template <class Draw>
  void maybe(Draw&& draw) {
    if (options_.crashes)
      if (auto drawn = draw(); drawn % 32 == 0)
        crash(drawn / 32);
    if (options_.redefinitions)
      if (auto drawn = draw(); drawn % redefines_every_ == 0)
        redefine(drawn / redefines_every_);
  }
  /// All the time, beside free threads, until none runs.
  void go_on_while(const std::atomic<unsigned>& running);

private:
  void crash(std::uint64_t drawn);
  void redefine(std::uint64_t drawn);
  void hold_disk();

  bench& on_;
  const history_options& options_;
  const std::uint64_t redefines_every_;
  std::uint64_t redefined_ = 0;
  std::optional<fault> planted_; ///< what the store leaves out
  std::optional<fault> struck_;
};

} // namespace holdfast::testing
