#pragma once

#include "history.hpp"

namespace holdfast::testing {

/// One thing that a store does wrong, once.
struct store_fault {
  enum class what : std::uint8_t {
    torn_commit,  ///< what a transaction wrote to one of the buckets is lost
    lost_commit,  ///< all that it wrote is lost, though it was told that it had committed
    stale_read,   ///< a look-up gives what there was before the last commit that changed its answer
    phantom,      ///< so does a count of a range, or a look at an end of an order
    shared_value, ///< two records get one unique value
    false_duplicate, ///< a transaction is refused for a unique value that nobody else has
  };
  what kind = what::torn_commit;
  std::size_t at = 0;   ///< which transaction, in the order of `serial`
  std::size_t step = 0; ///< of a read: which of its steps
  bool right = false;   ///< of a torn commit: the bucket whose half is lost
  friend bool operator==(const store_fault&, const store_fault&) = default;
};
std::string to_string(const store_fault& f);

/// A history of interleaved threads in its serial order: writers by their commits, and readers
/// behind the commit that was the last one when they began.
history serial(history ran);

/// What the same transactions would have seen and left if they had run in that order, one after
/// another, on a store with that fault.
history rerun(const history& in_order, const std::optional<store_fault>& with);

/// Each fault that the transactions gave an opportunity for.
std::vector<store_fault> possible_faults(const history& in_order);

/// Which transactions saw something else in the one than in the other; their number is that of all
/// if only the end differs.
std::vector<std::size_t> differences(const history& a, const history& b);

/// The one fault that explains all that the transactions saw, reads first; nothing if none does, or
/// if they saw nothing wrong.
std::optional<store_fault> find_fault(const history& in_order);

} // namespace holdfast::testing
