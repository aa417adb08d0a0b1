#pragma once

#include <holdfast/store/bucket_update.hpp>
#include <holdfast/store/change.hpp>
#include <holdfast/store/detail/bucket_core.hpp>
#include <holdfast/store/detail/feed.hpp>
#include <holdfast/store/detail/sealed_commit.hpp>
#include <holdfast/store/draft.hpp>
#include <holdfast/store/write_options.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace holdfast::detail {

/// What one commit does to the bucket it runs in and to those that hang on it: its edits, all or
/// none, until they are sealed.
///
/// Made inside a job. It takes the turns of the buckets that its edits may reach; ending it gives
/// them back, and undoes what was not sealed, also when an exception ends it. Every edit checks
/// first, so that a refused one has changed nothing; but when a later edit of the same commit is
/// refused, the earlier ones go with it. Edits may throw `std::bad_alloc`; then only `rollback` or
/// the end is allowed.
///
/// A commit over both lines is sealed in two parts: the one in persistent buckets as any commit;
/// the one in memory at the moment at which that is published, so that it can still be taken back
/// when the disk fails, and so that no commit in memory waits behind it. Until then the turns of
/// its buckets in memory are held.
class commit_scope {
public:
  commit_scope(bucket_core& home, sealed_commit& into);
  /// Of a transaction: gets the turns of `members`, which were taken, are in order of ids, stay
  /// where they are, and have `home` among them. Not inside a job.
  commit_scope(bucket_core& home, std::span<bucket_core* const> members,
               sealed_commit& into) noexcept;
  commit_scope(const commit_scope&) = delete;
  commit_scope& operator=(const commit_scope&) = delete;
  ~commit_scope();

  /// The bucket that the job runs in.
  bucket_core& home() const noexcept { return home_; }
  /// The commit's time.
  timestamp now() const noexcept { return now_; }

  // -- edits

  /// The live record of a key in a bucket whose turn it has; null if there is none, or one that has
  /// expired.
  record_block* find(bucket_core& b, value_view key) const;
  /// The options' deadlines count; what version they expect is for the caller to look at.
  result<record_block*> insert(bucket_core& b, draft& input, const write_options& how = {});
  result<record_block*> update(bucket_core& b, record_block& old, draft& changes,
                               cause why = cause::user, const write_options& how = {});

  /// A transaction's records, which were checked and built in its own memory. Unique values,
  /// referrers and references are looked at in `prepare`, so that the order of these edits does not
  /// matter; keys must be free.
  void insert(bucket_core& b, const record_block& made);
  void replace(bucket_core& b, record_block& old, const record_block& made);
  void erase_later(bucket_core& b, record_block& old);
  /// Raises the bucket's counter.
  void count_to(bucket_core& b, std::int64_t counter);

  /// Erases a record and does to those that refer to it what their fields say.
  result<void> erase(bucket_core& b, record_block& old, cause why = cause::user);
  /// Erases all records as one change; how many there were. Those of other buckets that refer to
  /// them are treated one by one.
  result<std::uint64_t> clear(bucket_core& b, change_kind as = change_kind::cleared);
  /// Puts another definition of the bucket in place: the same fields and perhaps more, any indexes.
  /// The only edit of its commit. O(records); readers go on meanwhile.
  result<void> redefine(bucket_core& b, std::shared_ptr<const compiled_schema> next,
                        const backfill& fill);
  /// Makes it a commit although no record of `b` changes.
  void touch(bucket_core& b);
  /// What the journal is to keep besides the records.
  sealed_commit& journal() noexcept { return into_; }

  bool has_expired(const record_block& block) const noexcept {
    return expired(block, now_.time_since_epoch().count());
  }
  /// Whether a record may not go by itself: erasing it would be refused because another one refers
  /// to it, or would reach what this commit has written.
  bool is_kept(bucket_core& b, const record_block& old) const {
    return linked_ && kept_until(b, old).has_value();
  }

  bool changed() const noexcept { return first_ != nullptr; }
  /// The last commit of what it looks at, in the durable line: it may not be published yet.
  sequence looks_at() const noexcept;
  /// After `prepare` found a transaction's unique value taken: where, and the commit that made the
  /// other record.
  const bucket_core* clash_in() const noexcept { return clash_in_; }
  sequence clash_born() const noexcept { return clash_born_; }

  // -- the end

