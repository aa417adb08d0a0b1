#pragma once

#include <holdfast/runtime/address.hpp>
#include <holdfast/runtime/detail/child_work.hpp>
#include <holdfast/runtime/ref.hpp>
#include <holdfast/runtime/result.hpp>
#include <holdfast/runtime/supervisor_event.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <variant>

namespace holdfast::detail {

// What the supervisor's actor has to do, in this order.

struct start_action {
  child_key key;
  std::uint64_t incarnation;
};
/// Ask the child to end, or kill it.
struct stop_action {
  child_key key;
  std::uint64_t incarnation;
  bool kill;
};
/// Cut a stuck child off: let go of its handle, fence its address.
struct abandon_action {
  child_key key;
  std::uint64_t incarnation;
  ref<holdfast::address> address;
};
/// Tell the child's address.
struct mark_action {
  ref<holdfast::address> address;
  std::string id;
  address_state state;
  exit_cause cause;
  std::chrono::milliseconds retry_after{0};
};
struct answer_action {
  request_id request;
  result<child_info> answer;
};
struct event_action {
  supervision_event event;
};
/// Tell the handle of a nested supervisor that its spec is known no more.
struct forget_action {
  std::shared_ptr<supervisor_core> nested;
};
/// All children of the options are up; said once.
struct ready_action {};
/// All children are gone: the supervisor ends.
struct finish_action {
  exit_cause cause;
};
using action = std::variant<start_action, stop_action, abandon_action, mark_action, answer_action,
                            event_action, forget_action, ready_action, finish_action>;

} // namespace holdfast::detail
