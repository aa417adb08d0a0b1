#pragma once

#include <holdfast/runtime/ensure.hpp>
#include <holdfast/runtime/executor.hpp>
#include <holdfast/runtime/job.hpp>
#include <holdfast/runtime/result.hpp>

#include <atomic>
#include <chrono>
#include <functional>
#include <optional>
#include <utility>

namespace holdfast {

class runtime;

/// How long `pending::get` waits when it is not told.
inline constexpr std::chrono::milliseconds default_timeout{5000};

/// The part of an operation that does not depend on its result: waiting and continuing.
class operation_base : public job {
public:
  explicit operation_base(runtime& rt) noexcept : runtime_{rt} {}

  /// Sends the operation on its way; called once, by `pending`.
  virtual void start() = 0;

  /// Takes the operation back if it has not begun; see `job::cancel`.
  virtual bool give_up() noexcept { return cancel(); }

  /// True once there is a result.
  bool ready() const noexcept { return state_.load(std::memory_order_acquire) == done; }

  /// Waits for the result; false after the deadline. Under the deterministic scheduler it runs the
  /// actors' jobs instead, and gives up when there are none left.
  bool wait_until(std::chrono::steady_clock::time_point deadline) noexcept;

  /// Runs `f` once there is a result: at once if there is one already. Call at most once.
  void when_ready(std::function<void()> f);

  runtime& owner() const noexcept { return runtime_; }

protected:
  /// To be called once, after the result was stored.
  void finish() noexcept;

private:
  static constexpr std::uint32_t open = 0, waited_for = 1, continued = 2, done = 3;
  std::atomic<std::uint32_t> state_{open};
  std::function<void()> continuation_;
  runtime& runtime_;
};

/// A job with a result: what stands behind a `pending<T>`. It completes exactly once.
template <class T>
class operation : public operation_base {
public:
  using operation_base::operation_base;

  /// Stores the result and wakes whoever waits. From any thread, once.
  void complete(result<T> r) noexcept {
    result_.emplace(std::move(r));
    finish();
  }
  void reject(error why) noexcept override { complete(fail(std::move(why))); }

  /// The result; only when `ready()`, and only once.
  result<T> take() { return std::move(*result_); }

private:
  std::optional<result<T>> result_;
};

} // namespace holdfast
