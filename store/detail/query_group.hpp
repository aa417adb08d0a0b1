#pragma once

#include <holdfast/runtime/detail/subscriber_queue.hpp>
#include <holdfast/store/detail/commit_line.hpp>
#include <holdfast/store/detail/query_upkeep.hpp>
#include <holdfast/store/live_query.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace holdfast::detail {

/// A query that a store knows. Immutable but for the counters.
struct query_definition {
  std::string name;
  query_function function;
  mutable std::atomic<std::uint64_t> runs{0};
  mutable std::atomic<std::uint64_t> delivered{0};
};

/// A moment of both lines.
struct query_moment {
  std::array<std::uint64_t, line_count> seq{};

  std::uint64_t& of(line_kind line) noexcept { return seq[static_cast<std::size_t>(line)]; }
  std::uint64_t of(line_kind line) const noexcept { return seq[static_cast<std::size_t>(line)]; }
  /// Whether nothing of `other` is missing.
  bool covers(const query_moment& other) const noexcept {
    return seq[0] >= other.seq[0] && seq[1] >= other.seq[1];
  }
  void advance_to(const query_moment& other) noexcept {
    for (std::size_t line = 0; line < line_count; ++line)
      seq[line] = std::max(seq[line], other.seq[line]);
  }
  friend bool operator==(const query_moment&, const query_moment&) = default;
};
query_moment moment_of(const snapshot_pair& at) noexcept;

/// One run of a query: what it gave, and what it read.
struct query_run {
  result<query_value> outcome;
  query_moment at;
  std::vector<query_reads> reads = {};
  std::vector<std::string> missing = {}; ///< buckets that it looked for and that are not there
};

/// Runs a query's function at a snapshot that has a time. On any thread; what the function throws
/// is its outcome. With `basis`, which is then filled in, so that what a declared query gives can
/// be kept up.
query_run run_query(commit_lines& lines, runtime& rt, const store_state* in,
                    const query_definition& what, const object& parameters,
                    const read_filters& only, const snapshot_pair& at, query_basis* basis);

/// Alive as long as something that was told before it is not handled; see `live_queries::settle`.
class delivery_epoch;

/// A value on its way to a subscriber.
struct query_event final : event {
  result<query_value> outcome = query_value{};
  query_moment at;
  std::uint64_t number = 0; ///< see `query_group`
  bool initial = false;
  std::shared_ptr<delivery_epoch> epoch;
};

/// Why a group is to be run again; as text only when somebody asks.
struct query_trigger {
  sequence seq = 0;
  bool persistent = false;
  std::string bucket = {};
  value key = {};                                  ///< of the record, if it was looked up
  std::shared_ptr<read_set::query_read> read = {}; ///< what the change touched
  query_reason reason() const;
};

/// The subscriptions with equal query, parameters and read filters. Guarded by `live_queries`.
class query_group : public std::enable_shared_from_this<query_group> {
public:
  std::string key; ///< in `live_queries`
  std::shared_ptr<query_definition> of;
  object parameters;
  read_filters filters;

  std::optional<result<query_value>> last; ///< of the newest run; absent before the first
  std::uint64_t number = 0; ///< of that value. What has the next number is known to differ from it
  query_moment at;          ///< the moment up to which it is that; nobody was told of a later one
  std::vector<query_reads> reads;
  query_routes::entries routes; ///< refer to `reads`
  std::vector<std::string> missing;
  std::unordered_map<subscriber_queue*, std::shared_ptr<subscriber_queue>> members;

  std::unique_ptr<query_upkeep> upkeep; ///< what follows from the routed changes without a run;
                                        ///< only while not dirty
  bool moved = false;                   ///< it may differ from `last`

  bool untold = false; ///< a telling of `last` has broken off: it is to be told before all else
  bool uneven = false; ///< somebody came with a value of the same moment that is not `last`
  bool dirty = false;  ///< something that it read has changed since: it is to be run
  bool queued = false; ///< in the queue of those that are to be brought up to date
  std::optional<query_trigger> trigger;
  run_cause cause = run_cause::arrival;   ///< of the next run, if dirty
  run_cause unfollowed = run_cause::kind; ///< why there is no upkeep, if so
  query_why counters;
};

} // namespace holdfast::detail
