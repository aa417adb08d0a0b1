#include <holdfast/runtime/supervisor_event.hpp>

namespace holdfast {

std::string_view to_string(child_state s) noexcept {
  switch (s) {
  case child_state::starting:
    return "starting";
  case child_state::up:
    return "up";
  case child_state::stopping:
    return "stopping";
  case child_state::down:
    return "down";
  case child_state::restarting:
    return "restarting";
  case child_state::quarantined:
    return "quarantined";
  case child_state::stopped:
    return "stopped";
  }
  return "unknown";
}

std::string_view to_string(supervision_event::kind k) noexcept {
  using enum supervision_event::kind;
  switch (k) {
  case child_started:
    return "child_started";
  case child_ignored:
    return "child_ignored";
  case child_start_failed:
    return "child_start_failed";
  case child_terminated:
    return "child_terminated";
  case child_restarting:
    return "child_restarting";
  case child_stopped:
    return "child_stopped";
  case child_stop_failed:
    return "child_stop_failed";
  case child_killed:
    return "child_killed";
  case child_abandoned:
    return "child_abandoned";
  case child_quarantined:
    return "child_quarantined";
  case child_revived:
    return "child_revived";
  case child_removed:
    return "child_removed";
  case budget_exhausted:
    return "budget_exhausted";
  case auto_shutdown:
    return "auto_shutdown";
  case started:
    return "started";
  case stopped:
    return "stopped";
  }
  return "unknown";
}

std::string to_string(const supervision_event& e) {
  std::string text;
  if (!e.child.empty())
    text += e.child + " (incarnation " + std::to_string(e.incarnation) + ") ";
  text += to_string(e.what);
  if (e.cause != exit_cause{})
    text += ", " + to_string(e.cause);
  if (e.delay.count() > 0)
    text += ", in " + std::to_string(e.delay.count()) + " ms";
  return text;
}

} // namespace holdfast
