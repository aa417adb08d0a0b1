#pragma once

#include <holdfast/store/field.hpp>
#include <holdfast/store/filter.hpp>
#include <holdfast/store/record.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace holdfast {

/// Handles to records, in the order of the query that gave them.
using records = std::vector<record>;

enum class direction : std::uint8_t { ascending, descending };

/// One field, or path into one, that results are put in order by.
struct order_term {
  std::string field;
  direction way = direction::ascending;
  friend bool operator==(const order_term&, const order_term&) = default;
};

/// What to read from a bucket, as a value: which records, in which order, how many. It knows no
/// bucket and holds no result; the same query can be run, counted, paged, explained and sent.
///
/// Without `order_by` the order is the bucket's own: insertion, or key order in an `ordered`
/// bucket. With it, records without a value come last in both directions, and records of equal
/// value are put in order by the next term, and at last stand in order of insertion. Behind a
/// path, arrays and objects count as no value.
class query {
public:
  /// Stands for "all of them" as a limit.
  static constexpr std::uint64_t unlimited = ~std::uint64_t{0};

  query() = default;
  explicit query(filter which) : where_{std::move(which)} {}

  /// Narrows the query: both filters must match.
  query& where(filter which) & {
    where_ = std::move(where_) && std::move(which);
    return *this;
  }
  query where(filter which) && { return std::move(where(std::move(which))); }

  /// Replaces the order. The field must be of a kind that has an order: no array, no object. It may
  /// be a path, see `filter`.
  query& order_by(std::string_view field, direction way = direction::ascending) & {
    order_.clear();
    return then_by(field, way);
  }
  query order_by(std::string_view field, direction way = direction::ascending) && {
    return std::move(order_by(field, way));
  }
  template <detail::has_order T, class R>
  query& order_by(field_ref<T, R> field, direction way = direction::ascending) & {
    return order_by(field.name, way);
  }
  template <detail::has_order T, class R>
  query order_by(field_ref<T, R> field, direction way = direction::ascending) && {
    return std::move(order_by(field.name, way));
  }

  /// Adds to the order: among records that are equal so far. At most 8 terms in all, more are
  /// `invalid_argument` when the query is used.
  query& then_by(std::string_view field, direction way = direction::ascending) & {
    order_.push_back({std::string{field}, way});
    return *this;
  }
  query then_by(std::string_view field, direction way = direction::ascending) && {
    return std::move(then_by(field, way));
  }
  template <detail::has_order T, class R>
  query& then_by(field_ref<T, R> field, direction way = direction::ascending) & {
    return then_by(field.name, way);
  }
  template <detail::has_order T, class R>
  query then_by(field_ref<T, R> field, direction way = direction::ascending) && {
    return std::move(then_by(field.name, way));
  }

  /// Leaves out the first `count` records. In the order of an index, and of a filter that an index
  /// answers alone in the bucket's own order, they are counted: O(log n). So they are in the order
  /// of insertion, where that is O(n / 1024), but one by one in parts of the bucket where others
  /// came or went since a snapshot that is read. Where a filter is left to check, where records
  /// have expired that are not purged yet, and in a transaction that has written to the bucket,
  /// each is looked at: O(count). Pages by cursor (`selection::page_of`) never are.
  query& offset(std::uint64_t count) & {
    offset_ = count;
    return *this;
  }
  query offset(std::uint64_t count) && { return std::move(offset(count)); }

  /// Gives at most `count` records.
  query& limit(std::uint64_t count) & {
    limit_ = count;
    return *this;
  }
  query limit(std::uint64_t count) && { return std::move(limit(count)); }

  /// Which fields, or paths into them, `objects` gives; of none: all. More than
  /// `record_limits::fields` are `invalid_argument` when the query is used.
  query& fields(std::vector<field_name> names) & {
    fields_ = std::move(names);
    return *this;
  }
  query fields(std::vector<field_name> names) && { return std::move(fields(std::move(names))); }

  const filter& which() const noexcept { return where_; }
  /// Empty: the bucket's own order.
  const std::vector<order_term>& order() const noexcept { return order_; }
  const std::vector<field_name>& fields() const noexcept { return fields_; }
  std::uint64_t offset() const noexcept { return offset_; }
  std::uint64_t limit() const noexcept { return limit_; }

  /// `select name, age where age >= 18 order by age descending, name offset 5 limit 10`; of no
  /// parts: `everything`.
  std::string to_string() const;

  friend bool operator==(const query&, const query&) = default;

private:
  filter where_;
  std::vector<order_term> order_;
  std::vector<field_name> fields_;
  std::uint64_t offset_ = 0;
  std::uint64_t limit_ = unlimited;
};

/// One page of a walk over a query's records.
struct page {
  records items;
  /// Pass it with the same query to get the next page; absent after the last one. Opaque text of
  /// letters, digits, `-` and `_`. It names a position, so it goes on correctly when the record at
  /// the position has been erased and when others come and go, in a persistent bucket also over a
  /// restart that lost nothing. It is of one bucket: in memory it ends with the store.
  std::optional<std::string> next;
};

/// How a query would be answered, for a person and for tests.
struct explanation {
  enum class source : std::uint8_t {
    nothing,     ///< the filter can match no record
    primary_key, ///< at most one look-up per key
    unique_index,
    index,          ///< one or more ranges of an ordered index
    inverted_index, ///< the parts of texts or arrays; what it finds may match
    index_union,    ///< several of the above, one per term of a disjunction
    scan,
  };
  enum class ordering : std::uint8_t {
    stored, ///< the bucket's own order, as the source gives it
    index,  ///< the order of the index that is walked
    sorted, ///< collected and sorted
  };

  source from = source::scan;
  /// Names of the indexes used, in order of use; of a unique or ordered index its field names.
  std::vector<std::string> indexes;
  /// What the source answers, as text; empty for a scan.
  std::string condition;
  /// What is still checked per record, as text; empty if nothing is.
  std::string residual;
  /// Records the source gives, counted from the indexes (exact for indexes and keys; one that an
  /// inverted index finds more than once is counted so).
  std::uint64_t estimated_rows = 0;
  /// Records in the bucket.
  std::uint64_t total_rows = 0;
  ordering order = ordering::stored;
  /// Whether `count` needs no record: the indexes answer alone.
  bool covers_count = false;

  /// One line, as `users: index role (role == "admin"), 1000 of 100000 rows, filter age >= 18,
  /// sorted by age`.
  std::string to_string() const;

  std::string bucket;     ///< the bucket's name
  std::string order_text; ///< as `age descending, name`; empty for the bucket's own order
};

/// `age descending, name`.
std::string to_string(const std::vector<order_term>& order);
std::string_view to_string(explanation::source from) noexcept;
std::string_view to_string(explanation::ordering order) noexcept;

} // namespace holdfast
