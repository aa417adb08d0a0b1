#pragma once

// The only header that includes CAF, so that a move to another CAF release is one file.
//
// Rules for code that includes it (the reasons are measured, see CAF's issue list):
//   - event-based actors only: no detached or blocking actors, no groups, links or registry names;
//   - never `.await(...)`; a monitor always has its demonitor;
//   - messages are structs that never leave the process, declared with HOLDFAST_LOCAL_MESSAGE;
//   - every actor calls `quiet(self)` first: CAF's default handlers print to stdout.

#include <caf/all.hpp>
#include <caf/scheduler/abstract_coordinator.hpp>
#include <caf/scheduler/test_coordinator.hpp>

#include <exception>
#include <string>

/// Allows `type` in messages between actors of one process. Use at global scope.
#define HOLDFAST_LOCAL_MESSAGE(type) CAF_ALLOW_UNSAFE_MESSAGE_TYPE(type)

namespace holdfast {

/// The exit reason of an actor that an exception ended: `sec::runtime_error` with the text.
inline caf::error crash_reason(const std::exception_ptr& thrown) {
  std::string text = "unknown exception";
  try {
    std::rethrow_exception(thrown);
  } catch (const std::exception& e) {
    text = e.what();
  } catch (...) {
    text = "an exception that is not a std::exception";
  }
  return caf::make_error(caf::sec::runtime_error, std::move(text));
}

/// Replaces CAF's default handlers, which write to stdout, by silent ones: unexpected messages are
/// answered with an error, down messages of others are dropped, an exit message ends the actor, an
/// exception ends it with `crash_reason`.
template <class Self>
void quiet(Self* self) {
  self->set_default_handler(
      [](caf::scheduled_actor*, caf::message_view&) -> caf::result<caf::message> {
        return caf::sec::unexpected_message;
      });
  self->set_down_handler([](caf::scheduled_actor*, caf::down_msg&) {});
  self->set_error_handler([](caf::scheduled_actor*, caf::error&) {});
  self->set_exception_handler([](caf::scheduled_actor*, std::exception_ptr& thrown) -> caf::error {
    return crash_reason(thrown);
  });
}

} // namespace holdfast
