#pragma once

#include <holdfast/runtime/event_bus.hpp>
#include <holdfast/runtime/result.hpp>
#include <holdfast/runtime/subscription.hpp>
#include <holdfast/store/journal.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace holdfast {

/// One index of a bucket.
struct index_stats {
  std::string fields; ///< `role`, or `city,age`
  bool unique = false;
  bool inverted = false;
  /// Published: one for each record, but none for a null in a unique index; of an inverted one, for
  /// each part of each record.
  std::uint64_t entries = 0;
  std::size_t bytes = 0; ///< as of what was sealed last
};

/// One bucket as `store::stats` sees it.
struct bucket_stats {
  std::string name;
  std::uint64_t life = 0; ///< another number when it was dropped and defined again
  bool persistent = false;
  std::uint64_t records = 0; ///< published
  std::vector<index_stats> indexes;
  std::uint64_t index_entries = 0; ///< of `indexes` together
  std::size_t index_bytes = 0;     ///< of these, and of the indexes of keys and of deadlines
  std::uint64_t writes = 0;        ///< commits since the start
  std::size_t memory_bytes = 0;    ///< records and indexes, what snapshots hold included
  /// Those of them that are there for snapshots only, in use or just let go: what is free is taken
  /// back by the writes that come, and counted as of the last one.
  std::size_t snapshot_bytes = 0;
  std::size_t mapped_bytes = 0; ///< what is mapped for them in huge pages, past malloc
  std::uint64_t restarts = 0;   ///< of its actor
  std::size_t waiting = 0;      ///< operations in its mailbox, or waiting for its restart
  std::string state;            ///< of its actor: `up`, `restarting`, ...
  std::string last_failure;
};

/// Commits per second of one bucket between two looks, if it is the same one. Reads are not told
/// apart by bucket: a read writes nothing but its thread's own cell, of which each thread has one
/// for the store.
struct bucket_rate {
  std::string name;
  double writes_per_second = 0;
};

/// One of the actors below `services` in the store's tree.
struct service_stats {
  std::string name;
  std::uint64_t restarts = 0;
};

/// A store at a glance.
struct store_stats {
  std::string name;
  std::chrono::nanoseconds taken{0}; ///< on the clock's steady time
  std::vector<bucket_stats> buckets; ///< by name
  std::uint64_t records = 0;
  std::size_t memory_bytes = 0;
  /// Reads by key and runs of queries since the start, of all buckets, those in transactions and in
  /// live queries' functions included.
  std::uint64_t reads = 0;
  bool persistent = false;
  sequence published = 0;          ///< last visible commit of persistent buckets
  sequence durable = 0;            ///< last commit known to be on stable storage
  sequence memory_published = 0;   ///< last visible commit of buckets in memory
  std::size_t backlog_commits = 0; ///< sealed, not yet written
  std::size_t backlog_bytes = 0;
  std::uint64_t batches = 0; ///< writes to the journal since the start
  std::uint64_t persistence_restarts = 0;
  std::chrono::milliseconds ttl_interval{0}; ///< between purges; 0: none by itself
  /// Held now: snapshots, transactions, evaluations of live queries, and walks of buckets in memory
  /// that go on.
  std::size_t snapshots = 0;
  /// Since the oldest snapshot or transaction of these began, on the clock's time of day; 0: there
  /// is none.
  std::chrono::microseconds oldest_snapshot{0};
  std::size_t snapshot_bytes = 0; ///< of all buckets
  std::size_t subscribers = 0;    ///< of events
  std::size_t queries = 0;        ///< that are defined
  std::size_t live_queries = 0;   ///< subscriptions of queries
  std::size_t feed_backlog = 0;   ///< commits that followers have still to read
  event_bus_counters events;
  subscriber_counters event_queues;      ///< of the subscribers of events
  subscriber_counters query_queues;      ///< of those of queries; dropped: replaced by later ones
  std::size_t gateway_requests = 0;      ///< of actors, that wait for their answers
  std::size_t gateway_subscriptions = 0; ///< of actors; of events and of queries
  std::size_t callbacks_waiting = 0;   ///< for a thread; of the runtime, that is of all its stores
  std::size_t callback_threads = 0;    ///< that there are
  std::uint64_t callback_failures = 0; ///< callbacks that threw, subscribers' handlers aside
  std::vector<service_stats> services; ///< as in the tree; see also `persistence_restarts`
  std::optional<error> failure;        ///< why writing stopped, if it did (R5)

  /// How busy the buckets were since an earlier look; those that are in both.
  std::vector<bucket_rate> rates_since(const store_stats& earlier) const;
  /// Reads per second since an earlier look at the same store; 0 if no time has passed.
  double reads_per_second_since(const store_stats& earlier) const;
  /// A table for a terminal.
  std::string to_string() const;
  /// The same figures in the text format of Prometheus, version 0.0.4: names begin with
  /// `holdfast_`; the label `store` is everywhere, and `bucket`, `index` with `type`, `service`,
  /// and `of` (`events` or `queries`) where there are several. Of texts there are the states of
  /// buckets (`holdfast_bucket_state` is 1 for the label `state` that each has) and the code of
  /// `failure` (`holdfast_write_failure` with the label `code`, while there is one).
  std::string to_prometheus() const;
};

} // namespace holdfast
