#pragma once

#include <holdfast/store/store.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace holdfast::testing {

/// One read or write of a transaction, and what it gave, as text.
struct step {
  enum class what : std::uint8_t {
    get,
    insert,
    set_number,
    set_tag,
    append,
    touch,
    erase,
    count,
    lowest,
    highest
  };
  what kind = what::get;
  bool right = false;      ///< which of the two buckets
  std::int64_t key = 0;    ///< or where a range begins, or how many at an end
  std::int64_t number = 0; ///< content, or where a range ends, or the highest do
  std::string text;        ///< a tag, or what is appended
  std::optional<std::int64_t> parent = {};
  std::string gave = {};
  std::int64_t ends = 0; ///< the deadline that it gives the record; 0: none
};

/// How far both lines of commits are; or a commit's place in each, 0 where it has none.
struct moment {
  sequence memory = 0, durable = 0;
  friend bool operator==(const moment&, const moment&) = default;
  bool reaches(const moment& other) const {
    return memory >= other.memory && durable >= other.durable;
  }
};

/// A transaction, or a write or look without one, that committed, only read, or was refused.
struct done_transaction {
  std::int64_t id = 0;
  moment commit = {}; ///< nowhere: it only read, or was refused
  /// What was published before it began (its last attempt), when that had its snapshot, and when it
  /// had ended. The first two are one unless others came between them. A plain write has no
  /// snapshot, and `seen` is as `last`.
  moment first = {}, seen = {}, last = {};
  std::uint64_t began = 0, ended = 0; ///< in the order of all such events; the moments lie between
  std::vector<step> steps;
  std::int64_t at = 0;  ///< when it committed, or began if it did not; 0 without deadlines
  bool refused = false; ///< with `duplicate`: a unique value was another record's, too

  bool wrote() const { return commit != moment{}; }
};

/// What goes wrong in a history on purpose.
enum class planted_bug : std::uint8_t {
  none,
  // What a transaction of the harness does with reads, though it should not:
  unread_keys,   ///< looks keys up past the transaction
  unread_counts, ///< counts ranges past the transaction
  unread_orders, ///< reads the ends of an order past the transaction
  // What the store leaves out:
  unchecked_buckets, ///< the look whether what was read in buckets that it did not write has
                     ///< changed
  shared_values,     ///< the look whether two records have one unique value
  left_referrers,    ///< that what refers to a record goes with it
  surviving_edits,   ///< that who crashes behind its seal has its commit: it says `bucket_crashed`
};

struct history_options {
  unsigned threads = 4;
  std::size_t transactions = 300; ///< of each thread
  std::uint64_t seed = 1;
  bool persistent = false;
  /// The left bucket is persistent, the right one in memory: some transactions have a commit in the
  /// one line, some in the other, some in both. Free threads have a disk that now and then holds
  /// still while commits in memory go on. Needs `persistent`.
  bool both_lines = false;
  /// Actors of buckets crash now and then, and what is written is cut off amid its edits.
  bool crashes = false;
  bool redefinitions = false; ///< buckets get other fields and indexes now and then
  /// One thread runs at a time, and before each step the seed says which: two histories of one seed
  /// are the same, but for what workers do.
  bool interleaved = false;
  /// On the deterministic scheduler, whose actors run when the seed says so, and so on no workers.
  /// Needs `interleaved`, and no journal.
  bool deterministic = false;
  /// Many records of the right bucket end by themselves: time goes on between steps, and what has
  /// ended is purged, when the seed says so. Needs `interleaved`.
  bool deadlines = false;
  planted_bug bug = planted_bug::none;
};

/// What ran, and what was there in the end.
struct history {
  std::vector<done_transaction> all;
  bool durable[2] = {false, false}; ///< in which line the left bucket is, and the right one
  std::string left, right;          ///< the records, in order
  std::int64_t at = 0;              ///< when that was
  std::size_t conflicts = 0;
  std::vector<std::string> failures;     ///< errors that cannot be
  std::vector<done_transaction> cut_off; ///< who were told of a crash, and so have no commit
};

/// Runs random transactions from several threads: lists that are appended to, a bank, a ring,
/// ranges that are counted and added to, unique values that are handed over, swapped and claimed,
/// records that refer to others; between them plain writes, and looks at a snapshot.
history run_history(const history_options& options);

/// Why there is no order in which a serial run gives what the transactions saw: one that keeps to
/// the commits of each line, to what snapshots show of both, and to who was told of a commit before
/// another began. Nothing if there is one.
std::optional<std::string> find_anomaly(const history& ran);

/// A cycle of dependencies between transactions that appended to lists and read them, found without
/// a look at commit numbers; empty if there is none.
std::vector<std::int64_t> find_cycle(const history& ran);

/// A look at all accounts of the bank that did not find all the money; nothing if none did.
std::optional<std::string> find_lost_money(const history& ran);

/// A look at the whole ring that found two neighbours off: each was switched off in view of the
/// other one, which was on (write skew). Nothing if none did.
std::optional<std::string> find_broken_ring(const history& ran);

} // namespace holdfast::testing
