#pragma once

#include <holdfast/store/detail/query_group.hpp>

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

namespace holdfast::detail {

/// Where those wait who want all that was told to be handled.
struct delivery_signal {
  std::mutex mutex;
  std::condition_variable ended;
};

/// Held by each value that is told, until it or the one that takes its place is handled, or given
/// up, and by the epochs before: so it goes when all that was told in it and before it is done
/// with.
class delivery_epoch {
public:
  explicit delivery_epoch(std::shared_ptr<delivery_signal> s) : signal_{std::move(s)} {}
  delivery_epoch(const delivery_epoch&) = delete;
  delivery_epoch& operator=(const delivery_epoch&) = delete;
  ~delivery_epoch() {
    next_ = nullptr;
    const std::lock_guard lock{signal_->mutex};
    signal_->ended.notify_all();
  }

  /// Once, by whoever owns the current one.
  std::shared_ptr<delivery_epoch> begin_next() {
    return next_ = std::make_shared<delivery_epoch>(signal_);
  }
  const std::shared_ptr<delivery_signal>& signal() const noexcept { return signal_; }

private:
  std::shared_ptr<delivery_signal> signal_;
  std::shared_ptr<delivery_epoch> next_;
};

bool same_outcome(const result<query_value>& a, const result<query_value>& b);

/// What a subscriber was given last, and how it is given the next value. Handlers run one at a
/// time, in the subscriber's queue.
class query_member {
public:
  explicit query_member(std::shared_ptr<query_definition> of) : of_{std::move(of)} {}

  /// What it is taken to know already. Before it gets anything.
  void knows(const result<query_value>& outcome, std::uint64_t number) {
    last_ = outcome;
    number_ = number;
    if (outcome)
      value_ = *outcome;
  }
  /// Calls the handler unless the value is the one that it has.
  void take(const query_event& e, const std::function<void(const query_update&)>& call);

private:
  const std::shared_ptr<query_definition> of_;
  std::optional<result<query_value>> last_;
  std::uint64_t number_ = 0;         ///< of the last outcome
  std::optional<query_value> value_; ///< the last outcome that was a value
};

} // namespace holdfast::detail
