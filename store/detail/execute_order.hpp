#pragma once

#include <holdfast/store/detail/cursor.hpp>
#include <holdfast/store/detail/execute_stream.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace holdfast::detail {

/// A record in the making of an order, or a place behind one. The key is that of the first term, a
/// view into the record.
struct ordered_item {
  value_view key;
  std::uint64_t row = 0;
  const record_block* block = nullptr;
  const position* place = nullptr; ///< instead of a record
};

/// The one order of results: by the values of the terms, without a value last in both directions,
/// then by row. Refers to the order it is made of.
class item_order {
public:
  explicit item_order(const order_spec& spec) noexcept : terms_{spec.terms} {}
  explicit item_order(std::span<const bound_order> terms) noexcept : terms_{terms} {}

  ordered_item item(const record_block& block) const noexcept {
    return {terms_.empty() ? value_view{} : terms_[0].key(block), block.row, &block, nullptr};
  }
  ordered_item item(const position& place) const noexcept {
    return {terms_.empty() ? value_view{} : value_view{place.at[0]}, place.row, nullptr, &place};
  }
  bool operator()(const ordered_item& a, const ordered_item& b) const noexcept {
    if (!terms_.empty())
      if (int c = compare(a.key, b.key, terms_[0].descending))
        return c < 0;
    for (std::size_t i = 1; i < terms_.size(); ++i)
      if (int c = compare(key_of(a, i), key_of(b, i), terms_[i].descending))
        return c < 0;
    return a.row < b.row;
  }

private:
  static int compare(value_view a, value_view b, bool descending) noexcept {
    if (a.is_null() != b.is_null())
      return b.is_null() ? -1 : 1;
    auto c = a <=> b;
    return c == 0 ? 0 : (c < 0) != descending ? -1 : 1;
  }
  value_view key_of(const ordered_item& x, std::size_t term) const noexcept {
    return x.block ? terms_[term].key(*x.block) : value_view{x.place->at[term]};
  }

  std::span<const bound_order> terms_;
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

  /// Calls `fn` for every entry's record until it returns false, which is likely behind `needed` of
  /// them; whether it came to the end.
  template <class Fn>
  bool each(Fn&& fn, std::uint64_t needed) {
    for (rank_range part; next(part);)
      if (!from_.each_entry(how_.walk, part.first, part.last, fn, needed))
        return false;
    return true;
  }

  /// Passes by the first `count` entries, and makes `count` what is left when there are fewer.
  /// Before the walk begins, which has no `after`. O(log n).
  void skip(std::uint64_t& count);

private:
  /// The next stretch of entries that can be read forwards.
  bool next(rank_range& out);
  bool next_descending(rank_range& out);
  rank_range group_before(std::uint64_t last) const;
  void skip_descending(std::uint64_t& count);
  void cut(const position& after);
  /// Entries below a value of the field that is followed, and row.
  std::uint64_t rank(value_view x, std::uint64_t row) const {
    auto at = how_.walk_values;
    at.add(x);
    return from_.rank(how_.walk, at.all(), row);
  }
  bool descending() const noexcept { return how_.order.terms[how_.walk_term].descending; }

  const reader& from_;
  const plan& how_;
  std::vector<rank_range> values_; ///< still to be walked, of entries with a value
  std::vector<rank_range> nulls_;
  std::optional<rank_range> first_; ///< the rest of the group in which the walk begins
};

} // namespace holdfast::detail
