#pragma once

#include <holdfast/runtime/operation.hpp>
#include <holdfast/runtime/runtime.hpp>
#include <holdfast/runtime/time_limit.hpp>

#include <concepts>
#include <coroutine>
#include <future>
#include <memory>
#include <variant>

namespace holdfast {

/// One operation, several ways to wait for it: `get`, `then`, `as_future`, `co_await`, and `via`
/// (see runtime/via.hpp) inside a CAF actor.
///
/// Lazy: the operation starts when one of these is called, so a dropped `pending` is a warning of
/// the compiler, never a write that is silently in flight. Reads of local data are done at once and
/// hold their result. Each is called once, on an rvalue. Not thread-safe itself; move it where it
/// is needed.
template <class T>
class [[nodiscard]] pending {
public:
  /// A result that is there already.
  pending(result<T> ready) : state_{std::move(ready)} {}
  explicit pending(ref<operation<T>> op) : state_{std::move(op)} {}
  pending(pending&&) noexcept = default;
  pending& operator=(pending&&) noexcept = default;
  pending(const pending&) = delete;
  pending& operator=(const pending&) = delete;

  /// Blocks the calling thread until there is a result, at most for `timeout`.
  ///
  /// Errors of its own: `timeout` when the operation had not begun (then it never will, and nothing
  /// happened), `outcome_unknown` when it had. Throws `contract_violation` inside an actor, unless
  /// the result is there already: an actor that waits for an actor may wait for itself.
  result<T> get(std::chrono::milliseconds timeout = default_timeout) && {
    if (auto* ready = std::get_if<result<T>>(&state_))
      return std::move(*ready);
    auto& op = *std::get<ref<operation<T>>>(state_);
    ensure(!runtime::inside_actor(), "pending::get: a blocking wait inside an actor; use then, via "
                                     "or co_await");
    op.start();
    if (op.ready() || op.wait_until(end_of_wait(timeout)))
      return op.take();
    return timed_out(op, timeout);
  }

  /// Calls `f(result<T>)` on a callback thread of the runtime. An exception from `f` is counted and
  /// dropped.
  template <std::invocable<result<T>> F>
  void then(F f) && {
    if (auto* ready = std::get_if<result<T>>(&state_)) {
      f(std::move(*ready));
      return;
    }
    auto op = std::get<ref<operation<T>>>(state_);
    auto call = std::make_shared<F>(std::move(f));
    op->when_ready([op = op.get(), call, &run = op->owner().executor()] {
      // The operation lives until its continuation has run: the reference is taken here.
      auto task = [keep = ref<operation<T>>{op}, call] { (*call)(keep->take()); };
      if (!run.post(task))
        task(); // the runtime has stopped and with it the callback threads
    });
    op->start();
  }

  /// The result as a `std::future`; it never holds an exception of ours.
  std::future<result<T>> as_future() && {
    auto promise = std::make_shared<std::promise<result<T>>>();
    auto future = promise->get_future();
    if (auto* ready = std::get_if<result<T>>(&state_)) {
      promise->set_value(std::move(*ready));
      return future;
    }
    auto op = std::get<ref<operation<T>>>(state_);
    op->when_ready([op = op.get(), promise] { promise->set_value(op->take()); });
    op->start();
    return future;
  }

  /// Suspends the coroutine; it goes on with the `result<T>` on a callback thread of the runtime.
  /// Name an operation that is made from a braced list before you await it: g++ 12 cannot compile
  /// such a list inside the `co_await` expression.
  auto operator co_await() && { return awaiter{std::move(*this), std::nullopt}; }

  /// The same operation with its value turned into another: `f` maps `T` to `U` or to `result<U>`,
  /// on the thread that completes it; it must be short and must not throw.
  template <class F>
  auto map(F f) &&;

  /// For those who wait in a way of their own: starts the operation and calls `f(result<T>)` on
  /// whichever thread completes it. `f` must be short, and must neither block nor throw.
  template <std::invocable<result<T>> F>
  void on_completion(F f) && {
    if (auto* ready = std::get_if<result<T>>(&state_)) {
      f(std::move(*ready));
      return;
    }
    auto op = std::get<ref<operation<T>>>(state_);
    auto call = std::make_shared<F>(std::move(f));
    op->when_ready([op = op.get(), call] { (*call)(op->take()); });
    op->start();
  }

private:
  struct awaiter {
    pending waited;
    std::optional<result<T>> out;

    bool await_ready() {
      if (auto* ready = std::get_if<result<T>>(&waited.state_))
        out.emplace(std::move(*ready));
      return out.has_value();
    }
    void await_suspend(std::coroutine_handle<> h) {
      std::move(waited).then([this, h](result<T> r) {
        out.emplace(std::move(r));
        h.resume();
      });
    }
    result<T> await_resume() { return std::move(*out); }
  };

  static result<T> timed_out(operation<T>& op, std::chrono::milliseconds timeout) {
    auto after = " within " + std::to_string(timeout.count()) + " ms";
    if (op.give_up())
      return fail(errc::timeout, "operation: not begun" + after + "; nothing happened");
    return fail(errc::outcome_unknown, "operation: no answer" + after + "; it may have happened");
  }

  std::variant<result<T>, ref<operation<T>>> state_;
};

namespace detail {

template <class R>
struct mapped_value {
  using type = R;
};
template <class U>
struct mapped_value<result<U>> {
  using type = U;
};

/// Starts another operation and completes with what `F` makes of its value.
template <class T, class U, class F>
class mapped_operation final : public operation<U> {
public:
  mapped_operation(ref<operation<T>> from, F f)
      : operation<U>{from->owner()}, from_{std::move(from)}, map_{std::move(f)} {}

  void start() override {
    from_->when_ready([self = ref<mapped_operation>{this}] {
      auto r = self->from_->take();
      if (r)
        self->complete(self->map_(std::move(*r)));
      else
        self->complete(fail(std::move(r.error())));
    });
    from_->start();
  }
  void run() override {}
  bool give_up() noexcept override { return from_->give_up(); }

private:
  ref<operation<T>> from_;
  F map_;
};

} // namespace detail

template <class T>
template <class F>
auto pending<T>::map(F f) && {
  using U = typename detail::mapped_value<std::invoke_result_t<F&, T>>::type;
  if (auto* ready = std::get_if<result<T>>(&state_))
    return *ready ? pending<U>{result<U>{f(std::move(**ready))}}
                  : pending<U>{result<U>{fail(std::move(ready->error()))}};
  return pending<U>{ref<operation<U>>{new detail::mapped_operation<T, U, F>{
      std::get<ref<operation<T>>>(std::move(state_)), std::move(f)}}};
}

} // namespace holdfast
