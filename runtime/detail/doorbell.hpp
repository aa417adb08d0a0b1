#pragma once

#include <holdfast/runtime/caf.hpp>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>

namespace holdfast {

class runtime;

namespace detail {

/// There may be something to do.
struct rung {};

/// By which others wake an actor that works through what they have left for it: events to be told,
/// queries to be run. It survives the actor and serves the next one. Thread-safe.
///
/// A sleeping thread costs its waker some microseconds, and a thread that it wakes in its turn may
/// take tens of them to start on another core. Therefore the actor runs on an idle callback thread
/// if there is one: what it hands to callbacks then needs no second wake-up. When all are busy, or
/// there is more to do than one message's worth, it runs on a worker, so that no callback holds it
/// up.
class doorbell : public std::enable_shared_from_this<doorbell> {
public:
  explicit doorbell(runtime& rt) noexcept : runtime_{rt} {}

  /// Sends `rung` to the actor. Never blocks; while there is no actor, the next one will look.
  void ring() const;
  /// Makes it that actor's until the actor ends, and rings.
  void give_to(const caf::actor& a);

  /// Null while there is none.
  caf::actor owner() const;
  /// How many owners it has had.
  std::uint64_t owners() const;
  /// Waits until it has had more than `n` owners; false after the timeout.
  bool wait_for_owner_after(std::uint64_t n, std::chrono::milliseconds timeout) const;

private:
  runtime& runtime_;
  mutable std::mutex mutex_;
  mutable std::condition_variable given_;
  caf::actor owner_;
  std::uint64_t owners_ = 0;
};

} // namespace detail
} // namespace holdfast

HOLDFAST_LOCAL_MESSAGE(holdfast::detail::rung)
