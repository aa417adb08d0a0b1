#pragma once

#include <holdfast/runtime/event.hpp>
#include <holdfast/runtime/restart_policy.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast {

/// Where a child stands, as its supervisor knows it.
enum class child_state : std::uint8_t {
  starting, ///< its actor is spawned, its init has not run to the end
  up,
  stopping,    ///< asked to end, or killed; not gone yet
  down,        ///< ended by itself; its supervisor has not decided yet
  restarting,  ///< down, another start is due later
  quarantined, ///< down, its budget is used up
  stopped,     ///< down; its spec is kept
};
std::string_view to_string(child_state s) noexcept;

/// One end of a child that was not asked for.
struct child_failure {
  std::chrono::nanoseconds at{0}; ///< on the actor system's clock
  std::uint64_t incarnation = 0;
  exit_cause cause;
};

/// What a supervisor knows about one child.
struct child_info {
  std::string id;
  child_type type = child_type::worker;
  restart_type restart = restart_type::permanent;
  bool significant = false;
  child_state state = child_state::stopped;
  /// How often it was started; 0: never.
  std::uint64_t incarnation = 0;
  /// How often it was started again after it ended by itself.
  std::uint64_t restarts = 0;
  /// When `restarting` or `quarantined`: the time from now to the next try; zero if none is due.
  std::chrono::milliseconds retry_after{0};
  /// The last ones, newest at the end.
  std::vector<child_failure> failures{};
};

/// OTP's `count_children`.
struct child_counts {
  std::size_t specs = 0;       ///< children, dead or alive
  std::size_t active = 0;      ///< those that run
  std::size_t supervisors = 0; ///< of `specs`
  std::size_t workers = 0;     ///< of `specs`
};

/// What a supervisor did since it was started; only grows.
struct supervisor_counters {
  std::uint64_t starts = 0;    ///< starts of children, failed ones included
  std::uint64_t restarts = 0;  ///< of `starts`, those after an end that was not asked for
  std::uint64_t failures = 0;  ///< ends that were not asked for, and failed starts
  std::uint64_t kills = 0;     ///< children that did not stop in time
  std::uint64_t abandoned = 0; ///< of `kills`, those that are stuck
  std::uint64_t quarantines = 0;
};

/// What happened in a supervisor. `child` is empty where it concerns the supervisor itself.
struct supervision_event final : event {
  enum class kind : std::uint8_t {
    child_started,
    child_ignored,
    child_start_failed,
    child_terminated,  ///< it ended without being asked to
    child_restarting,  ///< another start is due in `delay`
    child_stopped,     ///< it was asked to end and did
    child_stop_failed, ///< it was asked to end and crashed instead
    child_killed,      ///< it did not stop in time
    child_abandoned,   ///< it did not even react to a kill
    child_quarantined,
    child_revived,
    child_removed,
    budget_exhausted, ///< too many restarts: all children are stopped, then the supervisor
    auto_shutdown,    ///< a significant child ended
    started,
    stopped,
  };
  kind what{};
  std::string supervisor;
  std::string child;
  std::uint64_t incarnation = 0;
  exit_cause cause;
  std::chrono::milliseconds delay{0};
  std::chrono::nanoseconds at{0}; ///< on the actor system's clock
};
std::string_view to_string(supervision_event::kind k) noexcept;
/// One line: `users (incarnation 3) child_terminated, crashed: disk full`.
std::string to_string(const supervision_event& e);

} // namespace holdfast
