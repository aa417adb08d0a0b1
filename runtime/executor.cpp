#include <holdfast/runtime/executor.hpp>

#include <exception>
#include <new>
#include <utility>

namespace holdfast {

executor::executor(unsigned threads) {
  threads_.reserve(threads);
  for (unsigned i = 0; i < threads; ++i)
    threads_.emplace_back([this] { run(); });
}

executor::~executor() { stop(); }

bool executor::post(task t) {
  {
    std::lock_guard lock{mutex_};
    if (stopping_)
      return false;
    tasks_.push_back(std::move(t));
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
  for (auto& t : threads_)
    if (t.joinable())
      t.join();
}

std::size_t executor::queued() const {
  std::lock_guard lock{mutex_};
  return tasks_.size();
}

std::size_t executor::failures() const {
  std::lock_guard lock{mutex_};
  return failures_;
}

void executor::run() {
  std::unique_lock lock{mutex_};
  for (;;) {
    ++idle_;
    wake_.wait(lock, [this] { return stopping_ || !tasks_.empty(); });
    --idle_;
    if (tasks_.empty())
      return;
    auto next = std::move(tasks_.front());
    tasks_.pop_front();
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

} // namespace holdfast
