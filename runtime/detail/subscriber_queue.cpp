#include <holdfast/runtime/detail/subscriber_queue.hpp>

#include <algorithm>
#include <exception>
#include <utility>

namespace holdfast {
namespace detail {

subscriber_queue::subscriber_queue(executor& run, handler call, std::size_t limit, overflow policy)
    : run_{run}, limit_{std::max<std::size_t>(limit, 1)}, policy_{policy}, call_{std::move(call)} {}

bool subscriber_queue::push(delivery d) {
  {
    std::lock_guard lock{mutex_};
    if (!open_)
      return false;
    if (waiting_.size() >= limit_) {
      ++dropped_;
      switch (policy_) {
      case overflow::drop_newest: return true;
      case overflow::disconnect: open_ = false; return false;
      case overflow::drop_oldest: waiting_.pop_front(); break;
      }
    }
    waiting_.push_back(std::move(d));
    if (std::exchange(scheduled_, true))
      return true;
  }
  schedule();
  return true;
}

void subscriber_queue::schedule() {
  if (run_.post([self = shared_from_this()] { self->drain(); }))
    return;
  std::lock_guard lock{mutex_}; // the executor has stopped: nothing is delivered any more
  open_ = false;
  scheduled_ = false;
  waiting_.clear();
}

void subscriber_queue::drain() {
  std::unique_lock lock{mutex_};
  for (int i = 0; i < batch && !waiting_.empty(); ++i) {
    auto next = std::move(waiting_.front());
    waiting_.pop_front();
    running_on_ = std::this_thread::get_id();
    lock.unlock();
    auto failed = false;
    try {
      call_(next);
    } catch (...) { // whatever a user's handler throws ends here, and is counted
      failed = true;
    }
    next = {};
    lock.lock();
    running_on_ = {};
    failures_ += failed ? 1 : 0;
    if (cancelled_)
      idle_.notify_all();
  }
  scheduled_ = !waiting_.empty();
  if (!scheduled_)
    return;
  lock.unlock();
  schedule();
}

void subscriber_queue::disconnect() {
  std::lock_guard lock{mutex_};
  open_ = false;
}

void subscriber_queue::cancel() noexcept {
  std::deque<delivery> dropped;
  std::unique_lock lock{mutex_};
  open_ = false;
  cancelled_ = true;
  dropped.swap(waiting_);
  if (running_on_ != std::this_thread::get_id())
    idle_.wait(lock, [this] { return running_on_ == std::thread::id{}; });
}

bool subscriber_queue::active() const noexcept {
  std::lock_guard lock{mutex_};
  return open_;
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
bool subscription::active() const noexcept { return queue_ && queue_->active(); }
std::uint64_t subscription::dropped() const noexcept { return queue_ ? queue_->dropped() : 0; }
std::uint64_t subscription::failures() const noexcept { return queue_ ? queue_->failures() : 0; }

} // namespace holdfast
