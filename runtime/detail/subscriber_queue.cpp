#include <holdfast/runtime/detail/subscriber_queue.hpp>

#include <holdfast/runtime/detail/handler_wait.hpp>

#include <algorithm>
#include <exception>
#include <utility>

namespace holdfast {
namespace detail {

subscriber_queue::subscriber_queue(notifier notify, std::size_t limit, overflow policy)
    : notify_{std::move(notify)}, limit_{std::max<std::size_t>(limit, 1)}, policy_{policy} {}

subscriber_queue::subscriber_queue(executor& run, handler call, std::size_t limit, overflow policy)
    : subscriber_queue{[&run, call = std::move(call)](const auto& self) {
                         return run.post([self, call] { self->drain(call); });
                       },
                       limit, policy} {}

bool subscriber_queue::push(delivery d) {
  if (accept_ && !accept_(*d.what))
    return false;
  auto overrun = false;
  {
    std::lock_guard lock{mutex_};
    if (!open_)
      return false;
    if (waiting_.size() >= limit_) {
      count_dropped();
      switch (policy_) {
      case overflow::drop_newest:
        ++missed_;
        return false;
      case overflow::disconnect:
        overrun = true;
        break;
      case overflow::drop_oldest:
        drop_oldest();
        break;
      }
    }
    if (!overrun) {
      d.missed = std::exchange(missed_, 0);
      d.owed = std::exchange(owing_, nullptr);
      waiting_.push_back(std::move(d));
      if (std::exchange(notified_, true))
        return true;
    }
  }
  if (overrun)
    disconnect();
  else
    notify();
  return !overrun;
}

/// Under the lock.
void subscriber_queue::count_dropped() noexcept {
  ++dropped_;
  if (totals_)
    totals_->dropped.fetch_add(1, std::memory_order_relaxed);
}

/// Under the lock. What was dropped is noted where it was, with what the first of it held.
void subscriber_queue::drop_oldest() {
  auto& oldest = waiting_.front();
  const auto missed = oldest.missed + 1;
  auto owed = oldest.owed || !owed_ ? std::move(oldest.owed) : owed_(*oldest.what);
  waiting_.pop_front();
  (waiting_.empty() ? missed_ : waiting_.front().missed) += missed;
  if (owed)
    (waiting_.empty() ? owing_ : waiting_.front().owed) = std::move(owed);
}

/// What it throws leaves the event waiting, and the next push asks again.
void subscriber_queue::notify() {
  try {
    notify_again();
  } catch (...) {
    std::lock_guard lock{mutex_};
    notified_ = false;
    throw;
  }
}

void subscriber_queue::notify_again() {
  if (notify_(shared_from_this()))
    return;
  disconnect(); // the executor has stopped or the actor has ended: nobody will take these events
  std::lock_guard lock{mutex_};
  notified_ = false;
  waiting_.clear();
}

/// Whatever a user's handler throws ends here.
std::uint64_t subscriber_queue::failures_of(const handler& f, const delivery& d) const {
  std::uint64_t failures = 0;
  try {
    if (d.missed > 0 && gap_)
      gap_(d.missed);
  } catch (...) {
    ++failures;
  }
  try {
    f(d);
  } catch (...) {
    ++failures;
  }
  return failures;
}

void subscriber_queue::drain(const handler& f) {
  for (auto more = drain_batch(f); more;)
    try {
      notify_again();
      more = false;
    } catch (...) { // no memory to be called again: then at once
      more = drain_batch(f);
    }
}

/// Whether more waits; then nobody else is asked to drain it.
bool subscriber_queue::drain_batch(const handler& f) {
  std::unique_lock lock{mutex_};
  for (int i = 0; i < batch && !waiting_.empty(); ++i) {
    auto next = std::move(waiting_.front());
    waiting_.pop_front();
    running_on_ = std::this_thread::get_id();
    lock.unlock();
    const auto failures = failures_of(f, next);
    next = {};
    lock.lock();
    running_on_ = std::thread::id{};
    failures_ += failures;
    if (failures > 0 && totals_)
      totals_->failures.fetch_add(failures, std::memory_order_relaxed);
    idle_.notify_all();
  }
  notified_ = !waiting_.empty();
  return notified_;
}

void subscriber_queue::disconnect() noexcept {
  {
    std::lock_guard lock{mutex_};
    if (!std::exchange(open_, false))
      return;
  }
  for (auto& hook : std::exchange(closed_, {}))
    hook(shared_from_this());
}

void subscriber_queue::withdraw() noexcept {
  disconnect();
  std::deque<delivery> unwanted;
  std::lock_guard lock{mutex_};
  unwanted.swap(waiting_);
}

void subscriber_queue::cancel() noexcept {
  disconnect();
  std::deque<delivery> unwanted;
  std::unique_lock lock{mutex_};
  unwanted.swap(waiting_);
  const auto runs = [this] { return running_on_.load() != std::thread::id{}; };
  if (!runs())
    return;
  // It is closed and empty: no other handler of it will run, so the thread stays the same.
  const handler_wait others{running_on_};
  if (others)
    idle_.wait(lock, [&] { return !runs(); });
}

bool subscriber_queue::active() const noexcept {
  std::lock_guard lock{mutex_};
  return open_;
}
std::size_t subscriber_queue::waiting() const noexcept {
  std::lock_guard lock{mutex_};
  return waiting_.size();
}
std::uint64_t subscriber_queue::dropped() const noexcept {
  std::lock_guard lock{mutex_};
  return dropped_;
}
std::uint64_t subscriber_queue::failures() const noexcept {
  std::lock_guard lock{mutex_};
  return failures_;
}

} // namespace detail

subscription& subscription::operator=(subscription&& other) noexcept {
  if (this != &other) {
    cancel();
    queue_ = std::move(other.queue_);
  }
  return *this;
}

void subscription::cancel() noexcept {
  if (queue_)
    queue_->cancel();
}
void subscription::withdraw() noexcept {
  if (auto queue = std::exchange(queue_, nullptr))
    queue->withdraw();
}
bool subscription::active() const noexcept { return queue_ && queue_->active(); }
std::size_t subscription::waiting() const noexcept { return queue_ ? queue_->waiting() : 0; }
std::uint64_t subscription::dropped() const noexcept { return queue_ ? queue_->dropped() : 0; }
std::uint64_t subscription::failures() const noexcept { return queue_ ? queue_->failures() : 0; }

} // namespace holdfast
