// What the pipeline's writer thread does.
#include <holdfast/store/detail/pipeline.hpp>

#include <holdfast/runtime/fault.hpp>

#include <algorithm>

namespace holdfast::detail {

namespace {

/// The line in memory, if one of the commits has a part there.
commit_line* line_in_memory(const commit_queue& of) noexcept {
  commit_line* found = nullptr;
  of.for_each([&](const sealed_commit& c) {
    if (c.also_in)
      found = c.also_in;
  });
  return found;
}

/// So many commits are published behind one batch at the most.
constexpr std::size_t most_promoted = 1024;

bool wants_sync(durability level) noexcept {
  return level == durability::sync || level == durability::group;
}

} // namespace

bool pipeline::has_work() const {
  std::lock_guard lock{line_};
  return phase_ != phase::none || !queue_.empty() || sync_target_.load() > durable_.load();
}

bool pipeline::wait_for_work(std::unique_lock<std::mutex>& lock) {
  for (;;) {
    sleeping_.store(sleep::for_anything, std::memory_order_seq_cst);
    auto work = has_work();
    if (may_write() && work) {
      linger(lock);
      if (may_write())
        break;
      continue; // the actor went down while the writer waited for company
    }
    if (stopping_)
      return false;
    wake_.wait(lock);
  }
  sleeping_.store(sleep::no, std::memory_order_relaxed);
  return true;
}

/// Under `mutex_`.
bool pipeline::may_write() const noexcept {
  return (attached_ || awaited_.load() > 0) && !failed_.load();
}

/// Lets async and group commits gather, as long as each of them may wait, counted from when the
/// writer came to look. A sync commit, a barrier or enough company ends the wait; a commit that may
/// wait less long than those that are there shortens it.
void pipeline::linger(std::unique_lock<std::mutex>& lock) {
  const auto began = std::chrono::steady_clock::now();
  for (;;) {
    const auto delay = gather();
    if (delay.count() == 0)
      return;
    fault_point("persistence.lingers");
    auto woken = wake_.wait_until(lock, began + delay, [this] {
      return stopping_ || sleeping_.load(std::memory_order_relaxed) == sleep::no;
    });
    if (!woken)
      return;
  }
}

/// How long all that is queued may wait; then the writer is to be woken for what may not. 0: it is
/// to be written now.
std::chrono::microseconds pipeline::gather() {
  std::lock_guard guard{line_};
  if (phase_ != phase::none || stopping_ || sync_target_.load() > durable_.load() ||
      queue_.empty() || queue_.size() >= company)
    return {};
  auto delay = std::chrono::microseconds::max();
  queue_.for_each([&](const sealed_commit& c) { delay = std::min(delay, delay_of(c.level)); });
  if (delay.count() == 0)
    return {};
  gathering_ = delay;
  sleeping_.store(sleep::for_company, std::memory_order_seq_cst);
  return delay;
}

/// Crashes the persistence actor; false if there is no memory for it.
bool pipeline::tell_crash(const char* why) const noexcept {
  try {
    if (crashed_)
      crashed_(why);
    return true;
  } catch (const std::bad_alloc&) {
    return false;
  }
}

void pipeline::loop() {
  std::unique_lock lock{mutex_};
  for (;;) {
    try {
      if (!wait_for_work(lock))
        return;
      lock.unlock();
      work();
      lock.lock();
    } catch (const std::exception& e) {
      // A fault struck here: the phase tells the next incarnation where to go on.
      if (!lock.owns_lock())
        lock.lock();
      attached_ = stopping_;
      lock.unlock();
      auto told = tell_crash(e.what());
      lock.lock();
      if (!told) // No memory even for that: without a new incarnation.
        attached_ = true;
      if (!told || awaited_.load() > 0)
        wake_.wait_for(lock, std::chrono::milliseconds{1}); // not at once
    }
  }
}

void pipeline::work() {
  if (phase_ == phase::none) {
    {
      std::lock_guard lock{line_};
      hand_.take(queue_, options_.batch_commits, options_.batch_bytes);
    }
    if (hand_.empty()) {
      if (auto done = sync_alone(); !done)
        fail(done.error());
      return;
    }
    phase_ = phase::taken;
  }
  if (phase_ == phase::taken) {
    fault_point("persistence.taken");
    if (auto done = write_hand(); !done)
      return fail(done.error());
    phase_ = phase::written;
    fault_point("persistence.written");
  }
  publish_hand();
  phase_ = phase::none;
}

/// For a barrier when there is nothing to write.
result<void> pipeline::sync_alone() {
  if (auto done = journal_.sync(); !done)
    return done;
  unsynced_.clear();
  durable_.store(written_);
  std::lock_guard lock{mutex_};
  room_.notify_all();
  return {};
}

result<void> pipeline::write_hand() {
  auto synced = sync_target_.load() > durable_.load() ||
                unsynced_.bytes() + hand_.bytes() > options_.unsynced_bytes;
  hand_.for_each([&](const sealed_commit& c) { synced |= wants_sync(c.level); });
  return write_batch(synced);
}

result<void> pipeline::write_batch(bool synced) {
  puts_.clear();
  journal_batch batch;
  hand_.for_each([&](const sealed_commit& c) {
    if (batch.first == 0)
      batch.first = c.seq;
    batch.last = c.seq;
    c.append_to(puts_);
  });
  batch.puts = puts_;
  std::optional<batch_copy> copy;
  if (!synced) {
    copy.emplace(hand_);
    unsynced_.make_room();
  }
  auto done = journal_.append(batch, synced);
  if (!done)
    return done;
  written_ = batch.last;
  if (synced) {
    unsynced_.clear();
    durable_.store(written_);
  } else {
    unsynced_.add(std::move(*copy));
  }
  std::lock_guard lock{mutex_};
  ++batches_;
  commits_ += hand_.size();
  return {};
}

/// Tells those who follow of a commit that has just been published, and publishes its part in
/// memory. Under the lock of the line, and of that in memory if it has such a part.
void pipeline::show(sealed_commit& c) noexcept {
  if (!c.also_in) [[likely]]
    return line_.feed_commit(std::move(c.entry), c.seq);
  c.publish_in_memory();
  c.also_in = nullptr;
}

void pipeline::settle(sealed_commit& c, const error* failure) noexcept {
  if (c.published_)
    return;
  if (c.is_awaited) [[unlikely]]
    awaited_.fetch_sub(1);
  c.settled(failure);
}

void pipeline::publish_hand() {
  promoted_.reserve(most_promoted);
  {
    const both_lines lock{line_in_memory(hand_), line_};
    if (line_.published() < written_)
      line_.publish(written_);
    hand_.for_each([&](sealed_commit& c) {
      if (!c.published_)
        show(c);
    });
    promote();
  }
  line_.notify_followers();
  fault_point("persistence.published");
  while (auto* c = hand_.pop()) {
    backlog_bytes_.fetch_sub(c->byte_count(), std::memory_order_relaxed);
    backlog_commits_.fetch_sub(1, std::memory_order_relaxed);
    settle(*c, nullptr);
    c->let_go();
  }
  for (auto* c : promoted_) {
    c->settled(nullptr);
    c->let_go();
  }
  promoted_.clear();
  tell_behind();
  std::lock_guard lock{mutex_}; // a waiter between its check and its wait must not miss this
  room_.notify_all();
}

/// Settles those who waited only for what is published by now.
void pipeline::tell_behind() noexcept {
  commit_queue ready;
  {
    const std::lock_guard lock{line_};
    for (auto left = behind_.size(); left > 0; --left) {
      auto* c = behind_.pop();
      (c->seq <= line_.published() ? ready : behind_).push(c);
    }
  }
  while (auto* c = ready.pop()) {
    c->settled(nullptr);
    c->let_go();
  }
}

/// Publishes the async commits right behind the batch, which were only waiting for their turn. They
/// stay queued, for they are not written yet; those who wait for them are told now. (Those over
/// both lines wait for their batch: whether there are any is not known before the locks are taken.)
/// Under the lock of the line.
void pipeline::promote() {
  queue_.for_each([&](sealed_commit& c) {
    if (c.level == durability::async && line_.published() + 1 == c.seq && !c.is_awaited &&
        promoted_.size() < most_promoted) {
      c.published_ = true;
      c.retain();
      promoted_.push_back(&c);
      line_.publish(c.seq);
      line_.feed_commit(std::move(c.entry), c.seq);
    }
  });
}

} // namespace holdfast::detail
