#pragma once

#include <holdfast/store/detail/bucket_layout.hpp>
#include <holdfast/store/detail/commit_line.hpp>
#include <holdfast/store/detail/deadlines.hpp>
#include <holdfast/store/detail/order_tree.hpp>
#include <holdfast/store/detail/page_hash.hpp>
#include <holdfast/store/detail/pool.hpp>
#include <holdfast/store/detail/prefetch.hpp>
#include <holdfast/store/detail/record_block.hpp>
#include <holdfast/store/detail/retire.hpp>
#include <holdfast/store/detail/row_table.hpp>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

namespace holdfast::detail {

/// The records and indexes of one bucket: one writer, lock-free readers at any seq that is pinned
/// or held by a snapshot.
///
/// The writer (one thread at a time) puts an operation together from `insert`, `replace`, `erase`
/// and `clear`, then either seals it as one commit or rolls it back; after an exception only
/// `rollback` is allowed, which restores exactly what was sealed last. Readers use `read_view`.
///
/// In place: slots of hash pages, heads in the row table, and the births and deaths of blocks.
/// Copied: nodes of ordered indexes. Deadlines are one more ordered index, of the records that have
/// one; it is there from the first of them on. Versions of a row are a list linked both ways: newer
/// to older through `prev`, older to newer through `hash`, which only heads use as the hash. A
/// block that died stays linked until no reader needs it; the primary and unique slots of an erased
/// row go with its last version.
class bucket_data {
public:
  /// `line` outlives the bucket. Throws `std::bad_alloc`.
  bucket_data(commit_line& line, bucket_layout layout);
  bucket_data(const bucket_data&) = delete;
  bucket_data& operator=(const bucket_data&) = delete;
  /// No reader and no snapshot walker is left; handles may be.
  ~bucket_data();

  commit_line& line() const noexcept { return line_; }
  const bucket_layout& layout() const noexcept { return layout_; }
  /// Where the blocks of this bucket come from. The writer's.
  pool& memory() noexcept { return memory_; }

  // -- the writer: looking

  /// The live version of a key, sealed or not; null if there is none.
  template <class Key>
  record_block* find_head(const Key& key, std::uint64_t hash) const;
  /// The live record that holds a value in a unique index (`index` counts in `layout().indexes`).
  /// `other_than` is left out.
  record_block* unique_head(std::size_t index, const key_view& value,
                            const record_block* other_than = nullptr) const;
  /// The live records that hold a value in an index, of either type, the open operation included.
  /// Throws `std::bad_alloc`. O(log n + found).
  void find_heads(std::size_t index, const key_view& value, std::vector<record_block*>& out) const;
  /// All live records, oldest first, from `row` on: calls `f(record_block&)` until it is false.
  template <class F>
  void each_head(std::uint64_t row, F&& f) const {
    for (row = rows_.next_row(row, next_row_); row < next_row_;
         row = rows_.next_row(row + 1, next_row_)) {
      record_block* b = rows_.head(row); // never null, but not every compiler sees that
      if (b != nullptr && b->death.load(std::memory_order_relaxed) == never && !f(*b))
        return;
    }
  }
  /// Live records whose deadline is `now` or before it, the open operation included. O(log n).
  std::uint64_t expired_heads(std::int64_t now) const noexcept;
  /// The first `most` of those behind a place, in order of deadlines. Throws `std::bad_alloc`.
  /// O(log n + found).
  void find_expired(std::int64_t now, const deadline_place& behind, std::size_t most,
                    std::vector<record_block*>& out) const;
  /// The first row that only the open operation has.
  std::uint64_t first_open_row() const noexcept { return sealed_.next_row; }
  /// Live records, the open operation included.
  std::uint64_t live_count() const noexcept { return live_; }
  /// What the next insert gets.
  std::uint64_t next_row() const noexcept { return next_row_; }
  /// The newest block of a row (unsealed or dead ones too), or null.
  record_block* head(std::uint64_t row) const noexcept { return rows_.head(row); }
  /// Calls `f(before, after)` for each record that was changed after `seq`, with its versions as of
  /// then and as of now (null: none), until it is false; whether it came to the end. `seq` is that
  /// of a registered snapshot; no operation is open. O(versions that ended or wait, rows since).
  bool each_change_since(std::uint64_t seq,
                         const std::function<bool(const record_block*, const record_block*)>& f);
  /// Calls `f(before, version)` for each version of after `seq` that has ended again, and not yet
  /// for readers: what is published next may still be with it. `before` is that of the same row as
  /// of `seq`, or null. Else as above. O(versions that ended and are not published so).
  bool each_passing_since(std::uint64_t seq,
                          const std::function<bool(const record_block*, const record_block*)>& f);
  /// The root an ordered index has within the open operation.
  const order_node* open_tree(std::size_t index) const noexcept;

