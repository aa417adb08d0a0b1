#pragma once

#include <holdfast/runtime/runtime.hpp>
#include <holdfast/runtime/supervisor.hpp>
#include <holdfast/runtime/time_limit.hpp>

namespace holdfast::detail {

/// Calls a verb of a supervisor until one is there to answer it: one that has crashed is down for a
/// moment, and what it had in hand fails with `stopped`. Not inside an actor.
template <class Verb>
result<child_info> insist(const runtime& in, const supervisor& by, Verb verb) {
  const time_limit until{in.clock(), default_timeout};
  for (;;) {
    const auto life = by.lives();
    auto answer = verb(by).get();
    auto is_down =
        !answer && (answer.error() == errc::unavailable || answer.error() == errc::stopped);
    if (!is_down || until.passed() || !by.wait_for_life_after(life, default_timeout))
      return answer;
  }
}

} // namespace holdfast::detail
