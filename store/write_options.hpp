#pragma once

#include <holdfast/runtime/clock.hpp>

#include <chrono>
#include <cstdint>
#include <optional>

namespace holdfast {

/// What a write says besides the values. By default nothing: an inserted record then has no
/// deadline but what its bucket gives it, an updated one keeps its own.
///
///     sessions->insert({{"user", "7"}}, {.expires_in = 30min});
///     accounts->update("7", {{"balance", 10}}, {.expected_version = seen.version()});
///
/// At most one of the first three may be given. Errors of the write: `invalid_argument` for a
/// deadline that makes no sense, `conflict` for another version.
struct write_options {
  /// The record ends by itself so long after the commit, or, in a transaction, after its function
  /// began to run; at least 1 ms, and taken for 1,000 years if it is more.
  std::optional<std::chrono::milliseconds> expires_in = {};
  /// The same as a time, which lies behind the commit's; a transaction that is overtaken by a
  /// deadline that it gives is run again (`conflict`).
  std::optional<timestamp> expires_at = {};
  /// It does not end by itself, whatever its bucket says.
  bool never_expires = false;
  /// The version the record must have, else the write fails with `conflict` (detail:
  /// `version_conflict`) and changes nothing; 0: there must be none. A record that is not there has
  /// version 0, so any other is a `conflict` and not `not_found`.
  std::optional<std::uint64_t> expected_version = {};
};

} // namespace holdfast