  // -- the writer: an operation. Each call allocates before its first edit in place and may throw
  // `std::bad_alloc`; blocks passed in are the bucket's from the call on, also when it throws.

  /// Adds a record whose key and unique values are free. `fresh` has `hash` set and `refs` 1.
  void insert(record_block* fresh);
  /// Makes `fresh` the version after `old`, which is a live head. The key stays.
  void replace(record_block* old, record_block* fresh);
  void erase(record_block* old);
  /// Erases all records. O(records).
  void clear();

  /// Whether an operation is open.
  bool dirty() const noexcept { return !edits_.empty() || trees_changed(); }
  /// Back to what was sealed last.
  void rollback() noexcept;

  // -- the writer: sealing

  /// Seals the operation as the next commit of its line, publishes it there, and reclaims a little.
  /// For the memory line. Throws `std::bad_alloc`, and then nothing is sealed.
  std::uint64_t seal();
  /// The parts of `seal`, for a commit over several buckets: `prepare_seal` each (may throw), take
  /// a seq under the line's lock, `seal_at` each, publish or queue, unlock, `settle` each.
  void prepare_seal();
  void seal_at(std::uint64_t seq) noexcept;
  void settle() noexcept;
  /// False between `seal_at` and `settle`: what is sealed stands, and only `settle` is allowed.
  bool settled() const noexcept { return settled_; }
  /// The seq of the last sealed operation.
  std::uint64_t sealed_seq() const noexcept { return sealed_.seq; }

  /// Takes back all operations sealed after `seq`, which is at or behind what is published: nobody
  /// sees them and nobody ever will. No operation is open. Throws `std::bad_alloc`, and then
  /// nothing is taken back. O(rows).
  void rewind(std::uint64_t seq);

  /// Frees all that no reader needs. O(what there is to free).
  void reclaim() noexcept;
  /// Versions, nodes and roots that wait for readers, pins or their turn.
  std::size_t waiting() const noexcept { return ended_.size() + kept_.size() + limbo_.size(); }
  /// Bytes of the index of deadlines. The writer's. O(1).
  std::size_t deadline_index_bytes() const noexcept { return deadlines_ ? deadlines_->bytes() : 0; }
  /// Of what ended and is there for snapshots only, as far as it was looked at.
  std::size_t kept_bytes() const noexcept { return kept_bytes_; }

  /// Fills an empty bucket with blocks whose `row`, `hash` and `refs` are set, in any order, each
  /// key once; visible from `seq` on. After an exception the bucket is of no use. O(n log n).
  void load(std::span<record_block* const> blocks, std::uint64_t seq);

  /// Before the first edit: rows begin behind those of another bucket's data.
  void begin_rows_at(std::uint64_t row) noexcept {
    next_row_ = std::max(next_row_, row);
    sealed_.next_row = next_row_;
  }

  // -- readers, while pinned

