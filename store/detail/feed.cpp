#include <holdfast/store/detail/feed.hpp>

#include <algorithm>
#include <new>
#include <utility>

namespace holdfast::detail {

namespace {

/// Lets go of a list from its front, as far as nobody else holds it. One by one: the destructor of
/// a long list would call itself for each entry.
void release(std::shared_ptr<feed_entry> front) noexcept {
  while (front && front.use_count() == 1)
    front = std::exchange(front->next, nullptr);
}

constexpr std::size_t index_of(line_kind line) noexcept { return static_cast<std::size_t>(line); }
constexpr auto memory = index_of(line_kind::memory), durable = index_of(line_kind::durable);

using heads = std::array<std::shared_ptr<feed_entry>, line_count>;

/// Of what follows in each line, what is read next: one entry, or both of a commit over both lines,
/// for which the line that comes to it first waits.
heads choose(const heads& next, const feed::line_seqs& until) {
  auto joint = true;
  for (auto line : {memory, durable}) {
    const auto there = next[line] && next[line]->what.seq <= until[line];
    if (there && !next[line]->joint)
      return line == memory ? heads{next[memory], nullptr} : heads{nullptr, next[durable]};
    joint = joint && there;
  }
  return joint ? next : heads{};
}

/// Commits and changes of no interest that may wait for a reader that sleeps: they keep old
/// records.
constexpr std::size_t most_unwanted = 512;

} // namespace

bool feed_interest::in(const bucket_topics& of) const noexcept {
  return std::ranges::binary_search(buckets, &of) ||
         std::ranges::find(names, of.bucket) != names.end();
}

bool feed_interest::in(const commit& c) const noexcept {
  const bucket_topics* last = nullptr; // most commits are of one bucket
  for (auto& one : c.changes) {
    if (one.identity() == last)
      continue;
    last = one.identity();
    if (in(*last))
      return true;
  }
  return false;
}

feed::feed(std::size_t limit) : limit_{limit} {
  for (auto& last : last_)
    last = std::make_shared<feed_entry>();
}

feed::~feed() = default;

/// Under the lock.
void feed::append(std::shared_ptr<feed_entry> e, line_kind line) noexcept {
  auto& last = last_[index_of(line)];
  last->next = e;
  last = std::move(e);
  for (auto* r : readers_) {
    ++r->behind_;
    r->weight_ += 1 + last->what.changes.size();
    if (!r->wanted_)
      r->wanted_ = !r->interest_ || r->interest_->in(last->what);
  }
}

void feed::push(std::shared_ptr<feed_entry> e, line_kind line, sequence seq) noexcept {
  e->what.seq = seq;
  e->what.persistent = line == line_kind::durable;
  for (auto& one : e->what.changes) {
    one.seq = seq;
    one.persistent = e->what.persistent;
  }
  const std::lock_guard guard(lock_);
  append(std::move(e), line);
  note_backlog();
}

void feed::push(std::shared_ptr<feed_entry> e, sequence durable, std::shared_ptr<feed_entry> place,
                sequence memory) noexcept {
  e->joint = place->joint = true;
  e->what.seq = durable;
  e->what.persistent = true;
  place->what.seq = e->what.memory_seq = memory;
  for (auto& one : e->what.changes) {
    one.seq = one.persistent ? durable : memory;
    one.also_seq = one.persistent ? memory : durable;
  }
  const std::lock_guard guard(lock_);
  append(std::move(place), line_kind::memory);
  append(std::move(e), line_kind::durable);
  note_backlog();
}

bool feed::wants(const bucket_topics& of) const noexcept {
  const std::lock_guard guard(lock_);
  return std::ranges::any_of(readers_,
                             [&](auto* r) { return !r->interest_ || r->interest_->in(of); });
}

void feed::miss(line_kind line, sequence seq) noexcept {
  if (seq > unfed_[index_of(line)]) [[likely]]
    return;
  const std::lock_guard guard(lock_);
  for (auto* r : readers_)
    r->wanted_ = true;
}

void feed::notify() noexcept {
  if (!active())
    return;
  // Not under the lock: who is woken may take this core at once, and then needs it.
  try {
    while (auto wake = take_sleeper())
      (*wake)();
  } catch (const std::bad_alloc&) {
    // Who could not be woken is woken by the next commit.
    const std::lock_guard guard(lock_);
    for (auto* r : readers_)
      r->asleep_.store(true);
  }
}

/// Under the lock.
bool feed::calls_for_waking(const feed_reader& r) const noexcept {
  return r.wanted_ || r.weight_ >= most_unwanted ||
         r.behind_ >= std::max<std::size_t>(limit_ / 4, 1);
}

/// The wake-up of a reader that sleeps though there is something to read, and is taken as awake
/// from here on.
std::shared_ptr<const std::function<void()>> feed::take_sleeper() noexcept {
  const std::lock_guard guard(lock_);
  for (auto* r : readers_)
    if (calls_for_waking(*r) && r->asleep_.load(std::memory_order_seq_cst) &&
        r->asleep_.exchange(false))
      return r->wake_;
  return nullptr;
}

void feed::follow(feed_reader& r, std::shared_ptr<const feed_interest> interest,
                  const line_seqs& sealed) {
  const std::lock_guard guard(lock_); // what it wanted before is freed behind it
  if (!r.active_)
    start(r);
  r.interest_.swap(interest);
  unfed_ = sealed;
  generation_.fetch_add(1, std::memory_order_release);
}

/// Under the lock.
void feed::start(feed_reader& r) {
  readers_.push_back(&r);
  r.at_ = last_;
  r.behind_ = r.weight_ = 0;
  r.wanted_ = false;
  r.asleep_.store(true);
  r.active_ = true;
  readers_active_.fetch_add(1, std::memory_order_seq_cst);
}

void feed::stop(feed_reader& r) noexcept {
  decltype(r.at_) unread;
  {
    const std::lock_guard guard(lock_);
    if (!r.active_)
      return;
    std::erase(readers_, &r);
    unread.swap(r.at_);
    r.active_ = false;
    readers_active_.fetch_sub(1);
    generation_.fetch_add(1, std::memory_order_release);
    note_backlog();
  }
  for (auto& front : unread)
    release(std::move(front));
  tell_of_room();
}

feed::heads feed::following(feed_reader& r) noexcept {
  const std::lock_guard guard(lock_);
  if (!r.active_)
    return {};
  return {r.at_[memory]->next, r.at_[durable]->next};
}

bool feed::has_read(feed_reader& r, const line_seqs& until) noexcept {
  const auto next = choose(following(r), until);
  return !next[memory] && !next[durable];
}

feed::reading feed::read(feed_reader& r, std::size_t most, const line_seqs& until,
                         const consumer& f) {
  for (;;) {
    heads next = following(r);
    for (auto now = choose(next, until); now[memory] || now[durable];
         next = following(r), now = choose(next, until)) {
      if (most-- == 0)
        return reading::unfinished;
      auto& one = now[durable] ? now[durable] : now[memory];
      f(std::shared_ptr<const commit>{one, &one->what});
      pass(r, std::move(now));
    }
    if (next[memory] || next[durable])
      return reading::at_limit;
    // Look once more after having said that it sleeps: what came before that woke nobody.
    fall_asleep(r);
    next = following(r);
    if ((!next[memory] && !next[durable]) || !r.asleep_.exchange(false))
      return reading::at_end; // in the second case somebody has woken it already
  }
}

/// What was missed before this is looked for by whoever reads.
void feed::fall_asleep(feed_reader& r) noexcept {
  const std::lock_guard guard(lock_);
  if (r.behind_ == 0) {
    r.wanted_ = false;
    r.weight_ = 0;
  }
  r.asleep_.store(true, std::memory_order_seq_cst);
}

void feed::pass(feed_reader& r, heads read) noexcept {
  heads past; // freed outside the lock
  {
    const std::lock_guard guard(lock_);
    if (!r.active_)
      return;
    for (auto line : {memory, durable})
      if (read[line]) {
        past[line] = std::exchange(r.at_[line], std::move(read[line]));
        --r.behind_;
      }
    note_backlog();
  }
  tell_of_room();
}

void feed::tell_of_room() noexcept {
  if (waiting_for_room_.load() == 0 || backlog() >= limit_)
    return;
  const std::lock_guard guard(room_mutex_);
  room_.notify_all();
}

/// Under the lock.
void feed::note_backlog() noexcept {
  std::size_t most = 0;
  for (auto* r : readers_)
    most = std::max(most, r->behind_);
  backlog_.store(most, std::memory_order_relaxed);
}

bool feed::wait_for_room(std::chrono::steady_clock::time_point deadline) {
  std::unique_lock lock{room_mutex_};
  waiting_for_room_.fetch_add(1);
  auto free = room_.wait_until(lock, deadline, [this] { return backlog() < limit_; });
  waiting_for_room_.fetch_sub(1);
  return free;
}

} // namespace holdfast::detail
