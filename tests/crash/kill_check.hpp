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
///   number
///     of its steps gives: a prefix in which commits of several records are whole or absent;
///   - a lane at `sync` or `group` has all its acknowledged steps; whatever the level, what was
///     acknowledged before a `sync()` that returned is there;
///   - over the lanes: a step that was acknowledged before another one was attempted is there if
///   that
///     one is; the shared record has been updated as often as the lanes' prefixes say;
///   - autoincrement has given every number once and left none out;
///   - every index agrees with the records.
class kill_checker {
public:
  explicit kill_checker(std::uint64_t seed);

  /// What is wrong in a store opened after the child that wrote `log` was killed; empty if nothing.
  /// Afterwards the checker stands at what was found.
  std::vector<std::string> check(const store& db, const kill_log& log, const kill_orders& orders);

  /// How many steps of each lane there are.
  std::array<std::int64_t, kill_log::lanes> done() const;

private:
  /// What a store holds of one lane.
  struct found_lane {
    std::uint64_t hash = 0;
    std::vector<std::string> docs;                  ///< keys in the bucket's order
    std::map<std::int64_t, std::int64_t> events[2]; ///< and tickets: step to number
  };

  void collect(const store& db);
  void match(unsigned lane, const kill_log& log, std::int64_t base);
  void check_order(unsigned lane);
  void give(std::int64_t told, const kill_step& step, const found_lane& found, lane_model& to);
  void check_promises(const kill_log& log, const kill_orders& orders);
  void check_shared();
  void wrong(const std::string& what) { violations_.push_back(what); }
  std::string difference(const lane_model& model, const found_lane& found) const;

  std::vector<lane_model> models_;
  std::set<std::int64_t> numbers_[2]; ///< that events and tickets got, the erased ones included
  std::vector<std::string> violations_;
  std::array<found_lane, kill_log::lanes> found_;
  std::uint64_t shared_version_ = 0; ///< 0: not there
};

} // namespace holdfast::testing
