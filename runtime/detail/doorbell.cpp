#include <holdfast/runtime/detail/doorbell.hpp>

#include <holdfast/runtime/detail/caller_unit.hpp>
#include <holdfast/runtime/runtime.hpp>
#include <holdfast/runtime/time_limit.hpp>

#include <utility>

namespace holdfast::detail {

namespace {

/// Catches an actor that a message makes ready to run.
class catching_unit final : public caf::execution_unit {
public:
  using caf::execution_unit::execution_unit;
  void exec_later(caf::resumable* what) override { caught = what; }
  caf::resumable* caught = nullptr;
};

} // namespace

void doorbell::ring() const {
  const auto to = owner();
  if (!to)
    return;
  auto& raw = *caf::actor_cast<caf::abstract_actor*>(to);
  auto message = caf::make_mailbox_element(nullptr, caf::make_message_id(), {}, rung{});
  if (!runtime_.caller_runs())
    return raw.enqueue(std::move(message), nullptr);
  catching_unit unit{&raw.home_system()};
  raw.enqueue(std::move(message), &unit);
  if (auto* ready = unit.caught) // it runs already if not
    if (!runtime_.executor().offer([ready, &rt = runtime_] { rt.unit().run(ready, 1); }))
      raw.home_system().scheduler().enqueue(ready);
}

void doorbell::give_to(const caf::actor& a) {
  {
    const std::lock_guard lock{mutex_};
    owner_ = a;
    ++owners_;
    given_.notify_all();
  }
  a->attach_functor([self = shared_from_this(), at = a.address()](const caf::error&) {
    caf::actor last; // let go of outside the lock
    const std::lock_guard lock{self->mutex_};
    if (self->owner_.address() == at)
      last = std::exchange(self->owner_, caf::actor{});
  });
  // It may have looked already, and then been called while it was not known here.
  ring();
}

caf::actor doorbell::owner() const {
  const std::lock_guard lock{mutex_};
  return owner_;
}
std::uint64_t doorbell::owners() const {
  const std::lock_guard lock{mutex_};
  return owners_;
}
bool doorbell::wait_for_owner_after(std::uint64_t n, std::chrono::milliseconds timeout) const {
  std::unique_lock lock{mutex_};
  return given_.wait_until(lock, end_of_wait(timeout), [&] { return owners_ > n; });
}

} // namespace holdfast::detail
