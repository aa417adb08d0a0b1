#pragma once

#include <holdfast/runtime/pending.hpp>
#include <holdfast/store/detail/write_operation.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace holdfast::detail {

/// What one commit of a purge did.
struct purge_step {
  std::uint64_t removed = 0;
  bool more = false; ///< there may be others behind it
};

/// Whether the end of one record, and not the state of the store, was the reason that a purge
/// failed: then the record is passed over.
bool is_about_a_record(const error& e) noexcept;

/// How far a purge has come. Shared by the purge and the commit it waits for, which may outlive it.
struct purge_progress {
  deadline_place reached;
};

/// Erases the expired records of a bucket that come next in order of deadline, `most` at most.
/// Those that must stay because others refer to them are passed over.
class purge_operation final : public write_operation<purge_step> {
public:
  purge_operation(ref<bucket_core> of, durability acked, std::size_t most,
                  std::shared_ptr<purge_progress> progress)
      : write_operation{std::move(of), acked}, most_{most}, progress_{std::move(progress)} {}

private:
  result<purge_step> apply(commit_scope& scope) override;

  std::size_t most_;
  std::shared_ptr<purge_progress> progress_;
};

/// One walk over what has expired in a bucket, one bounded commit after the other, so that other
/// writes come in between. Whoever drives it runs `next` and hands the outcome to `took`, until
/// `ended`. Not thread-safe.
///
/// A record that cannot go, because a check of the user's refuses what its end would do to others,
/// fails its commit; then the commits become smaller until it is alone, and it is passed over.
class purge_pass {
public:
  /// Records that one commit looks at.
  static constexpr std::size_t most_at_once = 1024;

  purge_pass(ref<bucket_core> of, durability level) : of_{std::move(of)}, level_{level} {}

  const ref<bucket_core>& of() const noexcept { return of_; }
  bool ended() const noexcept { return ended_; }
  std::uint64_t removed() const noexcept { return removed_; }
  /// Why it ended early; empty if it did not.
  const std::optional<error>& failure() const noexcept { return failure_; }

  pending<purge_step> next();
  void took(const result<purge_step>& done);

  /// Why a bucket cannot be purged so: it is closed, or persistent and the level is `none`.
  static std::optional<error> refusal(const bucket_core& b, durability level);
  /// Whether a bucket has anything that has expired, published. O(log n). Thread-safe.
  static bool is_due(bucket_core& b);

private:
  ref<bucket_core> of_;
  durability level_;
  std::shared_ptr<purge_progress> progress_ = std::make_shared<purge_progress>();
  deadline_place from_;
  std::size_t at_once_ = most_at_once;
  std::uint64_t removed_ = 0;
  bool ended_ = false;
  std::optional<error> failure_;
};

/// Purges a bucket and waits for it; how many records went. Not inside an actor.
result<std::uint64_t> purge(ref<bucket_core> of, durability level);

} // namespace holdfast::detail
