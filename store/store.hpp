#pragma once

#include <holdfast/runtime/event_bus.hpp>
#include <holdfast/runtime/result.hpp>
#include <holdfast/store/bucket.hpp>
#include <holdfast/store/bucket_update.hpp>
#include <holdfast/store/change.hpp>
#include <holdfast/store/live_query.hpp>
#include <holdfast/store/options.hpp>
#include <holdfast/store/record_input.hpp>
#include <holdfast/store/schema.hpp>
#include <holdfast/store/snapshot.hpp>
#include <holdfast/store/store_stats.hpp>
#include <holdfast/store/transaction.hpp>
#include <holdfast/store/typed_bucket.hpp>
#include <holdfast/store/typed_bucket_update.hpp>
#include <holdfast/store/typed_change.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast {

namespace detail {
class gateway_desk;
class store_state;
} // namespace detail

/// What a start found in the journal.
struct restore_report {
  std::uint64_t records = 0;
  std::uint64_t buckets = 0;
  sequence last = 0; ///< the newest commit
  /// Commits behind `last` that had been written, or acknowledged as durable, and are not there;
  /// not 0 only when opened read-only, or with a journal that accepts loss.
  std::uint64_t missing = 0;
  std::uint64_t epoch = 0;
  std::chrono::microseconds took{0};
};

/// What `store::reopen` found and did. Commits are those of persistent buckets.
struct reopen_report {
  bool was_writing = false;    ///< there was nothing to do
  std::uint64_t epoch = 0;     ///< of the journal, from here on
  sequence found = 0;          ///< the last commit in the journal
  sequence published = 0;      ///< the last one that was visible until then
  std::uint64_t taken = 0;     ///< commits that turned out to be on disk, visible from here on
  std::uint64_t rewritten = 0; ///< visible ones that were not on disk, and are now
};

/// A schema-driven, supervised, in-memory document store: buckets of records, each behind an actor,
/// under one tree of supervisors, with one order of commits and one journal.
///
///     store (one_for_one)
///     |-- persistence
///     |-- services (one_for_one)
///     |   |-- event_bus
///     |   |-- query_manager
///     |   |-- gateway
///     |   `-- ttl_manager
///     `-- buckets (one_for_one, dynamic)
///         `-- users ...
///
/// Move-only. Thread-safe but for moving, `stop` and destruction. The destructor stops it; inside
/// an actor, or a callback of the store, which a stop waits for, it does so a little later, in a
/// thread of its own. Handles, records, snapshots and subscriptions may outlive the store.
class store {
public:
  /// Opens the journal, restores what it holds, and starts the actors. Errors: those of
  /// `journal::open` (`locked`, `newer_format`, `corrupt`, `data_loss`, `io`), which leave the
  /// files as they were, as does a format or schema of a newer version or that cannot be read;
  /// `corrupt` for a record that cannot be read; `invalid_argument` for options that make no sense,
  /// before anything is touched. Not inside an actor.
  static result<store> start(store_options options = {});

  store(store&&) noexcept;
  store& operator=(store&&) noexcept;
  /// Stops.
  ~store();

