#include <holdfast/runtime/restart_policy.hpp>

namespace holdfast {

std::string_view to_string(strategy s) noexcept {
  switch (s) {
  case strategy::one_for_one:
    return "one_for_one";
  case strategy::one_for_all:
    return "one_for_all";
  case strategy::rest_for_one:
    return "rest_for_one";
  case strategy::simple_one_for_one:
    return "simple_one_for_one";
  }
  return "unknown";
}

std::string_view to_string(restart_type t) noexcept {
  switch (t) {
  case restart_type::permanent:
    return "permanent";
  case restart_type::transient:
    return "transient";
  case restart_type::temporary:
    return "temporary";
  }
  return "unknown";
}

std::string_view to_string(child_type t) noexcept {
  return t == child_type::worker ? "worker" : "supervisor";
}

std::string_view to_string(exit_kind k) noexcept {
  switch (k) {
  case exit_kind::normal:
    return "normal";
  case exit_kind::shutdown:
    return "shutdown";
  case exit_kind::killed:
    return "killed";
  case exit_kind::crashed:
    return "crashed";
  case exit_kind::abandoned:
    return "abandoned";
  }
  return "unknown";
}

std::string to_string(const exit_cause& cause) {
  std::string text{to_string(cause.kind)};
  if (!cause.text.empty())
    text += ": " + cause.text;
  return text;
}

} // namespace holdfast
