#pragma once

#include <atomic>
#include <thread>

namespace holdfast::detail {

/// Kept by a thread for as long as it waits until a handler that runs on another one has ended.
///
/// Handlers may end each other's subscriptions; if each waited for the other, none would end. So
/// who would close such a circle does not wait. O(threads that wait), under a lock of all of them.
class handler_wait {
public:
  /// `on`: the thread on which the handler runs, which may itself be waiting for another one's;
  /// none when it has ended. It outlives this.
  explicit handler_wait(const std::atomic<std::thread::id>& on) noexcept;
  handler_wait(const handler_wait&) = delete;
  handler_wait& operator=(const handler_wait&) = delete;
  ~handler_wait();

  /// Whether to wait; no: the handler waits itself, directly or by way of others, for this thread.
  explicit operator bool() const noexcept { return waits_; }

private:
  static const handler_wait* of(std::thread::id who) noexcept;

  const std::thread::id who_;
  const std::atomic<std::thread::id>& on_;
  handler_wait* next_ = nullptr;
  bool waits_ = false;
};

} // namespace holdfast::detail
