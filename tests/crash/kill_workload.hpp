#pragma once

#include "kill_transfer.hpp"

#include <holdfast/store/value.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::testing {

/// One write of one lane.
struct kill_step {
  enum class kind : std::uint8_t {
    insert,
    insert_many,
    update,
    upsert,
    erase, // in docs
    event,
    erase_event,
    count,
    scratch,
    clear_scratch,
    transfer,
  };
  kind what = kind::insert;
  std::int64_t n = 0;       ///< the number of the step in its lane, from 1
  std::string key;          ///< of update and erase
  std::vector<object> docs; ///< of the others; of an update: the changes
  std::size_t event = 0;    ///< which of the lane's events `erase_event` takes
  bool ticket = false;      ///< the event is a ticket
  holdfast::testing::transfer move = {};
};

/// What one thread of the workload writes: step n is a pure function of the seed, the lane and n,
/// so the parent of a kill test can follow. Lanes own their records, but for the shared counter
/// record, in which each has a field, and the accounts, whose amounts no lane knows alone. No two
/// states of a lane are equal: every fourth step leaves a mark that stays, and nothing younger than
/// the last mark is erased.
///
/// Not thread-safe.
class lane_model {
public:
  struct doc {
    object fields;
    std::uint64_t version = 1;
    std::uint64_t place = 0; ///< in the order of insertion
    std::int64_t n = 0;      ///< the step that wrote it last
  };
  struct event {
    std::int64_t n = 0;
    std::int64_t number = 0; ///< 0: not known
  };

  /// `docs_only`: for a lane that does not wait for each step, whose order only one bucket keeps.
  lane_model(std::uint64_t seed, unsigned lane, bool docs_only);

  /// The next step.
  kill_step next() const;
  /// Takes it as done; `number` is what an event got, if known.
  void apply(const kill_step& step, std::int64_t number = 0);

  unsigned lane() const noexcept { return lane_; }
  std::int64_t done() const noexcept { return done_; }
  std::uint64_t counted() const noexcept { return counted_; }
  /// A hash over all the lane's own records, in any order; see the functions below.
  std::uint64_t hash() const noexcept { return hash_; }

  const std::map<std::string, doc>& docs() const noexcept { return docs_; }
  std::vector<event>& events(bool tickets) noexcept { return events_[tickets]; }
  const std::vector<std::pair<std::string, std::int64_t>>& scratch() const noexcept {
    return scratch_;
  }

  const transfer_model& transfers() const noexcept { return transfers_; }

  static std::uint64_t doc_hash(std::string_view key, std::int64_t n, value_view mail,
                                value_view role, value_view body, std::uint64_t version);
  static std::uint64_t event_hash(std::int64_t n, bool ticket);
  static std::uint64_t count_hash(std::int64_t n);
  static std::uint64_t scratch_hash(std::string_view key, std::int64_t n);
  static std::uint64_t ledger_hash(std::int64_t n, value_view list, std::uint64_t version);

private:
  class dice;
  kill_step mark(std::int64_t n) const;
  static transfer new_transfer(dice& d);
  object new_doc(std::int64_t n, const std::string& key, dice& d) const;
  std::string free_key(dice& d, const std::vector<object>& besides) const;
  object changes(std::int64_t n, dice& d) const;
  void put(const object& fields, bool may_exist);
  void change(const std::string& key, const object& changes);
  void remove(const std::string& key);
  void move(const transfer& t, std::int64_t n);
  static std::uint64_t hash_of(const doc& d);

  std::uint64_t seed_;
  unsigned lane_;
  bool docs_only_;
  std::int64_t done_ = 0;
  std::uint64_t counted_ = 0;
  std::int64_t last_count_ = 0;
  std::uint64_t inserted_ = 0;
  std::uint64_t hash_ = 0;
  std::map<std::string, doc> docs_;
  std::vector<event> events_[2]; ///< and tickets
  std::vector<std::pair<std::string, std::int64_t>> scratch_;
  transfer_model transfers_;
};

} // namespace holdfast::testing
