#pragma once

#include <holdfast/runtime/result.hpp>
#include <holdfast/runtime/subscription.hpp>
#include <holdfast/store/change.hpp>
#include <holdfast/store/store.hpp>
#include <holdfast/store/value.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace holdfast {

/// Takes what a bridge forwards: a rules engine, a message broker, a socket. Called on a callback
/// thread, one event at a time; it may throw.
using event_receiver = std::function<void(const std::string& where, const object& data)>;

/// What a bridge forwards, and as what. The steps come in this order: pattern, filter, topic, data.
struct bridge_options {
  /// Of topics, as for `store::on`.
  std::string pattern = "bucket.*.*";
  /// Only changes for which it is true.
  std::function<bool(const change&)> filter = {};
  /// The topic under which the receiver gets it; by default that of the change.
  std::function<std::string(const change&)> map_topic = {};
  /// What the receiver gets; by default `event_data`.
  std::function<object(const change&)> map_data = {};
  /// How many changes may wait for the receiver, and what happens when more come.
  subscriber_options queue = {};
};

struct bridge_counters {
  std::uint64_t forwarded = 0; ///< the receiver returned
  std::uint64_t filtered = 0;  ///< the filter said no
  std::uint64_t failed = 0;    ///< the filter, a mapping or the receiver threw
  std::uint64_t dropped = 0;   ///< the queue was full
  std::string last_failure;    ///< what was thrown last
};

/// A change as an object: `type`, `bucket`, `key`, `seq`, `cause`, and `record`, or `old_record`
/// and `new_record` of an update, or `count` of a change to a whole bucket.
object event_data(const change& c);

/// Forwards a store's changes to a receiver, in the order of `store::on`. What goes wrong there is
/// counted and never harms the store. Ends with its destruction. Move-only, thread-safe but for
/// moving and destruction.
class bridge {
public:
  /// Error: `invalid_argument` for a malformed pattern or an empty receiver.
  static result<bridge> connect(store& from, event_receiver to, bridge_options options = {});

  /// When it returns the receiver is not running and will not be called again. Idempotent; not from
  /// the receiver.
  void disconnect() noexcept { token_.cancel(); }
  bool connected() const noexcept { return token_.active(); }
  bridge_counters counters() const;

private:
  struct state;
  bridge(std::shared_ptr<state> s, subscription token)
      : state_{std::move(s)}, token_{std::move(token)} {}

  std::shared_ptr<state> state_;
  subscription token_; ///< ends before the state
};

} // namespace holdfast
