#include "tests/store/reactive/reactive_schedule.hpp"

#include <holdfast/runtime/caf.hpp>

#include <utility>

namespace holdfast::testing {
namespace {

caf::scheduler::test_coordinator& scheduler_of(runtime& rt) {
  return dynamic_cast<caf::scheduler::test_coordinator&>(rt.system().scheduler());
}

} // namespace

bool reactive_schedule::run_one() {
  auto& jobs = scheduler_of(runtime_).jobs;
  if (jobs.size() > 1)
    std::swap(jobs.front(), jobs[random_() % jobs.size()]);
  return runtime_.run_one();
}

void reactive_schedule::pass(std::chrono::milliseconds time) {
  scheduler_of(runtime_).advance_time(time);
}

void reactive_schedule::run_some() {
  if (!runtime_.options().deterministic)
    return;
  if (random_() % 8 == 0)
    pass(std::chrono::milliseconds{1 + random_() % 50});
  while (random_() % 2 == 0 && run_one()) {
  }
}

void reactive_schedule::run_all() {
  if (!runtime_.options().deterministic)
    return;
  for (int i = 0; i < 4; ++i) { // what begins may crash again
    pass(std::chrono::seconds{1});
    while (run_one()) {
    }
  }
}

} // namespace holdfast::testing
