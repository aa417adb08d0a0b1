#pragma once

#include <holdfast/runtime/detail/subscriber_queue.hpp>

#include <memory>
#include <utility>

namespace holdfast::detail {

/// The right to take what waits in a queue, once: it travels in a message to an actor. When it is
/// lost with its actor, the subscription ends.
struct mail_ticket {
  explicit mail_ticket(std::shared_ptr<subscriber_queue> q) : queue{std::move(q)} {}
  mail_ticket(const mail_ticket&) = delete;
  mail_ticket& operator=(const mail_ticket&) = delete;
  ~mail_ticket() {
    if (queue)
      queue->disconnect();
  }

  /// Hands what waits to `f`, a batch at most; more comes with a ticket of its own.
  void take(const subscriber_queue::handler& f) {
    if (auto from = std::exchange(queue, nullptr))
      from->drain(f);
  }

  std::shared_ptr<subscriber_queue> queue; ///< null: used
};

} // namespace holdfast::detail
