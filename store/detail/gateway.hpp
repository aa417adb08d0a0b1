#pragma once

#include <holdfast/runtime/child_spec.hpp>
#include <holdfast/runtime/executor.hpp>
#include <holdfast/store/bucket.hpp>
#include <holdfast/store/detail/gateway_register.hpp>

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>

namespace holdfast::detail {

class store_state;

/// Where the store's gateway is and what it needs. Outlives its actors: answers may come after
/// them.
class gateway_desk : public std::enable_shared_from_this<gateway_desk> {
public:
  /// `of` is used while an actor of the gateway lives, and by what `post` took, and whoever has a
  /// `use`, until `close`.
  gateway_desk(store_state& of, std::size_t requests, std::size_t subscriptions)
      : of_{of}, limit_{requests}, subscriptions_{subscriptions} {}

  /// The gateway as a child of one of the store's supervisors.
  child_spec spec();
  /// The running gateway; null before the start and after `close`.
  caf::actor current() const;
  /// Forgets the gateway: no handle to it may outlive the runtime. Waits for what `post` took.
  void close();

  store_state& store() const noexcept { return of_; }
  runtime& owner() const noexcept;
  gateway_register& subscriptions() noexcept { return subscriptions_; }

  /// Lets another actor than the gateway use the store for a moment: `close` waits for it. False
  /// after `close`.
  class use {
  public:
    explicit use(gateway_desk& desk);
    use(const use&) = delete;
    use& operator=(const use&) = delete;
    ~use();
    explicit operator bool() const noexcept { return granted_; }

  private:
    gateway_desk& desk_;
    bool granted_;
  };

  result<bucket<>> find(std::string_view name) const;

  /// Runs what may block, in the one thread for that, which the first such request starts. Error:
  /// `stopped`; `unavailable` under the deterministic scheduler.
  result<void> post(std::function<void()> task);

  /// Counts one more request that waits for its answer; false at the limit.
  bool enter() noexcept;
  void leave() noexcept { waiting_.fetch_sub(1, std::memory_order_relaxed); }
  /// Requests that wait for their answers.
  std::size_t waiting() const noexcept { return waiting_.load(std::memory_order_relaxed); }
  /// What a request past the limit is answered with.
  error full() const;

private:
  store_state& of_;
  const std::size_t limit_;
  std::atomic<std::size_t> waiting_{0};
  mutable std::mutex mutex_;
  caf::actor current_;
  bool closed_ = false;
  std::size_t uses_ = 0;
  std::condition_variable unused_;
  gateway_register subscriptions_;
  std::optional<executor> blocking_;
};

} // namespace holdfast::detail
