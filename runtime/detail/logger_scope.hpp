#pragma once

#include <holdfast/runtime/caf.hpp>

namespace holdfast::detail {

/// For a scope in which a system or an actor is made: takes back that CAF lets the thread hold the
/// system's logger then.
///
/// The end of a system waits until nobody holds its logger. A thread that goes on, while another
/// one stops the runtime, would make it wait for ever. Worker threads, which CAF gives the logger,
/// keep it: they end first.
class logger_scope {
public:
  logger_scope() = default;
  logger_scope(const logger_scope&) = delete;
  logger_scope& operator=(const logger_scope&) = delete;
  ~logger_scope() {
    if (!had_one_)
      caf::logger::set_current_actor_system(nullptr);
  }

private:
  bool had_one_ = caf::logger::current_logger() != nullptr;
};

} // namespace holdfast::detail