  /// Defines a bucket and gives its handle. A persistent bucket that was restored is bound to its
  /// data when the definition equals the stored one (default functions apart). Errors:
  /// `invalid_schema` with all contradictions, also when it differs from the stored one;
  /// `already_exists`. A failed definition leaves nothing behind.
  result<holdfast::bucket<>> define(const schema& definition);
  /// Defines the bucket of a mapped struct.
  template <mapped T>
  result<holdfast::bucket<T>> define() {
    return define(schema_of<T>()).map([](holdfast::bucket<> plain) {
      return holdfast::bucket<T>{std::move(plain)};
    });
  }
  /// The handle of a defined or restored bucket. Error: `not_found`.
  result<holdfast::bucket<>> bucket(std::string_view name) const;
  /// The handle of a mapped struct's bucket, however it was defined.
  template <mapped T>
  result<holdfast::bucket<T>> bucket() const {
    return bucket(mapping<T>.bucket).map([](holdfast::bucket<> plain) {
      return holdfast::bucket<T>{std::move(plain)};
    });
  }
  bool has_bucket(std::string_view name) const;
  /// By name.
  std::vector<std::string> bucket_names() const;
  /// The definition of a bucket. Error: `not_found`.
  result<schema> bucket_schema(std::string_view name) const;
  /// Changes a bucket's definition while it is in use, as one commit: existing records get the new
  /// fields, indexes are built. Handles stay valid and readers are not disturbed; writers wait. A
  /// change that existing records do not fit (`invalid`, with the key; `duplicate`) or that
  /// contradicts itself (`invalid_schema`, `already_exists`) changes nothing. Error: `not_found`.
  /// O(records); until no snapshot from before is held, both forms of the records take memory.
  result<void> update_bucket(std::string_view name, const bucket_update& change,
                             std::chrono::milliseconds timeout = std::chrono::minutes{5});
  /// The same for a mapped struct's bucket, by its members.
  template <mapped T>
  result<void> update_bucket(const typed_bucket_update<T>& change,
                             std::chrono::milliseconds timeout = std::chrono::minutes{5}) {
    return update_bucket(mapping<T>.bucket, change.plain(), timeout);
  }
  /// Ends a bucket: its records are gone, in memory and on disk, behind all that was sealed before.
  /// Handles answer `dropped`. False if there is none of that name. Errors: as of a write; after
  /// `timeout` nothing happened, after `outcome_unknown` because the time was over the bucket stays
  /// closed until the journal answers, and another `drop` of it waits for that answer.
  result<bool> drop(std::string_view name, std::chrono::milliseconds timeout = default_timeout);

  /// Purges all buckets (see `bucket::purge`); the number of records that went. An error of one
  /// bucket, the first, is told when the others are done.
  result<std::uint64_t> purge();

  /// All buckets at one moment.
  holdfast::snapshot snapshot() const;

  /// Runs `f(transaction&)`, which gives a `result`: what it reads is all of one moment, and what
  /// it writes becomes one commit if it succeeds and none of what it read has changed meanwhile;
  /// strictly serializable, with phantoms. Otherwise it is run again, so it must do nothing else
  /// that may not be repeated. If it fails or throws, nothing happened. Gives what `f` gave.
  ///
  ///     db.transact([&](transaction& tx) -> result<void> {
  ///       auto from = tx.in(accounts).get(1).get();
  ///       ...
  ///     });
  ///
  /// Blocks for its length; not inside an actor. Errors besides those of `f` and of writes:
  /// `conflict`, when it was so every time, with the bucket, the key or query, and the other commit
  /// (detail: `commit_conflict`); `timeout`, after which nothing happened (cause: the conflict, if
  /// it was run again for one); `outcome_unknown`.
  template <class F>
  auto transact(F&& f, const transact_options& options = {})
      -> std::invoke_result_t<F&, transaction&> {
    return detail::transact_with(
        f, [&](detail::transaction_body body) { return run_transaction(options, body); });
  }

