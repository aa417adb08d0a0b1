#pragma once

#include <holdfast/store/detail/bucket_data.hpp>
#include <holdfast/store/detail/order_cursor.hpp>
#include <holdfast/store/detail/prefetch.hpp>

#include <cassert>
#include <cstdint>
#include <span>
#include <utility>

namespace holdfast::detail {

/// A bucket at one seq. Lives while its thread is pinned on the bucket's line, with the pin's own
/// seq or that of a registered snapshot. Blocks it yields are good until then; keep one by adding
/// to `refs`.
///
/// Long walks of a snapshot should let go from time to time, for a pin holds back the freeing of
/// everything that dies meanwhile: unpin, pin again, and make a new view, going on at a row or
/// rank.
class read_view {
public:
  read_view(const bucket_data& data, std::uint64_t seq) noexcept
      : data_(data), seq_(seq), root_(data.root_at(seq)), rows_(data.rows()) {}

  std::uint64_t seq() const noexcept { return seq_; }
  const bucket_data& data() const noexcept { return data_; }
  /// The rows there are, to look up many.
  const row_table::window& rows() const noexcept { return rows_; }
  /// Records. O(1).
  std::uint64_t count() const noexcept { return root_.count; }
  /// One more than the newest row.
  std::uint64_t row_bound() const noexcept { return root_.row_bound; }

  /// The record with a key (a text or an integer, as the bucket's keys are), or null.
  template <class Key>
  const record_block* find(const Key& key) const {
    return find(key, hash_of(key));
  }
  template <class Key>
  const record_block* find(const Key& key, std::uint64_t hash) const {
    return data_.find_at(key, hash, seq_);
  }
  /// The record with a value in a unique index, or null.
  const record_block* find_unique(std::size_t index, const key_view& value) const {
    return data_.find_unique_at(index, value, seq_);
  }
  /// The record of a row, or null.
  const record_block* at_row(std::uint64_t row) const noexcept {
    return visible_at(rows_.head(row), seq_);
  }

  /// Calls `f(const record_block&)` in the order of insertion, from row `from` on, until it returns
  /// false. Returns the row to go on with, or `row_bound()` at the end.
  template <class F>
  std::uint64_t for_each(std::uint64_t from, F&& f) const;
  /// The same against the order of insertion, for rows below `below`; returns the bound to go on
  /// with.
  template <class F>
  std::uint64_t for_each_back(std::uint64_t below, F&& f) const;

  /// Passes by the first `count` records in the order of insertion, and makes `count` what is left
  /// when there are fewer. Returns the row to go on with. O(rows / 1024) as long as little has come
  /// or gone since, else up to O(rows).
  std::uint64_t skip_rows(std::uint64_t& count) const noexcept;

  // -- ordered indexes; `index` counts in the bucket's layout

  /// Entries, nulls included: one per record; of an inverted index, one per part of each.
  std::uint64_t index_size(std::size_t index) const noexcept { return subtree_size(tree(index)); }
  /// The values in a unique index: nulls are no entries of it. O(1).
  std::uint64_t unique_size(std::size_t index) const noexcept {
    return data_.unique_size(index, root_);
  }
  /// Entries below a value, or below and equal to it. O(log n).
  std::uint64_t rank_before(std::size_t index, const key_view& value) const noexcept {
    return rank(index, order_probe::before(kind(index), value));
  }
  std::uint64_t rank_behind(std::size_t index, const key_view& value) const noexcept {
    return rank(index, order_probe::behind(kind(index), value));
  }
  /// Entries in front of the one that a record with this value and row has or would have.
  std::uint64_t rank_of_row(std::size_t index, const key_view& value,
                            std::uint64_t row) const noexcept {
    return rank(index, {kind(index), value, row});
  }
  /// Entries in front of the place of these values, of as many of the index's first fields, and
  /// this row; with values of fewer than all, only rows 0 and ~0 make sense.
  std::uint64_t rank_of(std::size_t index, std::span<const key_view> values,
                        std::uint64_t row) const noexcept {
    return rank(index, {kind(index), values, row});
  }
  /// Entries in front of a place. O(log n).
  std::uint64_t rank(std::size_t index, const order_probe& p) const noexcept {
    return detail::rank_of(tree(index), p, data_.order_of(index, seq_));
  }
  /// The record at a rank; `rank < index_size(index)`. O(log n).
  const record_block& select(std::size_t index, std::uint64_t rank) const noexcept {
    order_cursor cursor(tree(index));
    cursor.seek_rank(rank);
    return block(cursor.entry());
  }
  /// Calls `f(const record_block&)` for ranks [first, last) in order of value, then row, until it
  /// returns false. Returns the rank to go on with.
  template <class F>
  std::uint64_t for_ranks(std::size_t index, std::uint64_t first, std::uint64_t last, F&& f) const;
  /// The same in reverse, from `last - 1` down; returns the bound to go on with.
  template <class F>
  std::uint64_t for_ranks_back(std::size_t index, std::uint64_t first, std::uint64_t last,
                               F&& f) const;

  // -- deadlines

