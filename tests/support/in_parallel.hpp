#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <thread>
#include <vector>

namespace holdfast::testing {

/// Whether the environment asks for every case of a test that otherwise takes a sample.
inline bool every_case() {
  auto* asked = std::getenv("HOLDFAST_FULL");
  return asked && *asked != '\0' && *asked != '0';
}

/// Calls `body(i)` for i in `[0, count)` on `threads` threads, in about that order, until one of
/// the calls returns false.
template <class Body>
void in_parallel(std::size_t count, unsigned threads, Body body) {
  std::atomic<std::size_t> next{0};
  std::atomic<bool> go_on{true};
  std::vector<std::thread> workers;
  for (unsigned i = 0; i < std::min<std::size_t>(threads, count); ++i)
    workers.emplace_back([&] {
      for (auto at = next++; at < count && go_on; at = next++)
        if (!body(at))
          go_on = false;
    });
  for (auto& worker : workers)
    worker.join();
}

} // namespace holdfast::testing
