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
    lowest
  };
  what kind = what::get;
  bool right = false;      ///< which of the two buckets
  std::int64_t key = 0;    ///< or where a range begins, or how many of the lowest
  std::int64_t number = 0; ///< content, or where a range ends
  std::string text;        ///< a tag, or what is appended
  std::optional<std::int64_t> parent = {};
  std::string gave = {};
  std::int64_t ends = 0; ///< the deadline that it gives the record; 0: none
};

/// A transaction that committed, or that only read.
struct done_transaction {
  std::int64_t id = 0;
  sequence seq = 0;             ///< of its commit; 0: it only read
  sequence first = 0, last = 0; ///< what was published when it began and when it had ended
  std::vector<step> steps;
  std::int64_t at = 0; ///< when it committed, or began if it only read; 0 without deadlines
};

/// What a transaction of the harness does with the store's answer to a read, though it should not.
enum class planted_bug : std::uint8_t {
  none,
  unread_keys,   ///< looks keys up past the transaction
  unread_counts, ///< counts ranges past the transaction
  unread_orders, ///< reads the lowest of an order past the transaction
};

struct history_options {
  unsigned threads = 4;
  std::size_t transactions = 300; ///< of each thread
  std::uint64_t seed = 1;
  bool persistent = false;
  /// And one of the buckets in memory: most transactions have a commit over both lines. Each has
  /// one in the durable line, whose order is that of the history. Needs `persistent`.
  bool both_lines = false;
  bool crashes = false; ///< buckets crash now and then
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
  std::string left, right; ///< the records, in order
  std::int64_t at = 0;     ///< when that was
  std::size_t conflicts = 0;
  std::vector<std::string> failures; ///< errors that cannot be
};

/// Runs random transactions from several threads: lists that are appended to, a bank, a ring,
/// ranges that are counted and added to, unique values that are handed over, records that refer to
/// others, plain writes between them.
history run_history(const history_options& options);

/// Why no serial run in the order of commits gives what the transactions saw; nothing if one does.
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
