#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace holdfast {

/// What went wrong, as a closed set. `to_string` gives the spelling used in texts.
enum class errc : std::uint8_t {
  not_found,        ///< no such record, bucket, index or child
  duplicate,        ///< the key or a unique value is taken; detail: `duplicate_value`
  invalid,          ///< a record breaks its schema; detail: `std::vector<issue>`
  invalid_argument, ///< the call itself makes no sense: an unknown field, a malformed cursor
  invalid_schema,   ///< a definition contradicts itself; nothing was defined
  broken_reference, ///< a record would refer to none; detail: `reference_violation`
  conflict,         ///< it changed meanwhile; detail: `version_conflict`, `commit_conflict`
  already_exists,   ///< a bucket, child or name of that name is there already
  bucket_crashed,   ///< the bucket crashed before the operation was sealed; nothing happened
  unavailable,      ///< the receiver is down or quarantined; detail: `retry_hint`
  overloaded,       ///< a named limit of a queue or batch is reached; try again later
  timeout,          ///< no answer in time; the operation may still happen
  outcome_unknown,  ///< a write was handed to the disk and its fate is not known
  read_only,        ///< the store stopped writing after a disk error; nothing happened
  io,               ///< the disk or the operating system refused
  locked,           ///< another process holds the data directory
  newer_format,     ///< written by a newer version than this one
  corrupt,          ///< stored bytes are damaged
  data_loss,        ///< less was recovered than had been acknowledged; detail: `loss`
  log_trimmed,      ///< the asked-for part of the log is no longer retained
  out_of_memory,    ///< an allocation failed; nothing happened
  dropped,          ///< the bucket behind the handle was dropped
  stopped,          ///< the store or runtime is stopping or has stopped
  start_failed,     ///< an actor could not be started
  cancelled,        ///< given up before it began
};

std::string_view to_string(errc code) noexcept;

/// One violation of a schema. `field` is a path such as `address.city` or `tags[1]`; `code` is a
/// stable word (`required`, `type`, `enum`, `min_length`, `max_length`, `pattern`, `format`, `min`,
/// `max`, `custom`, ...); `message` reads *subject: what is wrong, with the value and the limit*.
struct issue {
  std::string field;
  std::string code;
  std::string message;
  friend bool operator==(const issue&, const issue&) = default;
};

/// The place an error speaks of. Empty parts do not apply.
struct location {
  std::string bucket{};
  std::string key{};
  std::string field{};
  std::string query{}; ///< the name of a defined query
  friend bool operator==(const location&, const location&) = default;
};

struct duplicate_value {
  std::string field;
  std::string value;
};

struct version_conflict {
  std::uint64_t expected = 0;
  std::uint64_t actual = 0;
};

/// What a transaction had read, as of which commit, and the commit that changed it: of the line of
/// persistent buckets, or of those in memory. Both are the same if no commit did, but the record
/// came to its deadline.
struct commit_conflict {
  std::uint64_t read_at = 0;
  std::uint64_t changed_by = 0;
  bool persistent = false;
};

/// Which reference a write would break: the field that refers, and the record that is referred to.
struct reference_violation {
  std::string source_bucket;
  std::string source_field;
  std::string target_bucket;
  std::string target_key;
};

/// Both ends of what is missing: acknowledged up to `expected`, recovered up to `found`.
struct loss {
  std::uint64_t expected = 0;
  std::uint64_t found = 0;
};

/// When it makes sense to try again; absent if only an operator can mend it.
struct retry_hint {
  std::string reason;
  std::chrono::milliseconds retry_after{0};
};

/// Why a call failed: a code, one line for a person, the place, and a typed detail.
///
/// A cheap value (one pointer); the payload is immutable and shared. Messages follow one grammar:
/// *subject: what is wrong, with the value and the limit*, lower case, no full stop.
class [[nodiscard]] error {
public:
  using detail_type =
      std::variant<std::monostate, std::vector<issue>, duplicate_value, version_conflict, loss,
                   retry_hint, reference_violation, commit_conflict>;

  explicit error(errc code, std::string message = {}, location where = {}, detail_type detail = {});

  errc code() const noexcept;
  const std::string& message() const noexcept;
  const location& where() const noexcept;
  const detail_type& detail() const noexcept;
  /// The violations when `code()` is `invalid`, else empty.
  const std::vector<issue>& issues() const noexcept;
  /// The error that led to this one, or null.
  const error* cause() const noexcept;

  /// The same error with its place filled in where it was empty.
  error at(location where) const;
  /// The same error, caused by `cause`.
  error because(error cause) const;

  /// `code: message (cause: ...)`, for logs and terminals.
  std::string to_string() const;

  friend bool operator==(const error& a, errc b) noexcept { return a.code() == b; }

private:
  struct payload;
  explicit error(std::shared_ptr<const payload> p) noexcept;
  std::shared_ptr<const payload> payload_;
};

} // namespace holdfast
