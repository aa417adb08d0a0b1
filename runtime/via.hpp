#pragma once

#include <holdfast/runtime/caf.hpp>
#include <holdfast/runtime/pending.hpp>

#include <memory>

namespace holdfast {

namespace detail {

/// Carries a completed operation's continuation back into an actor.
struct resumption {
  std::shared_ptr<std::function<void()>> run;
};

} // namespace detail
} // namespace holdfast

HOLDFAST_LOCAL_MESSAGE(holdfast::detail::resumption)

namespace holdfast {

/// Starts an operation from inside the actor `self` and calls `f(result<T>)` later in the context
/// of that actor, as the answer to a request. If the actor ends meanwhile, `f` is not called. What
/// `f` throws ends the actor as a throwing handler does. CAF looks for the handler of an answer in
/// all that wait, so keep fewer than a thousand operations waiting per actor.
template <class T, std::invocable<result<T>> F>
void via(caf::scheduled_actor* self, pending<T>&& operation, F f) {
  auto id = self->new_request_id(caf::message_priority::normal);
  self->add_multiplexed_response_handler(
      id.response_id(), caf::behavior{[](const detail::resumption& r) { (*r.run)(); }});
  auto call = std::make_shared<F>(std::move(f));
  std::move(operation).on_completion(
      [call, id, to = caf::actor_cast<caf::strong_actor_ptr>(self)](result<T> r) {
        auto value = std::make_shared<result<T>>(std::move(r));
        auto run =
            std::make_shared<std::function<void()>>([call, value] { (*call)(std::move(*value)); });
        to->enqueue(nullptr, id.response_id(), caf::make_message(detail::resumption{run}), nullptr);
      });
}

} // namespace holdfast
