#pragma once

#include <holdfast/store/detail/match.hpp>
#include <holdfast/store/detail/reader.hpp>
#include <holdfast/store/query.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace holdfast::detail {

/// Entries [first, last) of an ordered index, by rank in the version that is read.
struct rank_range {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  std::uint64_t size() const noexcept { return last - first; }
  friend bool operator==(const rank_range&, const rank_range&) = default;
};

/// Values that all entries of an access have in the first fields of an index.
class leading_values {
public:
  void add(value_view x) noexcept { values_[size_++] = x; }
  void clear() noexcept { size_ = 0; }
  std::size_t size() const noexcept { return size_; }
  std::span<const value_view> all() const noexcept { return {values_.data(), size_}; }

private:
  std::array<value_view, max_index_fields> values_;
  std::size_t size_ = 0;
};

/// One way to reach records: by keys, through a unique index, through ranges of an ordered or of an
/// inverted one. The latter may lead to a record more than once.
struct access {
  explanation::source from = explanation::source::scan;
  std::uint16_t slot = 0;         ///< of a key, for texts
  std::uint32_t index = 0;        ///< which of the bucket's indexes
  std::span<const value> values;  ///< what to look up, of a key or unique index
  std::vector<rank_range> ranges; ///< of an ordered or inverted index: ascending, apart
  leading_values equal = {};      ///< of an ordered index
  bool one_value = false; ///< `equal` in all fields of the index: entries stand in order of rows
  bool fixes_all_but_last = false; ///< `equal` in all of several fields but the last
  std::uint64_t rows = 0;          ///< how many records it gives at most
};

/// One term of an order.
struct bound_order {
  bound_field field;
  bool descending = false;

  /// What a record is ordered by: arrays and objects, which only paths lead to, are no value.
  value_view key(const record_block& block) const noexcept {
    auto x = field_of(block, field);
    return x.kind() < value_kind::array ? x : value_view{};
  }
};

/// How records are put in order: by the terms, then by row. Refers to the query.
struct order_spec {
  std::vector<bound_order> terms;
  bool by_row() const noexcept { return terms.empty(); }
};

/// How a query is answered at one version of a bucket. Refers to the query's filter and to the
/// version.
struct plan {
  /// What is read; several parts are a union, whose records may overlap; none is a scan or, with
  /// `nothing`, no record at all.
  std::vector<access> parts;
  bool nothing = false;
  /// What the parts answer, in texts.
  std::string condition;
  /// What is left to check.
  matcher residual;
  order_spec order;
  explanation::ordering ordering = explanation::ordering::stored;
  /// With `ordering::index`: the term of the order that the walk follows; those before it are the
  /// same in all records that match.
  std::size_t walk_term = 0;
  /// With `ordering::index`: the index whose order is walked. Its ranges are those of the only
  /// part, or all of it when there is no part.
  std::uint32_t walk = 0;
  /// What all entries of the walk have in the fields in front of the one it follows.
  leading_values walk_values;
  /// With own writes of a transaction: the whole filter, for these.
  std::optional<matcher> of_own = {};
  /// Records to be read at most, and in the result, as far as the indexes tell.
  std::uint64_t rows = 0;

  bool is_scan() const noexcept { return parts.empty() && !nothing; }
  /// Whether the parts alone say how many records match, as long as none of them has expired.
  bool covers_count() const noexcept {
    return !of_own && residual.is_everything() &&
           (parts.empty() || (parts.size() == 1 && !parts[0].ranges.empty()));
  }
};

/// What the plan is for, beyond the query: a limit known to be enough, and whether order matters.
struct plan_goal {
  std::uint64_t needed = query::unlimited; ///< matching records, in order, from the start
  bool any_order = false;
  bool from_end = false; ///< the needed ones are the last: only a scan can begin with those
  bool counting = false; ///< only the number of records is asked for
  bool texts = false;    ///< fill in `condition`
};

/// Chooses the cheapest way. O(terms * log n), without touching more records than the descents into
/// the indexes need. `invalid_argument` for unknown fields and impossible operands, whatever the
/// indexes.
result<plan> make_plan(const reader& from, const filter& which, const order_spec& order,
                       const plan_goal& goal);

/// The order that a query asks for, in a bucket of this kind; `invalid_argument` if a field is
/// unknown or has no order.
result<order_spec> bind_order(const record_layout& layout, bool key_ordered, const query& q);
inline result<order_spec> bind_order(const reader& from, const query& q) {
  return bind_order(from.layout(), from.key_ordered(), q);
}

} // namespace holdfast::detail
