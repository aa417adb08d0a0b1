#pragma once

#include <holdfast/store/detail/index_key.hpp>
#include <holdfast/store/detail/pool.hpp>
#include <holdfast/store/detail/row_table.hpp>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <span>
#include <vector>

namespace holdfast::detail {

/// One record in an ordered index. Ordered by value, then by the values of further fields, if the
/// index has any, then by row; the prefix stands for the first value as far as it goes, the rest is
/// read from the record.
struct order_entry {
  std::uint64_t prefix;
  std::uint64_t row;
};

/// A place in an ordered index: before or behind entries of a value.
struct order_probe {
  std::uint64_t prefix = 0;
  std::uint64_t row = 0;
  key_view key;
  bool decided = false; ///< equal prefixes mean equal values, and there are no further ones
  /// Of an index over several fields: the values of as many further ones as count here. With fewer
  /// than all, only rows 0 and ~0 make sense.
  std::span<const key_view> rest;

  order_probe() = default;
  order_probe(index_kind kind, const key_view& at, std::uint64_t at_row) noexcept
      : prefix(prefix_of(kind, at)), row(at_row), key(at), decided(prefix_decides(kind, at)) {}
  /// The same with the values of the first fields of an index over several, at least one.
  order_probe(index_kind kind, std::span<const key_view> at, std::uint64_t at_row) noexcept
      : order_probe(kind, at[0], at_row) {
    rest = at.subspan(1);
    decided = decided && rest.empty();
  }
  /// In front of all entries of a value.
  static order_probe before(index_kind kind, const key_view& at) noexcept { return {kind, at, 0}; }
  /// Behind all entries of a value.
  static order_probe behind(index_kind kind, const key_view& at) noexcept {
    return {kind, at, ~std::uint64_t{0}};
  }
};

/// How the entries of one index compare as of one seq; `never` means the head versions.
struct entry_order {
  const row_table* rows;
  index_kind kind;
  std::uint32_t slot_number;
  std::uint64_t seq;
  std::span<const std::uint32_t> more = {}; ///< slots of further fields

  bool less(const order_entry& e, const order_probe& p) const noexcept {
    if (e.prefix != p.prefix) [[likely]]
      return e.prefix < p.prefix;
    if (p.decided)
      return e.row < p.row;
    return less_by_value(e, p);
  }
  bool less_by_value(const order_entry& e, const order_probe& p) const noexcept;
  /// Whether the probe is at this very entry.
  bool same(const order_entry& e, const order_probe& p) const noexcept {
    return e.prefix == p.prefix && e.row == p.row &&
           ((p.decided && more.empty()) || same_value(e, p));
  }
  bool same_value(const order_entry& e, const order_probe& p) const noexcept;
};

/// A node of a copy-on-write B+tree: reachable from the roots sealed at or after `birth`.
struct order_node {
  static constexpr std::uint32_t capacity = 32;

  std::uint64_t birth;
  std::uint32_t size;
  std::uint32_t is_leaf;
  order_entry entries[capacity]; ///< of an inner node: the exact least entry of each child
};
struct order_inner : order_node {
  order_node* children[capacity];
  std::uint32_t counts[capacity]; ///< entries below each child
};

inline order_inner& inner(order_node* n) noexcept { return *static_cast<order_inner*>(n); }
inline const order_inner& inner(const order_node* n) noexcept {
  return *static_cast<const order_inner*>(n);
}
inline std::size_t node_bytes(const order_node& n) noexcept {
  return n.is_leaf != 0 ? sizeof(order_node) : sizeof(order_inner);
}
/// Bytes of a node and all below it. O(nodes).
std::size_t subtree_bytes(const order_node* n) noexcept;
/// Entries below a node. O(capacity).
std::uint64_t subtree_size(const order_node* n) noexcept;

/// The first position in a node whose entry is not less than the probe.
inline std::uint32_t lower_bound(const order_node& n, const order_probe& p,
                                 const entry_order& order) noexcept {
  std::uint32_t first = 0, rest = n.size;
  while (rest > 0) {
    const std::uint32_t half = rest / 2;
    if (order.less(n.entries[first + half], p)) {
      first += half + 1;
      rest -= half + 1;
    } else {
      rest = half;
    }
  }
  return first;
}
/// The child of an inner node in which the probe lies.
inline std::uint32_t child_for(const order_node& n, const order_probe& p,
                               const entry_order& order) noexcept {
  const std::uint32_t i = lower_bound(n, p, order);
  if (i < n.size && order.same(n.entries[i], p))
    return i;
  return i == 0 ? 0 : i - 1;
}

/// How many entries are less than the probe. O(log n).
std::uint64_t rank_of(const order_node* root, const order_probe& p,
                      const entry_order& order) noexcept;

/// The writer's side of one ordered index: edits of the current operation, until sealed.
///
/// Nodes made in the current operation (birth == edit) are edited in place; others are copied and
/// remembered in `replaced`. After an exception the tree must be rolled back.
class order_tree {
public:
  order_tree(pool& memory, index_kind kind, std::uint32_t slot_number, const row_table& rows,
             std::vector<std::uint32_t> more = {})
      : memory_(memory), more_(std::move(more)), order_{&rows, kind, slot_number, never, more_} {}
  order_tree(const order_tree&) = delete;
  order_tree& operator=(const order_tree&) = delete;

