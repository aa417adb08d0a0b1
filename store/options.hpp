#pragma once

#include <holdfast/runtime/runtime.hpp>
#include <holdfast/store/durability.hpp>
#include <holdfast/store/journal.hpp>
#include <holdfast/store/record_limits.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace holdfast {

/// How far a start has come with reading the journal.
struct restore_progress {
  std::string bucket;        ///< being restored
  std::uint64_t records = 0; ///< restored so far, over all buckets
  bool done = false;         ///< the last call of a start
};

/// How a store is started. Everything has a default but the journal: without one, the store lives
/// in memory only. A time above 100 years, or a negative one (but for `ttl_interval`), or a limit
/// that cannot be, is `invalid_argument`, which names it.
struct store_options {
  /// Names the store in messages, metrics and the supervision tree: 1 to 255 bytes without control
  /// characters.
  std::string name = "store";
  /// Where commits are kept, e.g. `holdfast::rocksdb({.directory = "data"})`.
  std::unique_ptr<holdfast::journal> journal = {};
  /// Opens the journal to be read, and changes nothing on disk but its lock: for a look at a
  /// directory that a start refuses because commits are missing at its end (`data_loss`).
  /// Persistent buckets answer writes with `read_only`; `store::restored` says what is missing.
  /// Buckets that are in memory only may be defined and written.
  bool read_only = false;
  /// When writes are acknowledged, unless a handle says otherwise (`bucket::with`).
  holdfast::durability durability = durability::group;
  /// How long a `group` commit may wait for company before its fsync. Enough company ends the wait,
  /// and so does a commit that may wait less long.
  std::chrono::microseconds group_delay{0};
  /// How long an `async` commit may stay unwritten; likewise.
  std::chrono::microseconds async_delay{1000};
  /// R6: commits and bytes that may wait for the disk; past either, writers wait, then
  /// `overloaded`.
  std::size_t backlog_commits = 262'144;
  std::size_t backlog_bytes = 64u << 20;
  /// Of every record that is written, every definition that is made, every query and every error. A
  /// limit that is 0 or above its default is `invalid_argument`.
  record_limits limits = {};
  /// R6: commits that followers - subscribers' events, live queries - may have still to read; past
  /// it, writers wait, then `overloaded`.
  std::size_t feed_commits = 65'536;
  /// Records that each live list with a limit keeps behind its end, besides as many again as the
  /// limit. When more than these have left it, it is run again: a list from whose front records are
  /// taken, in an order that no index has, may want more of them. 8 bytes each.
  std::uint64_t live_list_spare = 64;
  /// Threads that read the journal at start, 1,024 at most; 0: one per core.
  unsigned restore_threads = 0;
  /// Called now and then while the journal is read, and behind each bucket, on the starting thread.
  /// If it throws, the start fails (`invalid_argument`) behind the bucket that is being read.
  std::function<void(const restore_progress&)> on_restore = {};
  /// Restarts of one bucket within `restart_period` before it is quarantined; its siblings live on.
  std::uint32_t restart_budget = 5;
  /// Restarts of what serves them all (bus, queries, gateway, purges) together, likewise: past it
  /// all of these start anew, and past as many of that, and of the persistence actor's, the store
  /// ends, and writes fail with `stopped`.
  std::uint32_t service_restart_budget = 10;
  std::chrono::milliseconds restart_period{10'000};
  /// One more try after this long in quarantine, with a fresh budget if it succeeds; 0: only
  /// `store::revive` brings the bucket back.
  std::chrono::milliseconds revive_after{0};
  /// How often records whose deadline has come are removed. They are hidden from then on anyway, so
  /// this is about memory and events. 0 or less: only what `purge` is called for, and what is in
  /// the way of a write.
  std::chrono::milliseconds ttl_interval{1000};
  /// R6: requests of actors that may wait for their answers (store/gateway.hpp); past it,
  /// `overloaded`.
  std::size_t gateway_requests = 65'536;
  /// R6: subscriptions that actors may have through the gateway; past it, `overloaded`.
  std::size_t gateway_subscriptions = 65'536;
  /// The runtime to stand on; null: the store makes one from `runtime_options`. Must outlive the
  /// store, which ends in the background if it is destroyed inside one of its actors or handlers:
  /// stop it elsewhere before the runtime goes.
  class runtime* runtime = nullptr;
  runtime_options runtime_settings = {};
};

} // namespace holdfast