  bool has_deadlines() const noexcept { return root_.deadlines != nullptr; }
  /// Records whose deadline is `now` or before it. O(log n), and nothing without deadlines.
  std::uint64_t expired_count(std::int64_t now) const noexcept {
    if (root_.deadlines == nullptr)
      return 0;
    return detail::rank_of(root_.deadlines, deadline_probe(now, ~std::uint64_t{0}),
                           deadline_order(data_.rows()));
  }
  /// Calls `f(const record_block&)` for `count` records in order of deadline, behind the first
  /// ones, until it returns false.
  template <class F>
  void for_deadlines(std::uint64_t first, std::uint64_t count, F&& f) const {
    if (count == 0)
      return;
    order_cursor at(root_.deadlines);
    at.seek_rank(first);
    for (; count > 0 && !at.at_end() && f(block(at.entry())); --count)
      at.next();
  }

  /// A cursor over an index, and what its entries stand for.
  order_cursor cursor(std::size_t index) const noexcept { return order_cursor(tree(index)); }
  const record_block& block(const order_entry& e) const noexcept {
    const record_block* b = visible_at(rows_.head(e.row), seq_);
    assert(b != nullptr);
    return *b;
  }

private:
  const order_node* tree(std::size_t index) const noexcept {
    return root_.trees()[data_.tree_number(index)];
  }
  index_kind kind(std::size_t index) const noexcept { return data_.layout().indexes[index].kind; }
  void prefetch(std::uint64_t row) const noexcept { detail::prefetch<0, 64, 128>(rows_.head(row)); }

  /// How many entries ahead records are fetched.
  static constexpr std::ptrdiff_t ahead = 4;

  const bucket_data& data_;
  std::uint64_t seq_;
  const bucket_root& root_;
  row_table::window rows_; ///< loaded after the root, so that it has the root's rows
};

inline std::uint64_t read_view::skip_rows(std::uint64_t& count) const noexcept {
  const row_table& rows = data_.rows();
  std::uint64_t row = rows.first_row();
  for (;;) {
    row = rows.skip_chunks(row, row_bound(), seq_, count);
    if (count == 0 || row == row_bound())
      return row;
    const std::uint64_t end = std::min(row + row_table::chunk_rows, row_bound());
    const auto visible = rows.visible_in_chunk(row, seq_);
    if (visible && *visible == end - row) // no gap among them
      return row + std::exchange(count, 0);
    // The rows that have a block contain those that are visible, so these are they.
    const bool all = visible && rows.taken_rows(row, end) == *visible;
    for (; count > 0 && row < end; ++row)
      if (record_block* head = rows_.head(row))
        count -= all || visible_at(head, seq_) != nullptr ? 1 : 0;
  }
}

template <class F>
std::uint64_t read_view::for_each(std::uint64_t from, F&& f) const {
  const std::uint64_t bound = root_.row_bound;
  for (std::uint64_t row = from; row < bound; ++row) {
    record_block* head = rows_.head(row);
    if (head == nullptr) {
      row = data_.rows().next_row(row + 1, bound);
      if (row == bound)
        break;
      head = rows_.head(row);
    }
    prefetch(row + ahead);
    const record_block* b = visible_at(head, seq_);
    if (b != nullptr && !f(*b))
      return row + 1;
  }
  return bound;
}

template <class F>
std::uint64_t read_view::for_each_back(std::uint64_t below, F&& f) const {
  const row_table& rows = data_.rows();
  std::uint64_t row = std::min(below, root_.row_bound);
  while (row > 0) {
    row = rows.skip_back(row);
    if (row == 0)
      break;
    --row;
    const record_block* b = visible_at(rows_.head(row), seq_);
    if (b != nullptr && !f(*b))
      return row;
  }
  return 0;
}

template <class F>
std::uint64_t read_view::for_ranks(std::size_t index, std::uint64_t first, std::uint64_t last,
                                   F&& f) const {
  last = std::min(last, index_size(index));
  if (first >= last)
    return first;
  order_cursor at(tree(index));
  at.seek_rank(first);
  for (;;) {
    const order_entry* e = &at.entry();
    const order_entry* const leaf_end = at.leaf_end();
    const auto here =
        std::min<std::uint64_t>(static_cast<std::uint64_t>(leaf_end - e), last - first);
    for (const order_entry* const end = e + here; e != end; ++e) {
      if (leaf_end - e > ahead) [[likely]]
        prefetch(e[ahead].row);
      ++first;
      if (!f(block(*e)))
        return first;
    }
    if (first == last)
      return first;
    at.skip(static_cast<std::uint32_t>(here));
  }
}

template <class F>
std::uint64_t read_view::for_ranks_back(std::size_t index, std::uint64_t first, std::uint64_t last,
                                        F&& f) const {
  last = std::min(last, index_size(index));
  if (first >= last)
    return last;
  order_cursor at(tree(index));
  at.seek_rank(last - 1);
  for (;;) {
    const order_entry* e = &at.entry();
    if (e - at.leaf_begin() >= ahead)
      prefetch(e[-ahead].row);
    --last;
    if (!f(block(*e)) || last == first || !at.previous())
      return last;
  }
}

} // namespace holdfast::detail
