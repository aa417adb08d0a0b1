#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

namespace holdfast {

namespace detail {
class subscriber_queue;
} // namespace detail

/// What happens when a subscriber's queue is full.
enum class overflow : std::uint8_t {
  drop_oldest, ///< the oldest waiting event goes
  drop_newest, ///< the event that does not fit goes
  disconnect,  ///< the subscription ends; what waits is still delivered
};

/// What waits for subscribers, and what they have missed.
struct subscriber_counters {
  std::size_t waiting = 0;    ///< in the queues of all
  std::size_t longest = 0;    ///< in the longest of them
  std::uint64_t dropped = 0;  ///< for want of room, ever; also of those that are gone
  std::uint64_t failures = 0; ///< times that a handler threw, ever
};

/// Owns a subscription: it ends with its token. Move-only; not thread-safe itself.
class [[nodiscard]] subscription {
public:
  subscription() noexcept = default;
  explicit subscription(std::shared_ptr<detail::subscriber_queue> queue) noexcept
      : queue_{std::move(queue)} {}
  subscription(subscription&&) noexcept = default;
  subscription& operator=(subscription&& other) noexcept;
  ~subscription() { cancel(); }

  /// Ends the subscription. When it returns the handler does not run and will not run again, unless
  /// it is the handler itself that calls, or it waits in turn for the one that calls: of handlers
  /// that end each other's subscriptions, one does not wait. Idempotent.
  void cancel() noexcept;
  /// Ends the subscription and forgets it, without waiting for a handler that runs just now: for
  /// actors, which must not wait.
  void withdraw() noexcept;
  /// False after `cancel`, and after an overflow disconnected it.
  bool active() const noexcept;
  /// Events that wait for the handler.
  std::size_t waiting() const noexcept;
  /// Events that were dropped because the queue was full.
  std::uint64_t dropped() const noexcept;
  /// How often the handler threw.
  std::uint64_t failures() const noexcept;

private:
  std::shared_ptr<detail::subscriber_queue> queue_;
};

} // namespace holdfast
