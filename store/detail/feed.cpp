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

} // namespace

feed::feed(std::size_t limit) : limit_{limit} {
  for (auto& last : last_)
    last = std::make_shared<feed_entry>();
}

feed::~feed() = default;

void feed::push(std::shared_ptr<feed_entry> e, line_kind line, sequence seq) noexcept {
  e->what.seq = seq;
  e->what.persistent = line == line_kind::durable;
  for (auto& one : e->what.changes) {
    one.seq = seq;
    one.persistent = e->what.persistent;
  }
  const std::lock_guard guard(lock_);
  auto& last = last_[static_cast<std::size_t>(line)];
  last->next = e;
  last = std::move(e);
  for (auto* r : readers_)
    ++r->behind_;
  note_backlog();
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

/// The wake-up of a reader that sleeps though there is something to read, and is taken as awake
/// from here on.
std::shared_ptr<const std::function<void()>> feed::take_sleeper() noexcept {
  const std::lock_guard guard(lock_);
  for (auto* r : readers_)
    if (r->behind_ > 0 && r->asleep_.load(std::memory_order_seq_cst) && r->asleep_.exchange(false))
      return r->wake_;
  return nullptr;
}

void feed::start(feed_reader& r) {
  const std::lock_guard guard(lock_);
  if (r.active_)
    return;
  readers_.push_back(&r);
  r.at_ = last_;
  r.behind_ = 0;
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
    note_backlog();
  }
  for (auto& front : unread)
    release(std::move(front));
}

std::shared_ptr<feed_entry> feed::following(feed_reader& r, std::size_t line) noexcept {
  const std::lock_guard guard(lock_);
  return r.active_ ? r.at_[line]->next : nullptr;
}

bool feed::read(feed_reader& r, std::size_t most, const line_seqs& until, const consumer& f) {
  for (;;) {
    auto beyond = false;
    for (std::size_t line = 0; line < line_count; ++line)
      while (auto next = following(r, line)) {
        if (next->what.seq > until[line]) {
          beyond = true;
          break;
        }
        if (most-- == 0)
          return true;
        f(std::shared_ptr<const commit>{next, &next->what});
        pass(r, line, std::move(next));
      }
    if (beyond)
      return true;
    // Look once more after having said that it sleeps: what came before that woke nobody.
    r.asleep_.store(true, std::memory_order_seq_cst);
    auto more = false;
    for (std::size_t line = 0; line < line_count; ++line)
      more |= following(r, line) != nullptr;
    if (!more || !r.asleep_.exchange(false))
      return false; // in the second case somebody has woken it already
  }
}

void feed::pass(feed_reader& r, std::size_t line, std::shared_ptr<feed_entry> read) noexcept {
  std::shared_ptr<feed_entry> past; // freed outside the lock
  {
    const std::lock_guard guard(lock_);
    if (!r.active_)
      return;
    past = std::exchange(r.at_[line], std::move(read));
    --r.behind_;
    note_backlog();
  }
  if (waiting_for_room_.load() > 0 && backlog() < limit_) {
    const std::lock_guard guard(room_mutex_);
    room_.notify_all();
  }
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
