#include <holdfast/store/detail/live_queries.hpp>

#include <holdfast/runtime/caf.hpp>

#include <stdexcept>

namespace holdfast::detail {
/// There is something to pump.
struct pump_message {};
struct crash_queries_message {};
} // namespace holdfast::detail

HOLDFAST_LOCAL_MESSAGE(holdfast::detail::pump_message)
HOLDFAST_LOCAL_MESSAGE(holdfast::detail::crash_queries_message)

namespace holdfast::detail {

namespace {

/// Gives the queries of a store a thread, a place in the supervision tree, and a life that may end.
class query_manager final : public caf::event_based_actor {
public:
  query_manager(caf::actor_config& config, std::shared_ptr<live_queries> state)
      : caf::event_based_actor{config}, state_{std::move(state)} {}

  const char* name() const override { return "holdfast.query_manager"; }

  caf::behavior make_behavior() override {
    quiet(this);
    send(this, pump_message{}); // what came while no actor was there
    return {[this](const pump_message&) {
              if (state_->pump())
                send(this, pump_message{});
            },
            [](const crash_queries_message&) {
              throw std::runtime_error{"query_manager: crashed on purpose"};
            }};
  }

  void on_exit() override { state_.reset(); }

private:
  std::shared_ptr<live_queries> state_;
};

} // namespace

child_spec live_queries::spec() {
  return {.id = "query_manager",
          .start = [self = shared_from_this()](start_context& context) -> result<caf::actor> {
            auto started = context.system.spawn<query_manager>(self);
            self->set_actor(started);
            started->attach_functor(
                [self, at = started.address()](const caf::error&) { self->actor_ended(at); });
            return caf::actor_cast<caf::actor>(started);
          },
          .backoff = backoff_options{.min = std::chrono::milliseconds{1},
                                     .max = std::chrono::milliseconds{100}}};
}

void live_queries::set_actor(const caf::actor& a) {
  const std::lock_guard lock{actor_mutex_};
  actor_ = a;
  ++incarnations_;
  started_.notify_all();
  // It may have pumped already, and then been called while it was not known here.
  caf::anon_send(a, pump_message{});
}

result<void> live_queries::crash(std::chrono::milliseconds timeout) {
  std::unique_lock lock{actor_mutex_};
  const auto before = incarnations_;
  if (actor_)
    caf::anon_send(actor_, crash_queries_message{});
  if (started_.wait_for(lock, timeout, [&] { return incarnations_ > before; }))
    return {};
  return fail(errc::timeout, "query_manager: the actor did not come back");
}

void live_queries::actor_ended(const caf::actor_addr& a) {
  caf::actor last; // let go of outside the lock
  const std::lock_guard lock{actor_mutex_};
  if (actor_.address() == a)
    last = std::exchange(actor_, caf::actor{});
}

void live_queries::wake() const {
  caf::actor to;
  {
    const std::lock_guard lock{actor_mutex_};
    to = actor_;
  }
  if (to)
    caf::anon_send(to, pump_message{});
}

} // namespace holdfast::detail
