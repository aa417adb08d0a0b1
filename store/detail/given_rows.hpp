#pragma once

#include <cstdint>

namespace holdfast::detail {

/// How far the rows that a bucket has given are known to its journal besides by the records
/// themselves: a row whose record is gone must not be given again after a restart, or a page's
/// cursor would pass by the new record. Noted when a record is erased that was given behind the
/// last note, for all rows given until then, so that it is seldom.
///
/// Moves in two steps, as the edits it belongs to do. For whoever has the bucket's turn.
class given_rows {
public:
  /// An operation begins, or was taken back.
  void begin() noexcept { proposed_ = noted_; }
  /// Whether rows up to this one need no note.
  bool covers(std::uint64_t row) const noexcept { return row < proposed_; }
  /// The operation notes all rows below `next`.
  void propose(std::uint64_t next) noexcept { proposed_ = next; }
  /// The operation is sealed.
  void accept() noexcept { noted_ = proposed_; }
  /// What the journal has; after commits were taken back, 0: nobody knows.
  void restore(std::uint64_t noted) noexcept { noted_ = proposed_ = noted; }

private:
  std::uint64_t noted_ = 0; ///< rows below it
  std::uint64_t proposed_ = 0;
};

} // namespace holdfast::detail
