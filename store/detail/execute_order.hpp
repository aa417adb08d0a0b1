#pragma once

#include <holdfast/store/detail/cursor.hpp>
#include <holdfast/store/detail/execute_stream.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace holdfast::detail {

/// A record in the making of an order. The key is a view into the record.
struct ordered_item {
  value_view key;
  std::uint64_t row;
  const record_block* block;
};

/// The one order of results: by value, without a value last in both directions, then by row.
class item_order {
public:
  explicit item_order(order_spec spec) noexcept : spec_{spec} {}

  ordered_item item(const record_block& block) const noexcept {
    auto key = spec_.slot == order_spec::by_row ? value_view{} : field_of(block, spec_.slot);
    return {key, block.row, &block};
  }
  bool operator()(const ordered_item& a, const ordered_item& b) const noexcept {
    if (a.key.is_null() != b.key.is_null())
      return b.key.is_null();
    if (auto c = a.key <=> b.key; c != 0)
      return (c < 0) != spec_.descending;
    return a.row < b.row;
  }

private:
  order_spec spec_;
};

/// Keeps the first `needed` items in order of those it is given: O(items) time, O(needed) memory.
class top_items {
public:
  /// `from_end` keeps the last ones instead.
  enum class end : bool { front, back };
  top_items(item_order order, std::uint64_t needed, end which) noexcept
      : order_{order}, needed_{needed}, which_{which} {}

  void add(const ordered_item& item);
  /// The kept items in order. Once.
  std::span<const ordered_item> sorted();

private:
  bool nearer(const ordered_item& a, const ordered_item& b) const noexcept {
    return which_ == end::front ? order_(a, b) : order_(b, a);
  }
  void prune();

  item_order order_;
  std::uint64_t needed_;
  end which_;
  std::vector<ordered_item> items_;
};

/// Walks an index in order: by value in one direction, equal values by row, null last.
class index_walk {
public:
  /// Through the ranges of `how`'s only part or the whole index, from behind `after`, if there is
  /// one.
  index_walk(const reader& from, const plan& how, const position* after);

  /// Calls `fn` for every entry's record until it returns false; whether it came to the end.
  template <class Fn>
  bool each(Fn&& fn) {
    for (rank_range part; next(part);)
      if (!from_.each_entry(how_.walk, part.first, part.last, fn))
        return false;
    return true;
  }

private:
  /// The next stretch of entries that can be read forwards.
  bool next(rank_range& out);
  bool next_descending(rank_range& out);
  rank_range group_before(std::uint64_t last) const;
  void cut(const position& after);

  const reader& from_;
  const plan& how_;
  std::vector<rank_range> values_; ///< still to be walked, of entries with a value
  std::vector<rank_range> nulls_;
  std::optional<rank_range> first_; ///< the rest of the group in which the walk begins
};

} // namespace holdfast::detail
