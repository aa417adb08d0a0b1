#include <holdfast/store/detail/gateway_register.hpp>

#include <string>
#include <utility>

namespace holdfast::detail {

result<subscription_id> gateway_register::reserve() {
  const std::lock_guard lock{mutex_};
  if (closed_)
    return fail(errc::stopped, "gateway: the store has stopped");
  if (entries_.size() >= limit_)
    return fail(errc::overloaded,
                "gateway: actors already have " + std::to_string(limit_) + " subscriptions");
  entries_.emplace(++last_, entry{});
  return subscription_id{last_};
}

bool gateway_register::keep(const std::shared_ptr<gateway_way>& way, subscription token,
                            caf::actor watcher) {
  entry unwanted;
  const std::lock_guard lock{mutex_};
  auto found = entries_.find(way->of().number);
  if (found == entries_.end()) {
    unwanted.token = std::move(token);
    return false;
  }
  found->second = entry{way, std::move(token), std::move(watcher)};
  return true;
}

/// Not under the mutex: what ends tells others.
void gateway_register::finish(entry gone) {
  gone.token.withdraw();
  if (gone.way)
    gone.way->abandon();
  if (gone.watcher)
    caf::anon_send(gone.watcher, subscription_end{});
}

bool gateway_register::end(subscription_id which) {
  std::unique_lock lock{mutex_};
  auto taken = entries_.extract(which.number);
  lock.unlock();
  if (taken)
    finish(std::move(taken.mapped()));
  return !taken.empty();
}

void gateway_register::end_if_over(subscription_id which) {
  {
    const std::lock_guard lock{mutex_};
    auto found = entries_.find(which.number);
    if (found == entries_.end() || !found->second.way || found->second.token.active() ||
        found->second.way->mails() > 0)
      return;
  }
  end(which);
}

void gateway_register::close() {
  std::unordered_map<std::uint64_t, entry> all;
  {
    const std::lock_guard lock{mutex_};
    closed_ = true;
    all.swap(entries_);
  }
  for (auto& [number, each] : all)
    finish(std::move(each));
}

std::size_t gateway_register::size() const {
  const std::lock_guard lock{mutex_};
  return entries_.size();
}

} // namespace holdfast::detail
