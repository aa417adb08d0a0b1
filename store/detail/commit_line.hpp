#pragma once

#include <holdfast/runtime/gate.hpp>
#include <holdfast/store/detail/asymmetric_fence.hpp>
#include <holdfast/store/detail/feed.hpp>
#include <holdfast/store/detail/pins.hpp>
#include <holdfast/store/detail/right_of_way.hpp>
#include <holdfast/store/detail/sealed_commit.hpp>
#include <holdfast/store/detail/spin_lock.hpp>
#include <holdfast/store/detail/store_time.hpp>

#include <atomic>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <mutex>
#include <vector>

namespace holdfast::detail {

/// Loads of what a writer may unlink. Sequentially consistent, for the proof in `commit_line`; on
/// x86-64 that is a plain load.
inline constexpr auto pinned_load = std::memory_order_seq_cst;

/// What a thread pins for: a read that the statistics count, or something else.
enum class pin_for : std::uint8_t { work, read };

/// A seq of one line, and a time at which it was the last that was published. A time before that
/// would miss deadlines that have come for who made the commit; a later one would miss what has
/// saved a record in time.
struct line_moment {
  std::uint64_t seq;
  timestamp time;
};

/// A registered reading position; a member of its line's list while registered.
class line_snapshot {
public:
  /// In the place of a time; also of reads that begin and end within a call, for whose age nobody
  /// asks.
  static constexpr std::int64_t undated = std::numeric_limits<std::int64_t>::max();

  std::uint64_t seq() const noexcept { return seq_; }

private:
  friend class commit_line;
  std::int64_t taken_ = undated; ///< in microseconds since the epoch
  std::uint64_t seq_ = idle;
  line_snapshot* older_ = nullptr;
  line_snapshot* newer_ = nullptr;
};

/// A sequence of commits: where seqs come from, what is published, and who still reads what.
///
/// Why readers are safe. A reader pins: it stores the published seq p in its slot, passes the light
/// side of a fence and then loads the published seq again; it reads at that second value s, and
/// s >= p. A writer frees a version that ended at d only after it has loaded published >= d, passed
/// the heavy side, and then found no slot below d. Either it saw the reader's slot, so p >= d and
/// the reader has no use for the version; or it missed the slot, and then what the reader loads
/// behind its fence is not older than what the writer had loaded before its own, which makes
/// s >= d. What must also be unreachable (an erased head, a hash page that was split) is unlinked
/// first and tagged with t = published + 1: a pin that could have seen the link has p < t, and a
/// pin that the writer's scan missed loads nothing older than the unlinking. What is unlinked
/// behind a look at the pins therefore waits for the next look. Without an asymmetric fence the
/// reader's store is a seq_cst exchange, and the single total order says the same; it costs a
/// look-up a fifth, for it keeps the processor from beginning with the next one meanwhile.
/// Snapshots are registered under the lock with the seq published at
/// that moment; a writer looks at the list after it has loaded `published`, so a snapshot it misses
/// has a seq at which everything it frees had ended. Whoever walks a snapshot pins as well.
class commit_line {
public:
  commit_line(line_kind kind, pin_table& pins, detail::feed* feed = nullptr) noexcept
      : kind_(kind), pins_(pins), feed_(feed) {}
  commit_line(const commit_line&) = delete;
  commit_line& operator=(const commit_line&) = delete;

  line_kind kind() const noexcept { return kind_; }

  /// Seq assignment, publication and snapshots of a line exclude each other. When both lines are
  /// locked, memory comes first.
  void lock() noexcept { lock_.lock(); }
  void unlock() noexcept { lock_.unlock(); }

  /// The next seq. Under the lock.
  std::uint64_t take_seq() noexcept {
    assert(lock_.held());
    return next_++;
  }
  /// The last seq given out. Under the lock.
  std::uint64_t last_seq() const noexcept { return next_ - 1; }
  /// Makes everything up to `seq` visible. Under the lock.
  void publish(std::uint64_t seq) noexcept {
    assert(lock_.held());
    published_.store(seq, std::memory_order_seq_cst);
  }
  std::uint64_t published() const noexcept { return published_.load(std::memory_order_seq_cst); }

