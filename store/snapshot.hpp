#pragma once

#include <holdfast/runtime/clock.hpp>
#include <holdfast/store/journal.hpp>

#include <cstdint>
#include <memory>

namespace holdfast {

namespace detail {
class store_state;
enum class line_kind : std::uint8_t;
struct commit_lines;
class snapshot_pair;
} // namespace detail

/// All buckets of a store at one moment: `users->at(snap)` reads as of then, whatever is written
/// meanwhile. Taking one is O(1) and costs about 50 ns; copies share it.
///
/// While it lives, the versions that it sees are kept, and no others. Thread-safe. Lives on when
/// the store stops.
class snapshot {
public:
  /// The last commit it sees of buckets that are in memory only, and of persistent ones. A commit
  /// over both kinds is seen wholly or not at all.
  sequence memory_seq() const noexcept;
  sequence durable_seq() const noexcept;
  /// When it was taken: what it sees was the newest then. Records whose deadline had come by that
  /// time are hidden from it, and no others.
  timestamp time() const noexcept;

  /// For the store's own parts: what it sees of one line.
  sequence seq(detail::line_kind line) const noexcept;
  /// Likewise: whether it is one of the store with these lines.
  bool is_of(const detail::commit_lines& lines) const noexcept;

private:
  friend class store;
  friend class detail::store_state;
  snapshot(std::shared_ptr<detail::commit_lines> lines, const clock& by);

  std::shared_ptr<const detail::snapshot_pair> pair_;
};

} // namespace holdfast
