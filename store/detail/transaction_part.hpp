#pragma once

#include <holdfast/store/detail/bucket_core.hpp>
#include <holdfast/store/detail/own_writes.hpp>
#include <holdfast/store/detail/putting.hpp>
#include <holdfast/store/detail/read_set.hpp>
#include <holdfast/store/detail/reader.hpp>
#include <holdfast/store/draft.hpp>
#include <holdfast/store/query.hpp>
#include <holdfast/store/selection.hpp>
#include <holdfast/store/write_options.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

namespace holdfast::detail {

class transaction_state;

/// One bucket as an open transaction sees it: a snapshot, and over it what the transaction has
/// written. Keeps what was read. All of it is local to the thread that runs the transaction; the
/// bucket learns of it when the transaction commits.
///
/// Bucket handles made by the transaction share it and may outlive the transaction: then every call
/// fails with `invalid_argument`.
class transaction_part final : public ref_counted {
public:
  transaction_part(transaction_state& of, ref<bucket_core> core, std::uint64_t seq);

  bucket_core& core() const noexcept { return *core_; }
  /// The definition that it sees.
  const compiled_schema& schema() const noexcept { return *form_->schema; }
  const generation& form() const noexcept { return *form_; }
  /// Of the snapshot.
  std::uint64_t seq() const noexcept { return seq_; }
  /// The transaction's time, in microseconds since the epoch. Before it has ended.
  std::int64_t now() const noexcept;
  own_writes& own() noexcept { return own_; }
  const own_writes& own() const noexcept { return own_; }
  read_set& reads() noexcept { return reads_; }
  /// The bucket's counter as it was when the transaction took a number from it.
  std::optional<std::int64_t> counted_from() const noexcept { return counted_from_; }
  /// The expired records that it purged: that they are still there is what their number says.
  const std::vector<const record_block*>& purged() const noexcept { return purged_; }
  /// What the counter is to be at least.
  std::int64_t counter() const noexcept { return made_.counter(); }
  bool changed() const noexcept;
  /// Whether a record of the snapshot may end by a deadline. Before the transaction has ended.
  bool has_deadlines() const noexcept;
  /// Whether the bucket was closed since it was first asked for.
  bool has_closed() const noexcept { return was_open_ && !core_->is_open(); }

  /// A place to go back to; that of the beginning by default.
  struct place {
    std::size_t writes = 0;
    std::optional<std::int64_t> counter = {};
  };
  place mark() const noexcept { return {own_.mark(), made_.counter()}; }
  void rollback(const place& to) noexcept {
    own_.rollback(to.writes);
    made_.restore(std::max(counted_from_.value_or(0), to.counter.value_or(0)));
  }

  /// The transaction has ended: forgets everything.
  void end() noexcept;
  /// Why nothing can be done here any more: the transaction has ended, or its time is over.
  std::optional<error> ended() const;
  /// Why it cannot be written, besides that.
  std::optional<error> refusal() const;
  /// The query over what may be seen: all of it, but for a query's read filters.
  query restricted(query q) const;

  // -- what bucket handles do

  result<record> get(value_view key);
  result<bool> visit(value_view key, record_visitor visitor);
  result<record> insert(draft input, const write_options& how);
  result<records> put_many(const std::vector<object>& list, const write_options& how, putting as);
  result<std::uint64_t> update_many(const filter& which, const draft& changes,
                                    const write_options& how);
  result<std::uint64_t> erase_many(const filter& which);
  result<record> update(value_view key, draft changes, const write_options& how);
  result<record> touch(value_view key, write_options how);
  result<record> upsert(draft input, const write_options& how);
  result<record> erase(value_view key, const write_options& how = {});
  result<std::uint64_t> clear();
  result<std::uint64_t> purge();

  /// Calls `f(reader, now)` on what the transaction sees; what it uses of that is to be noted in
  /// `reads`.
  template <class F>
  std::invoke_result_t<F&, const reader&, std::int64_t> read(F&& f) {
    using outcome = std::invoke_result_t<F&, const reader&, std::int64_t>;
    if (auto why = ended())
      return outcome{fail(std::move(*why))};
    pin_guard pin{core_->line(), pin_for::read};
    read_view view{form_->data, seq_};
    const auto hidden = view.expired_count(now()) > 0 ? expiry::possible : expiry::none;
    reader from{schema(), view, hidden, own_.empty() ? nullptr : &own_};
    return outcome{f(from, now())};
  }
  /// Calls `f(const record_block&)` for the records of the snapshot whose deadline comes behind the
  /// one time and not behind the other, until it returns false.
  template <class F>
  void each_ended(std::int64_t behind, std::int64_t until, F&& f) const {
    pin_guard pin{core_->line()};
    const read_view view{form_->data, seq_};
    const auto first = view.expired_count(behind);
    view.for_deadlines(first, view.expired_count(until) - first, f);
  }
  /// How many those are. O(log records).
  std::uint64_t count_ended(std::int64_t behind, std::int64_t until) const {
    pin_guard pin{core_->line()};
    const read_view view{form_->data, seq_};
    return view.expired_count(until) - view.expired_count(behind);
  }
  /// Whether a record stands in a row that only this transaction knows.
  bool is_inserted(const record_block& block) const noexcept { return block.row >= row_bound_; }

private:
  record_block* find(const key_view& key, std::uint64_t hash);
  record_block* find(value_view key);
  void note_use(const record_block& block) const noexcept;
  record_block* in_snapshot(const key_view& key, std::uint64_t hash) const;
  bool is_visible(const record_block& block) const;
  std::optional<error> unreadable() const;
  result<record_block*> put_new(draft& input, const write_options& how = {});
  result<record_block*> put_next(record_block& old, draft& changes, const write_options& how = {});
  using erased_records = std::vector<std::pair<transaction_part*, record>>;
  result<void> put_erased(record_block& old);
  record put_gone(record_block& old);
  result<void> treat_referrers(record gone, bool makes_room = false);
  result<void> treat_referrers(const record& gone, bool makes_room, erased_records& list);
  bool refers_anew(const record_block& block, std::uint32_t slot) const;
  result<records> referring(std::uint32_t slot, value_view to, read_set::used_fields used);
  result<std::vector<record_block*>> expired_blocks();
  result<bool> is_kept(record_block& old);
  result<bool> purge_one(record_block& old);
  draft bound(draft input) const;
  result<records> matching(const filter& which);

  transaction_state* of_; ///< null once it has ended
  ref<bucket_core> core_;
  const bool was_open_;
  std::uint64_t seq_;
  const generation* form_;
  std::uint64_t row_bound_;
  own_writes own_;
  read_set reads_;
  generator made_{core_->owner().random()};
  std::optional<std::int64_t> counted_from_;
  std::vector<const record_block*> purged_; ///< of the snapshot, which keeps them
  const filter* only_;                      ///< what may be seen; null: everything
  result<matcher> visible_{matcher{}};
};

} // namespace holdfast::detail