  /// Calls `call` on a callback thread for every change whose topic, `bucket.<name>.<kind>`, the
  /// pattern matches, of all commits that are sealed from now on, until the token ends: in the
  /// order of commits (of either line), and within a commit in the order in which its changes
  /// applied. `*` is one segment, a last `**` any number: `bucket.users.*`, `bucket.*.inserted`.
  ///
  /// A slow or throwing handler harms nobody else: each subscriber has a bounded queue, see
  /// `subscriber_options`; one that blocks is given a callback thread of its own, up to
  /// `runtime_options::most_callback_threads`, so that handlers of different subscriptions may run
  /// at the same time. Buckets to which nobody subscribes, nor to a query of them, pay nothing.
  /// Errors: `invalid_argument` for a malformed pattern or an empty handler; `stopped`.
  result<subscription> on(std::string_view pattern, std::function<void(const change&)> call,
                          subscriber_options options = {});
  /// The same for all changes of a mapped struct's bucket, with structs for records:
  ///
  ///     auto token = db.on<user>([](const typed_change<user>& c) { ... });
  template <mapped T>
  result<subscription> on(std::function<void(const typed_change<T>&)> call,
                          subscriber_options options = {}) {
    return on_typed<T>("*", std::move(call), std::move(options));
  }
  /// The same for one kind of them.
  template <mapped T>
  result<subscription> on(change_kind kind, std::function<void(const typed_change<T>&)> call,
                          subscriber_options options = {}) {
    return on_typed<T>(to_string(kind), std::move(call), std::move(options));
  }
  /// Sends `event_mail` to an actor instead; its events are `change`s, of which it may make
  /// `typed_change`s.
  result<subscription> on(std::string_view pattern, const caf::actor& subscriber,
                          subscriber_options options = {});
  event_bus_counters event_counters() const;

  // -- queries by name, see store/live_query.hpp

  /// Makes a query known. `f(query_context&)` or `f(query_context&, const P&)` gives any value that
  /// has `==`, records or mapped structs, also as a `result` or `pending`; `P` is `object`, or a
  /// struct with a `map_object`. Their `==` and destructor must not use the store; values at
  /// which the former throws count as different. Errors: `already_exists`; `invalid_argument` for
  /// an empty name.
  template <class P = object, class F>
  requires detail::query_function_of<F, P> result<void> define_query(std::string_view name, F f) {
    return add_query(name, detail::function_of<P>(std::move(f)));
  }
  /// Errors besides: `not_found` if there is no such bucket; `invalid_argument` for a parameter
  /// without a name; of a query without parameters also what its run would fail with.
  result<void> define_query(std::string_view name, declared_query what);
  /// Forgets a query; its subscribers are told `dropped`, and end. False if there is none.
  bool remove_query(std::string_view name);
  /// By name.
  std::vector<query_info> queries() const;
  result<query_info> query_info_of(std::string_view name) const;

  /// Runs a query at what is published now, on the calling thread. Errors: `not_found`;
  /// `invalid` or `invalid_argument` for parameters that it does not have, that are not as it
  /// needs them or past `store_options::limits`; what the query fails with; `invalid_argument` with
  /// the text if it throws.
  template <class P = object>
  result<query_value> run(std::string_view name, const P& parameters = {},
                          const read_filters& filters = {}) const {
    return run_query(name, detail::to_parameters(parameters), filters);
  }
  /// Calls `call(const query_update&)` on a callback thread with the query's value and, until the
  /// token ends, with each other value that commits bring it to: see store/live_query.hpp for what
  /// is promised. Runs the query on the calling thread if nobody has subscribed to it with these
  /// parameters yet. While nobody subscribes, queries cost writes nothing. Errors: `not_found` and
  /// those of parameters, as of `run`; what a run fails with is told to `call` instead.
  template <class P = object>
  result<subscription> subscribe(std::string_view name, const P& parameters,
                                 typename detail::query_handler_with<P>::type call,
                                 live_options options = {}) {
    return subscribe_query(name, detail::to_parameters(parameters), std::move(call),
                           std::move(options));
  }
  result<subscription> subscribe(std::string_view name,
                                 std::function<void(const query_update&)> call,
                                 live_options options = {}) {
    return subscribe_query(name, {}, std::move(call), std::move(options));
  }
  /// How often a subscribed query was run, and why the last time. Error: `not_found`.
  template <class P = object>
  result<query_why> why(std::string_view name, const P& parameters = {},
                        const read_filters& filters = {}) const {
    return query_why_of(name, detail::to_parameters(parameters), filters);
  }
  /// Waits until subscribers of queries have handled all that was published before. Not in a
  /// handler, nor inside an actor. Error: `timeout`.
  result<void> settle(std::chrono::milliseconds timeout = default_timeout);

