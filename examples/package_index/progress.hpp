#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

namespace package_index {

/// A progress bar on standard output. On a terminal it redraws itself, at most ten times a second;
/// elsewhere (a log, a pipe) it prints nothing until `finish`.
class progress_bar {
public:
  explicit progress_bar(std::string label);

  /// `done` of `total` in any unit; `items` is what to show as counted.
  void update(std::size_t done, std::size_t total, std::size_t items);
  /// Replaces the bar by one closing line: the label, the items, the time and the rate.
  void finish(std::size_t items);

private:
  std::string label_;
  bool terminal_;
  std::chrono::steady_clock::time_point started_;
  std::chrono::steady_clock::time_point drawn_;
};

/// 1234567 as "1,234,567".
std::string grouped(std::uint64_t n);

} // namespace package_index