  /// Whether a commit that is sealed now may have to be fed, and is not prepared for it: it has no
  /// entry because nobody wanted it at another generation of the feed. Under the lock.
  bool misses_entry(const sealed_commit& c) const noexcept {
    return !c.entry && c.unwanted != sealed_commit::of_no_bucket && feed_ &&
           feed_->generation() != c.unwanted;
  }
  /// Hands a commit that has just been published to those who follow. Under the lock.
  void feed_commit(std::shared_ptr<feed_entry> e, std::uint64_t seq) noexcept {
    assert(lock_.held());
    if (e)
      feed_->push(std::move(e), kind_, seq);
    else if (feed_)
      feed_->miss(kind_, seq);
  }
  /// The same of a commit over both lines, with its seq in each. Under both locks.
  void feed_commit(std::shared_ptr<feed_entry> e, std::uint64_t seq,
                   std::shared_ptr<feed_entry> place, std::uint64_t memory) noexcept {
    if (feed_ && feed_->active())
      feed_->push(std::move(e), seq, std::move(place), memory);
  }
  /// Wakes those who follow. Not under the lock.
  void notify_followers() noexcept {
    if (feed_)
      feed_->notify();
  }

  /// Takes back the seqs given out after `seq`, and makes what is up to it visible. Under the lock;
  /// `seq` is not less than what is published.
  void rewind(std::uint64_t seq) noexcept { start_at(seq); }

  /// Goes on after `seq`, which counts as published. Before the line is used.
  void start_at(std::uint64_t seq) noexcept {
    next_ = seq + 1;
    published_.store(seq, std::memory_order_seq_cst);
  }

  /// Pins the calling thread and returns the seq to read at. Nests; an inner pin may read at a
  /// later seq. Wait-free. Throws `std::bad_alloc` at a thread's first pin only.
  std::uint64_t pin(pin_for what = pin_for::work) {
    auto& slot = pins_.mine();
    const auto k = static_cast<std::size_t>(kind_);
    if (what == pin_for::read)
      slot.reads.store(slot.reads.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    if (slot.depth[k]++ == 0) {
      const std::uint64_t seq = published_.load(std::memory_order_relaxed);
      if (asymmetric_fence::offered()) [[likely]] {
        slot.seq[k].store(seq, std::memory_order_relaxed);
        asymmetric_fence::light();
      } else {
        slot.seq[k].exchange(seq, std::memory_order_seq_cst);
      }
    }
    return published();
  }
  void unpin() noexcept {
    auto& slot = pins_.mine();
    const auto k = static_cast<std::size_t>(kind_);
    if (--slot.depth[k] == 0)
      slot.seq[k].store(idle, std::memory_order_release);
  }

  /// For a thread that is pinned, which may read there. Takes no lock unless the commits of others
  /// keep coming in between.
  line_moment moment(store_time& time, const clock& by) noexcept;

  /// Registers a snapshot of what is published. Under the lock. O(1).
  void add_snapshot(line_snapshot& s, std::int64_t taken = line_snapshot::undated) noexcept;
  /// Registers a second snapshot at the seq of a registered one. Under the lock. O(1).
  void copy_snapshot(line_snapshot& s, line_snapshot& of) noexcept;
  /// Takes the lock itself. O(1).
  void drop_snapshot(line_snapshot& s) noexcept;

  std::size_t snapshot_count() const noexcept {
    return snapshot_count_.load(std::memory_order_relaxed);
  }
  /// When the oldest snapshot was taken that has a date, or `line_snapshot::undated`. Takes the
  /// lock. O(snapshots without one that are older).
  std::int64_t oldest_snapshot() noexcept;
  /// How many snapshots have been dropped: tells a writer to look again at what they kept.
  std::uint64_t snapshots_dropped() const noexcept {
    return snapshots_dropped_.load(std::memory_order_acquire);
  }

  /// What may be freed at this moment.
  struct horizon {
    std::uint64_t pinned = 0; ///< oldest pin, or `idle`: frees what was unlinked before
    std::uint64_t ended = 0;  ///< versions that ended at or before this are past for pins
    std::vector<std::uint64_t> snapshots; ///< ascending, each once

    /// Whether a snapshot lies in [birth, death).
    bool needed(std::uint64_t birth, std::uint64_t death) const noexcept;
  };
  /// Throws `std::bad_alloc`; reuses the memory of `out`.
  void look(horizon& out);

private:
  const line_kind kind_;
  pin_table& pins_;
  detail::feed* const feed_;
  alignas(64) std::atomic<std::uint64_t> published_{0};
  alignas(64) spin_lock lock_;
  std::uint64_t next_ = 1;
  line_snapshot* newest_ = nullptr;
  line_snapshot* oldest_ = nullptr;
  std::atomic<std::size_t> snapshot_count_{0};
  std::atomic<std::uint64_t> snapshots_dropped_{0};
};

/// The lines of one store.
struct commit_lines {
  commit_lines() = default;
  explicit commit_lines(std::size_t feed_limit) : feed{feed_limit} {}

