#pragma once

#include <holdfast/runtime/pending.hpp>
#include <holdfast/store/draft.hpp>
#include <holdfast/store/durability.hpp>
#include <holdfast/store/query.hpp>
#include <holdfast/store/record.hpp>
#include <holdfast/store/record_view.hpp>
#include <holdfast/store/selection.hpp>
#include <holdfast/store/snapshot.hpp>
#include <holdfast/store/write_options.hpp>

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace holdfast {

namespace detail {
class bucket_core;
class store_state;
class transaction_part;
} // namespace detail
class transaction;

template <class T = record>
class bucket;

/// A handle to a bucket: what to do with its records.
///
/// A cheap value (copying it is one atomic addition), thread-safe, and good for as long as the
/// bucket exists: it does not notice when the bucket's actor crashes and is restarted. It binds to
/// the bucket and not to its name: after `store::drop` it answers `dropped`, also when the name is
/// defined anew.
///
/// Writes go to the bucket's actor and are one commit each; their `pending` completes when the
/// commit is published, for `sync` and `group` after it is on disk. Errors of every write, besides
/// those it names: `dropped`, `stopped`, `read_only`, `overloaded`, `unavailable`,
/// `bucket_crashed`, `out_of_memory`: then nothing happened; `outcome_unknown`: it may have.
///
/// Reads take the newest published state, or that of a snapshot, on the calling thread; they need
/// no actor and their `pending` is ready.
template <>
class bucket<record> {
public:
  bucket(const bucket&);
  bucket(bucket&&) noexcept;
  bucket& operator=(const bucket&);
  bucket& operator=(bucket&&) noexcept;
  ~bucket();

  const std::string& name() const noexcept;

  /// The same bucket with another durability for the writes of this handle. `none` is refused by
  /// persistent buckets (`invalid_argument` from each write); others ignore it.
  bucket with(durability level) const;
  /// The same bucket as of a snapshot of its store; one of another store is a broken contract
  /// (`contract_violation`). Writes through it are refused.
  bucket at(const snapshot& when) const;

  // -- writes

  /// Adds a record. Gives it as stored. Errors: `invalid` with all issues at once, `duplicate` for
  /// a taken key or unique value. O(log n) per ordered index.
  pending<record> insert(std::initializer_list<field_input> fields,
                         const write_options& how = {}) const;
  pending<record> insert(const object& fields, const write_options& how = {}) const;
  pending<record> insert(draft fields, const write_options& how = {}) const;
  /// Adds all or none, as one commit, in order. The error of one record says which. In a bucket
  /// with a capacity, what goes beyond it is evicted as if one were added after another; but by
  /// `evict::least_recently_used` those of the list go only when no other may, and never the last.
  pending<records> insert_many(const std::vector<object>& list,
                               const write_options& how = {}) const;

  /// Changes some fields of a record; null removes a field. One that the record does not have may
  /// be removed, too, if it could have it. The key and generated fields cannot be changed. Errors:
  /// `not_found`, `invalid`, `duplicate`.
  pending<record> update(value key, std::initializer_list<field_input> changes,
                         const write_options& how = {}) const;
  pending<record> update(value key, const object& changes, const write_options& how = {}) const;
  /// Gives a record another deadline: by default the one that an insert would give it now. An
  /// update that changes no field. Errors: `not_found`; `invalid_argument` without options in a
  /// bucket whose records do not expire.
  pending<record> touch(value key, const write_options& how = {}) const;

  /// Changes a record by what it is: `f(const record&)` gives the changes as an `object`, or as a
  /// `result<object>` whose error ends it. Blocks until it is done; `f` is run again if the record
  /// was changed meanwhile, on the calling thread, and must do nothing else that may not be
  /// repeated. After some tries the writes of others wait, but for those of actors, which may bring
  /// `conflict` if they never cease. Not inside an actor. Errors besides those of `f`: as of
  /// `update`.
  template <class F>
  result<record> modify(value key, F&& f) const {
    using function = std::remove_reference_t<F>;
    return modify_by(std::move(key), {const_cast<void*>(static_cast<const void*>(&f)),
                                      [](void* context, const record& now) -> result<object> {
                                        return (*static_cast<function*>(context))(now);
                                      }});
  }

  /// Updates the record with the given key field if there is one, else inserts.
  pending<record> upsert(std::initializer_list<field_input> fields,
                         const write_options& how = {}) const;
  pending<record> upsert(const object& fields, const write_options& how = {}) const;
  pending<record> upsert(draft fields, const write_options& how = {}) const;

  /// Updates or inserts each, as one commit, in order, all or none; gives them as stored. A unique
  /// value must be free when its turn comes; a transaction looks when all is written.
  pending<records> upsert_many(const std::vector<object>& list,
                               const write_options& how = {}) const;
  /// Changes all records that the filter finds, as one commit, in the bucket's order, all or none;
  /// gives their number. The error of one says which; wrong options and changes are refused though
  /// none is found. Its writers wait for it: O(found).
  pending<std::uint64_t> update_many(filter which, std::initializer_list<field_input> changes,
                                     const write_options& how = {}) const;
  pending<std::uint64_t> update_many(filter which, const object& changes,
                                     const write_options& how = {}) const;

  /// Removes a record and gives it as it was. Errors: `not_found`; `conflict` for another version
  /// than the expected one; `invalid_argument` with other options.
  pending<record> erase(value key, const write_options& how = {}) const;
  /// Removes all records that the filter finds, as one commit, all or none; gives their number.
  pending<std::uint64_t> erase_many(filter which) const;

  /// Removes all records as one commit; gives their number. O(n).
  pending<std::uint64_t> clear() const;

  /// Removes now what has expired, which the store does by itself now and then
  /// (`store_options::ttl_interval`); gives the number. In several commits with cause `ttl`, so
  /// that others write meanwhile; waits for them, so not inside an actor. Records that others refer
  /// to and restrict stay. In a transaction it is part of its commit. O(expired).
  result<std::uint64_t> purge() const;

  // -- reads

  /// The record of a key. Error: `not_found`. O(1).
  pending<record> get(value_view key) const;
  pending<record> find(value_view key) const { return get(key); }
  bool contains(value_view key) const;

  /// Calls `f(const record_view&)` on the record of a key without taking a reference; false if
  /// there is none. `f` must be short and must not keep what it sees: it holds up the freeing of
  /// memory.
  template <class F>
  result<bool> visit(value_view key, F&& f) const {
    return visit_block(key, detail::record_visitor::of(f));
  }

  /// Describes what to read; see `selection` for how to run it.
  selection where(filter which) const;
  selection everything() const;
  pending<records> all() const;
  pending<record> find_one(filter which) const;
  pending<std::uint64_t> count() const;
  pending<std::uint64_t> count(filter which) const;
  /// The first or last `n` in the bucket's order. A negative `n` is `invalid_argument`.
  pending<records> first(std::int64_t n) const;
  pending<records> last(std::int64_t n) const;

  /// The schema in force, for drafts.
  const compiled_schema& compiled() const noexcept;
  /// For the store's own parts.
  detail::bucket_core& core() const noexcept { return *core_; }

private:
  friend class store;
  friend class transaction;
  friend class detail::store_state;
  explicit bucket(ref<detail::bucket_core> core, durability level);
  explicit bucket(ref<detail::transaction_part> in);
  /// The changes that a record calls for; refers to the function.
  struct modifier {
    void* context;
    result<object> (*call)(void* context, const record& now);
  };
  result<record> modify_by(value key, modifier changes) const;
  template <class Operation, class T, class... Args>
  pending<T> write(Args&&... args) const;
  bool expired(const detail::record_block& block) const;
  template <class F>
  bool with_record(value_view key, F&& f) const;
  result<bool> visit_block(value_view key, detail::record_visitor visitor) const;

  ref<detail::bucket_core> core_;
  durability level_;
  std::optional<snapshot> when_;
  ref<detail::transaction_part> in_; ///< null: in no transaction
};

} // namespace holdfast