  /// Waits until all that was acknowledged before, at whatever level, is on stable storage.
  result<void> sync(std::chrono::milliseconds timeout = default_timeout);

  /// Takes up writing again after a disk error (R5), once its cause is mended: closes and opens the
  /// journal, and makes memory, disk and what is visible agree exactly. Commits whose outcome was
  /// unknown become visible if the disk has them, and else never were; visible ones that the disk
  /// has not (`async`) are written again from memory; all is on stable storage when this returns.
  /// Handles, records and snapshots stay good, readers are not disturbed, and subscribers are told
  /// of what became visible. On a store that writes, it does nothing and says so.
  ///
  /// Blocks for the length of opening the journal, and of a look at every record. Not inside an
  /// actor. Errors, after which the store still only reads, and `reopen` may be called again: those
  /// of `journal::open` and of writing; `data_loss` or `corrupt`, with both seqs, if the journal
  /// ends where it cannot end; `invalid_argument` without a journal or when started read-only;
  /// `stopped`.
  result<reopen_report> reopen();

  /// Starts the actor of a bucket again that crashed more often than `restart_budget` allows and is
  /// quarantined: writes to it fail with `unavailable` since, while reads and other buckets go on.
  /// Its budget is fresh then. Errors: `not_found`; `conflict` if it is not quarantined;
  /// `start_failed`, and then it stays so.
  result<void> revive(std::string_view bucket);

  store_stats stats() const;
  /// What the start found in the journal.
  const restore_report& restored() const noexcept;
  /// The supervision tree with states, restarts, and last crash reasons, as a picture.
  std::string tree() const;

  /// Crashes the actor of a bucket, as a bug in it would: for tests and demonstrations. Returns
  /// when the next incarnation is up. Errors: `not_found`, `timeout`.
  result<void> crash(std::string_view bucket, std::chrono::milliseconds timeout = default_timeout);
  /// Crashes one of the supervisors below the root, `buckets` or `services`: all actors below it
  /// end and are started again. Returns when they are up. Error: `not_found`.
  result<void> crash_supervisor(std::string_view name);
  /// Crashes the actor that keeps subscribed queries up to date.
  result<void> crash_queries(std::chrono::milliseconds timeout = default_timeout);
  /// Crashes the persistence actor.
  result<void> crash_persistence(std::chrono::milliseconds timeout = default_timeout);

  /// Ends the store: refuses new operations, waits for those that run, writes what is sealed, ends
  /// the actors, closes the journal. Idempotent. The error is that of the last writes or of
  /// closing; or `invalid_argument` inside an actor or a callback of the store, which it would wait
  /// for, and then nothing has happened.
  result<void> stop();

  runtime& runtime_in_use() const noexcept;
  /// For the store's own parts; see `gateway_of` in store/gateway.hpp.
  const detail::gateway_desk& gateway() const noexcept;

private:
  explicit store(std::unique_ptr<detail::store_state> state);
  template <mapped T>
  result<subscription> on_typed(std::string_view kind,
                                std::function<void(const typed_change<T>&)> call,
                                subscriber_options options) {
    return on(
        "bucket." + std::string{mapping<T>.bucket} + "." + std::string{kind},
        [call = std::move(call)](const change& c) { call(typed_change<T>{c}); },
        std::move(options));
  }
  result<void> run_transaction(const transact_options& options, detail::transaction_body body);
  result<void> add_query(std::string_view name, detail::query_function what);
  result<query_value> run_query(std::string_view name, const object& parameters,
                                const read_filters& filters) const;
  result<subscription> subscribe_query(std::string_view name, object parameters,
                                       std::function<void(const query_update&)> call,
                                       live_options options);
  result<query_why> query_why_of(std::string_view name, const object& parameters,
                                 const read_filters& filters) const;
  std::unique_ptr<detail::store_state> state_;
};

} // namespace holdfast
