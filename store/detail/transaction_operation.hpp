#pragma once

#include <holdfast/runtime/operation.hpp>
#include <holdfast/store/detail/commit_scope.hpp>
#include <holdfast/store/detail/transaction_part.hpp>

#include <atomic>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <variant>
#include <vector>

namespace holdfast::detail {

/// The buckets whose turns a commit takes, in order of ids. Holds them, for they may be dropped
/// meanwhile.
class participants {
public:
  void add(ref<bucket_core> b) { all_.push_back(std::move(b)); }
  /// A bucket that is written to, and what a write to it may reach. False if it was busy until
  /// then.
  [[nodiscard]] bool add_written(bucket_core& b, const time_limit& until);
  /// In order, each once. Behind the last `add`; good as long as this.
  std::span<bucket_core* const> members();
  /// Those of them that are in memory only.
  std::span<bucket_core* const> in_memory();
  /// Whether nothing was linked or unlinked since. With the turns.
  bool still_linked(std::span<transaction_part* const> written) const;

private:
  std::vector<ref<bucket_core>> all_;
  std::vector<bucket_core*> order_;
  std::vector<bucket_core*> in_memory_;
  /// Held, so that no others stand at the same address.
  std::vector<std::pair<bucket_core*, std::shared_ptr<const reference_links>>> linked_;
};

/// The commit of a transaction: its edits, what the pipeline holds until they are on disk, and what
/// the transaction's thread waits for.
///
/// When it writes to persistent buckets, the turns of those in memory that it read or wrote are
/// held until it is published, whether its thread still waits or not: so nobody sees a later commit
/// to them before this one. When the disk fails and nobody knows whether the commit has reached it,
/// they get a doubt in place of the held turn: nothing is written to them until `store::reopen` has
/// found out, and has published the commit, with its part in memory made once more, or dropped it.
class transaction_operation final : public operation<std::monostate>, public sealed_commit {
public:
  transaction_operation(runtime& rt, durability how) : operation{rt} { level = how; }
  void start() override {}
  void run() override {}

  /// Takes the turns of the participants, `home` among them; null, and none is taken, if one of
  /// them was busy until then.
  commit_scope* open(bucket_core& home, participants all, const time_limit& until);
  const participants& members() const noexcept { return all_; }
  /// Seals what `prepare` has prepared.
  sealing seal();
  /// Gives the turns back, and takes back what was not sealed; not if the pipeline is to do it.
  void close() noexcept;

  void settled(const error* failure) noexcept override;
  void publish_in_memory() noexcept override;
  void make_again() override;
  void unmake() noexcept override;
  void known() noexcept override;
  void retain() noexcept override { add_ref(); }
  void let_go() noexcept override { release(); }

private:
  void prepare_to_wait();
  void finish() noexcept;
  void answer() noexcept;

  participants all_;
  std::optional<commit_scope> scope_;
  std::shared_ptr<const error> doubt_; ///< made beforehand
  std::shared_ptr<feed_entry> place_;  ///< in the feed of the line in memory
  std::vector<std::pair<bucket_core*, std::int64_t>> counters_;
  std::optional<error> failure_;
  bool left_ = false;            ///< to whoever settles it
  std::atomic<bool> met_{false}; ///< its thread has left it, or it was settled: both finish it
  bool doubtful_ = false;
  bool again_ = false;
};

} // namespace holdfast::detail
