#pragma once

#include <holdfast/store/detail/bucket_data.hpp>
#include <holdfast/store/schema.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace holdfast::detail {

/// Which records a bucket with a capacity lets go when it is full.
///
/// Rows wait in a queue, in the order of their insertion. The one in front goes first; with
/// `least_recently_used`, one that was read or changed since it was looked at last goes to the back
/// instead (the CLOCK algorithm). So a commit finds what to let go in amortised O(1). Rows come
/// into the queue when a commit first looks for one behind them, and leave it when their records
/// are gone for good: so nothing needs to be undone when a commit is rolled back.
///
/// Marks are bytes, at least two for each record up to `most_marks`, that rows share whose numbers
/// are equal modulo their count: whichever is looked at first takes the mark. How approximate the
/// order is says `evict`; a restart begins it anew. The writer's, but for `mark`.
class evictor {
public:
  static constexpr std::size_t most_marks = std::size_t{4} << 20;

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
  void forget() noexcept {
    while (!queue_.empty())
      queue_.pop();
    seen_ = 0;
  }

  /// One commit's search.
  class search;

private:
  enum class row_state : std::uint8_t { live, leaving, gone };
  static row_state state_of(const bucket_data& data, std::uint64_t row) noexcept;
  void take_in(const bucket_data& data);
  bool take_mark(std::uint64_t row) noexcept {
    return marks_ && marks_[row & mask_].exchange(0, std::memory_order_relaxed) != 0;
  }

  const std::uint64_t capacity_;
  std::uint64_t mask_ = 0;
  std::unique_ptr<std::atomic<std::uint8_t>[]> marks_; ///< null: the oldest goes
  ring<std::uint64_t> queue_;
  std::uint64_t seen_ = 0;           ///< rows below it have been in the queue
  std::vector<std::uint64_t> aside_; ///< scratch of a search
};

/// Within a commit's open operation: the records that are to go, one after the other.
class evictor::search {
public:
  /// Throws `std::bad_alloc`.
  search(evictor& of, const bucket_data& data) : of_{of}, data_{data} {
    of_.take_in(data_);
    looks_ = 2 * of_.queue_.size() + 1; // each record is passed over once for its mark
  }
  search(const search&) = delete;
  search& operator=(const search&) = delete;
  /// What stays, stays in front.
  ~search() {
    auto& aside = of_.aside_;
    for (; !aside.empty(); aside.pop_back())
      of_.queue_.push_front(aside.back());
  }

  /// The next live record from before the commit for which `may_go(record_block&)` holds, or null.
  /// Throws `std::bad_alloc`.
  template <class F>
  record_block* next(F&& may_go) {
    auto& queue = of_.queue_;
    for (; looks_ > 0 && !queue.empty(); --looks_) {
      if (of_.aside_.size() == of_.aside_.capacity())
        of_.aside_.reserve(2 * of_.aside_.size() + 8);
      const auto row = queue.front();
      const auto state = state_of(data_, row);
      queue.pop();
      if (state == row_state::gone)
        continue;
      if (state == row_state::live && of_.take_mark(row)) {
        queue.push(row); // there is room: that of its old place
        continue;
      }
      of_.aside_.push_back(row);
      if (auto* block = data_.head(row); state == row_state::live && may_go(*block))
        return block;
    }
    return nullptr;
  }

private:
  evictor& of_;
  const bucket_data& data_;
  std::size_t looks_ = 0;
};

} // namespace holdfast::detail
