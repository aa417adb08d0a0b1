#pragma once

#include "kill_transfer.hpp"
#include "kill_workload.hpp"

#include <holdfast/store/store.hpp>

namespace holdfast::testing {

/// The handles of the workload's buckets, and what its steps do with them. Thread-safe.
class kill_buckets {
public:
  /// Defines them, or finds them as they were defined.
  static result<void> define(store& db);
  /// Of a store in which they are defined.
  explicit kill_buckets(store& db);

  /// Makes what must be there before the first step, on disk, unless it is there.
  result<void> prepare() const;

  /// The operation of a step; its value is the number of an event or 0. A transfer is over when
  /// this returns.
  pending<std::int64_t> start(const kill_step& s, lane_model& model, durability level) const;

  const bucket<>& events(bool tickets) const noexcept { return tickets ? tickets_ : events_; }

private:
  result<void> transfer_for(const kill_step& s, unsigned lane, durability level) const;

  store& db_;
  bucket<> docs_, events_, tickets_, shared_, scratch_;
  transfer_buckets accounts_;
};

} // namespace holdfast::testing
