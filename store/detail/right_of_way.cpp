#include <holdfast/store/detail/right_of_way.hpp>

#include <algorithm>
#include <new>
#include <utility>

namespace holdfast::detail {

right_of_way::holder::holder(right_of_way& of, const time_limit& until) : of_{of} {
  std::unique_lock lock{of_.mutex_};
  const auto ticket = of_.next_ticket_++;
  has_it_ = of_.served_ == ticket ||
            of_.changed_.wait_until(lock, until.wake_up(), [&] { return of_.served_ == ticket; });
  if (!has_it_) {
    of_.given_up_.push_back(ticket);
    return;
  }
  of_.owner_ = std::this_thread::get_id();
  of_.ends_ = until;
  of_.taken_.store(true, std::memory_order_release);
}

right_of_way::holder::~holder() {
  if (!has_it_)
    return;
  {
    std::unique_lock lock{of_.mutex_};
    of_.changed_.wait(lock, [&] { return !of_.sending_; });
    of_.send_kept(lock);
    of_.covered_.clear();
    of_.owner_ = {};
    of_.taken_.store(false, std::memory_order_release); // behind what was kept
    while (std::erase(of_.given_up_, ++of_.served_) > 0) {
    }
  }
  of_.changed_.notify_all();
}

void right_of_way::holder::cover(bucket_id b) {
  std::lock_guard lock{of_.mutex_};
  if (std::ranges::find(of_.covered_, b) == of_.covered_.end())
    of_.covered_.push_back(b);
}

/// Without the lock, for who is told of a refusal may write again.
void right_of_way::send_kept(std::unique_lock<std::mutex>& lock) noexcept {
  sending_ = true;
  while (!kept_.empty()) {
    auto batch = std::exchange(kept_, {});
    lock.unlock();
    for (auto& each : batch)
      try {
        each.to->mail(each.work);
      } catch (const std::bad_alloc&) {
        each.work->reject(out_of_memory_);
      }
    lock.lock();
  }
  sending_ = false;
  changed_.notify_all();
}

right_of_way::passage right_of_way::pass(bucket_id b, bool linked, const ref<job>& work,
                                         address& to, std::size_t limit) {
  std::unique_lock lock{mutex_};
  if (!concerns(b, linked))
    return passage::free;
  if (ends_->passed() && !sending_) {
    send_kept(lock);
    return passage::free;
  }
  if (kept_.size() >= limit)
    return passage::full;
  kept_.push_back({work, ref<address>{&to}});
  return passage::later;
}

void right_of_way::release_late() noexcept {
  if (!taken()) [[likely]]
    return;
  std::unique_lock lock{mutex_};
  if (taken() && ends_->passed() && !sending_)
    send_kept(lock);
}

bool right_of_way::concerns(bucket_id b, bool linked) const {
  if (!taken_.load(std::memory_order_relaxed) || owner_ == std::this_thread::get_id())
    return false;
  return linked ? !covered_.empty() : std::ranges::find(covered_, b) != covered_.end();
}

bool right_of_way::wait(bucket_id b, bool linked, std::chrono::steady_clock::time_point until) {
  std::unique_lock lock{mutex_};
  while (concerns(b, linked) && !ends_->passed()) { // one that lasted too long is no more
    if (std::chrono::steady_clock::now() >= until)
      return false;
    changed_.wait_until(lock, std::min(until, ends_->wake_up()));
  }
  return true;
}

} // namespace holdfast::detail
