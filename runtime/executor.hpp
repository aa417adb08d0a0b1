#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace holdfast {

/// Threads on which users' callbacks run: continuations of `pending::then`, event handlers. Never a
/// CAF worker and never the thread of a bucket, so that a slow callback delays only other
/// callbacks. A thread that is idle may be lent for a moment to an actor which hands something to
/// callbacks (`offer`).
///
/// Thread-safe. An exception that leaves a task is counted and dropped. `stop` runs what is queued.
class executor {
public:
  using task = std::function<void()>;

  explicit executor(unsigned threads = 1);
  executor(const executor&) = delete;
  executor& operator=(const executor&) = delete;
  ~executor();

  /// Queues a task; false after `stop`.
  bool post(task t);
  /// Queues a task, before all others, if a thread is free to begin it at once; else, or without
  /// memory, false.
  bool offer(task t);
  /// Runs what is queued, then ends the threads. Idempotent. Not from one of its own threads.
  void stop();

  std::size_t queued() const;
  /// How many tasks ended with an exception.
  std::size_t failures() const;

private:
  void run();

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<task> tasks_;
  std::size_t failures_ = 0;
  std::size_t idle_ = 0; ///< threads that wait for a task
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

} // namespace holdfast
