#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace holdfast::testing {

/// What the child of a kill test says, in memory that survives it: which steps it attempted and
/// which were acknowledged. All zero at first. A ticket is a moment: it is taken before an attempt
/// and after an acknowledgement, so a step acknowledged at a ticket below the one of another step's
/// attempt came before that in the commit order. What that order is, `seq` says: of all that was
/// published, but for the last moment before the kill.
struct kill_log {
  static constexpr unsigned lanes = 6;
  static constexpr std::size_t capacity = 1 << 12;
  /// Steps of each lane.
  using counts = std::array<std::int64_t, lanes>;

  struct step {
    std::atomic<std::uint64_t> attempted;    ///< ticket; 0: not yet
    std::atomic<std::uint64_t> acknowledged; ///< ticket; 0: not yet
    std::atomic<std::int64_t> number;        ///< what an insert of an event got
    std::atomic<std::uint64_t> seq;          ///< of its commit; 0: nobody lived to tell
  };

  std::atomic<std::uint64_t> tickets;
  std::atomic<std::uint64_t> acknowledged; ///< steps of all lanes
  std::atomic<std::uint64_t> barrier;      ///< all acknowledged before this ticket is on disk
  std::atomic<std::uint64_t> base;         ///< the last commit before the first step; 0: no step
  std::array<char, 512> failure;           ///< why the child gave up, if it did
  /// By lane: its steps behind those that were there when the child started.
  std::array<std::array<step, capacity>, lanes> steps;

  std::uint64_t ticket() noexcept { return tickets.fetch_add(1) + 1; }
};

/// How the child breaks its promises, for tests of the checker.
enum class planted : int {
  nothing,
  early_answer,  ///< acknowledges before the commit is published
  lost_tail,     ///< the disk says "synced" and keeps the last batches in memory
  lost_batch,    ///< the disk forgets one batch and keeps those behind it
  torn_commit,   ///< the disk forgets one record of a commit
  torn_transfer, ///< the disk forgets the half of a transaction that is in one bucket
  lost_commit,   ///< the disk forgets one commit in the middle of the others
  late_lane,     ///< the disk puts what one lane wrote behind what others wrote later
  lost_counter,  ///< the disk forgets the autoincrement counter
};

/// The words between parent and child on their pipe.
enum class kill_word : char { opening = 'o', running = 'r', target_reached = 't', full = 'f' };

} // namespace holdfast::testing
