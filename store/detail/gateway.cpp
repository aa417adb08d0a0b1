#include <holdfast/store/detail/gateway_behaviour.hpp>
#include <holdfast/store/detail/store_state.hpp>

#include <utility>

namespace holdfast {

namespace detail {

child_spec gateway_desk::spec() {
  child_spec spec;
  spec.id = "gateway";
  spec.start = [desk = shared_from_this()](start_context& context) -> result<caf::actor> {
    auto started = context.system.spawn([desk](store_gateway::pointer self) {
      quiet(self);
      return gateway_behaviour(self, desk);
    });
    auto plain = caf::actor_cast<caf::actor>(started);
    std::lock_guard lock{desk->mutex_};
    if (!desk->closed_)
      desk->current_ = plain;
    return plain;
  };
  return spec;
}

caf::actor gateway_desk::current() const {
  std::lock_guard lock{mutex_};
  return current_;
}

void gateway_desk::close() {
  {
    std::lock_guard lock{mutex_};
    closed_ = true;
    current_ = nullptr;
  }
  subscriptions_.close();
  {
    std::unique_lock lock{mutex_};
    unused_.wait(lock, [this] { return uses_ == 0; });
  }
  if (blocking_) // nobody makes it any more
    blocking_->stop();
}

result<bucket<>> gateway_desk::find(std::string_view name) const { return of_.handle(name); }

runtime& gateway_desk::owner() const noexcept { return of_.owner(); }

gateway_desk::use::use(gateway_desk& desk) : desk_{desk} {
  std::lock_guard lock{desk_.mutex_};
  granted_ = !desk_.closed_;
  desk_.uses_ += granted_;
}

gateway_desk::use::~use() {
  if (!granted_)
    return;
  std::lock_guard lock{desk_.mutex_};
  if (--desk_.uses_ == 0)
    desk_.unused_.notify_all();
}

result<void> gateway_desk::post(std::function<void()> task) {
  if (of_.owner().options().deterministic)
    return fail(errc::unavailable, "gateway: a request that waits for others needs a second "
                                   "thread, which the deterministic scheduler has not");
  std::lock_guard lock{mutex_};
  if (closed_)
    return fail(errc::stopped, "gateway: the store has stopped");
  if (!blocking_)
    blocking_.emplace(1u);
  (void)blocking_->post(std::move(task)); // it stops only when closed
  return {};
}

bool gateway_desk::enter() noexcept {
  if (waiting_.fetch_add(1, std::memory_order_relaxed) < limit_)
    return true;
  leave();
  return false;
}

error gateway_desk::full() const {
  return error{errc::overloaded,
               "gateway: " + std::to_string(limit_) + " requests already wait for their answers"};
}

} // namespace detail

result<store_gateway> gateway_of(const store& db) {
  if (auto running = db.gateway().current())
    return caf::actor_cast<store_gateway>(running);
  return fail(errc::stopped, "gateway: the store has stopped");
}

} // namespace holdfast
