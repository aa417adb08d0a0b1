#include <holdfast/runtime/detail/handler_wait.hpp>

#include <mutex>

namespace holdfast::detail {

namespace {
std::mutex waiting_mutex;
handler_wait* waiting = nullptr; ///< guarded by the mutex; each is on the stack of its thread
} // namespace

const handler_wait* handler_wait::of(std::thread::id who) noexcept {
  const auto* found = waiting;
  while (found && found->who_ != who)
    found = found->next_;
  return found;
}

handler_wait::handler_wait(const std::atomic<std::thread::id>& on) noexcept
    : who_{std::this_thread::get_id()}, on_{on} {
  const std::lock_guard lock{waiting_mutex};
  // There is no circle yet, so this comes to an end.
  auto last = on_.load();
  while (const auto* further = of(last))
    last = further->on_.load(); // none: what it waited for has ended, and it is about to go on
  if (last == who_)
    return;
  next_ = waiting;
  waiting = this;
  waits_ = true;
}

handler_wait::~handler_wait() {
  if (!waits_)
    return;
  const std::lock_guard lock{waiting_mutex};
  auto** at = &waiting;
  while (*at != this)
    at = &(*at)->next_;
  *at = next_;
}

} // namespace holdfast::detail
