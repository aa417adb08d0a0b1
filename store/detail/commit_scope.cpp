#include <holdfast/store/detail/commit_scope.hpp>

#include <holdfast/runtime/fault.hpp>
#include <holdfast/store/codec.hpp>
#include <holdfast/store/detail/read_key.hpp>
#include <holdfast/store/detail/validation.hpp>

#include <algorithm>

namespace holdfast::detail {
namespace {

std::string record_key(const bucket_core& b, const key_view& key) {
  return key.tag == slot_tag::integer ? integer_key(b.id(), key.integer)
                                      : text_key(b.id(), key.text);
}

void put_erased(bucket_core& b, sealed_commit& into, const record_block& block) {
  if (b.durable())
    into.erase(record_key(b, key_view::of(block, b.key_slot())));
}

/// The counter is kept apart from the records, so that erasing the last one does not bring its
/// number back.
void put_counter(bucket_core& b, sealed_commit& into) {
  if (!b.durable() || b.made().proposed() == b.made().counter())
    return;
  std::string number;
  append_big_endian(number, static_cast<std::uint64_t>(b.made().proposed()), 8);
  into.put(bucket_prefix('n', b.id()), number);
}

error taken(const bucket_core& b, std::size_t slot, value_view v) {
  auto& field = b.schema().layout().name(slot);
  auto text = v.to_string();
  return error{errc::duplicate,
               b.name() + "." + field + ": " + text + " is taken by another record",
               {b.name(), slot == b.key_slot() ? text : std::string{}, field},
               duplicate_value{field, text}};
}

/// The first unique field whose value another record than `self` has.
std::optional<error> clash(bucket_core& b, const draft& input, const record_block* self) {
  auto& indexes = b.schema().indexes();
  for (std::size_t i = 0; i < indexes.size(); ++i) {
    if (!indexes[i].unique)
      continue;
    auto v = input.field(indexes[i].slot);
    if (v.is_null())
      continue;
    auto* other = b.data().unique_head(i, key_of(v));
    if (other && other != self)
      return taken(b, indexes[i].slot, v);
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

commit_scope::commit_scope(bucket_core& home, sealed_commit& into)
    : home_{home}, into_{into}, now_{home.now()} {
  take_turns();
}

void commit_scope::take_turns() {
  for (;;) {
    links_ = home_.links();
    if (!links_) [[likely]]
      home_.turn().take();
    else
      for (auto* b : links_->members)
        b->turn().take();
    if (links_ == home_.links()) [[likely]]
      return;
    give_turns(); // buckets were linked meanwhile
  }
}

void commit_scope::give_turns() noexcept {
  if (!links_) [[likely]]
    return home_.turn().give();
  for (auto* b : links_->members)
    b->turn().give();
}

commit_scope::~commit_scope() {
  if (state_ == state::open)
    rollback();
  else if (state_ == state::sealed)
    settle();
}

template <class F>
void commit_scope::each_touched(F&& f) noexcept {
  if (!first_)
    return;
  f(*first_);
  for (auto* b : others_)
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
}

void commit_scope::note(bucket_core& b, change_kind kind, cause why, record_block* before,
                        record_block* after, std::uint64_t count) {
  if (!b.lines().feed.active()) [[likely]]
    return;
  if (!entry_)
    entry_ = std::make_shared<feed_entry>();
  auto& all = entry_->what;
  all.at = now_;
  all.changes.emplace_back(b.topics(), kind, why, shared(before), shared(after), count);
  all.changes.back().at = now_;
}

record_block* commit_scope::find(bucket_core& b, value_view key) const {
  return b.find_head(key_of(key));
}

result<record_block*> commit_scope::insert(bucket_core& b, draft& input) {
  touch(b);
  if (&input.schema() != &b.schema()) [[unlikely]]
    input = input.rebound(b.schema()); // the definition changed after the input was made
  if (auto failed = complete(input, b.made(), now_))
    return fail(std::move(*failed));
  if (auto failed = check_insert(input, now_))
    return fail(std::move(*failed));
  fault_point("bucket.checked");
  auto key = input.field(b.key_slot());
  auto k = key_of(key);
  if (b.find_head(k))
    return fail(taken(b, b.key_slot(), key));
  if (auto other = clash(b, input, nullptr))
    return fail(std::move(*other));
  room memory{b, block_size(input)};
  auto* block = build(memory.get(), input, now_);
  memory.used();
  block->hash = hash_of(k);
  b.data().insert(block);
  fault_point("bucket.inserted");
  put_stored(b, *block, input);
  put_counter(b, into_);
  note(b, change_kind::inserted, cause::user, nullptr, block);
  return block;
}

void commit_scope::put_block(bucket_core& b, const record_block& block) {
  if (!b.durable())
    return;
  into_.begin_put(record_key(b, key_view::of(block, b.key_slot())));
  codec::encode(block, 1, into_.bytes());
  into_.end_put();
}

/// Into the journal, and to be checked if it says that it refers to something.
void commit_scope::put_stored(bucket_core& b, record_block& block, draft& input) {
  put_block(b, block);
  if (!links_) [[likely]]
    return;
  auto* links = b.links();
  if (links && std::ranges::any_of(links->outgoing,
                                   [&](auto& out) { return !input.field(out.slot).is_null(); }))
    referring_.emplace_back(&b, &block);
}

result<record_block*> commit_scope::update(bucket_core& b, record_block& old, draft& changes,
                                           cause why) {
  touch(b);
  if (&changes.schema() != &b.schema()) [[unlikely]]
    changes = changes.rebound(b.schema());
  if (auto failed = check_update(old, changes, now_))
    return fail(std::move(*failed));
  fault_point("bucket.checked");
  if (auto other = clash(b, changes, &old))
    return fail(std::move(*other));
  auto plan = plan_update(old, changes);
  room memory{b, plan.bytes};
  auto* block = build_update(memory.get(), old, changes, plan, now_);
  memory.used();
  b.data().replace(&old, block);
  fault_point("bucket.replaced");
  put_stored(b, *block, changes);
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
  fault_point("bucket.erased");
  put_erased(b, into_, old);
  note(b, change_kind::erased, why, &old, nullptr);
  if (links_ && b.links() && !b.links()->incoming.empty()) [[unlikely]]
    erased_.emplace_back(&b, record::share(&old));
}

result<std::uint64_t> commit_scope::clear(bucket_core& b, change_kind as) {
  auto count = b.data().live_count();
  if (count == 0 && as == change_kind::cleared)
    return count;
  touch(b);
  if (auto* links = b.links(); links && !links->incoming.empty()) [[unlikely]] {
    b.data().each_head(0, [&](record_block& each) {
      erased_.emplace_back(&b, record::share(&each));
      return true;
    });
  }
  b.data().clear();
  fault_point("bucket.cleared");
  if (b.durable())
    into_.erase_range(bucket_prefix('s', b.id()), bucket_prefix('s', b.id() + 1));
  note(b, as, cause::user, nullptr, nullptr, count);
  if (auto followed = follow_erased(); !followed)
    return fail(std::move(followed.error()));
  return count;
}

result<void> commit_scope::prepare() {
  if (links_) [[unlikely]]
    if (auto whole = check_references(); !whole)
      return whole;
  first_->prepare_seal();
  for (auto* b : others_)
    b->prepare_seal();
  into_.entry = entry_;
  return {};
}

sealing commit_scope::seal() {
  auto outcome = sealing::again;
  while (outcome == sealing::again) {
    outcome = first_->seal(into_, others_);
    if (outcome == sealing::again) {
      // Somebody began to follow the feed after the edits were made.
      entry_ = std::make_shared<feed_entry>();
      each_touched([&](bucket_core& b) {
        b.data().each_edit([&](record_block* before, record_block* after) {
          auto kind = !before  ? change_kind::inserted
                      : !after ? change_kind::erased
                               : change_kind::updated;
          note(b, kind, cause::user, before, after);
        });
      });
      into_.entry = entry_;
    }
  }
  if (outcome == sealing::refused)
    return outcome;
  state_ = state::sealed;
  return outcome;
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
