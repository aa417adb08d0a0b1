#include "tests/store/reactive/reactive_faults.hpp"

#include <functional>
#include <string>
#include <vector>

namespace holdfast::testing {

std::string bug_point_of(reactive_bug bug) {
  if (bug == reactive_bug::left_out)
    return "queries.left_out";
  if (bug == reactive_bug::taken_twice)
    return "queries.taken_twice";
  if (bug == reactive_bug::left_ended)
    return "queries.left_ended";
  return bug == reactive_bug::passed_over ? "queries.passed_over" : "";
}

void reactive_faults::crash_somewhere(reactive_random& random) {
  static const std::vector<std::string> points{
      "queries.routing",   "queries.running",   "queries.installing",
      "queries.taking",    "queries.adjusting", "queries.telling",
      "queries.narrowing", "queries.entering",  "queries.keeping_up"};
  crash_.reset();
  const auto skip = random() % 3;
  crash_.emplace(points[random() % points.size()], skip);
}

void reactive_faults::plant(reactive_bug bug, reactive_random& random) {
  const auto point = bug_point_of(bug);
  if (point.empty() || (bug_ && !bug_->struck()) || random() % 8 > 0)
    return;
  bug_.reset();
  // Each end that is left is of one record in one value, which may be run again before it is told:
  // one alone was not found in 60 histories with crashes.
  const std::uint64_t times = bug == reactive_bug::left_ended ? 1'000 : 1;
  bug_.emplace(point, random() % 4, std::function<void()>{}, times);
}

} // namespace holdfast::testing
