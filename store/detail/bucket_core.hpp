#pragma once

#include <holdfast/runtime/address.hpp>
#include <holdfast/runtime/clock.hpp>
#include <holdfast/runtime/ref.hpp>
#include <holdfast/runtime/runtime.hpp>
#include <holdfast/store/detail/bucket_data.hpp>
#include <holdfast/store/detail/evictor.hpp>
#include <holdfast/store/detail/generate.hpp>
#include <holdfast/store/detail/generation.hpp>
#include <holdfast/store/detail/given_rows.hpp>
#include <holdfast/store/detail/journal_keys.hpp>
#include <holdfast/store/detail/pipeline.hpp>
#include <holdfast/store/detail/references.hpp>
#include <holdfast/store/detail/turn.hpp>
#include <holdfast/store/detail/validation_rules.hpp>
#include <holdfast/store/schema.hpp>

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace holdfast::detail {

enum class sealing : std::uint8_t { published, queued, refused, again };

/// What a bucket is apart from its actor: its data, its schema, its line. Handles and incarnations
/// of the actor share it, and it survives them all.
///
/// The writing members are for whoever has the actor's exclusivity; the reading ones are
/// thread-safe.
class bucket_core final : public ref_counted {
public:
  /// `pipe` is null for a bucket that lives in memory only.
  bucket_core(bucket_id id, std::shared_ptr<const compiled_schema> schema,
              std::shared_ptr<runtime> rt, std::shared_ptr<commit_lines> lines,
              std::shared_ptr<pipeline> pipe);
  ~bucket_core() override;

  const std::string& name() const noexcept { return name_; }
  bucket_id id() const noexcept { return id_; }
  std::uint32_t key_slot() const noexcept { return key_slot_; }
  bool text_keys() const noexcept { return text_keys_; }
  timestamp now() const noexcept { return lines_->time.now(runtime_->clock()); }
  /// While pinned.
  line_moment moment() noexcept { return line().moment(lines_->time, runtime_->clock()); }
  runtime& owner() const noexcept { return *runtime_; }
  holdfast::address& address() noexcept { return *address_; }
  bool durable() const noexcept { return pipe_ != nullptr; }
  /// See `pipeline`; false in memory, where what is sealed is published.
  bool settle_behind(sealed_commit& c, sequence seq) noexcept {
    return pipe_ && pipe_->settle_behind(c, seq);
  }
  commit_line& line() noexcept { return durable() ? lines_->durable : lines_->memory; }
  commit_lines& lines() noexcept { return *lines_; }
  /// How it hangs together with other buckets; null if it does not. Changes only with the turns of
  /// all that it concerns: who has none of them may only ask whether there is any.
  const reference_links* links() const noexcept { return links_.load(std::memory_order_acquire); }
  /// The same, to be kept beyond its turn. With its turn.
  const std::shared_ptr<const reference_links>& held_links() const noexcept { return held_links_; }
  /// The links before.
  std::shared_ptr<const reference_links>
  link(std::shared_ptr<const reference_links> links) noexcept;
  /// The right to edit.
  detail::turn& turn() noexcept { return turn_; }
  const std::shared_ptr<const bucket_topics>& topics() const noexcept { return topics_; }
  /// Whether somebody wants its commits, at that generation of the feed or later. With its turn.
  bool is_followed(std::uint64_t generation) noexcept;
  /// The newest data: the writer's.
  bucket_data& data() noexcept { return newest().data; }
  const bucket_data& data() const noexcept { return newest().data; }
  /// The data and schema that are in force at a seq. While pinned.
  const generation& at(std::uint64_t seq) const noexcept {
    const auto* g = newest_.load(pinned_load);
    while (g->birth > seq)
      [[unlikely]] g = g->before.load(pinned_load);
    return *g;
  }

  /// The schema in force; stays valid as long as the bucket.
  const compiled_schema& schema() const noexcept {
    return *schema_.load(std::memory_order_acquire);
  }
  /// Puts an equal schema in place, with the user's own functions. With its turn.
  void adopt(std::shared_ptr<const compiled_schema> same);
  /// An empty generation under another schema.
  std::unique_ptr<generation> make_generation(std::shared_ptr<const compiled_schema> schema);
  /// Lets the next seal put a filled generation in place of the newest one. With its turn; nothing
  /// else may be edited in the same commit.
  void propose(std::unique_ptr<generation> next) {
    schemas_.push_back(next->schema); // inputs made under it may outlive the generation
    proposed_ = std::move(next);
  }

  /// Before an operation is sent: waits for room on the way to the disk (R6), from plain threads
  /// only, and not beyond `latest`.
  std::optional<error> admit(const time_limit* latest = nullptr);
  /// Sends an operation that was admitted to the bucket's actor; inside other actors not before a
  /// transaction that has the right of way has ended.
  void submit(ref<job> work);
  /// Waits until a commit that was sealed in it is published. Errors: `timeout`, and as of writes.
  result<void> wait_published(sequence seq, const time_limit& until) const {
    return pipe_ ? pipe_->wait_published(seq, until.wake_up()) : result<void>{};
  }
  /// Inside the bucket: why no write can be applied now, if so.
  std::optional<error> refusal() const;

  /// The three steps of sealing; `prepare` may throw `std::bad_alloc`, and then nothing was sealed.
  void prepare_seal() {
    if (!proposed_) [[likely]]
      data().prepare_seal();
  }
  /// Seals what is prepared in this bucket and in `others`, all of one line, as one commit.
  sealing seal(sealed_commit& c, std::span<bucket_core* const> others);
  void after_seal() noexcept {
    if (!data().settled()) [[likely]]
      data().settle();
    if (newest().before.load(std::memory_order_relaxed) || !taken_back_.empty()) [[unlikely]]
      drop_past_generations();
    note_memory();
  }
  /// Seals what is prepared in this bucket; `seal` without its line, under whose lock it is.
  void stamp_sealed(sequence seq) noexcept;
  void rollback() noexcept;
  /// Why nothing can be written: it is not known whether a commit stands that wrote to it and to
  /// persistent buckets. Null: all is known. With its turn.
  const std::shared_ptr<const error>& doubt() const noexcept { return doubt_; }
  void doubt(std::shared_ptr<const error> why) noexcept { doubt_ = std::move(why); }
  /// What an operation fails with when there is no memory; made beforehand, for there is none.
  const error& out_of_memory() const noexcept { return out_of_memory_; }
  /// A new incarnation of the actor begins: back to what is sealed (R3).
  void recover() noexcept;

  /// Takes back what was sealed after `seq` and never published. From any thread. Throws
  /// `std::bad_alloc`, and then nothing is taken back.
  void rewind(sequence seq);

  /// From here on handles answer `dropped` or `stopped`.
  void close(errc why) noexcept { closed_.store(static_cast<int>(why), std::memory_order_release); }
  /// Takes that back: what was to close it did not happen.
  void reopen() noexcept { closed_.store(-1, std::memory_order_release); }
  /// The reason if it was closed.
  std::optional<error> closed() const;
  bool is_open() const noexcept { return closed_.load(std::memory_order_acquire) < 0; }

  /// The live record of a key, inside the bucket; null if there is none or no key can be like that.
  record_block* find_head(const key_view& key) const;

  /// After a restore: the counter goes on behind the stored one and behind every restored value.
  /// Errors: those of the journal; `corrupt` for a counter that is none.
  result<void> restore_counter(const journal& from, const std::vector<record_block*>& records);
  /// Before one: new records go behind all that ever were. The same errors.
  result<void> restore_rows(const journal& from);

  /// What a full bucket lets go; null without a capacity. Set for good when the bucket is made.
  detail::evictor* evictor() const noexcept { return evictor_.get(); }

  /// Makes generated values; its counter moves when an operation is sealed.
  generator& made() noexcept { return generator_; }
  /// What the journal knows of rows; moves as that does.
  given_rows& given() noexcept { return given_; }

  /// Tells `stats`, which any thread may ask for, what the pool holds: for whoever changed it.
  void note_memory() noexcept;
  std::size_t memory_used() const noexcept { return memory_used_.load(std::memory_order_relaxed); }
  std::size_t memory_mapped() const noexcept {
    return memory_mapped_.load(std::memory_order_relaxed);
  }

  /// Those of `memory_used` that only snapshots keep, as far as the writer has looked.
  std::size_t memory_kept() const noexcept { return memory_kept_.load(std::memory_order_relaxed); }
  std::size_t deadline_bytes() const noexcept {
    return deadline_bytes_.load(std::memory_order_relaxed);
  }

  std::uint64_t writes() const noexcept { return writes_.load(std::memory_order_relaxed); }

private:
  generation& newest() const noexcept { return *newest_.load(std::memory_order_acquire); }
  void drop_past_generations() noexcept;
  result<std::uint64_t> read_number(const journal& from, char space, std::string_view what) const;
  template <class Stamp>
  sealing seal_in_memory(sealed_commit& c, Stamp&& stamp);
  template <class Stamp>
  sealing seal_durable(sealed_commit& c, Stamp&& stamp);

  const bucket_id id_;
  const std::string name_;
  const std::uint32_t key_slot_;
  const bool text_keys_;
  std::shared_ptr<runtime> runtime_;    ///< handles may outlive the store
  std::shared_ptr<commit_lines> lines_; // the pins and snapshots that readers use
  std::shared_ptr<pipeline> pipe_;
  const std::uint64_t identity_; ///< its id, or in memory, where ids begin anew, a random one
  std::vector<std::shared_ptr<const compiled_schema>> schemas_; // all that were ever in force
  std::atomic<const compiled_schema*> schema_;
  std::unique_ptr<detail::evictor> evictor_;
  std::atomic<generation*> newest_; ///< owned, with those before it
  std::unique_ptr<generation> proposed_;
  /// Never published; readers that pinned below `tag` may just pass by.
  struct past_generation {
    std::unique_ptr<generation> data;
    std::uint64_t tag;
  };
  std::vector<past_generation> taken_back_;
  std::uint32_t looks_wanted_ = 0; ///< after how many commits past generations were to go
  std::shared_ptr<const error> doubt_;
  commit_line::horizon horizon_;
  detail::turn turn_;
  std::shared_ptr<const bucket_topics> topics_;
  std::uint64_t followed_at_ = 0; ///< the generation of the feed that `followed_` is of
  bool followed_ = false;
  std::shared_ptr<const reference_links> held_links_;
  std::atomic<const reference_links*> links_{nullptr}; ///< the same
  generator generator_{runtime_->random()};
  given_rows given_;
  std::atomic<std::uint64_t> writes_{0};
  std::atomic<std::size_t> memory_used_{0};
  std::atomic<std::size_t> memory_mapped_{0};
  std::atomic<std::size_t> memory_kept_{0};
  std::atomic<std::size_t> deadline_bytes_{0};
  ref<holdfast::address> address_;
  std::atomic<int> closed_{-1};
  const error out_of_memory_{
      errc::out_of_memory, name_ + ": an allocation failed", {.bucket = name_}};
};

inline void bucket_core::note_memory() noexcept {
  auto& now = data();
  auto used = now.memory().bytes_in_use(), mapped = now.memory().bytes_mapped();
  auto kept = now.kept_bytes();
  for (auto* g = newest().before.load(std::memory_order_relaxed); g;
       g = g->before.load(std::memory_order_relaxed)) {
    used += g->data.memory().bytes_in_use();
    mapped += g->data.memory().bytes_mapped();
    kept += g->data.memory().bytes_in_use();
  }
  memory_used_.store(used, std::memory_order_relaxed);
  memory_mapped_.store(mapped, std::memory_order_relaxed);
  memory_kept_.store(kept, std::memory_order_relaxed);
  deadline_bytes_.store(now.deadline_index_bytes(), std::memory_order_relaxed);
}

} // namespace holdfast::detail
