#include <holdfast/store/detail/live_queries.hpp>

#include <holdfast/runtime/detail/doorbell.hpp>

#include <stdexcept>

namespace holdfast::detail {
struct crash_queries_message {};
} // namespace holdfast::detail

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
    return {[this](const rung&) {
              if (state_->pump())
                send(this, rung{});
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
            auto started = caf::actor_cast<caf::actor>(context.system.spawn<query_manager>(self));
            self->bell_->give_to(started);
            return started;
          },
          .backoff = backoff_options{.min = std::chrono::milliseconds{1},
                                     .max = std::chrono::milliseconds{100}}};
}

result<void> live_queries::crash(std::chrono::milliseconds timeout) {
  const auto before = bell_->owners();
  if (auto to = bell_->owner())
    caf::anon_send(to, crash_queries_message{});
  if (bell_->wait_for_owner_after(before, timeout))
    return {};
  return fail(errc::timeout, "query_manager: the actor did not come back");
}

void live_queries::wake() const { bell_->ring(); }

} // namespace holdfast::detail
