#pragma once

#include <holdfast/store/detail/prefetch.hpp>
#include <holdfast/store/detail/retire.hpp>

#include <atomic>
#include <cstdint>
#include <optional>

namespace holdfast::detail {

/// The newest version visible at `seq` or older than it, down a row's list; null when none was
/// born.
inline record_block* newest_at(record_block* head, std::uint64_t seq) noexcept {
  while (head != nullptr && head->birth.load(std::memory_order_acquire) > seq)
    head = head->prev.load(pinned_load);
  return head;
}

/// The version of a row that is visible at `seq`, or null.
inline record_block* visible_at(record_block* head, std::uint64_t seq) noexcept {
  head = newest_at(head, seq);
  return head != nullptr && seq < head->death.load(std::memory_order_acquire) ? head : nullptr;
}

/// Row number -> newest block, in chunks that never move. A chunk whose rows are all gone is freed.
/// The directory of chunks begins with one that is there: a bucket of few records through which
/// many have gone costs, in memory and in walks, what lies between its oldest and its newest
/// record.
///
/// The directory knows of each chunk how many of its records are live, and since which seq that is
/// so: a reader at that seq or a later one can pass the chunk by without a look at it. The writer
/// stores the seq first and the number behind it, a reader loads the number first: who sees a
/// number of later than its own time sees that it is. A reader that still has an older directory is
/// of before the commits that this one no longer counts.
class row_table {
public:
  static constexpr std::uint64_t chunk_rows = 1024;

  row_table(pool& memory, limbo& retired);
  row_table(const row_table&) = delete;
  row_table& operator=(const row_table&) = delete;
  /// Frees everything at once: no reader is left.
  ~row_table();

  /// The newest block of a row, or null. For readers while pinned.
  record_block* head(std::uint64_t row) const noexcept {
    const chunk* c = chunk_of(row);
    return c == nullptr ? nullptr : c->heads[row % chunk_rows].load(pinned_load);
  }

  /// The table as it is now, for the rows there are: spares a walk the look at a grown directory.
  class window;

  /// No row below this one has a block.
  std::uint64_t first_row() const noexcept {
    return directory_.load(pinned_load)->first * chunk_rows;
  }
  /// The first row from `row` on, below `bound`, that has a block, or `bound`.
  std::uint64_t next_row(std::uint64_t row, std::uint64_t bound) const noexcept;

  /// How many records of the chunk that begins with `row` are visible at `seq`, if that is known:
  /// nothing has come or gone there later. While pinned.
  std::optional<std::uint64_t> visible_in_chunk(std::uint64_t row,
                                                std::uint64_t seq) const noexcept;
  /// Passes by chunks from the one that begins with `row` on, below `bound`, as long as it is known
  /// that no more than `count` records are visible there at `seq`, and takes those off `count`.
  /// Returns the row to go on with. While pinned. O(chunks).
  std::uint64_t skip_chunks(std::uint64_t row, std::uint64_t bound, std::uint64_t seq,
                            std::uint64_t& count) const noexcept;
  /// Rows from `row` on, below `end` in the same chunk, that have a block.
  std::uint64_t taken_rows(std::uint64_t row, std::uint64_t end) const noexcept;

  /// One more than the last row below `row` whose chunk is there, or 0.
  std::uint64_t skip_back(std::uint64_t row) const noexcept {
    const std::uint64_t first = first_row();
    while (row > first && chunk_of(row - 1) == nullptr)
      row = (row - 1) / chunk_rows * chunk_rows;
    return row > first ? row : 0;
  }

  /// Makes sure that `add(row)` allocates nothing. Throws `std::bad_alloc`.
  void reserve(std::uint64_t row);
  void add(std::uint64_t row, record_block* block) noexcept;
  void replace(std::uint64_t row, record_block* block) noexcept {
    chunk_of(row)->heads[row % chunk_rows].store(block, std::memory_order_release);
  }
  /// Forgets a row; frees its chunk if that is empty and `next` (the next new row) lies behind it.
  /// Room for one in limbo is there.
  void remove(std::uint64_t row, std::uint64_t next) noexcept;
  /// The commit `seq` makes the record of a row appear, or disappear.
  void appears(std::uint64_t row, std::uint64_t seq) noexcept { note(row, seq, 1); }
  void disappears(std::uint64_t row, std::uint64_t seq) noexcept {
    note(row, seq, ~std::uint64_t{0});
  }
  /// Commits after `seq` were taken back: counts anew in the chunks that they changed. O(rows).
  void recount(std::uint64_t seq) noexcept;

private:
  struct chunk {
    std::uint64_t live; ///< rows with a block; the writer's
    std::atomic<record_block*> heads[chunk_rows];
  };
  /// Of the records in a chunk.
  struct tally {
    std::atomic<std::uint64_t> changed{0}; ///< since when `visible` is right
    std::atomic<std::uint64_t> visible{0};

    void set(std::uint64_t since, std::uint64_t count) noexcept {
      changed.store(since, std::memory_order_release);
      visible.store(count, std::memory_order_release);
    }
  };
  /// Behind it stand the tallies of its chunks, then the chunks.
  struct directory {
    std::uint64_t capacity;
    std::uint64_t first; ///< the number of the first chunk it has a place for
    /// Where a row's chunk is; at or above the capacity if it has no place.
    std::uint64_t place_of(std::uint64_t row) const noexcept { return row / chunk_rows - first; }
    tally* tallies() noexcept { return reinterpret_cast<tally*>(this + 1); }
    const tally* tallies() const noexcept { return reinterpret_cast<const tally*>(this + 1); }
    std::atomic<chunk*>* chunks() noexcept {
      return reinterpret_cast<std::atomic<chunk*>*>(tallies() + capacity);
    }
    const std::atomic<chunk*>* chunks() const noexcept {
      return reinterpret_cast<const std::atomic<chunk*>*>(tallies() + capacity);
    }
  };
  static std::size_t directory_bytes(std::uint64_t capacity) noexcept {
    return sizeof(directory) + capacity * (sizeof(tally) + sizeof(chunk*));
  }
  chunk* chunk_of(std::uint64_t row) const noexcept {
    const directory* d = directory_.load(pinned_load);
    const std::uint64_t k = d->place_of(row);
    return k < d->capacity ? d->chunks()[k].load(pinned_load) : nullptr;
  }
  void note(std::uint64_t row, std::uint64_t seq, std::uint64_t by) noexcept {
    directory* d = directory_.load(std::memory_order_relaxed);
    tally& of = d->tallies()[d->place_of(row)];
    of.set(seq, of.visible.load(std::memory_order_relaxed) + by);
  }
  directory* make_directory(std::uint64_t first, std::uint64_t capacity);
  /// Another directory, with a place for the chunk of that number.
  directory* move_directory(std::uint64_t chunk_number);
  void drop_chunk_of(std::uint64_t row) noexcept;

  pool& memory_;
  limbo& retired_;
  std::atomic<directory*> directory_{nullptr};
};

/// Valid while the thread that made it stays pinned.
class row_table::window {
public:
  explicit window(const row_table& rows) noexcept : directory_(rows.directory_.load(pinned_load)) {}

  record_block* head(std::uint64_t row) const noexcept {
    const std::uint64_t k = directory_->place_of(row);
    if (k >= directory_->capacity) [[unlikely]]
      return nullptr;
    const chunk* c = directory_->chunks()[k].load(pinned_load);
    return c == nullptr ? nullptr : c->heads[row % chunk_rows].load(pinned_load);
  }

private:
  const directory* directory_;
};

} // namespace holdfast::detail
