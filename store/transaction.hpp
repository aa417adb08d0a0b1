#pragma once

#include <holdfast/store/bucket.hpp>
#include <holdfast/store/typed_bucket.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

namespace holdfast {

namespace detail {
class store_state;
class transaction_state;
struct commit_lines;

/// A function of a transaction whose type is forgotten; refers to the function.
struct transaction_body {
  void* context;
  result<void> (*call)(void* context, transaction& in);
};
} // namespace detail

/// How `store::transact` runs a transaction. Time goes on for it as for everybody: if a record that
/// it has read comes to its deadline before it commits, that is a conflict like a commit of others,
/// which no right of way keeps off. So what reads many records with deadlines should be quick.
struct transact_options {
  /// How often it is run again after conflicts, besides the first time.
  int retries = 16;
  /// How often after that, while the commits of others to its buckets wait, at most until its
  /// `timeout`: of actors, which go on meanwhile, so many as the runtime's `stash_limit`. Each must
  /// be expected to be the last, unless the function itself writes past the transaction.
  int exclusive_retries = 4;
  /// For all of it: attempts, waits for buckets that others hold, the disk. When it is over before
  /// the commit is sealed, nothing happened, and the error is `timeout`, also of a transaction that
  /// only reads; afterwards the commit goes on, and the error is `outcome_unknown`. Limits that are
  /// in the way until then say so (`overloaded`).
  ///
  /// Each call of the transaction's handles looks at the clock (that of the store) when it begins,
  /// of those that look a key up every 16th, and fails with `timeout` when the time is over;
  /// `contains`, which has no error to give, is false then. So a function that goes on reading or
  /// writing ends; one that does neither is not interrupted, nor is a single read.
  std::chrono::milliseconds timeout = default_timeout;
  /// Instead of the store's.
  std::optional<holdfast::durability> durability = {};
};

/// An open transaction: all buckets at one moment, and over them what it has written itself.
///
/// Its bucket handles do all that ordinary ones do; their writes happen at once, but only for this
/// transaction, and their `pending`s are ready. When the function that was given to
/// `store::transact` returns without an error, all that it wrote becomes one commit, provided that
/// nothing of what it read has changed meanwhile; else it is run again. Of the records that a
/// filter finds it has read the fields that it used: of a count none, of a sum, of groups and of
/// `objects` those that are named there.
///
/// Its handles differ from ordinary ones in that
///   - a `clear` tells subscribers of each record that it erases, not of one `cleared` bucket;
///   - a `purge` is part of the commit, however many records have expired at `now()`: it tells of
///     them with cause `ttl`, of what their references take along with `transaction`. Whoever
///     removes or replaces one of them meanwhile, the store's own purge too, is a conflict; so its
///     number is that of the records that the commit erases;
///   - `with` has no effect: the durability is that of the transaction;
///   - `at` leaves the transaction: such a handle reads the snapshot and nothing else.
///
/// Numbers of an `autoincrement` field are the function's to see when it inserts, and without gaps
/// when it fails; so they are good only if nobody has taken one from that bucket meanwhile. Two
/// transactions that number records of one bucket at once conflict always, and one of them is run
/// again with other numbers; so is one that a plain insert overtakes. With the `exclusive_retries`
/// they come through. Keys that the function gives itself, or `uuid`s, do not conflict so.
///
/// What is checked when: a record's own rules and its key at each write; unique values and what
/// records refer to when all is written, so that two records may exchange a unique value.
///
/// Buckets may be persistent, in memory, or some of each; in the last case those in memory that it
/// read or wrote are closed to other writers from the commit until the disk has answered. If the
/// disk fails so that nobody knows whether it has the commit (`outcome_unknown`), they take no
/// writes (`read_only`) until `store::reopen` has found out.
///
/// A bucket that crashes meanwhile does not end it: what it has read stays, and its writes are its
/// own until the commit. If the commit itself crashes before its seal, nothing happened, and the
/// error is `bucket_crashed`; of a bucket that was dropped it is `dropped`.
///
/// Used by the thread that runs the function, and only while it runs: handles that are kept answer
/// `invalid_argument` afterwards.
class transaction {
public:
  explicit transaction(detail::transaction_state& state) noexcept : state_{state} {}
  transaction(const transaction&) = delete;
  transaction& operator=(const transaction&) = delete;

  /// The handle of a bucket. Errors: `not_found`, `dropped`, `stopped`.
  result<holdfast::bucket<>> bucket(std::string_view name);
  /// The handle of a mapped struct's bucket.
  template <mapped T>
  result<holdfast::bucket<T>> bucket() {
    return bucket(mapping<T>.bucket).map([](holdfast::bucket<> plain) {
      return holdfast::bucket<T>{std::move(plain)};
    });
  }
  /// The same bucket in this transaction. It must be one of the same store.
  holdfast::bucket<> in(const holdfast::bucket<>& b);
  template <class T>
  holdfast::bucket<T> in(const holdfast::bucket<T>& b) {
    return holdfast::bucket<T>{in(b.plain())};
  }

  /// Runs `f()`, which gives a `result`, as a part of its own: if it fails or throws, what it wrote
  /// is taken back, and the transaction goes on. What it read still counts as read.
  template <class F>
  auto nested(F&& f) -> std::invoke_result_t<F&> {
    nested_part part{*this};
    auto outcome = f();
    if (outcome)
      part.keep();
    return outcome;
  }

  /// The moment that it sees.
  timestamp now() const noexcept;

private:
  /// Takes back what was written since it began unless told to keep it.
  class nested_part {
  public:
    explicit nested_part(transaction& of);
    nested_part(const nested_part&) = delete;
    nested_part& operator=(const nested_part&) = delete;
    ~nested_part();
    void keep() noexcept { kept_ = true; }

  private:
    transaction& of_;
    struct place;
    std::unique_ptr<place> begin_;
    bool kept_ = false;
  };

  detail::transaction_state& state_;
};

namespace detail {

/// Runs a transaction to its end: see `store::transact`.
result<void> transact(commit_lines& lines, runtime& rt, const store_state* in, durability level,
                      const transact_options& options, transaction_body body);

/// Runs `f(transaction&)`, whose result it gives when the transaction has committed.
template <class F, class Transact>
auto transact_with(F& f, Transact&& run) -> std::invoke_result_t<F&, transaction&> {
  using outcome = std::invoke_result_t<F&, transaction&>;
  if constexpr (std::is_void_v<typename outcome::value_type>) {
    return run(transaction_body{
        &f, [](void* context, transaction& in) { return (*static_cast<F*>(context))(in); }});
  } else {
    struct frame {
      F& f;
      std::optional<outcome> last = {};
    } all{f};
    auto done = run(transaction_body{&all, [](void* context, transaction& in) -> result<void> {
                                       auto& x = *static_cast<frame*>(context);
                                       x.last.emplace(x.f(in));
                                       if (!*x.last)
                                         return fail(x.last->error());
                                       return {};
                                     }});
    if (!done)
      return fail(std::move(done.error()));
    return std::move(*all.last);
  }
}

} // namespace detail
} // namespace holdfast
