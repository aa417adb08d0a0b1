#pragma once

#include <holdfast/runtime/child_spec.hpp>
#include <holdfast/store/bucket.hpp>

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <string_view>

namespace holdfast::detail {

/// Where the store's gateway is and what it needs. Outlives its actors: answers may come after
/// them.
class gateway_desk : public std::enable_shared_from_this<gateway_desk> {
public:
  /// `find` gives the handle of a bucket, from any thread, for as long as the actor lives.
  gateway_desk(std::function<result<bucket<>>(std::string_view)> find, std::size_t limit)
      : find_{std::move(find)}, limit_{limit} {}

  /// The gateway as a child of one of the store's supervisors.
  child_spec spec();
  /// The running gateway; null before the start and after `close`.
  caf::actor current() const;
  /// Forgets the gateway: no handle to it may outlive the runtime.
  void close();

  result<bucket<>> find(std::string_view name) const { return find_(name); }

  /// Counts one more request that waits for its answer; false at the limit.
  bool enter() noexcept;
  void leave() noexcept { waiting_.fetch_sub(1, std::memory_order_relaxed); }
  /// What a request past the limit is answered with.
  error full() const;

private:
  const std::function<result<bucket<>>(std::string_view)> find_;
  const std::size_t limit_;
  std::atomic<std::size_t> waiting_{0};
  mutable std::mutex mutex_;
  caf::actor current_;
  bool closed_ = false;
};

} // namespace holdfast::detail
