#pragma once

#include <holdfast/store/options.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace holdfast::testing {

/// What a test breaks on purpose, to see that the checks find it.
enum class reactive_bug {
  none,
  unread,     ///< queries read one bucket past their context
  torn,       ///< of two reads of a query, one is of another moment
  lost,       ///< a subscriber does not get some of its values
  backwards,  ///< a subscriber gets a value again that it had before
  stale,      ///< a value comes with the seqs of a later moment
  unfilled,   ///< in a list with a limit, what leaves is not replaced from behind its end
  unfiltered, ///< a read filter is left out of a subscription
  lone,       ///< one member of a group gets another value than the others
  ahead,      ///< members of a group get values before another one gets those before them
  unchanged,  ///< an item of a list with other content is not told to have changed
  misplaced,  ///< an item that has moved is told to have stood elsewhere
  unremoved,  ///< another item than the one that left is told to have left
  // In the store:
  left_out,    ///< a change is not led to one of the queries that it affects
  taken_twice, ///< a change is taken twice into what is kept up without a run
  passed_over, ///< one member of a group is not told
  left_ended,  ///< a record that has ended stays in what is kept up without a run
};
/// Where the store goes wrong by it; empty for what is wrong elsewhere.
std::string bug_point_of(reactive_bug bug);

struct reactive_options {
  std::size_t commits = 400;
  std::size_t queries = 12;
  std::size_t subscribers = 24;
  std::uint64_t seed = 1;
  bool durable = false;       ///< some buckets are persistent
  bool crashes = false;       ///< of buckets, of the query manager, and in the middle of its steps
  bool redefine = false;      ///< buckets get fields and indexes
  bool drops = false;         ///< buckets go, and others of their names come
  bool deterministic = false; ///< actors run between writes, in an order that the seed gives
  unsigned writers = 3;       ///< threads, of `run_reactive_writers`
  reactive_bug bug = reactive_bug::none;
};

struct reactive_history {
  std::vector<std::string> failures; ///< what was promised and did not hold
  std::size_t commits = 0;
  std::size_t values = 0; ///< told to subscribers, errors included
  std::size_t errors = 0; ///< of these
  std::size_t crashes = 0;
  std::size_t drops = 0;
  std::size_t shared = 0;       ///< values told to one of several members of a group
  std::size_t filtered = 0;     ///< values told to those who have read filters
  std::size_t cut_adjusted = 0; ///< checks at which a list with a limit had been kept up
  std::size_t cut_spent = 0;    ///< and at which it had been run for what it had to spare
};

/// The settings of a history's store: lists with a limit keep so little to spare that it is used
/// up.
store_options reactive_settings(const reactive_options& options);

/// Writes at random to a store of random schemas, with subscribers of random queries coming and
/// going, and holds everything they are told against the same query run afresh on a snapshot of
/// that very moment, through ordinary handles; what they are told to have become of a list against
/// both lists; and the members of a group against each other.
reactive_history run_reactive(const reactive_options& options);

/// The same with several threads that write, some of them without waiting, so that commits are on
/// their way while queries are run; and with records that end by deadlines, as others come, and
/// with those that they refer to. The moments are those of a replay of the store's events.
reactive_history run_reactive_writers(const reactive_options& options);

} // namespace holdfast::testing
