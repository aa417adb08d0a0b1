#pragma once

#include <holdfast/runtime/event.hpp>
#include <holdfast/runtime/executor.hpp>
#include <holdfast/runtime/subscription.hpp>
#include <holdfast/runtime/topic.hpp>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace holdfast::detail {

/// One event on its way to one subscriber. Events of supervisors have no topic.
struct delivery {
  std::shared_ptr<const topic> where;
  std::shared_ptr<const event> what;
  std::uint64_t missed = 0; ///< events that were dropped just before it
  /// What the first of those held that is to be held until this one is handled.
  std::shared_ptr<const void> owed = nullptr;
};

/// What the queues of some subscribers have had, those that are gone included.
struct queue_totals {
  std::atomic<std::uint64_t> dropped{0};
  std::atomic<std::uint64_t> failures{0};
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

  /// Called once, when the queue takes no more; not under its lock. There may be several. Set
  /// before it is shared.
  void when_closed(close_hook hook) { closed_.push_back(std::move(hook)); }

  /// Leaves out the events for which `accept` is false. Set before it is shared.
  void accept_only(std::function<bool(const event&)> accept) { accept_ = std::move(accept); }

  /// Told how many events were dropped, before the one that comes behind them is handled. Set
  /// before it is shared.
  void tell_gaps(std::function<void(std::uint64_t)> gap) { gap_ = std::move(gap); }

  /// What an event holds that must outlive it, if a later one takes its place, until that has been
  /// handled: `of(event)`. Set before it is shared.
  void hand_on(std::function<std::shared_ptr<const void>(const event&)> of) {
    owed_ = std::move(of);
  }

  /// Adds what it drops, and what handlers throw, to these. Set before it is shared.
  void count_in(std::shared_ptr<queue_totals> totals) { totals_ = std::move(totals); }

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
  /// Ends it without waiting for what runs; see `subscription::withdraw`.
  void withdraw() noexcept;

  bool active() const noexcept;
  /// Events that wait for the handler.
  std::size_t waiting() const noexcept;
  std::uint64_t dropped() const noexcept;
  std::uint64_t failures() const noexcept;

private:
  /// Events handled before others get the thread.
  static constexpr int batch = 64;

  void notify();
  void notify_again();
  bool drain_batch(const handler& f);
  void drop_oldest();
  void count_dropped() noexcept;
  std::uint64_t failures_of(const handler& f, const delivery& d) const;

  const notifier notify_;
  const std::size_t limit_;
  const overflow policy_;
  std::vector<close_hook> closed_;
  std::function<bool(const event&)> accept_;
  std::function<void(std::uint64_t)> gap_;
  std::function<std::shared_ptr<const void>(const event&)> owed_;
  std::shared_ptr<queue_totals> totals_;
  mutable std::mutex mutex_;
  std::condition_variable idle_;
  std::deque<delivery> waiting_;
  bool open_ = true;
  bool notified_ = false;
  std::atomic<std::thread::id> running_on_{}; ///< written under the lock
  std::uint64_t dropped_ = 0;
  std::uint64_t missed_ = 0;          ///< dropped behind what waits
  std::shared_ptr<const void> owing_; ///< of the next, if nothing waits
  std::uint64_t failures_ = 0;
};

/// `each(f)` calls `f(const subscriber_queue&)` for the queues that there are.
template <class Each>
subscriber_counters counters_of(const queue_totals& totals, Each&& each) {
  subscriber_counters out;
  each([&](const subscriber_queue& queue) {
    const auto n = queue.waiting();
    out.waiting += n;
    out.longest = std::max(out.longest, n);
  });
  out.dropped = totals.dropped.load(std::memory_order_relaxed);
  out.failures = totals.failures.load(std::memory_order_relaxed);
  return out;
}

} // namespace holdfast::detail
