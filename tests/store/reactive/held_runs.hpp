#pragma once

#include <atomic>

namespace holdfast::testing {

/// The runs of a query's function, which ends each of them when it may: the first at once, the
/// others when the test lets them, so that it says what happens in between.
class held_runs {
public:
  /// In the function, behind its reads.
  void hold() {
    const auto run = ++begun_;
    begun_.notify_all();
    for (auto up_to = may_end_.load(); up_to < run; up_to = may_end_.load())
      may_end_.wait(up_to);
  }
  /// Until so many have come to `hold`.
  void wait_for(int runs) const {
    for (auto n = begun_.load(); n < runs; n = begun_.load())
      begun_.wait(n);
  }
  /// Those up to this one.
  void let_end(int run) {
    may_end_ = run;
    may_end_.notify_all();
  }
  void let_all_end() { let_end(1'000'000); }

private:
  std::atomic<int> begun_{0}, may_end_{1};
};

} // namespace holdfast::testing
