#pragma once

#include <holdfast/runtime/event.hpp>
#include <holdfast/runtime/executor.hpp>
#include <holdfast/runtime/subscription.hpp>
#include <holdfast/runtime/topic.hpp>

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

namespace holdfast::detail {

/// One event on its way to one subscriber. Events of supervisors have no topic.
struct delivery {
  std::shared_ptr<const topic> where;
  std::shared_ptr<const event> what;
  std::uint64_t missed = 0; ///< events that were dropped just before it
};

/// The bounded queue before one subscriber. Whoever publishes only pushes; when the queue is no
/// longer empty it asks once, by its `notify`, that somebody `drain` it. Events are handled one at
/// a time and in order. Thread-safe.
class subscriber_queue : public std::enable_shared_from_this<subscriber_queue> {
public:
  using handler = std::function<void(const delivery&)>;
  /// Sees to it that the queue is drained soon; false when nobody will ever do that.
  using notifier = std::function<bool(const std::shared_ptr<subscriber_queue>&)>;
  using close_hook = std::function<void(const std::shared_ptr<subscriber_queue>&)>;

  subscriber_queue(notifier notify, std::size_t limit, overflow policy);
  /// Drained on the executor, into `call`.
  subscriber_queue(executor& run, handler call, std::size_t limit, overflow policy);

  /// Called once, when the queue takes no more; not under its lock. Set before it is shared.
  void when_closed(close_hook hook) { closed_ = std::move(hook); }

  /// Leaves out the events for which `accept` is false. Set before it is shared.
  void accept_only(std::function<bool(const event&)> accept) { accept_ = std::move(accept); }

  /// Told how many events were dropped, before the one that comes behind them is handled. Set
  /// before it is shared.
  void tell_gaps(std::function<void(std::uint64_t)> gap) { gap_ = std::move(gap); }

  /// Whether it waits there now: false if it is not accepted, dropped for want of room, or the
  /// queue is closed. O(1), never blocks for long.
  bool push(delivery d);
  /// Hands what waits to `f`, a batch at most; the rest is notified again. What `f` throws is
  /// counted.
  void drain(const handler& f);
  /// Takes no more; what waits is still delivered.
  void disconnect() noexcept;
  /// Ends it; see `subscription::cancel`.
  void cancel() noexcept;

  bool active() const noexcept;
  std::uint64_t dropped() const noexcept;
  std::uint64_t failures() const noexcept;

private:
  /// Events handled before others get the thread.
  static constexpr int batch = 64;

  void notify();
  void drop_oldest();
  std::uint64_t failures_of(const handler& f, const delivery& d) const;

  const notifier notify_;
  const std::size_t limit_;
  const overflow policy_;
  close_hook closed_;
  std::function<bool(const event&)> accept_;
  std::function<void(std::uint64_t)> gap_;
  mutable std::mutex mutex_;
  std::condition_variable idle_;
  std::deque<delivery> waiting_;
  bool open_ = true;
  bool notified_ = false;
  std::thread::id running_on_{};
  std::uint64_t dropped_ = 0;
  std::uint64_t missed_ = 0; ///< dropped behind what waits
  std::uint64_t failures_ = 0;
};

} // namespace holdfast::detail
