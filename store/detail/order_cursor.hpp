#pragma once

#include <holdfast/store/detail/order_tree.hpp>

#include <cstdint>

namespace holdfast::detail {

/// A position in a sealed ordered index: on an entry, or behind the last one. Valid while the root
/// is pinned or held by a snapshot.
class order_cursor {
public:
  /// Behind the last entry of an empty tree, on the first of another.
  explicit order_cursor(const order_node* root) noexcept : root_(root) { seek_rank(0); }

  /// To the first entry that is not less than the probe. O(log n).
  void seek(const order_probe& p, const entry_order& order) noexcept;
  /// To the k-th entry, counted from 0. O(log n).
  void seek_rank(std::uint64_t k) noexcept;

  bool at_end() const noexcept {
    return depth_ == 0 || path_[depth_ - 1].at >= path_[depth_ - 1].node->size;
  }
  const order_entry& entry() const noexcept {
    return path_[depth_ - 1].node->entries[path_[depth_ - 1].at];
  }
  /// The entries from here to the end of the leaf: what may be prefetched.
  const order_entry* leaf_end() const noexcept {
    return path_[depth_ - 1].node->entries + path_[depth_ - 1].node->size;
  }
  const order_entry* leaf_begin() const noexcept { return path_[depth_ - 1].node->entries; }

  /// One on; from an entry.
  void next() noexcept {
    step& leaf = path_[depth_ - 1];
    if (++leaf.at == leaf.node->size) [[unlikely]]
      next_leaf();
  }
  /// On by `n`, at most to the next leaf; from an entry.
  void skip(std::uint32_t n) noexcept {
    step& leaf = path_[depth_ - 1];
    leaf.at += n;
    if (leaf.at == leaf.node->size)
      next_leaf();
  }
  /// One back, also from the end; false, and no move, on the first entry.
  bool previous() noexcept;

private:
  /// More than a tree of 2^32 entries needs at a quarter of the fill.
  static constexpr std::uint32_t deepest = 24;
  struct step {
    const order_node* node;
    std::uint32_t at;
  };
  void next_leaf() noexcept;
  void push(const order_node* n, std::uint32_t at) noexcept { path_[depth_++] = {n, at}; }

  const order_node* root_;
  std::uint32_t depth_ = 0;
  step path_[deepest];
};

} // namespace holdfast::detail
