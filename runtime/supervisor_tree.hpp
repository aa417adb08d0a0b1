#pragma once

#include <holdfast/runtime/restart_policy.hpp>
#include <holdfast/runtime/supervisor_event.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace holdfast {

/// A picture of a supervisor and all below it. Each supervisor's part is taken at one moment; parts
/// of different supervisors may be some microseconds apart.
struct supervisor_tree {
  child_info info;
  enum strategy strategy = holdfast::strategy::one_for_one; ///< of supervisors
  supervisor_counters counters;                             ///< of supervisors
  /// Jobs that wait for the actor; absent where it has no address.
  std::optional<std::size_t> mailbox;
  std::vector<supervisor_tree> children;
};

/// One line per actor, indented by lines:
///
///     store (rest_for_one) up
///     |-- persistence  up
///     `-- buckets (one_for_one) up
///         |-- users  up, 2 restarts, last crash: disk full
///         `-- roles  quarantined, 6 restarts, last crash: bad index
std::string to_string(const supervisor_tree& tree);

} // namespace holdfast
