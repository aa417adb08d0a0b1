#pragma once

#include <holdfast/runtime/result.hpp>
#include <holdfast/store/detail/batch_copy.hpp>
#include <holdfast/store/detail/both_lines.hpp>
#include <holdfast/store/detail/commit_line.hpp>
#include <holdfast/store/detail/guarded_journal.hpp>
#include <holdfast/store/detail/sealed_commit.hpp>
#include <holdfast/store/journal.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

namespace holdfast::detail {

struct pipeline_options {
  std::chrono::microseconds group_delay{0};    ///< how long `group` may wait for company
  std::chrono::microseconds async_delay{1000}; ///< how long `async` may stay unwritten
  std::size_t batch_commits = 8192;            ///< most commits of one write
  std::size_t batch_bytes = 8u << 20;          ///< most bytes of one write
  std::size_t backlog_bytes = 64u << 20;       ///< past it callers wait (R6)
  std::size_t backlog_commits = 262'144;
  std::size_t unsynced_bytes = 32u << 20; ///< most memory kept of unsynced writes; then one syncs
  bool read_only = false;                 ///< the journal takes no writes: all are refused
};

/// What a mended journal was found to hold, and what was made of it.
struct mended_journal {
  std::uint64_t epoch = 0;
  sequence found = 0;          ///< its last commit when it was opened
  sequence published = 0;      ///< the last one published when writing stopped
  sequence target = 0;         ///< the last one of both: what both are to hold
  std::uint64_t rewritten = 0; ///< commits that were published and missing on disk
};

struct pipeline_stats {
  sequence published = 0;
  sequence durable = 0;
  std::size_t backlog_commits = 0;
  std::size_t backlog_bytes = 0;
  std::uint64_t batches = 0;
  std::uint64_t commits = 0;
  std::optional<error> failure;
};

/// The store's commit pipeline: takes what buckets seal, in seq order; writes all that is sealed as
/// one batch with one fsync; publishes; tells the callers.
///
/// It belongs to the store, not to an actor: the crash of a bucket or of the persistence actor
/// loses nothing that is sealed. Its writer thread works only while a persistence actor is
/// attached:
///   - `pause` (that actor went down) lets the write in progress end and then takes no more, also
///     what it waits with for company;
///   - `resume` (the next incarnation) goes on: a batch whose write had ended is published, one
///     that had not been handed to the journal is handed over, and none is handed over twice.
/// Only while a commit waits that keeps writers waiting (one over both lines, which keeps turns) it
/// goes on without such an actor, for the threads that would start one may be among the waiting.
/// On the first error of the journal it fails (R5): what was handed over is settled with
/// `outcome_unknown`, what was not with `read_only`, and so is all that comes. What is on disk and
/// what is published may differ then. To take up writing again, in this order: `mend` opens the
/// journal and lets it catch up, the buckets go back to its `target`, `go_on` publishes up to that.
///
/// Invariant: the queue, the batch in hand and the published seq are contiguous:
/// published < hand.first, hand.last + 1 == queue.first (but for async commits, which are published
/// before they are written). The queue and the seqs are guarded by the line's lock; the rest by
/// `mutex_`. Thread-safe.
class pipeline {
public:
  /// `crashed(why)` is called on the writer thread when a fault strikes there: it must crash the
  /// persistence actor.
  pipeline(commit_line& line, journal& to, pipeline_options options,
           std::function<void(std::string why)> crashed);
  pipeline(const pipeline&) = delete;
  pipeline& operator=(const pipeline&) = delete;
  ~pipeline();

  enum class seal_outcome : std::uint8_t {
    published, ///< at once: the caller settles it
    queued,    ///< the pipeline will settle it
    refused,   ///< the pipeline has failed: nothing was sealed
    again,     ///< the commit has no entry for the feed, and may be wanted now: nothing was sealed
  };

  /// Seals one commit: takes the next seq, calls `stamp(seq)` (noexcept, under the line's lock) and
  /// queues it. Never blocks on the disk.
  template <class Stamp>
  seal_outcome seal(sealed_commit& c, Stamp&& stamp) {
    bool now = false, wake = false;
    {
      const both_lines lock{c.also_in, line_};
      if (failed_.load(std::memory_order_relaxed))
        return seal_outcome::refused;
      if (line_.misses_entry(c))
        return seal_outcome::again;
      c.retain();
      c.seq = line_.take_seq();
      stamp(c.seq);
      now = c.level == durability::async && line_.published() + 1 == c.seq;
      if (now) {
        c.published_ = true;
        line_.publish(c.seq);
        show(c);
      } else if (c.is_awaited) [[unlikely]] {
        awaited_.fetch_add(1);
      }
      queue_.push(&c);
      wake = wants_waking(c);
    }
    if (wake)
      wake_writer();
    if (now)
      line_.notify_followers();
    return now ? seal_outcome::published : seal_outcome::queued;
  }

  /// Has `c`, which seals nothing, settled when what was sealed as `seq` is published, or not at
  /// all if that fails: for an answer that speaks of it, which nobody may hear before (R2). False
  /// if it is published, or writing has stopped: nothing was done.
  bool settle_behind(sealed_commit& c, sequence seq) noexcept;