  index_kind kind() const noexcept { return order_.kind; }
  std::uint32_t slot_number() const noexcept { return order_.slot_number; }
  order_node* root() const noexcept { return root_; }
  std::span<const std::uint32_t> more_slots() const noexcept { return more_; }
  /// Of the nodes below the root that was sealed last. For any thread.
  std::size_t bytes() const noexcept { return sealed_bytes_.load(std::memory_order_relaxed); }
  bool changed() const noexcept { return root_ != sealed_; }

  /// Nodes made from here on carry this birth; greater than any before.
  void begin(std::uint64_t edit) noexcept { edit_ = edit; }

  /// Adds the entry of a record that is not there, or its entries, of parts. Throws
  /// `std::bad_alloc`.
  void insert(const record_block& block, std::uint64_t row);
  /// Removes the entry, or the entries, of a row's head version. Throws `std::bad_alloc`.
  void erase(const record_block& block);
  /// Of an index of parts: `fresh` is the version after `old`. Throws `std::bad_alloc`.
  void replace_parts(const record_block& old, const record_block& fresh, std::uint64_t row);
  /// The same for a value that is no field of the record and that its prefix decides.
  void insert_at(const order_probe& p);
  void erase_at(const order_probe& p);
  void clear();
  /// Builds an empty tree from blocks in any order. Throws `std::bad_alloc`.
  void build(std::span<record_block* const> blocks) { build(sorted(blocks)); }
  /// The same from entries in order.
  void build(const std::vector<order_entry>& entries);

  /// Back to the last sealed root.
  void rollback() noexcept;
  /// Makes the current root the one to come back to.
  void seal() noexcept;

  /// Takes sealed operations back: the tree is what an older root says, and the nodes that the
  /// current root has and no root up to `seq` are freed. Nobody reads them, no operation is open.
  void rewind(order_node* root, std::uint64_t seq) noexcept;

  /// Nodes of earlier operations that the current one replaced; read before `seal`.
  std::span<order_node* const> replaced() const noexcept { return replaced_; }

private:
  /// Calls `f(probe)` for the place of a record's entry.
  template <class F>
  void with_probe(const record_block& block, std::uint64_t row, F&& f);
  order_node* make(bool leaf);
  order_node* own(order_node* n);
  void discard(order_node* n);
  order_node* insert_below(order_node*& n, const order_probe& p);
  order_node* split_leaf(order_node* n, std::uint32_t at);
  order_node* split_inner(order_node* n, std::uint32_t at);
  void erase_below(order_node*& n, const order_probe& p);
  void mend(order_node* parent, std::uint32_t i);
  void merge(order_node* parent, std::uint32_t left);
  void collapse();
  void discard_below(order_node* n);
  void free_younger(order_node* n, std::uint64_t seq) noexcept;
  void seal_bytes() noexcept { sealed_bytes_.store(bytes_, std::memory_order_relaxed); }
  std::vector<order_entry> sorted(std::span<record_block* const> blocks) const;
  std::vector<order_entry> sorted_parts(std::span<record_block* const> blocks) const;

  pool& memory_;
  const std::vector<std::uint32_t> more_; ///< slots of further fields
  entry_order order_;
  std::uint64_t edit_ = 0;
  order_node* root_ = nullptr;
  order_node* sealed_ = nullptr;
  std::size_t bytes_ = 0; ///< of the nodes below `root_`
  std::atomic<std::size_t> sealed_bytes_{0};
  std::vector<order_node*> fresh_;    ///< made by the current operation
  std::vector<order_node*> replaced_; ///< sealed nodes that it no longer uses
};

} // namespace holdfast::detail
