#pragma once

#include <holdfast/store/detail/gateway_reply.hpp>
#include <holdfast/store/detail/store_state.hpp>

#include <functional>

namespace holdfast::detail {

using chore = std::function<void(caf::event_based_actor* worker)>;

/// Runs `work(actor)` in an actor of its own, which holds up nobody else. (CAF's `spawn` is slow to
/// compile, so it is there once, for all requests.)
void spawn_aside(gateway_pointer self, runtime& owner, chore work);

/// The same; what it throws is the answer.
template <class T, class F>
void aside(gateway_pointer self, runtime& owner, const reply<T>& answer, F work) {
  spawn_aside(self, owner, [answer, work](caf::event_based_actor* worker) {
    guarded(answer, [&] { work(worker); });
  });
}

/// The same for what uses the store itself, which may have stopped by then.
template <class T, class F>
void aside_in_store(gateway_pointer self, const desk_ptr& desk, const reply<T>& answer, F work) {
  aside(self, desk->owner(), answer, [desk, answer, work](caf::event_based_actor* worker) {
    const gateway_desk::use in_use{*desk};
    if (!in_use)
      return answer(fail(errc::stopped, "gateway: the store has stopped"));
    work(worker);
  });
}

/// What may block, in the gateway's thread for that.
template <class T, class Message, class F>
auto blocking(gateway_pointer self, const desk_ptr& desk, F run) {
  return [self, desk, run](const Message& m) {
    return take_in<T>(self, desk, [&](const reply<T>& answer) {
      auto posted = desk->post([answer, run, m, &store = desk->store()] {
        guarded(answer, [&] { answer(run(store, m)); });
      });
      if (!posted)
        answer(fail(std::move(posted.error())));
    });
  };
}

} // namespace holdfast::detail
