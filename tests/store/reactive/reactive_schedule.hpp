#pragma once

#include "tests/store/reactive/reactive_queries.hpp"

#include <holdfast/runtime/runtime.hpp>

#include <chrono>

namespace holdfast::testing {

/// Runs actors under the deterministic scheduler, in an order of chance; does nothing elsewhere.
class reactive_schedule {
public:
  reactive_schedule(runtime& rt, reactive_random& random) : runtime_{rt}, random_{random} {}

  /// Some jobs, and now and then the time that restarts wait for.
  void run_some();
  /// All there are, and all that wait for the time.
  void run_all();

private:
  bool run_one();
  void pass(std::chrono::milliseconds time);

  runtime& runtime_;
  reactive_random& random_;
};

} // namespace holdfast::testing
