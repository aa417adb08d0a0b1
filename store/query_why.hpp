#pragma once

#include <holdfast/store/change.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// What a live query has cost so far, and why: what `store::why` gives.
namespace holdfast {

/// Why a query was run again or adjusted: the commit, and which of the things that it had read the
/// commit changed.
struct query_reason {
  sequence seq = 0;
  bool persistent = false; ///< whose line the seq is of
  std::string bucket;
  std::string part; ///< `key "7"`, or the query as text
  /// `users: where age >= 18, changed by commit 12`.
  std::string to_string() const;
};

/// Why a query was run, and its value did not follow from what had changed.
enum class run_cause : std::uint8_t {
  arrival,   ///< somebody subscribed: there was no value yet, or none surely of that moment
  kind,      ///< its value never does: it is a function, say, or groups
  deadlines, ///< more than 16,384 records have deadlines, or any and it is a least or greatest
  extreme,   ///< the least or greatest value went
  bulk,      ///< so much of a list had changed at once that a run costs no more
  spare,     ///< more records left a list with a limit than it keeps behind its end
  bucket,    ///< a bucket was cleared, defined, dropped, or defined in another way
  meanwhile, ///< what had changed is not known: it did while a run was under way or at its start
  fault,     ///< a step had failed, as without memory
};
/// `arrival`, `kind`, ...
std::string_view to_string(run_cause why) noexcept;

/// How often a query with some parameters was run, and why the last time.
///
/// A declared count, sum, average, minimum, maximum, or list follows from the changes of records
/// and from their deadlines, so it is run again only for a `run_cause`. Of a list with an offset or
/// limit its records up to the limit are kept and some behind them
/// (`store_options::live_list_spare`); changes behind these cost nothing, and those within cost
/// about what the list is long, whatever its order. A list with an offset and no limit is kept
/// whole.
struct query_why {
  std::uint64_t runs = 0;
  std::uint64_t adjusted = 0;              ///< times it was brought up to date without a run
  std::uint64_t unchanged = 0;             ///< of both, those that gave the same as before
  std::uint64_t failures = 0;              ///< of these, those that failed
  std::optional<query_reason> last;        ///< absent: nothing changed what it read so far
  run_cause last_run = run_cause::arrival; ///< of the last run, which may be before `last`
};

} // namespace holdfast
