#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace holdfast {

/// Threads on which users' callbacks run: continuations of `pending::then`, event handlers. Never a
/// CAF worker and never the thread of a bucket. A callback that blocks delays others only for a
/// moment: when nothing has been begun for `patience` though something waits, there is one thread
/// more, up to a limit. A thread that is idle may be lent for a moment to an actor which hands
/// something to callbacks (`offer`).
///
/// Thread-safe. An exception that leaves a task is counted and dropped. `stop` runs what is queued.
class executor {
public:
  using task = std::function<void()>;

  static constexpr std::chrono::milliseconds patience{10};

  /// Of threads there is one at least, and none more than `threads` while no callback blocks.
  explicit executor(unsigned threads = 1, unsigned most = 64);
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
  /// Whether the calling thread is one of its own.
  bool runs_here() const noexcept;

  std::size_t queued() const;
  /// Threads there are for callbacks just now.
  std::size_t threads() const;
  /// How many tasks ended with an exception.
  std::size_t failures() const;

private:
  void add_thread();
  void run();
  void watch();

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable look_; ///< for the watch: something waits and no thread is idle
  std::deque<task> tasks_;
  std::size_t failures_ = 0;
  std::size_t idle_ = 0;    ///< threads that wait for a task
  std::uint64_t begun_ = 0; ///< tasks, ever
  bool rests_ = false;      ///< the watch, until something waits
  bool stopping_ = false;
  const std::size_t most_;
  std::vector<std::thread> threads_;
  std::thread watch_; ///< adds threads
};

} // namespace holdfast
