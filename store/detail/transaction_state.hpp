#pragma once

#include <holdfast/store/detail/commit_scope.hpp>
#include <holdfast/store/detail/transaction_part.hpp>
#include <holdfast/store/read_filters.hpp>
#include <holdfast/store/transaction.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace holdfast::detail {

class participants;
class transaction_operation;

/// A commit that changed what a transaction had read.
struct conflict {
  error what;
  ref<bucket_core> in;
  sequence by = 0;
};

/// One attempt of a transaction: a snapshot of all buckets, and the buckets that it has touched.
///
/// Lives on the thread that runs it. Nothing of it is known to anybody else until `commit`, which
/// takes the turns of all buckets concerned, looks whether what was read is still so, and seals
/// what was written as one commit.
class transaction_state {
public:
  /// A field of another bucket that refers to a bucket's records.
  struct referrer {
    ref<bucket_core> source;
    std::uint32_t slot = 0;
    on_delete what = on_delete::restrict;
  };
  /// A place to go back to.
  struct savepoint {
    std::vector<transaction_part::place> places;
  };

  /// `in` is where buckets are found by name; may be null. All its waits end with `until`, which
  /// must outlive this.
  transaction_state(commit_lines& lines, runtime& rt, const store_state* in,
                    const time_limit& until);
  /// For a query: it reads at a snapshot that is held already and has a time, and may not write.
  /// `only` is what it sees of each bucket; it must outlive this.
  transaction_state(commit_lines& lines, runtime& rt, const store_state* in,
                    const snapshot_pair& at, const read_filters& only);
  transaction_state(const transaction_state&) = delete;
  transaction_state& operator=(const transaction_state&) = delete;
  ~transaction_state() { end(); }

  commit_lines& lines() const noexcept { return lines_; }
  /// The snapshot's.
  timestamp now() const noexcept { return snapshot_.time(); }
  /// A bucket as the transaction sees it.
  ref<transaction_part> part_of(ref<bucket_core> core);
  /// The same by name. Error: `not_found`.
  result<ref<transaction_part>> part(std::string_view name);
  /// `timeout` when its time is over: it cannot commit any more. A query has all the time.
  std::optional<error> lateness();
  /// Whether a look-up of a key need not look at the clock, which would cost about as much as the
  /// look-up: every 16th does, and each one once the time is over.
  bool skips_clock() noexcept { return !late_ && ++lookups_ % lookups_per_look != 0; }
  /// Error: `timeout`. Not of a query.
  result<std::vector<referrer>> referrers(bucket_core& b) const;
  bool only_reads() const noexcept { return only_ != nullptr; }
  /// What a query may see of a bucket; null: everything.
  const filter* visible_of(std::string_view bucket) const;
  /// Names of buckets that were looked for and are not there.
  const std::vector<std::string>& missing() const noexcept { return missing_; }

  /// Those that it has touched.
  const std::vector<ref<transaction_part>>& parts() const noexcept { return parts_; }

  savepoint mark() const;
  void rollback(const savepoint& to) noexcept;
  /// Runs `f` and takes back what it wrote if it fails.
  template <class F>
  auto all_or_nothing(F&& f) -> std::invoke_result_t<F&> {
    auto before = mark();
    auto outcome = f();
    if (!outcome)
      rollback(before);
    return outcome;
  }

  /// Commits what was written, or nothing, and waits until it is published. Blocks for the turns of
  /// the buckets and for the disk. If nothing was written, it says whether that was in time.
  /// Errors: those of writes; `duplicate` and `broken_reference` of what is checked when all is
  /// there; when the time is over, `timeout` if it was not sealed yet, which made nothing, else
  /// `outcome_unknown`; for `conflict`, which made nothing, also `met`.
  result<void> commit(durability level, std::optional<conflict>& met);
  /// Handles answer that it has ended. On the thread that ran it.
  void end() noexcept;

private:
  std::vector<transaction_part*> written() const;
  std::optional<participants> find_participants(std::span<transaction_part* const> written) const;
  result<void> check_writable(std::span<transaction_part* const> written, durability level) const;
  result<sealing> seal(transaction_operation& into, std::span<transaction_part* const> written,
                       std::optional<conflict>& met);
  result<void> edit(commit_scope& scope, std::span<transaction_part* const> written,
                    std::optional<conflict>& met);

  commit_lines& lines_;
  runtime& runtime_;
  const store_state* in_;
  snapshot_pair snapshot_;
  std::vector<ref<transaction_part>> parts_;
  const read_filters* only_ = nullptr; ///< null: a transaction
  const time_limit* until_ = nullptr;  ///< null: a query
  std::vector<std::string> missing_;
  static constexpr std::uint32_t lookups_per_look = 16;
  std::uint32_t lookups_ = 0;
  bool late_ = false;
  sequence told_by_ = 0; ///< the commit, not published yet maybe, for which references are refused
};

/// What a transaction ends with that did not come to its commit in time.
error too_late(const time_limit& until);

/// What was read of a bucket and is not so any more; with its turn.
std::optional<conflict> find_conflict(transaction_part& read, const time_limit& until);

} // namespace holdfast::detail
