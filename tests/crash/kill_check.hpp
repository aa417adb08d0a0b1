#pragma once

#include "kill_log.hpp"
#include "kill_options.hpp"
#include "kill_workload.hpp"

#include <holdfast/store/store.hpp>

#include <array>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace holdfast::testing {

/// The oracle of the kill test: follows one directory from child to child, and says whether what
/// was found after a kill is a prefix of the commit order that holds every commit acknowledged at
/// its level. What it demands:
///   - each lane's records are, in content, versions and order of insertion, exactly what some
///     number of its steps gives: a prefix in which commits of several records are whole or absent;
///   - a lane at `sync` or `group` has all its acknowledged steps; whatever the level, what was
///     acknowledged before a `sync()` that returned is there;
///   - over the lanes: of the commits whose place in the order is known, those up to the last one
///     that was recovered are there and no others, and there are as many steps as commits; a step
///     that was acknowledged before another one was attempted comes before that one;
///   - what all lanes write, the shared record and the accounts, is what their prefixes make of it,
///     and was written last by the last of them;
///   - transfers between accounts are there with all their parts or not at all: the sum over the
///     accounts never changes;
///   - autoincrement has given every number once and left none out;
///   - every index agrees with the records.
class kill_checker {
public:
  explicit kill_checker(std::uint64_t seed);

  /// What is wrong in a store opened after the child that wrote `log` was killed; empty if nothing.
  /// `last` is the last commit that was recovered. Afterwards the checker stands at what was found.
  std::vector<std::string> check(const store& db, sequence last, const kill_log& log,
                                 const kill_orders& orders);

  /// How many steps of each lane there are.
  kill_log::counts done() const;

private:
  struct found_doc {
    std::string key;
    std::int64_t n = 0; ///< the step that wrote it last
    std::uint64_t version = 0;
  };
  /// What a store holds of one lane.
  struct found_lane {
    std::uint64_t hash = 0;
    std::vector<found_doc> docs;                    ///< in the bucket's order
    std::map<std::int64_t, std::int64_t> events[2]; ///< and tickets: step to number
    std::int64_t transfer = 0;                      ///< the last one in its ledger
  };
  /// A step of a lane and, if it is known, its place in the commit order.
  struct place {
    unsigned lane = 0;
    std::int64_t n = 0;
    sequence seq = 0;

    std::string to_string() const;
  };
  struct found_account {
    std::int64_t amount = 0;
    std::uint64_t version = 0; ///< 0: not there
    place writer;
  };

  void collect(const store& db);
  void collect_accounts(const store& db, const snapshot& seen);
  void match(unsigned lane, const kill_log& log, std::int64_t base);
  void check_order(unsigned lane);
  void give(std::int64_t told, const kill_step& step, const found_lane& found, lane_model& to);

  // kill_promises.cpp
  void check_promises(const kill_log& log, const kill_orders& orders);
  void check_commits(sequence last, const kill_log& log, const kill_orders& orders);
  void check_moments(const kill_log& log, const kill_orders& orders);
  void check_shared();
  void check_transfers();
  void check_accounts();
  void check_writer(unsigned account);

  std::size_t steps_found(unsigned lane, const kill_orders& orders) const {
    return static_cast<std::size_t>(models_[lane].done() - orders.done[lane]);
  }
  void wrong(const std::string& what) { violations_.push_back(what); }
  std::string difference(const lane_model& model, const found_lane& found) const;

  std::vector<lane_model> models_;
  std::set<std::int64_t> numbers_[2]; ///< that events and tickets got, the erased ones included
  std::vector<std::string> violations_;
  std::array<found_lane, kill_log::lanes> found_;
  std::array<found_account, accounts> accounts_;
  std::array<std::vector<place>, accounts> writers_; ///< steps that were found and not before
  std::uint64_t shared_version_ = 0;                 ///< 0: not there
};

} // namespace holdfast::testing
