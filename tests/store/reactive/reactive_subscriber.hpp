#pragma once

#include "tests/store/reactive/reactive_history.hpp"
#include "tests/store/reactive/reactive_queries.hpp"

#include <holdfast/store/store.hpp>

#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace holdfast::testing {

using reactive_moment = std::pair<sequence, sequence>; ///< in memory, durable

/// One subscription and what came of it.
struct reactive_subscriber {
  const reactive_query* of = nullptr;
  object with = {};
  std::string known = {};  ///< how it stood last, as far as it was told, or when it began
  std::string times = {};  ///< of its records then: one erased and inserted as it was is another
  reactive_moment at = {}; ///< of that
  bool told = false;

  struct value {
    reactive_moment at;
    std::string text, times;
    bool initial = false;
  };
  std::mutex mutex = {};
  std::deque<value> waiting = {}; ///< not checked yet
  std::string fault = {};         ///< found by the handler itself
  std::size_t received = 0;
  subscription token = {}; ///< last, so that it ends first
};

/// The query and its parameters.
std::string name_of(const reactive_subscriber& s);

/// Keeps what it is told for the check, and does wrong what the bug says.
std::function<void(const query_update&)> reactive_handler(reactive_subscriber& to,
                                                          reactive_bug bug);

/// How the store could be seen at a moment; not at all if there was none.
using reactive_views = std::function<std::vector<reactive_view>(const reactive_moment&)>;

/// Holds all that a subscriber was told since the last check against the query run afresh, and puts
/// what is wrong, and how much there was, into `out`.
void check_told(reactive_subscriber& s, const reactive_views& views, reactive_history& out);

/// Counts how a list with a limit was brought up to date.
void count_kept_up(const reactive_subscriber& s, const store& db, reactive_history& out);

} // namespace holdfast::testing
