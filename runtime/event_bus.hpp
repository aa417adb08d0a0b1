#pragma once

#include <holdfast/runtime/child_spec.hpp>
#include <holdfast/runtime/event.hpp>
#include <holdfast/runtime/runtime.hpp>
#include <holdfast/runtime/subscription.hpp>
#include <holdfast/runtime/topic.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace holdfast {

namespace detail {
struct bus_core;
struct mail_ticket;
class subscriber_queue;
} // namespace detail

struct event_bus_options {
  std::string name = "event_bus";
  /// Events that may wait for the bus; `publish` refuses more.
  std::size_t limit = 65'536;
};

/// How one subscriber is served.
struct subscriber_options {
  /// Events that may wait for the handler.
  std::size_t limit = 1024;
  enum overflow overflow = holdfast::overflow::drop_oldest;
  /// Only events for which it is true, if it is given. Called in the bus's actor: it must be short
  /// and must not throw.
  std::function<bool(const event&)> accept = {};
  /// Called like the handler, before the event behind which so many were dropped by the overflow
  /// policy: the place to look anew at what the events are about.
  std::function<void(std::uint64_t missed)> on_gap = {};
};

/// Where a bus takes events from by itself, many at a time: for who has them in order already and
/// wants none refused. See `event_bus::pull_from`.
class event_source {
public:
  virtual ~event_source() = default;
  using deliver = std::function<void(std::shared_ptr<const topic>, std::shared_ptr<const event>)>;
  /// Hands over some of what is there, in order; whether there may be more. Called in the bus's
  /// actor; an exception restarts it, and then it pulls again.
  virtual bool pull(const deliver& to) = 0;
};

struct event_bus_counters {
  std::uint64_t published = 0; ///< accepted by `publish`
  std::uint64_t refused = 0;   ///< `publish` found the bus full or not running
  std::uint64_t delivered = 0; ///< put into a subscriber's queue
  std::uint64_t unheard = 0;   ///< of `published`, those that nobody had subscribed to
};

/// What an actor that subscribed gets as a message. It says that events wait; `take` hands them
/// over.
class event_mail {
public:
  explicit event_mail(std::shared_ptr<detail::mail_ticket> ticket) : ticket_{std::move(ticket)} {}
  /// Calls `f` for each event that waits, in order, at most for 64; more come with a mail of their
  /// own. Call it once, in the actor.
  void take(const std::function<void(const topic&, const event&)>& f) const;

private:
  std::shared_ptr<detail::mail_ticket> ticket_;
};

/// Carries events from those who publish to those who subscribed to their topic.
///
/// An actor matches topics; handlers never run in it: each subscriber has a bounded queue of its
/// own, so a slow or throwing handler harms nobody else. Each subscriber gets events in the order
/// in which the bus got them. Subscriptions belong to the bus, not to its actor, and survive its
/// restarts; events that were in its mailbox do not.
///
/// A cheap handle, thread-safe. Put `spec()` under a supervisor to run it.
class event_bus {
public:
  explicit event_bus(runtime& rt, event_bus_options options = {});

  /// The child spec of its actor: permanent, with back-off.
  child_spec spec() const;

  /// Hands an event to the bus; never blocks. Errors: `overloaded` (limit), `unavailable` (its
  /// actor is down), `stopped`.
  result<void> publish(topic where, std::shared_ptr<const event> what) const;

  /// Takes events from a source, too: when the bus starts, and after each `wake`. Before it is
  /// started.
  void pull_from(std::shared_ptr<event_source> source) const;
  /// Says that the source has something. Never blocks; while the bus is down, its next start will
  /// look.
  void wake() const;

  using handler = std::function<void(const topic&, const event&)>;

  /// Calls `call` on a callback thread for every event the pattern matches that the bus handles
  /// from now on, until the token ends.
  subscription subscribe(const topic_pattern& pattern, handler call,
                         subscriber_options options = {}) const;
  /// Only for events of type `E`.
  template <class E, class F>
  subscription subscribe(const topic_pattern& pattern, F call,
                         subscriber_options options = {}) const {
    return subscribe(
        pattern,
        [call = std::move(call)](const topic& where, const event& what) mutable {
          if (auto* mine = dynamic_cast<const E*>(&what))
            call(where, *mine);
        },
        options);
  }
  /// Sends `event_mail` to an actor instead, which handles events in its own time. Ends with the
  /// token, or when the actor ends.
  subscription subscribe(const topic_pattern& pattern, const caf::actor& subscriber,
                         subscriber_options options = {}) const;

  /// Subscribes with a queue that was made for it, whose limit and policy are its own; for the
  /// store's own parts.
  subscription enter(const topic_pattern& pattern, std::shared_ptr<detail::subscriber_queue> queue,
                     subscriber_options options) const;

  event_bus_counters counters() const;
  std::size_t subscribers() const;
  /// Of the subscribers' queues. O(subscribers).
  subscriber_counters queues() const;

private:
  std::shared_ptr<detail::bus_core> core_;
};

} // namespace holdfast

HOLDFAST_LOCAL_MESSAGE(holdfast::event_mail)
