#pragma once

#include <holdfast/store/detail/query_routes.hpp>
#include <holdfast/store/live_query.hpp>

#include <compare>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

namespace holdfast::detail {

/// One number over the records of a filter (count, sum of integers, least or greatest value), kept
/// up to date by the changes of records: O(1) where a run costs O(records) or O(log records).
///
/// It knows when it does not know: then the query is to be run. Not thread-safe.
class query_tally {
public:
  /// One change among those of its bucket's line.
  struct place {
    sequence seq = 0;
    std::size_t change = 0; ///< of the commit
    friend auto operator<=>(const place&, const place&) = default;
  };

  /// Goes on from what a run gave. Absent for a query that is not of this kind, and where a record
  /// may end by its deadline, for then what a run gives depends on its time.
  static std::optional<query_tally> of(const declared_query& what,
                                       const std::vector<query_reads>& reads,
                                       const result<query_value>& now);

  /// Takes in a change that comes behind `at` of the run; those that it has are passed over, so
  /// that a commit may be routed again. False: run the query again. What it throws leaves it as it
  /// was.
  bool take(const place& at, const record_block* before, const record_block* after);
  const value& now() const noexcept { return now_; }

private:
  query_tally(aggregate::function what, std::shared_ptr<read_set::query_read> over,
              std::uint16_t slot, value now)
      : what_{what}, over_{std::move(over)}, slot_{slot}, now_{std::move(now)} {}
  bool add(std::int64_t n);
  bool take_extreme(value_view was, value_view is);

  aggregate::function what_;
  std::shared_ptr<read_set::query_read> over_; ///< its filter is bound
  std::uint16_t slot_;                         ///< of the field; unused for a count
  value now_;
  place taken_; ///< the last change that it has
};

} // namespace holdfast::detail
