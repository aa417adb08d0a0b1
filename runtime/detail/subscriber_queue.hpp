#pragma once

#include <holdfast/runtime/event.hpp>
#include <holdfast/runtime/executor.hpp>
#include <holdfast/runtime/subscription.hpp>

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

namespace holdfast::detail {

/// One event on its way to one subscriber.
struct delivery {
  std::shared_ptr<const std::string> topic;
  std::shared_ptr<const event> what;
};

/// The bounded queue before one subscriber's handler. Whoever publishes only pushes; the handler
/// runs on the executor, for one event at a time and in order. Thread-safe.
class subscriber_queue : public std::enable_shared_from_this<subscriber_queue> {
public:
  using handler = std::function<void(const delivery&)>;

  subscriber_queue(executor& run, handler call, std::size_t limit, overflow policy);

  /// O(1), never blocks for long. False: disconnected, push no more.
  bool push(delivery d);
  /// Takes no more; what waits is still delivered.
  void disconnect();
  /// Ends it; see `subscription::cancel`.
  void cancel() noexcept;

  bool active() const noexcept;
  std::uint64_t dropped() const noexcept;
  std::uint64_t failures() const noexcept;

private:
  /// Events handled before others get the executor's thread.
  static constexpr int batch = 64;

  void schedule();
  void drain();

  executor& run_;
  const std::size_t limit_;
  const overflow policy_;
  mutable std::mutex mutex_;
  std::condition_variable idle_;
  handler call_;
  std::deque<delivery> waiting_;
  bool open_ = true;
  bool cancelled_ = false;
  bool scheduled_ = false;
  std::thread::id running_on_{};
  std::uint64_t dropped_ = 0;
  std::uint64_t failures_ = 0;
};

} // namespace holdfast::detail
