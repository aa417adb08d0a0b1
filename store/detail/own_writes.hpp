#pragma once

#include <holdfast/store/detail/index_key.hpp>
#include <holdfast/store/detail/record_block.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

namespace holdfast::detail {

class record_layout;

/// What an open transaction makes of one record: as its snapshot has it, and as it is to be.
struct own_write {
  std::uint64_t hash;             ///< of the key
  const record_block* key_holder; ///< some version, for the key
  record_block* before;           ///< null: not there
  record_block* after;            ///< the same as `before`: nothing is done; null: erased
  /// Which write of the transaction it was that made of it what its event will say: the first
  /// update in a row of them, else the last insert or erasure.
  std::size_t order;

  bool changes() const noexcept { return before != after; }
  /// Erased and inserted again: another row, as another life of the key.
  bool begins_anew() const noexcept { return before && after && before->row != after->row; }
};

/// What an open transaction has written to one bucket, over a snapshot of it.
///
/// A changed record keeps its row, an inserted one gets a row behind all of the snapshot, so that
/// own records stand in a scan where they will stand after the commit. Blocks belong to the memory
/// of the thread that runs the transaction and live until `clear`, on that thread.
class own_writes {
public:
  own_writes() = default;
  own_writes(const own_writes&) = delete;
  own_writes& operator=(const own_writes&) = delete;
  ~own_writes() { clear(); }

  bool empty() const noexcept { return entries_.empty(); }
  const std::vector<own_write>& entries() const noexcept { return entries_; }
  /// Whether some record that it wrote may have a deadline.
  bool has_deadlines() const noexcept { return has_deadlines_; }
  /// How many more records there are than in the snapshot.
  std::int64_t growth() const noexcept { return growth_; }

  /// What it made of a key; null if it did not touch it. O(1).
  const own_write* find(const key_view& key, std::uint64_t hash, std::uint32_t key_slot) const;
  /// Whether a row is that of a record that it changed or inserted.
  bool touches(std::uint64_t row) const;
  /// Calls `f(const record_block&)` for each record that it touched and did not erase, until it is
  /// false; whether it came to the end.
  template <class F>
  bool each_now(F&& f) const {
    for (auto& e : entries_)
      if (e.after && !f(*e.after))
        return false;
    return true;
  }
  /// The same for those whose slot has this value, and maybe others. O(log entries + result), and
  /// O(entries) the first time for a slot.
  template <class F>
  bool each_equal(std::uint32_t slot, const key_view& x, F&& f) const {
    if (entries_.size() <= few)
      return each_now(f);
    for (auto at : positions_of(slot, x))
      if (auto* now = entries_[at].after; now && !f(*now))
        return false;
    return true;
  }
  /// The record that stands in the row of a record of the snapshot: itself, its successor, or null.
  const record_block* in_place_of(const record_block& block) const;
  /// The records in new rows, in their order.
  std::vector<const record_block*> inserted() const;
  /// Calls `f(const own_write&)` for each record of which something is made, in the order in which
  /// it was: new rows come in theirs.
  template <class F>
  void each_change(F&& f) const;

  /// Keeps the layout that its blocks refer to, for they may outlive the bucket.
  static void keep(std::shared_ptr<const record_layout> layout);
  /// Memory for a block; it stays with the transaction. Throws `std::bad_alloc`.
  void* allocate(std::size_t bytes);
  /// The row for a record that is inserted; `bound` is the snapshot's.
  std::uint64_t next_row(std::uint64_t bound) noexcept {
    first_row_ = bound;
    return bound + inserted_rows_++;
  }
  /// Some version of the record, for its key; what it was and what it is to be. Throws
  /// `std::bad_alloc`.
  void put(const record_block& holder, std::uint64_t hash, std::uint32_t key_slot,
           record_block* before, record_block* after);

  /// A place to go back to.
  std::size_t mark() const noexcept { return undo_.size(); }
  void rollback(std::size_t to) noexcept;
  /// Forgets all, on the thread that allocated it.
  void clear() noexcept;

private:
  struct undo {
    std::size_t entry;
    record_block* after;
    std::size_t order;
  };
  /// Entries by the hash of what a slot of theirs has, had or will have again.
  struct value_index {
    std::uint32_t slot;
    std::unordered_multimap<std::uint64_t, std::size_t> at;

    void add(const record_block* block, std::size_t entry);
  };
  static constexpr std::size_t few = 8; ///< entries that are looked through one by one

  std::size_t position(const key_view& key, std::uint64_t hash, std::uint32_t key_slot) const;
  std::vector<std::size_t> positions_of(std::uint32_t slot, const key_view& x) const;
  value_index& indexed(std::uint32_t slot) const;
  void index(const own_write& e, std::size_t at);
  void change(own_write& e, record_block* after) noexcept;

  std::vector<own_write> entries_;
  std::vector<undo> undo_;
  std::vector<record_block*> blocks_; ///< all that were allocated
  std::uint64_t inserted_rows_ = 0;
  std::uint64_t first_row_ = ~std::uint64_t{0}; ///< of those that are inserted
  std::int64_t growth_ = 0;
  bool has_deadlines_ = false;
  std::unordered_multimap<std::uint64_t, std::size_t> by_hash_; ///< of more than a few
  std::unordered_map<std::uint64_t, std::size_t> by_row_;       ///< of the snapshot's rows
  mutable std::vector<value_index> by_value_;                   ///< for queries, once asked for
};

template <class F>
void own_writes::each_change(F&& f) const {
  if (std::ranges::is_sorted(entries_, {}, &own_write::order)) [[likely]] {
    for (auto& e : entries_)
      if (e.changes())
        f(e);
    return;
  }
  std::vector<const own_write*> changed;
  for (auto& e : entries_)
    if (e.changes())
      changed.push_back(&e);
  std::ranges::sort(changed, {}, &own_write::order);
  for (const auto* e : changed)
    f(*e);
}

} // namespace holdfast::detail
