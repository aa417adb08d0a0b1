#include <holdfast/store/detail/bucket_core.hpp>

#include <holdfast/runtime/fault.hpp>
#include <holdfast/runtime/operation.hpp>

#include <algorithm>

namespace holdfast::detail {

bucket_core::bucket_core(bucket_id id, std::shared_ptr<const compiled_schema> schema,
                         std::shared_ptr<runtime> rt, std::shared_ptr<commit_lines> lines,
                         std::shared_ptr<pipeline> pipe)
    : id_{id}, name_{schema->bucket()}, key_slot_{static_cast<std::uint32_t>(schema->key_slot())},
      text_keys_{schema->layout().type(schema->key_slot()) == field_type::string},
      runtime_{std::move(rt)}, lines_{std::move(lines)}, pipe_{std::move(pipe)},
      identity_{pipe_ ? id_ : runtime_->random().next()}, schemas_{schema}, schema_{schema.get()},
      newest_{make_generation(schema).release()},
      topics_{std::make_shared<const bucket_topics>(name_)}, address_{make_ref<holdfast::address>(
                                                                 *runtime_, name_)} {
  auto& definition = schemas_.front()->definition();
  if (auto most = definition.max_records())
    evictor_ = std::make_unique<detail::evictor>(*most, definition.eviction());
}

bucket_core::~bucket_core() {
  for (auto* g = newest_.load(); g;)
    delete std::exchange(g, g->before.load());
}

std::unique_ptr<generation>
bucket_core::make_generation(std::shared_ptr<const compiled_schema> schema) {
  auto made = std::make_unique<generation>(line(), schema, layout_of(*schema, identity_));
  // Blocks point to their layout, and handles outlive buckets.
  made->data.memory().keep(schema->shared_layout());
  return made;
}

/// Frees the generations that no reader can be at any more: see commit_line about why none that
/// comes later can. To look for readers is not cheap: after some commits in vain it is done seldom.
void bucket_core::drop_past_generations() noexcept {
  constexpr std::uint32_t at_every_commit = 8;
  constexpr std::uint32_t commits_per_look = 64;
  if (++looks_wanted_ > at_every_commit && looks_wanted_ % commits_per_look != 0)
    return;
  auto& now = newest();
  try {
    line().look(horizon_);
  } catch (const std::bad_alloc&) {
    return; // a later commit looks again
  }
  std::erase_if(taken_back_, [this](auto& g) { return g.tag <= horizon_.pinned; });
  auto passed = horizon_.ended >= now.birth &&
                (horizon_.snapshots.empty() || horizon_.snapshots.front() >= now.birth);
  if (!passed)
    return;
  for (auto* g = now.before.exchange(nullptr); g;)
    delete std::exchange(g, g->before.load());
}

void bucket_core::adopt(std::shared_ptr<const compiled_schema> same) {
  schemas_.push_back(same);
  schema_.store(same.get(), std::memory_order_release);
}

std::shared_ptr<const reference_links>
bucket_core::link(std::shared_ptr<const reference_links> links) noexcept {
  links_.store(links.get(), std::memory_order_release);
  held_links_.swap(links);
  if (evictor_)
    evictor_->release_all();
  return links;
}

std::optional<error> bucket_core::admit(const time_limit* latest) {
  if (!is_open())
    return closed();
  auto deadline = [&] {
    auto now = std::chrono::steady_clock::now();
    if (runtime::inside_actor())
      return now;
    return latest ? std::min(now + default_timeout, latest->wake_up()) : now + default_timeout;
  };
  if (lines_->feed.backlog() >= lines_->feed.limit() && !lines_->feed.wait_for_room(deadline()))
    return error{errc::overloaded,
                 name_ + ": " + std::to_string(lines_->feed.limit()) +
                     " commits wait to be told to subscribers, which is the limit",
                 {.bucket = name_}};
  if (lines_->way.taken() && !runtime::inside_actor() &&
      !lines_->way.wait(id_, links() != nullptr, deadline())) [[unlikely]]
    return error{errc::overloaded,
                 name_ + ": a transaction has the right of way for too long",
                 {.bucket = name_}};
  if (!pipe_ || pipe_->has_room()) [[likely]]
    return std::nullopt;
  auto room = pipe_->admit(deadline());
  return room ? std::nullopt : std::optional{room.error().at({.bucket = name_})};
}

void bucket_core::submit(ref<job> work) {
  if (lines_->way.taken() && runtime::inside_actor()) [[unlikely]] {
    const auto limit = owner().options().stash_limit;
    switch (lines_->way.pass(id_, links() != nullptr, work, address(), limit)) {
    case right_of_way::passage::free:
      break;
    case right_of_way::passage::later:
      return;
    case right_of_way::passage::full:
      return work->reject(error{errc::overloaded,
                                name_ + ": " + std::to_string(limit) +
                                    " writes of actors already wait for a transaction",
                                {.bucket = name_}});
    }
  }
  address().submit(std::move(work));
}

bool bucket_core::is_followed(std::uint64_t generation) noexcept {
  if (followed_at_ != generation) [[unlikely]] {
    followed_at_ = generation;
    followed_ = lines_->feed.wants(*topics_);
  }
  return followed_;
}

std::optional<error> bucket_core::refusal() const {
  if (!is_open())
    return closed();
  return pipe_ ? pipe_->refusal() : std::nullopt;
}

sealing bucket_core::seal(sealed_commit& c, std::span<bucket_core* const> others) {
  fault_point("bucket.sealing");
  auto stamp = [&](sequence seq) noexcept {
    stamp_sealed(seq);
    for (auto* other : others)
      other->stamp_sealed(seq);
  };
  return pipe_ ? seal_durable(c, stamp) : seal_in_memory(c, stamp);
}

void bucket_core::stamp_sealed(sequence seq) noexcept {
  if (proposed_) [[unlikely]] {
    proposed_->birth = seq;
    proposed_->before.store(newest_.load(std::memory_order_relaxed), std::memory_order_relaxed);
    schema_.store(proposed_->schema.get(), std::memory_order_release);
    looks_wanted_ = 0;
    newest_.store(proposed_.release(), std::memory_order_seq_cst);
  } else {
    data().seal_at(seq);
  }
  generator_.accept();
  given_.accept();
  writes_.fetch_add(1, std::memory_order_relaxed);
}

template <class Stamp>
sealing bucket_core::seal_in_memory(sealed_commit& c, Stamp&& stamp) {
  auto& line = lines_->memory;
  {
    std::lock_guard lock{line};
    if (line.misses_entry(c))
      return sealing::again;
    c.seq = line.take_seq();
    stamp(c.seq);
    line.publish(c.seq);
    line.feed_commit(std::move(c.entry), c.seq);
  }
  line.notify_followers();
  return sealing::published;
}

template <class Stamp>
sealing bucket_core::seal_durable(sealed_commit& c, Stamp&& stamp) {
  switch (pipe_->seal(c, stamp)) {
  case pipeline::seal_outcome::published:
    return sealing::published;
  case pipeline::seal_outcome::queued:
    return sealing::queued;
  case pipeline::seal_outcome::refused:
    return sealing::refused;
  case pipeline::seal_outcome::again:
    return sealing::again;
  }
  return sealing::refused;
}

record_block* bucket_core::find_head(const key_view& key) const {
  if (text_keys_ ? key.tag != slot_tag::text : key.tag != slot_tag::integer)
    return nullptr;
  return text_keys_ ? data().find_head(key.text, hash_of(key.text))
                    : data().find_head(key.integer, hash_of(key.integer));
}

result<void> bucket_core::restore_counter(const journal& from,
                                          const std::vector<record_block*>& records) {
  std::int64_t highest = 0;
  auto& rules = schema().rules();
  for (std::uint32_t slot = 0; slot < rules.size(); ++slot) {
    if (rules[slot].options->generated != autoincrement)
      continue;
    for (auto* block : records)
      if (block->slots()[slot].tag == slot_tag::integer)
        highest = std::max(highest, block->slots()[slot].integer);
  }
  auto stored = read_number(from, 'n', "the counter");
  if (!stored)
    return fail(std::move(stored.error()));
  generator_.restore(std::max(highest, static_cast<std::int64_t>(*stored)));
  return {};
}

result<void> bucket_core::restore_rows(const journal& from) {
  auto noted = read_number(from, 'r', "the number of rows");
  if (!noted)
    return fail(std::move(noted.error()));
  given_.restore(*noted);
  data().begin_rows_at(*noted);
  return {};
}

/// What the journal has of the bucket in a space of one number each; 0 if there is nothing.
result<std::uint64_t> bucket_core::read_number(const journal& from, char space,
                                               std::string_view what) const {
  std::uint64_t number = 0;
  auto key = bucket_prefix(space, id_);
  auto read =
      from.scan(key, key + '\0', [&](std::string_view, std::string_view bytes) -> result<void> {
        if (bytes.size() != sizeof(std::uint64_t))
          return fail(errc::corrupt, from.name() + ": " + std::string{what} + " of bucket " +
                                         name() + " has " + std::to_string(bytes.size()) +
                                         " bytes instead of 8");
        number = read_big_endian(bytes);
        return {};
      });
  if (!read)
    return fail(read.error().at({.bucket = name()}));
  return number;
}

void bucket_core::rollback() noexcept {
  proposed_.reset();
  data().rollback();
  generator_.begin();
  given_.begin();
  if (evictor_)
    evictor_->rollback();
}

void bucket_core::recover() noexcept {
  const turn_guard mine{turn_};
  if (!data().settled()) // the actor died with its operation sealed, which therefore stands
    data().settle();
  rollback();
}

void bucket_core::rewind(sequence seq) {
  recover(); // if its actor died and no other came yet
  const turn_guard mine{turn_};
  const auto seen_before = line().published() + 1;
  looks_wanted_ = 0;
  while (newest().birth > seq) {
    auto* gone = newest_.load(std::memory_order_relaxed);
    taken_back_.reserve(taken_back_.size() + 1);
    newest_.store(gone->before.load(), std::memory_order_seq_cst);
    schema_.store(newest().schema.get(), std::memory_order_release);
    taken_back_.push_back({std::unique_ptr<generation>{gone}, seen_before});
  }
  data().rewind(seq);
  given_.restore(0);
  if (evictor_)
    evictor_->forget();
  note_memory();
}

std::optional<error> bucket_core::closed() const {
  auto why = closed_.load(std::memory_order_acquire);
  if (why < 0)
    return std::nullopt;
  auto code = static_cast<errc>(why);
  return error{code,
               name_ +
                   (code == errc::dropped ? ": the bucket was dropped" : ": the store has stopped"),
               {.bucket = name_}};
}

} // namespace holdfast::detail