  pin_table pins;
  detail::feed feed;
  commit_line memory{line_kind::memory, pins, &feed};
  commit_line durable{line_kind::durable, pins, &feed};
  right_of_way way;
  store_time time;
  /// Transactions are inside while they seal, on threads that no supervisor waits for.
  gate transactions;

  /// Both lines, in the order in which all take them: for a `std::lock_guard`.
  void lock() noexcept {
    memory.lock();
    durable.lock();
  }
  void unlock() noexcept {
    durable.unlock();
    memory.unlock();
  }

  /// Of each line, the last commit at a moment.
  struct position {
    feed::line_seqs sealed, published;
  };
  /// Lets a reader follow what it wants from the next commit that is sealed on; where that is.
  position follow(feed_reader& r, std::shared_ptr<const feed_interest> wanted) {
    const std::lock_guard both(*this);
    const position now{{memory.last_seq(), durable.last_seq()},
                       {memory.published(), durable.published()}};
    feed.follow(r, std::move(wanted), now.sealed);
    return now;
  }
};

/// Keeps the calling thread pinned on one line. Stays on its thread.
class pin_guard {
public:
  explicit pin_guard(commit_line& line, pin_for what = pin_for::work)
      : line_(line), seq_(line.pin(what)) {}
  pin_guard(const pin_guard&) = delete;
  pin_guard& operator=(const pin_guard&) = delete;
  ~pin_guard() { line_.unpin(); }

  /// What to read at.
  std::uint64_t seq() const noexcept { return seq_; }
  /// Lets go and pins again, so that what died meanwhile can be freed: for who reads at a
  /// registered snapshot and holds no block it did not reach from there since. `seq` stays what it
  /// was.
  void renew() {
    line_.unpin();
    line_.pin();
  }

private:
  commit_line& line_;
  std::uint64_t seq_;
};

/// One line at one moment, registered. Stays where it is.
class line_hold {
public:
  line_hold(commit_line& line, store_time& time, const clock& by) noexcept;
  line_hold(const line_hold&) = delete;
  line_hold& operator=(const line_hold&) = delete;
  ~line_hold() { line_.drop_snapshot(snapshot_); }

  std::uint64_t seq() const noexcept { return snapshot_.seq(); }
  timestamp time() const noexcept { return time_; }

private:
  commit_line& line_;
  timestamp time_;
  line_snapshot snapshot_;
};

/// Both lines at one moment: no commit over both is seen by half. May move between threads.
class snapshot_pair {
public:
  explicit snapshot_pair(commit_lines& lines) noexcept;
  /// With a time, as that of a `line_moment`.
  snapshot_pair(commit_lines& lines, const clock& by) noexcept;
  snapshot_pair(const snapshot_pair& other) noexcept;
  snapshot_pair& operator=(const snapshot_pair&) = delete;
  ~snapshot_pair();

  std::uint64_t seq(line_kind line) const noexcept {
    return line == line_kind::memory ? memory_.seq() : durable_.seq();
  }
  bool is_of(const commit_lines& lines) const noexcept { return &lines_ == &lines; }
  /// Of one that has a time.
  timestamp time() const noexcept { return time_; }

private:
  /// Under both locks.
  void enter(std::int64_t taken) noexcept;

  commit_lines& lines_;
  timestamp time_{};
  line_snapshot memory_;
  line_snapshot durable_;
};

} // namespace holdfast::detail
