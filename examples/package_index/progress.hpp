#pragma once

#include <holdfast/runtime/clock.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>

namespace package_index {

/// A progress bar. On a terminal it redraws itself, at most ten times a second; elsewhere (a log, a
/// pipe) it prints nothing until `finish`.
class progress_bar {
public:
  /// `out` and `time` outlive it.
  explicit progress_bar(std::string label, std::FILE* out = stdout,
                        const holdfast::clock& time = holdfast::system_clock());

  /// `done` of `total` in any unit; `items` is what to show as counted.
  void update(std::size_t done, std::size_t total, std::size_t items);
  /// Replaces the bar by one closing line: the label, the items, the time and the rate.
  void finish(std::size_t items);

private:
  std::string label_;
  std::FILE* out_;
  const holdfast::clock& time_;
  bool terminal_;
  std::chrono::nanoseconds started_;
  std::optional<std::chrono::nanoseconds> drawn_; ///< the last time
};

/// 1234567 as "1,234,567".
std::string grouped(std::uint64_t n);

} // namespace package_index