  /// The version of a key that is visible at `seq`, or null.
  template <class Key>
  record_block* find_at(const Key& key, std::uint64_t hash, std::uint64_t seq) const;
  record_block* find_unique_at(std::size_t index, const key_view& value, std::uint64_t seq) const;
  const bucket_root& root_at(std::uint64_t seq) const noexcept;
  const row_table& rows() const noexcept { return rows_; }
  /// How the entries of an ordered index compare at `seq`.
  entry_order order_of(std::size_t index, std::uint64_t seq) const noexcept {
    const index_spec& spec = layout_.indexes[index];
    return {&rows_, spec.kind, spec.slot_number, seq, spec.more_slots};
  }
  /// Where the tree of an ordered index stands in a root.
  std::size_t tree_number(std::size_t index) const noexcept { return numbers_[index]; }
  /// The values in a unique index, as a root has them.
  std::uint64_t unique_size(std::size_t index, const bucket_root& in) const noexcept {
    return in.uniques(trees_.size())[numbers_[index]];
  }

  /// Bytes of an index, of either type, and of the one of keys. O(1).
  std::size_t index_bytes(std::size_t index) const noexcept {
    const std::size_t n = numbers_[index];
    return layout_.indexes[index].type == index_type::unique ? uniques_[n]->slots.bytes()
                                                             : trees_[n]->bytes();
  }
  std::size_t key_index_bytes() const noexcept { return primary_.bytes(); }

  // -- any thread, pinning itself

  /// A reference to the published version of a key (`refs` counts it), or null.
  template <class Key>
  record_block* get(const Key& key, std::uint64_t hash) const;
  /// Calls `f(const record_block&)` with the published version of a key; whether there is one.
  template <class Key, class F>
  bool visit(const Key& key, std::uint64_t hash, F&& f) const;

private:
  enum class edit_kind : std::uint8_t { inserted, replaced, unique_added, erased };
  struct edit {
    edit_kind kind;
    bool unique_changed; ///< of `replaced`
    std::uint32_t unique;
    record_block* old;
    record_block* fresh;
    std::uint64_t hash; ///< of `unique_added`
  };
  enum class ended_kind : std::uint8_t { version, node, root };
  struct ended {
    void* p;
    std::uint64_t death;
    ended_kind kind;
    bool check_unique; ///< other versions of the row may not carry the same unique values
  };
  struct unique_index {
    index_spec spec;
    page_hash<row_slots> slots;
    std::uint64_t hash = 0;   ///< scratch
    std::uint64_t values = 0; ///< of live records, nulls aside
    std::uint64_t sealed_values = 0;
    unique_index(const index_spec& s, pool& memory, limbo& retired)
        : spec(s), slots(memory, retired) {}
    bool holds(const record_block& b) const noexcept {
      return b.slots()[spec.slot_number].tag != slot_tag::null;
    }
  };
  struct sealed_state {
    std::uint64_t seq = 0, live = 0, next_row = 0;
  };
  class owned_block;

  void reserve_edits();
  order_tree& deadlines();
  bool prepare_uniques(const record_block& old, const record_block& fresh);
  void add_prepared_uniques(record_block& fresh);
  void move_deadline(const record_block* from, const record_block* to, std::uint64_t row);
  void build_deadlines(std::span<record_block* const> blocks, std::uint64_t seq);
  template <class F>
  void each_tree(F&& f) const;
  bool trees_changed() const noexcept;
  bool uniques_changed() const noexcept;
  void undo(const edit& e) noexcept;
  bucket_root* make_root();
  std::size_t root_bytes() const noexcept {
    return sizeof(bucket_root) + trees_.size() * sizeof(order_node*) +
           uniques_.size() * sizeof(std::uint64_t);
  }
  std::size_t patience() const noexcept;
  bool look() noexcept;
  bool drain(std::size_t budget) noexcept;
  bool look_at_ended(std::size_t n) noexcept;
  bool sweep(std::size_t n) noexcept;
  std::uint64_t birth_of(const ended& e) const noexcept;
  std::size_t bytes_of(const ended& e) const noexcept;
  void reclaim(const ended& e) noexcept;
  void reclaim_version(record_block* block, const ended& e, bool at_once) noexcept;
  void reclaim_root(bucket_root* root, bool at_once) noexcept;
  void drop_unique(const record_block& block) noexcept;
  template <class F>
  void each_row(F&& f) const;
  void rewind_row(std::uint64_t row, std::uint64_t seq) noexcept;
  void rewind_roots(std::uint64_t seq) noexcept;

