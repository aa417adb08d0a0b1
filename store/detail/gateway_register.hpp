#pragma once

#include <holdfast/runtime/result.hpp>
#include <holdfast/runtime/subscription.hpp>
#include <holdfast/store/detail/gateway_way.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>

namespace holdfast::detail {

/// The subscriptions that actors have through the gateway. Each has an actor that watches whether
/// its subscriber lives. Thread-safe.
class gateway_register {
public:
  explicit gateway_register(std::size_t limit) : limit_{limit} {}

  /// Takes a place. Errors: `overloaded`, `stopped`.
  result<subscription_id> reserve();
  /// What stands in the place; false if it was given up meanwhile, and then the token has ended.
  bool keep(const std::shared_ptr<gateway_way>& way, subscription token, caf::actor watcher);
  /// Ends a subscription and its watcher, without waiting for a mail that is being handled; false
  /// if there is none.
  bool end(subscription_id which);
  /// Ends it if nothing will come any more.
  void end_if_over(subscription_id which);
  /// Ends all, and takes no more.
  void close();
  std::size_t size() const;

private:
  struct entry {
    std::shared_ptr<gateway_way> way; ///< null: only reserved
    subscription token;
    caf::actor watcher; ///< CAF ends an actor to which there is no handle
  };
  static void finish(entry gone);

  const std::size_t limit_;
  mutable std::mutex mutex_;
  std::unordered_map<std::uint64_t, entry> entries_;
  std::uint64_t last_ = 0;
  bool closed_ = false;
};

} // namespace holdfast::detail
