#include <holdfast/runtime/executor.hpp>

#include <algorithm>
#include <exception>
#include <new>
#include <utility>

namespace holdfast {

namespace {
thread_local const executor* of_this_thread = nullptr;
} // namespace

executor::executor(unsigned threads, unsigned most)
    : most_{std::max({threads, most, 1U})}, watch_{[this] { watch(); }} {
  try {
    const std::lock_guard lock{mutex_};
    do
      add_thread();
    while (threads_.size() < threads);
  } catch (...) {
    stop();
    throw;
  }
}

executor::~executor() { stop(); }

bool executor::post(task t) {
  {
    std::lock_guard lock{mutex_};
    if (stopping_)
      return false;
    tasks_.push_back(std::move(t));
    if (idle_ < tasks_.size() && std::exchange(rests_, false))
      look_.notify_one();
  }
  wake_.notify_one();
  return true;
}

bool executor::offer(task t) {
  {
    std::lock_guard lock{mutex_};
    if (stopping_ || idle_ <= tasks_.size())
      return false;
    try {
      tasks_.push_front(std::move(t));
    } catch (const std::bad_alloc&) {
      return false;
    }
  }
  wake_.notify_one();
  return true;
}

void executor::stop() {
  {
    std::lock_guard lock{mutex_};
    stopping_ = true;
  }
  wake_.notify_all();
  look_.notify_all();
  if (watch_.joinable())
    watch_.join(); // first: it adds threads
  for (auto& t : threads_)
    if (t.joinable())
      t.join();
}

std::size_t executor::queued() const {
  std::lock_guard lock{mutex_};
  return tasks_.size();
}

std::size_t executor::threads() const {
  std::lock_guard lock{mutex_};
  return threads_.size();
}

std::size_t executor::failures() const {
  std::lock_guard lock{mutex_};
  return failures_;
}

bool executor::runs_here() const noexcept { return of_this_thread == this; }

void executor::run() {
  of_this_thread = this;
  std::unique_lock lock{mutex_};
  for (;;) {
    ++idle_;
    wake_.wait(lock, [this] { return stopping_ || !tasks_.empty(); });
    --idle_;
    if (tasks_.empty())
      return;
    auto next = std::move(tasks_.front());
    tasks_.pop_front();
    ++begun_;
    lock.unlock();
    auto failed = false;
    try {
      next();
      next = nullptr;
    } catch (const std::exception&) {
      failed = true;
    } catch (...) {
      failed = true;
    }
    lock.lock();
    failures_ += failed;
  }
}

/// Under the lock.
void executor::add_thread() {
  threads_.emplace_back([this] { run(); });
}

void executor::watch() {
  std::unique_lock lock{mutex_};
  for (;;) {
    rests_ = idle_ >= tasks_.size();
    look_.wait(lock, [this] { return stopping_ || !rests_; });
    const auto before = begun_;
    if (look_.wait_for(lock, patience, [this] { return stopping_; }))
      return;
    if (begun_ != before || idle_ >= tasks_.size() || threads_.size() >= most_)
      continue;
    try {
      add_thread();
    } catch (const std::exception&) {
      // Without memory or threads those that there are must do.
    }
  }
}

} // namespace holdfast
