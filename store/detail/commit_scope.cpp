#include <holdfast/store/detail/commit_scope.hpp>

#include <holdfast/runtime/fault.hpp>
#include <holdfast/store/detail/commit_journal.hpp>
#include <holdfast/store/detail/read_key.hpp>
#include <holdfast/store/detail/validation.hpp>
#include <holdfast/store/detail/validation_build.hpp>
#include <holdfast/store/detail/write_checks.hpp>
#include <holdfast/store/detail/write_errors.hpp>

#include <algorithm>

namespace holdfast::detail {
namespace {

/// A unique field whose value another record has.
struct shared_value {
  std::size_t slot;
  record_block* other;
};

/// The first one of the input's whose other record is not `self`.
std::optional<shared_value> clash(bucket_core& b, const draft& input, const record_block* self) {
  auto& indexes = b.schema().indexes();
  for (std::size_t i = 0; i < indexes.size(); ++i) {
    if (indexes[i].type != index_type::unique)
      continue;
    auto v = input.field(indexes[i].slot);
    if (v.is_null())
      continue;
    auto* other = b.data().unique_head(i, key_of(v));
    if (other && other != self)
      return shared_value{indexes[i].slot, other};
  }
  return std::nullopt;
}

/// Memory from the bucket's pool that goes back unless it becomes a record.
class room {
public:
  room(bucket_core& b, std::size_t bytes)
      : pool_{b.data().memory()}, bytes_{bytes}, memory_{pool_.allocate(bytes)} {}
  room(const room&) = delete;
  room& operator=(const room&) = delete;
  ~room() {
    if (memory_)
      pool_.free(memory_, bytes_);
  }
  void* get() const noexcept { return memory_; }
  void used() noexcept { memory_ = nullptr; }

private:
  pool& pool_;
  std::size_t bytes_;
  void* memory_;
};

record shared(record_block* block) { return block ? record::share(block) : record{}; }

} // namespace

commit_scope::commit_scope(bucket_core& home, sealed_commit& into) : home_{home}, into_{into} {
  take_turns();
  now_ = home.now(); // behind the commits that it waited for
}

commit_scope::commit_scope(bucket_core& home, std::span<bucket_core* const> members,
                           sealed_commit& into) noexcept
    : home_{home}, into_{into}, now_{home.now()}, why_{cause::transaction}, members_{members} {
  linked_ = std::ranges::any_of(members_, [](auto* b) { return b->links() != nullptr; });
}

void commit_scope::take_turns() {
  for (;;) {
    home_.turn().take();
    linked_ = home_.links() != nullptr;
    if (!linked_) [[likely]]
      return;
    links_ = home_.held_links(); // with its turn: what it is linked with is there
    home_.turn().give();
    for (auto* b : members_ = links_->members)
      b->turn().take();
    if (links_.get() == home_.links()) [[likely]]
      return;
    give_turns(); // buckets were linked meanwhile
  }
}

void commit_scope::give_turns() noexcept {
  if (members_.empty()) [[likely]]
    return home_.turn().give();
  for (auto* b : members_)
    b->turn().give();
  members_ = {};
}

commit_scope::~commit_scope() {
  if (state_ == state::open)
    rollback();
  else if (state_ == state::sealed)
    settle();
}

template <class F>
void commit_scope::each_touched(F&& f) noexcept {
  if (first_)
    f(*first_);
  for (auto* b : others_)
    f(*b);
  for (auto* b : in_memory_)
    f(*b);
}

void commit_scope::touch(bucket_core& b) {
  if (!first_) {
    first_ = &b;
  } else if (&b != first_ && std::ranges::find(others_, &b) == others_.end()) {
    others_.push_back(&b);
  } else {
    return;
  }
  b.made().begin();
  b.given().begin();
}

/// Always, since somebody may begin to follow the feed before the commit is sealed.
void commit_scope::note(bucket_core& b, change_kind kind, cause why, record_block* before,
                        record_block* after, std::uint64_t count) {
  const noted change{&b, kind, why, before, after, count};
  if (!first_change_) [[likely]]
    first_change_ = change;
  else
    more_changes_.push_back(change);
}

/// The entry for those who follow the feed, if somebody wants it.
void commit_scope::prepare_entry() {
  into_.unwanted = first_->lines().feed.generation();
  auto wanted = is_joint();
  each_touched([&](bucket_core& b) { wanted = wanted || b.is_followed(into_.unwanted); });
  if (!wanted)
    return;
  into_.entry = std::make_shared<feed_entry>();
  auto& all = into_.entry->what;
  all.at = now_;
  all.changes.reserve(more_changes_.size() + 1);
  if (first_change_)
    tell(*first_change_);
  for (auto& n : more_changes_)
    tell(n);
}

void commit_scope::tell(const noted& n) {
  auto& changes = into_.entry->what.changes;
  changes.emplace_back(n.in->topics(), n.kind, n.why, shared(n.before), shared(n.after), n.count);
  changes.back().at = now_;
  changes.back().persistent = n.in->durable();
}

record_block* commit_scope::find(bucket_core& b, value_view key) const {
  auto* found = b.find_head(key_of(key));
  return found && !has_expired(*found) ? found : nullptr;
}

result<record_block*> commit_scope::insert(bucket_core& b, draft& input, const write_options& how) {
  touch(b);
  if (&input.schema() != &b.schema()) [[unlikely]]
    input = input.rebound(b.schema()); // the definition changed after the input was made
  auto refused = [&](const error& e) { return fail(of_record(e, b, input.key())); };
  auto ends = deadline_of_insert(b.schema(), how, now_);
  if (!ends)
    return refused(ends.error());
  if (auto failed = complete(input, b.made(), now_))
    return refused(*failed);
  if (auto failed = check_insert(input, now_))
    return refused(*failed);
  fault_point("bucket.checked");
  auto key = input.field(b.key_slot());
  auto k = key_of(key);
  if (auto free = free_key(b, key); !free)
    return fail(std::move(free.error()));
  if (auto free = free_values(b, input, nullptr); !free)
    return refused(free.error());
  room memory{b, block_size(input)};
  auto* block = build(memory.get(), input, now_, *ends);
  memory.used();
  block->hash = hash_of(k);
  b.data().insert(block);
  fault_point("bucket.inserted");
  put_stored(b, *block);
  put_counter(b, into_);
  note(b, change_kind::inserted, why_, nullptr, block);
  return block;
}

/// Expires a record that still has the key. One that another record refers to may go, too, for its
/// key is there again when that is checked.
result<void> commit_scope::free_key(bucket_core& b, value_view key) {
  auto* holder = b.find_head(key_of(key));
  if (!holder) [[likely]]
    return {};
  if (!has_expired(*holder))
    return fail(taken(b, b.schema(), b.key_slot(), key));
  return erase(b, *holder, cause::ttl);
}

/// The same for unique values of others than `self`; but there a record that is kept stays.
result<void> commit_scope::free_values(bucket_core& b, const draft& input,
                                       const record_block* self) {
  while (auto found = clash(b, input, self)) {
    if (!has_expired(*found->other) || is_kept(b, *found->other))
      return fail(taken(b, b.schema(), found->slot, input.field(found->slot)));
    if (auto gone = erase(b, *found->other, cause::ttl); !gone)
      return gone;
    // It stays, and so does what it refers to, for as long as both wait to be purged.
    if (self && !b.find_head(key_of(key_of(*self))))
      return fail(taken(b, b.schema(), found->slot, input.field(found->slot)));
  }
  return {};
}

/// Into the journal, and to be checked if it refers to something.
void commit_scope::put_stored(bucket_core& b, record_block& block) {
  put_record(b, into_, block);
  if (!linked_) [[likely]]
    return;
  auto* links = b.links();
  if (links &&
      std::ranges::any_of(links->outgoing, [&](auto& out) { return must_be_there(out, block); }))
    referring_.emplace_back(&b, &block);
}

void commit_scope::count_to(bucket_core& b, std::int64_t counter) {
  touch(b);
  b.made().explicit_number(counter);
  put_counter(b, into_);
}

result<record_block*> commit_scope::update(bucket_core& b, record_block& old, draft& changes,
                                           cause why, const write_options& how) {
  touch(b);
  if (&changes.schema() != &b.schema()) [[unlikely]]
    changes = changes.rebound(b.schema());
  auto refused = [&](const error& e) { return fail(of_record(e, b, key_of(old))); };
  auto ends = deadline_of_update(old, b.schema(), how, now_);
  if (!ends)
    return refused(ends.error());
  if (auto failed = check_update(old, changes, now_))
    return refused(*failed);
  fault_point("bucket.checked");
  if (auto free = free_values(b, changes, &old); !free)
    return refused(free.error());
  if (old.death.load(std::memory_order_relaxed) != never) [[unlikely]] {
    // It refers to one that had to go, and was changed with it.
    auto* head = find(b, key_of(old));
    return head ? update(b, *head, changes, why, how) : fail(no_record(b, key_of(old)));
  }
  if (auto* keeper = b.evictor()) [[unlikely]]
    keeper->mark(old.row);
  auto plan = plan_update(old, changes);
  room memory{b, plan.bytes};
  auto* block = build_update(memory.get(), old, changes, plan, now_);
  block->expires_at = *ends;
  memory.used();
  b.data().replace(&old, block);
  if (linked_) [[unlikely]]
    release_kept(b, old);
  fault_point("bucket.replaced");
  put_stored(b, *block);
  note(b, change_kind::updated, why, &old, block);
  return block;
}

result<void> commit_scope::erase(bucket_core& b, record_block& old, cause why) {
  erase_one(b, old, why);
  return erased_.empty() ? result<void>{} : follow_erased();
}

void commit_scope::erase_one(bucket_core& b, record_block& old, cause why) {
  touch(b);
  b.data().erase(&old);
  if (linked_) [[unlikely]]
    release_kept(b, old);
  fault_point("bucket.erased");
  put_erased(b, into_, old);
  note(b, change_kind::erased, why, &old, nullptr);
  if (linked_ && b.links() && !b.links()->incoming.empty()) [[unlikely]]
    erased_.push_back({&b, record::share(&old), why == cause::transaction});
}

result<std::uint64_t> commit_scope::clear(bucket_core& b, change_kind as) {
  auto live = b.data().live_count();
  if (live == 0 && as == change_kind::cleared)
    return live;
  auto count = live - b.data().expired_heads(now_.time_since_epoch().count());
  touch(b);
  if (auto* links = b.links(); links && !links->incoming.empty()) [[unlikely]] {
    b.data().each_head(0, [&](record_block& each) {
      erased_.push_back({&b, record::share(&each), false});
      return true;
    });
  }
  b.data().clear();
  release_all_kept(b);
  fault_point("bucket.cleared");
  put_cleared(b, into_);
  note(b, as, why_, nullptr, nullptr, count);
  if (auto followed = follow_erased(); !followed)
    return fail(std::move(followed.error()));
  return count;
}

result<void> commit_scope::prepare() {
  if (!made_.empty() && !bug_point("transaction.unique_values")) [[unlikely]]
    if (auto settled = settle_clashes(); !settled)
      return settled;
  if (first_->evictor()) [[unlikely]]
    if (auto room = shrink(*first_); !room)
      return room;
  for (std::size_t i = 0; i < others_.size(); ++i) // what is let go may reach more of them
    if (others_[i]->evictor())
      if (auto room = shrink(*others_[i]); !room)
        return room;
  if (linked_) [[unlikely]]
    if (auto whole = check_references(); !whole)
      return whole;
  if (auto known = check_doubts(); !known)
    return known;
  first_->prepare_seal();
  for (auto* b : others_)
    b->prepare_seal();
  if (!others_.empty()) [[unlikely]]
    split_lines();
  prepare_entry();
  return {};
}

sealing commit_scope::seal() {
  auto outcome = first_->seal(into_, others_);
  for (; outcome == sealing::again; outcome = first_->seal(into_, others_))
    prepare_entry(); // somebody came to follow the feed, or left it, after the edits were made
  if (outcome == sealing::published || outcome == sealing::queued)
    state_ = state::sealed;
  return outcome;
}

sequence commit_scope::looks_at() const noexcept {
  sequence last = 0;
  const auto look = [&](bucket_core& b) { // a new generation knows of no commit but its own
    if (b.durable())
      last = std::max({last, b.data().sealed_seq(), b.at(never).birth});
  };
  look(home_);
  for (auto* b : members_)
    look(*b);
  return last;
}

void commit_scope::settle() noexcept {
  each_touched([](bucket_core& b) { b.after_seal(); });
  state_ = state::ended;
  give_turns();
}

void commit_scope::rollback() noexcept {
  each_touched([](bucket_core& b) { b.rollback(); });
  state_ = state::ended;
  give_turns();
}

} // namespace holdfast::detail
