#pragma once

#include "tests/store/reactive/reactive_group.hpp"
#include "tests/store/reactive/reactive_history.hpp"
#include "tests/store/reactive/reactive_queries.hpp"

#include <holdfast/store/store.hpp>

#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace holdfast::testing {

/// One subscription and what came of it.
struct reactive_subscriber {
  const reactive_query* of = nullptr;
  object with = {};
  read_filters filters = {};
  std::shared_ptr<reactive_group> group = {};
  std::size_t number = 0;  ///< in order of arrival
  std::string known = {};  ///< how it stood last, as far as it was told, or when it began
  std::string unseen = {}; ///< of that: one erased and inserted as it was is another
  reactive_moment at = {}; ///< of that
  bool told = false;

  struct value {
    reactive_moment at;
    std::string text, unseen;
    bool initial = false;
  };
  std::mutex mutex = {};
  std::deque<value> waiting = {};         ///< not checked yet
  std::deque<value> late = {};            ///< not shown to the group yet, by a bug
  std::optional<std::string> before = {}; ///< the last value
  std::string fault = {};                 ///< found by the handler itself
  std::size_t received = 0;
  subscription token = {}; ///< last, so that it ends first
};

/// The query, its parameters and its read filters: what members of a group have in common.
std::string name_of(const reactive_subscriber& s);

using reactive_subscribers = std::vector<std::unique_ptr<reactive_subscriber>>;

/// Gives it something to subscribe to: often what another one has, so that they are a group.
void choose(reactive_subscriber& s, const std::deque<reactive_query>& from,
            const std::vector<read_filters>& filters, const reactive_subscribers& others,
            reactive_random& random);
/// Keeps what it is told for the check, and does wrong what the bug says.
result<subscription> subscribe_to(store& db, reactive_subscriber& s, reactive_bug bug,
                                  live_options how);

/// What a store could be seen as at the moments that it has had.
struct reactive_past {
  /// What a query gives at one, in each of the ways in which the store could be seen then; nothing
  /// if there was no such moment.
  std::function<std::vector<std::string>(const reactive_subscriber&, const reactive_moment&)>
      outcomes;
  /// Whether buckets came or went at it, so that a subscriber may be told of it twice.
  std::function<bool(const reactive_moment&)> is_unsure;
};

/// Holds all that a subscriber was told since the last check against the query run afresh, and puts
/// what is wrong, and how much there was, into `out`.
void check_told(reactive_subscriber& s, const reactive_past& past, reactive_history& out);

/// The groups of a history.
class reactive_groups {
public:
  /// Before it subscribes.
  void join(reactive_subscriber& s);
  /// Holds what the members of each group were told since the last check against each other.
  /// Whoever was told is in `all`. See `reactive_group::check`.
  void check(const std::vector<reactive_subscriber*>& all, const reactive_past& past,
             reactive_history& out);

private:
  std::map<std::string, std::shared_ptr<reactive_group>> groups_;
  std::size_t members_ = 0; ///< ever
};

/// Counts how a list with a limit was brought up to date.
void count_kept_up(const reactive_subscriber& s, const store& db, reactive_history& out);

} // namespace holdfast::testing
