#pragma once

#include <holdfast/store/change.hpp>
#include <holdfast/store/detail/pins.hpp>
#include <holdfast/store/detail/spin_lock.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace holdfast::detail {

/// A commit as the feed keeps it: linked to the next one of its line. The writer's until it is
/// pushed.
struct feed_entry {
  commit what;
  /// Of a commit over both lines; what it changed is in the entry of the durable one, and the other
  /// only holds its place.
  bool joint = false;
  std::shared_ptr<feed_entry> next; ///< guarded by the feed's lock
};

/// The buckets whose commits a reader wants, and is woken for. What changes no bucket that some
/// reader wants does not come by the feed; what only another one wants it is given when it is awake
/// anyway, or when much of that waits. Immutable.
struct feed_interest {
  std::vector<std::string> names;            ///< of buckets
  std::vector<const bucket_topics*> buckets; ///< ascending; they live as long as they are in here

  bool in(const bucket_topics& of) const noexcept;
  bool in(const commit& c) const noexcept;
};

/// One reader of a feed: the store's event bus, its query manager. It sees every commit that it
/// wants and that is sealed while it does, each line in order of seq, and remembers how far it has
/// come. A commit over both lines comes once, behind all that precedes it in either.
///
/// `wake` is called, at most once until the reader has come to the end, when there is something to
/// read; on the thread that published, so it must be short and must not publish. It may be called
/// just after the reader was stopped, even after it died.
class feed_reader {
public:
  explicit feed_reader(std::function<void()> wake)
      : wake_{std::make_shared<const std::function<void()>>(std::move(wake))} {}

private:
  friend class feed;
  std::shared_ptr<const std::function<void()>> wake_;
  std::array<std::shared_ptr<feed_entry>, line_count> at_; ///< the last entry read, of each line
  std::shared_ptr<const feed_interest> interest_;          ///< null: all buckets
  std::atomic<bool> asleep_{false};
  std::size_t behind_ = 0; ///< commits not read yet
  std::size_t weight_ = 0; ///< commits and changes since it had read all
  bool wanted_ = false;    ///< one of them is of interest, or one that may be has no entry
  bool active_ = false;
};

/// The commits of a store, as they are published, for those who follow them.
///
/// Commits are pushed in order under their line's lock, which is short: a list is extended. What no
/// active reader has still to read is freed. Of a commit that nobody wants nothing is kept, and
/// writers make nothing to be kept: they ask `wants()`, again when the `generation()` is another
/// one. Thread-safe.
class feed {
public:
  /// `limit`: commits that may wait for a reader; past it writers wait, then get `overloaded` (R6).
  explicit feed(std::size_t limit = 65'536);
  feed(const feed&) = delete;
  feed& operator=(const feed&) = delete;
  ~feed();

  /// Whether anybody follows. One relaxed load.
  bool active() const noexcept { return readers_active_.load(std::memory_order_relaxed) > 0; }
  /// Another one whenever what `wants` says may be another; 0 before anybody has followed. It does
  /// not change while a line is locked, unless a reader stops.
  std::uint64_t generation() const noexcept { return generation_.load(std::memory_order_acquire); }
  /// Whether some reader wants the commits of a bucket.
  bool wants(const bucket_topics& of) const noexcept;

  /// Appends a commit that is published just then; under the lock of its line, in order of seq.
  void push(std::shared_ptr<feed_entry> e, line_kind line, sequence seq) noexcept;
  /// The same of a commit over both lines, whose changes say of which line they are; under both
  /// locks. `place` holds its place in the memory line.
  void push(std::shared_ptr<feed_entry> e, sequence durable, std::shared_ptr<feed_entry> place,
            sequence memory) noexcept;
  /// A commit without an entry was published. If it was sealed before somebody came to follow, who
  /// may want it, readers are woken to look for it themselves. Under the lock of its line.
  void miss(line_kind line, sequence seq) noexcept;
  /// Wakes readers that have come to the end; not under a line's lock.
  void notify() noexcept;

  using line_seqs = std::array<sequence, line_count>;
  /// Lets a reader follow, or follow something else: null for all buckets. It sees what it wants of
  /// all that is sealed from then on. Under the locks of both lines, whose last seqs `sealed` are.
  /// The reader must be stopped before it dies. Throws `std::bad_alloc`, but not if it follows.
  void follow(feed_reader& r, std::shared_ptr<const feed_interest> interest,
              const line_seqs& sealed);
  void stop(feed_reader& r) noexcept;

  enum class reading : std::uint8_t {
    at_end,     ///< nothing more is there: the next commit that it wants wakes the reader
    at_limit,   ///< all up to the moment asked for is read, and there is more
    unfinished, ///< `most` commits are read
  };
  using consumer = std::function<void(const std::shared_ptr<const commit>&)>;
  /// Calls `f` for what is there, at most `most` commits. What `f` throws ends the reading and the
  /// commit is read again. One thread at a time.
  reading read(feed_reader& r, std::size_t most, const consumer& f) {
    return read(r, most, all, f);
  }
  /// So, but no commit of a line behind its seq of `until`.
  reading read(feed_reader& r, std::size_t most, const line_seqs& until, const consumer& f);
  /// Whether a reader has nothing to read up to there.
  bool has_read(feed_reader& r, const line_seqs& until) noexcept;

  /// Commits that the slowest reader has still to read.
  std::size_t backlog() const noexcept { return backlog_.load(std::memory_order_relaxed); }
  std::size_t limit() const noexcept { return limit_; }
  /// Waits until the backlog is below the limit; false after the deadline.
  bool wait_for_room(std::chrono::steady_clock::time_point deadline);

private:
  static constexpr line_seqs all{~sequence{0}, ~sequence{0}};

  void start(feed_reader& r);
  void note_backlog() noexcept;
  void fall_asleep(feed_reader& r) noexcept;
  bool calls_for_waking(const feed_reader& r) const noexcept;
  std::shared_ptr<const std::function<void()>> take_sleeper() noexcept;
  /// What a reader has not read yet, of each line.
  using heads = std::array<std::shared_ptr<feed_entry>, line_count>;
  heads following(feed_reader& r) noexcept;
  void pass(feed_reader& r, heads read) noexcept;
  void tell_of_room() noexcept;
  void append(std::shared_ptr<feed_entry> e, line_kind line) noexcept;

  const std::size_t limit_;
  mutable spin_lock lock_;
  std::array<std::shared_ptr<feed_entry>, line_count> last_; ///< never null
  std::vector<feed_reader*> readers_;
  std::atomic<int> readers_active_{0};
  std::atomic<std::uint64_t> generation_{0};
  line_seqs unfed_{}; ///< what is sealed up to it may have been wanted in vain; by the lines' locks
  std::atomic<std::size_t> backlog_{0};
  std::atomic<int> waiting_for_room_{0};
  std::mutex room_mutex_;
  std::condition_variable room_;
};

} // namespace holdfast::detail