  commit_line& line_;
  const bucket_layout layout_;
  std::vector<std::size_t> numbers_; ///< of each index among the unique or the ordered ones
  pool memory_;
  limbo limbo_{line_, memory_};
  page_hash<block_slots> primary_{memory_, limbo_};
  row_table rows_{memory_, limbo_};
  std::vector<std::unique_ptr<unique_index>> uniques_;
  std::vector<std::unique_ptr<order_tree>> trees_;
  std::unique_ptr<order_tree> deadlines_; ///< null before the first
  alignas(64) std::atomic<bucket_root*> root_{nullptr};

  std::vector<edit> edits_; ///< of the open operation, in order
  bucket_root* pending_ = nullptr;
  std::uint64_t live_ = 0;
  std::uint64_t next_row_ = 0;
  sealed_state sealed_;
  bool settled_ = true;

  ring<ended> ended_;       ///< by death, not looked at yet
  std::vector<ended> kept_; ///< a snapshot needs them
  std::size_t kept_bytes_ = 0;
  commit_line::horizon horizon_;  ///< of the last look: who comes later sees what is newer
  bool draining_ = false;         ///< there may be more that it lets go
  std::size_t ripe_ = 0;          ///< of limbo, what was in it at that look
  std::size_t sweep_ = 0;         ///< entries of `kept_` left to look at again
  std::uint64_t swept_drops_ = 0; ///< dropped snapshots accounted for
  std::size_t ended_since_look_ = 0;
  std::size_t commits_since_look_ = 0;
};

template <class F>
void bucket_data::each_tree(F&& f) const {
  for (const auto& tree : trees_)
    f(*tree);
  if (deadlines_)
    f(*deadlines_);
}

template <class Key>
record_block* bucket_data::find_head(const Key& key, std::uint64_t hash) const {
  record_block* found = nullptr;
  primary_.find(hash, [&](std::uint64_t payload) {
    record_block* b = block_slots::block(payload);
    if (b->death.load(std::memory_order_relaxed) != never || !key_is(*b, layout_.key_slot, key))
      return false;
    found = b;
    return true;
  });
  return found;
}

template <class Key>
record_block* bucket_data::find_at(const Key& key, std::uint64_t hash, std::uint64_t seq) const {
  record_block* found = nullptr;
  primary_.find(hash, [&](std::uint64_t payload) {
    record_block* b = block_slots::block(payload);
    prefetch<64, 128, 192>(b);
    b = visible_at(b, seq);
    if (b == nullptr || !key_is(*b, layout_.key_slot, key))
      return false;
    found = b;
    return true;
  });
  return found;
}

inline const bucket_root& bucket_data::root_at(std::uint64_t seq) const noexcept {
  const bucket_root* r = root_.load(pinned_load);
  while (r->birth.load(std::memory_order_acquire) > seq)
    r = r->prev.load(pinned_load);
  return *r;
}

template <class Key>
record_block* bucket_data::get(const Key& key, std::uint64_t hash) const {
  const pin_guard pin(line_);
  record_block* b = find_at(key, hash, pin.seq());
  if (b != nullptr)
    b->refs.fetch_add(1, std::memory_order_relaxed);
  return b;
}

template <class Key, class F>
bool bucket_data::visit(const Key& key, std::uint64_t hash, F&& f) const {
  const pin_guard pin(line_);
  const record_block* b = find_at(key, hash, pin.seq());
  if (b == nullptr)
    return false;
  f(*b);
  return true;
}

} // namespace holdfast::detail
