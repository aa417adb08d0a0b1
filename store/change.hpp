#pragma once

#include <holdfast/runtime/clock.hpp>
#include <holdfast/runtime/event.hpp>
#include <holdfast/runtime/topic.hpp>
#include <holdfast/store/journal.hpp>
#include <holdfast/store/record.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast {

/// Why a record changed.
enum class cause : std::uint8_t {
  user,        ///< a call on a bucket's handle
  transaction, ///< a transaction's commit, also that of `modify`
  ttl,         ///< its time was over
  eviction,    ///< the bucket was full
  reference,   ///< a record that it refers to was erased: cascade or set_null
  schema,      ///< the bucket's definition changed
  undo,
  archive,
  migration,
  restore,
  replica,
};
std::string_view to_string(cause why) noexcept;

/// What happened. The spelling is the last segment of the change's topic.
enum class change_kind : std::uint8_t {
  inserted,
  updated,
  erased,
  cleared,   ///< all records of the bucket at once; `count` says how many
  dropped,   ///< the bucket and all its records; `count` says how many
  redefined, ///< the bucket's definition; its records change by changes of their own
};
std::string_view to_string(change_kind kind) noexcept;

namespace detail {

/// What all changes of one bucket share.
struct bucket_topics {
  explicit bucket_topics(const std::string& bucket);
  const topic& of(change_kind kind) const { return topics[static_cast<std::size_t>(kind)]; }

  std::string bucket;
  std::vector<topic> topics; ///< by kind
};

} // namespace detail

/// One change to one bucket, as a published commit made it: an event with the topic
/// `bucket.<name>.<kind>`. Immutable; the records in it stay valid as long as it lives.
class change final : public event {
public:
  change(std::shared_ptr<const detail::bucket_topics> of, change_kind what, cause w, record from,
         record to, std::uint64_t n = 1)
      : kind{what}, why{w}, before{std::move(from)}, after{std::move(to)}, count{n}, of_{std::move(
                                                                                         of)} {}

  change_kind kind;
  cause why;
  record before;           ///< as it was; empty for an insert
  record after;            ///< as it is; empty when it is gone
  std::uint64_t count;     ///< records that it speaks of
  sequence seq = 0;        ///< of the commit, in the line of its bucket
  sequence also_seq = 0;   ///< of a commit over both lines, in the other one; else 0
  bool persistent = false; ///< which line: that of persistent buckets, or of those in memory
  timestamp at{};          ///< the commit's time

  const std::string& bucket() const noexcept { return of_->bucket; }
  /// Of the record; null for changes of a whole bucket.
  value_view key() const noexcept {
    return after ? after.key() : before ? before.key() : value_view{};
  }
  const topic& where() const noexcept { return of_->of(kind); }
  /// For the store's own parts: tells buckets apart, also those of one name after each other.
  const detail::bucket_topics* identity() const noexcept { return of_.get(); }
  /// `users.updated "7" at 12 (user)`, for logs and terminals.
  std::string to_string() const;

private:
  std::shared_ptr<const detail::bucket_topics> of_;
};

/// What one commit changed, in the order in which its changes applied. Immutable once published.
///
/// One of a transaction over persistent buckets and others has a seq in both lines; it counts as
/// one of the persistent line.
struct commit {
  sequence seq = 0;        ///< in its line
  sequence memory_seq = 0; ///< of a commit over both lines, in that of buckets in memory; else 0
  bool persistent = false; ///< which line: that of persistent buckets, or of those in memory
  timestamp at{};
  std::vector<change> changes;
};

} // namespace holdfast
