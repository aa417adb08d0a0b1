#pragma once

#include <holdfast/store/detail/bucket_data.hpp>
#include <holdfast/store/detail/deadlines.hpp>
#include <holdfast/store/schema.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

namespace holdfast::detail {

/// Which records a bucket with a capacity lets go when it is full.
///
/// Rows wait in a queue, in the order of their insertion. The one in front goes first; with
/// `least_recently_used`, one that was read or changed since it was looked at last goes to the back
/// instead (the CLOCK algorithm). Rows come into the queue when a commit first looks for one behind
/// them, and leave it when their records are gone for good: so nothing needs to be undone when a
/// commit is rolled back.
///
/// One that others keep leaves the queue, too, and is not looked at again before it is released: by
/// the commit that changes what keeps it, or by the deadline of that. It is looked at then where it
/// would stand, had it stayed. To release too much does no harm. So a commit finds what to let go
/// in amortised O(log n); but where a record is kept by way of another bucket, each write to what
/// keeps it releases all.
///
/// Marks are bytes, at least two for each record up to `most_marks`, that rows share whose numbers
/// are equal modulo their count: whichever is looked at first takes the mark. How approximate the
/// order is says `evict`; a restart begins it anew. The writer's, but for `mark`.
class evictor {
public:
  static constexpr std::size_t most_marks = std::size_t{4} << 20;
  /// Not bounded by time.
  static constexpr std::int64_t always = std::numeric_limits<std::int64_t>::max();

  evictor(std::uint64_t capacity, evict policy);
  evictor(const evictor&) = delete;
  evictor& operator=(const evictor&) = delete;

  std::uint64_t capacity() const noexcept { return capacity_; }

  /// The record of a row was used. From any thread.
  void mark(std::uint64_t row) noexcept {
    if (!marks_)
      return;
    auto& m = marks_[row & mask_];
    if (m.load(std::memory_order_relaxed) == 0) // a shared cache line is not written in vain
      m.store(1, std::memory_order_relaxed);
  }

  /// Rows were taken back, and their numbers will be used again.
  void forget() noexcept;

  /// The record, from before the commit, cannot go before `until`, unless it is
  /// released. Throws `std::bad_alloc`.
  void keep(const record_block& live, std::int64_t until);
  bool keeps(std::uint64_t row) const noexcept { return kept_.contains(row); }
  bool keeps_any() const noexcept { return !kept_.empty(); }
  /// What keeps a record, if something does, has changed. Throws `std::bad_alloc`.
  void release(const record_block& live);
  /// Everything that keeps any may have changed. From any thread.
  void release_all() noexcept { all_released_.store(true, std::memory_order_release); }

  /// Up to there all that has expired is kept: for the search for expired records to go on from.
  /// Behind `look_at_time`.
  deadline_place expired_kept() const noexcept { return expired_kept_; }
  void expired_kept(const deadline_place& up_to) noexcept { expired_kept_ = up_to; }
  /// The search for expired records of a commit begins.
  void begin_expiry() noexcept { expired_kept_sealed_ = expired_kept_; }
  /// It was rolled back: what it erased is there again, also where the search came by.
  void rollback() noexcept {
    if (expired_kept_sealed_ < expired_kept_)
      expired_kept_ = expired_kept_sealed_;
  }
  /// Releases what was kept until then, and all if that was asked for. Throws `std::bad_alloc`.
  void look_at_time(const bucket_data& data, std::int64_t now);

  /// One commit's search.
  class search;

private:
  enum class row_state : std::uint8_t { live, leaving, gone };
  static row_state state_of(const bucket_data& data, std::uint64_t row) noexcept;
  void take_in(const bucket_data& data);
  void drop_gone(const bucket_data& data);
  void drop_stale_ends();
  void put_back(std::uint64_t row);
  bool take_mark(std::uint64_t row) noexcept {
    return marks_ && marks_[row & mask_].exchange(0, std::memory_order_relaxed) != 0;
  }