  /// Whether another commit may come at once.
  bool has_room() const noexcept {
    return backlog_bytes_.load(std::memory_order_relaxed) < options_.backlog_bytes &&
           backlog_commits_.load(std::memory_order_relaxed) < options_.backlog_commits &&
           !failed_.load(std::memory_order_acquire);
  }
  /// Waits until there is room for another commit; `overloaded` after the deadline, `read_only`
  /// when the pipeline has failed.
  result<void> admit(std::chrono::steady_clock::time_point deadline);
  /// The same without waiting, from an actor or a bucket.
  std::optional<error> refusal() const;

  /// Waits until what was sealed as `seq` is published.
  result<void> wait_published(sequence seq, std::chrono::steady_clock::time_point deadline);

  /// Waits until all that is sealed now is on stable storage: the barrier.
  result<void> sync(std::chrono::steady_clock::time_point deadline);

  /// A persistence actor is there; gives a ticket for its `pause`.
  std::uint64_t resume();
  /// The persistence actor that held this ticket is gone. Nothing happens when a later one came.
  void pause(std::uint64_t ticket);
  /// Writes what is sealed, then ends the writer. What cannot be written is settled with an error.
  void stop();

  /// After a failure: opens the journal again, and writes to it what is published and not there.
  /// `published <= target` holds, and everything up to `target` is on stable storage. Errors, after
  /// which `mend` may be called again: those of `journal::open` and of writing; `data_loss` and
  /// `corrupt` if the journal's last commit is one that it cannot have. By one thread at a time,
  /// not after `stop`.
  result<mended_journal> mend();
  /// After `mend`, when no bucket holds commits after `target` any more: publishes what is on disk,
  /// and writes again. Throws `std::bad_alloc`, and then nothing was done.
  void go_on(sequence target);

  pipeline_stats stats() const;

private:
  enum class phase : std::uint8_t { none, taken, written };
  /// What the writer sleeps for; whoever seals wakes it when that has come.
  enum class sleep : std::uint8_t { no, for_anything, for_company };

  /// So many commits are company enough to write.
  static constexpr std::size_t company = 512;

  tl::unexpected<error> fail_with() const;
  bool wants_waking(const sealed_commit& c) noexcept;
  void wake_writer();
  std::chrono::microseconds delay_of(durability level) const noexcept;

  // pipeline_writer.cpp: what its thread does
  bool tell_crash(const char* why) const noexcept;
  void loop();
  bool wait_for_work(std::unique_lock<std::mutex>& lock);
  bool has_work() const;
  bool may_write() const noexcept;
  void linger(std::unique_lock<std::mutex>& lock);
  std::chrono::microseconds gather();
  void work();
  result<void> sync_alone();
  result<void> write_hand();
  result<void> write_batch(bool synced);
  void show(sealed_commit& c) noexcept;
  void publish_hand();
  void promote();
  void tell_behind() noexcept;
  void settle(sealed_commit& c, const error* failure) noexcept;

  // pipeline_mend.cpp: after an error of the journal
  error caused(const error& what, const error& why) const noexcept;
  void fail(error why) noexcept;
  result<void> check_found(sequence found, sequence published) const;
  result<std::uint64_t> write_again(sequence after, sequence last);
  sequence first_kept() const noexcept;
  commit_line* make_again(sequence target);

  commit_line& line_;
  guarded_journal journal_;
  const pipeline_options options_;
  const std::function<void(std::string)> crashed_;

  commit_queue queue_;                        // guarded by line_
  commit_queue behind_;                       // likewise: what only waits to be settled, see above
  std::chrono::microseconds gathering_{0};    // likewise: how long `sleep::for_company` takes
  std::atomic<std::size_t> backlog_bytes_{0}; // queue_ and hand_, for admission
  std::atomic<std::size_t> backlog_commits_{0};
  std::atomic<std::size_t> awaited_{0}; // commits not settled for which writers wait
  std::atomic<bool> failed_{false};
  std::atomic<sleep> sleeping_{sleep::no};
  std::atomic<sequence> durable_;
  std::atomic<sequence> sync_target_{0}; // a barrier wants this on stable storage

  mutable std::mutex mutex_;
  std::condition_variable wake_; // the writer
  std::condition_variable room_; // admit and sync
  bool attached_ = false;
  std::uint64_t ticket_ = 0;
  bool stopping_ = false;
  std::optional<error> failure_;
  std::optional<error> refusal_;   // what callers get because of it
  bool failure_settled_ = false;   // all callers were told
  std::uint64_t times_mended_ = 0; // a barrier of before does not know the seqs of after
  std::uint64_t batches_ = 0;
  std::uint64_t commits_ = 0;

  std::vector<sealed_commit*> promoted_; // async, published behind a batch, not yet settled
  commit_queue hand_;                    // the writer's own, kept over a crash
  phase phase_ = phase::none;
  sequence written_ = 0;
  std::vector<journal_put> puts_;
  unsynced_batches unsynced_;
  // After a failure: the batch that was handed over, and what was published and waited behind it.
  commit_queue kept_;
  sequence handed_ = 0; // the last commit that the journal may have

  // Made beforehand, for there may be no memory when they are needed.
  const error unknown_{errc::outcome_unknown, "store: the write failed; it may be on disk"};
  const error only_reads_{errc::read_only, "store: it was opened read-only"};
  const error stopped_writing_{errc::read_only,
                               "store: writing stopped after an error of the journal"};
  std::thread writer_;
};

} // namespace holdfast::detail
