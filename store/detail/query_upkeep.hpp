#pragma once

#include <holdfast/store/detail/list_edits.hpp>
#include <holdfast/store/detail/query_basis.hpp>
#include <holdfast/store/detail/query_routes.hpp>
#include <holdfast/store/query_why.hpp>

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <utility>

namespace holdfast::detail {

/// A query's value that is kept up to date by the changes of records and by their deadlines, at the
/// cost of what changed and not of what the query reads. It knows when it does not know: then the
/// query is to be run. Not thread-safe.
///
/// It stands at a time, too: records whose deadline has come by then are not in it.
class query_upkeep {
public:
  /// One change among those of its bucket's line.
  struct place {
    sequence seq = 0;
    std::size_t change = 0; ///< of the commit
    friend auto operator<=>(const place&, const place&) = default;
  };

  /// Goes on from what a run gave. Null for a query of no kind that can be kept up, and where too
  /// many records have deadlines.
  static std::unique_ptr<query_upkeep> of(const declared_query& what, query_basis basis,
                                          const std::vector<query_reads>& reads,
                                          const result<query_value>& now);
  query_upkeep(const query_upkeep&) = delete;
  query_upkeep& operator=(const query_upkeep&) = delete;
  virtual ~query_upkeep() = default;

  /// Takes in a change that comes behind `at` of the run; those that it has are passed over, so
  /// that a commit may be routed again. False: run the query again. What it throws leaves it as it
  /// was.
  bool take(const place& at, const record_block* before, const record_block* after);
  /// Lets go of what has ended by then; O(log records) each. False: run the query again, also after
  /// what it throws.
  bool advance_to(std::int64_t now);
  /// Whether there is something to let go of by then. O(1).
  bool has_ended_by(std::int64_t now) const noexcept {
    return !ends_.empty() && ends_.begin()->first.first <= now;
  }
  /// Whether the value that `now` will give differs from the one before, or from that of the run;
  /// absent: they are to be compared.
  virtual std::optional<bool> moved() const = 0;
  /// What the value has come to; absent: run the query again. What it throws leaves it as it was.
  virtual std::optional<query_value> now() = 0;
  /// The time at which it stands.
  std::int64_t time() const noexcept { return advanced_; }
  /// Why the query is to be run again, when it is.
  run_cause lacking() const noexcept { return lacking_; }
  /// Whether less than before of what the query read matters; then its read says so, and fewer
  /// changes may be led to it. What it throws leaves it as it was.
  virtual bool narrow() { return false; }

protected:
  /// `over` is what the query read, and bound.
  explicit query_upkeep(std::shared_ptr<read_set::query_read> over) : over_{std::move(over)} {}
  read_set::query_read& over() const noexcept { return *over_; }
  /// False, for this reason.
  bool lacks(run_cause why) noexcept {
    lacking_ = why;
    return false;
  }
  /// The versions of one record that match the filter, or null.
  virtual bool take_matching(const record_block* before, const record_block* after) = 0;
  /// What of a record must be known when it ends. As it was when its deadline, or what the query
  /// uses of it, changed last: later versions are not led here.
  struct ending {
    record whole;
    value used;
  };
  virtual ending keep_of(const record_block& b) const { return {handle_to(&b), {}}; }
  virtual bool take_end(const ending& e) { return take_matching(e.whole.block(), nullptr); }
  /// Whether one that was taken in is kept, so that its end matters.
  virtual bool keeps(const record_block&) const { return true; }
  /// It is kept no more.
  void forget_end(const record_block& b) noexcept { ends_.erase(end_of(b)); }

private:
  /// By deadline and row.
  using ends = std::map<std::pair<std::int64_t, std::uint64_t>, ending>;

  static std::unique_ptr<query_upkeep> kind_of(const declared_query& what, query_basis basis,
                                               const std::vector<query_reads>& reads,
                                               const query_value& now);
  static ends::key_type end_of(const record_block& b) noexcept { return {b.expires_at, b.row}; }

  std::shared_ptr<read_set::query_read> over_;
  place taken_;               ///< the last change that it has
  ends ends_;                 ///< of the records in it that have deadlines
  std::int64_t advanced_ = 0; ///< the time at which it stands
  bool is_torn_ = false;      ///< something was thrown while it advanced
  run_cause lacking_ = run_cause::kind;
};

} // namespace holdfast::detail