  const std::uint64_t capacity_;
  std::uint64_t mask_ = 0;
  std::unique_ptr<std::atomic<std::uint8_t>[]> marks_; ///< null: the oldest goes
  ring<std::uint64_t> queue_;
  std::unordered_map<std::uint64_t, std::int64_t> kept_;     ///< rows, and until when
  std::vector<std::pair<std::int64_t, std::uint64_t>> ends_; ///< heap, first end in front
  std::set<std::uint64_t> released_;                         ///< rows; none that is kept
  std::set<std::uint64_t> passed_; ///< rows that the open commit keeps; empty but in a search
  std::atomic<bool> all_released_{false};
  deadline_place expired_kept_, expired_kept_sealed_;
  std::uint64_t seen_ = 0;           ///< rows below it have been in the queue
  std::vector<std::uint64_t> aside_; ///< scratch of a search
};

/// Within a commit's open operation: the records that are to go, one after the other.
///
/// `kept_until(block)` is when something may stop to keep a record, or nothing if nothing does; a
/// time that is not to come says that this commit itself keeps it. What is passed over for that is
/// looked at again when what keeps it is to go, too.
class evictor::search {
public:
  /// Throws `std::bad_alloc`.
  search(evictor& of, const bucket_data& data, std::int64_t now)
      : of_{of}, data_{data}, now_{now}, first_own_{data.first_open_row()}, own_{first_own_} {
    of_.take_in(data_);
    of_.look_at_time(data_, now_);
    passes_ = of_.queue_.size() + of_.released_.size(); // readers may mark on and on
  }
  search(const search&) = delete;
  search& operator=(const search&) = delete;
  /// What was to go or was passed over stays in front, for the commit may be rolled back.
  ~search();

  /// The next live record from before the commit that nothing keeps, or null. Throws
  /// `std::bad_alloc`.
  template <class F>
  record_block* next(F&& kept_until) {
    of_.look_at_time(data_, now_);
    while (released_first() || !of_.queue_.empty()) {
      const auto row = take();
      const auto state = state_of(data_, row);
      if (state == row_state::gone || of_.keeps(row))
        continue;
      if (state == row_state::live && passes_ > 0 && of_.take_mark(row)) {
        --passes_;
        of_.queue_.push(row);
        continue;
      }
      of_.aside_.push_back(row);
      if (state == row_state::leaving)
        continue;
      auto* block = data_.head(row);
      const std::optional<std::int64_t> until = kept_until(*block);
      if (!until)
        return block;
      if (*until > now_)
        of_.keep(*block, *until);
      else
        of_.passed_.insert(row);
      of_.aside_.pop_back();
    }
    return nullptr;
  }

  /// The first live record that the commit inserted and that nothing keeps, the last row aside, or
  /// null. Throws `std::bad_alloc`.
  template <class F>
  record_block* next_own(F&& kept_until) {
    of_.look_at_time(data_, now_);
    const auto last = data_.next_row() - 1; // of a full bucket
    for (;;) {
      auto released = of_.released_.lower_bound(first_own_);
      const auto again = released != of_.released_.end() && *released < last;
      if (!again && own_ >= last)
        return nullptr;
      const auto row = again ? *released : own_++;
      auto* block = data_.head(row);
      if (!block || block->death.load(std::memory_order_relaxed) != never) {
        of_.released_.erase(row);
      } else if (kept_until(*block)) {
        of_.passed_.insert(row);
        of_.released_.erase(row);
      } else {
        return block;
      }
    }
  }

private:
  /// Whether what was released comes before the queue; own records never do.
  bool released_first() noexcept {
    auto& released = of_.released_;
    return !released.empty() && *released.begin() < first_own_ &&
           (of_.queue_.empty() || of_.marks_ || *released.begin() < of_.queue_.front());
  }
  /// Out of its queue, with room for it in any other.
  std::uint64_t take() {
    const auto out = of_.aside_.size() + of_.passed_.size() + 2;
    if (out > of_.aside_.capacity())
      of_.aside_.reserve(2 * out + 8);
    of_.queue_.reserve(out);
    if (released_first())
      return of_.released_.extract(of_.released_.begin()).value();
    const auto row = of_.queue_.front();
    of_.queue_.pop();
    return row;
  }

  evictor& of_;
  const bucket_data& data_;
  std::int64_t now_;
  const std::uint64_t first_own_; ///< of the rows that the commit inserted
  std::uint64_t own_;             ///< those below were looked at
  std::size_t passes_ = 0;        ///< that are left for records because of their marks
};

} // namespace holdfast::detail