  /// The checks that need all edits to be done (what records refer to is there), and all the memory
  /// that sealing needs. Throws `std::bad_alloc`.
  result<void> prepare();
  /// Seals all edits as one commit, or nothing (`refused`); of a commit over both lines that is not
  /// published at once, the part in persistent buckets.
  sealing seal();
  /// Behind the seal: gives the turns back.
  void settle() noexcept;
  /// Undoes all edits and gives the turns back.
  void rollback() noexcept;

  // -- a commit over both lines

  /// Whether a part of it is in memory and the rest is not. Behind `prepare`.
  bool is_joint() const noexcept { return !in_memory_.empty(); }
  /// Where that part is.
  std::span<bucket_core* const> in_memory() const noexcept { return in_memory_; }
  /// Seals the part in memory. Under the line's lock, on any thread.
  void seal_in_memory(sequence seq) noexcept;
  /// Behind the seal, instead of `settle`: gives the turns of persistent buckets back.
  void settle_persistent() noexcept;
  /// And, on any thread, the others': what they hold is sealed.
  void settle_in_memory() noexcept;
  /// Or will never be.
  void rollback_in_memory() noexcept;
  /// Does to the buckets in memory, whose turns it has, what a commit did that was taken back.
  /// Throws `std::bad_alloc`.
  void repeat_in_memory(const commit& what);

private:
  enum class state : std::uint8_t { open, sealed, ended };

  struct erased_record {
    bucket_core* of;
    record what;
    bool by_transaction; ///< by its function, which has treated the referrers that it saw
  };
  /// A record that may not be erased while another one refers to it.
  struct kept_target {
    bucket_core* of;
    const incoming_reference* by;
    record key_holder;
  };

  /// One change as it is made, until it is known whether anybody is to be told.
  struct noted {
    bucket_core* in;
    change_kind kind;
    cause why;
    record_block* before;
    record_block* after;
    std::uint64_t count;
  };

  void take_turns();
  void give_turns() noexcept;
  void give_turns(line_kind of) noexcept;
  void split_lines();
  result<void> check_doubts() const;
  void erase_one(bucket_core& b, record_block& old, cause why);
  result<void> free_key(bucket_core& b, value_view key);
  result<void> free_values(bucket_core& b, const draft& input, const record_block* self);
  void put_stored(bucket_core& b, record_block& block);
  record_block* copy(bucket_core& b, const record_block& made);
  void put_made(bucket_core& b, record_block& block);
  result<void> settle_clashes();
  std::optional<std::int64_t> kept_until(bucket_core& b, const record_block& old) const;
  void release_kept(bucket_core& b, const record_block& old);
  void release_all_kept(bucket_core& b) noexcept;
  result<void> shrink(bucket_core& b);
  result<void> expire_some(bucket_core& b, std::uint64_t most);
  result<void> follow_erased();
  result<void> treat_referrers(const erased_record& gone, const incoming_reference& by);
  /// A record as it was before the commit; null if it was not there.
  static const record_block* as_it_was(const record_block* block) noexcept;
  static bool must_be_there(const outgoing_reference& by, const record_block& block) noexcept;
  static bool refers_anew(const record_block& block, std::uint32_t slot) noexcept;
  result<void> treat_one(const incoming_reference& by, record_block& referrer);
  result<void> check_references();
  void note(bucket_core& b, change_kind kind, cause why, record_block* before, record_block* after,
            std::uint64_t count = 1);
  void tell(const noted& n);
  void prepare_entry();
  template <class F>
  void each_touched(F&& f) noexcept;

  bucket_core& home_;
  sealed_commit& into_;
  timestamp now_; ///< set when the turns are there
  const cause why_ = cause::user;
  state state_ = state::open;
  bool linked_ = false;                                           ///< some have references
  std::span<bucket_core* const> members_;                         ///< whose turns it has; or home's
  std::shared_ptr<const reference_links> links_;                  ///< that hold them
  std::vector<std::pair<bucket_core*, record_block*>> made_;      ///< to be checked for clashes
  std::vector<erased_record> erased_;                             ///< referrers not treated yet
  std::vector<std::pair<bucket_core*, record_block*>> referring_; ///< stored, to be checked
  std::vector<kept_target> kept_;
  const bucket_core* clash_in_ = nullptr;
  sequence clash_born_ = 0;
  bucket_core* first_ = nullptr;        ///< of the buckets with edits; mostly the only one
  std::vector<bucket_core*> others_;    ///< that have edits too
  std::vector<bucket_core*> in_memory_; ///< of a commit over both lines, taken out of these
  std::optional<noted> first_change_;   ///< in order, with those that follow; mostly the only one
  std::vector<noted> more_changes_;
};

} // namespace holdfast::detail
