// One child: its start, its stop, and what follows when either has come to its end.

#include <holdfast/runtime/detail/supervision.hpp>

namespace holdfast::detail {

using kind = supervision_event::kind;

void supervision::begin_start(entry& e, purpose why, request_id request) {
  disarm(e);
  if (why != purpose::none) {
    e.why = why;
    e.request = request;
    ++busy_;
  }
  ++e.incarnation;
  ++counters_.starts;
  if (why == purpose::automatic || phase_ == phase::group_start) {
    ++e.restarts;
    ++counters_.restarts;
  }
  set_state(e, child_state::starting);
  mark(e, address_state::starting);
  arm(e, timer_kind::init, now_ + e.spec->init_timeout);
  actions_.push_back(start_action{e.key, e.incarnation});
}

void supervision::begin_stop(entry& e) {
  disarm(e);
  set_state(e, child_state::stopping);
  auto& policy = e.spec->shutdown;
  e.killed = policy.is_brutal();
  actions_.push_back(stop_action{e.key, e.incarnation, e.killed});
  if (e.killed)
    arm(e, timer_kind::stop, now_ + options_.kill_grace);
  else if (!policy.is_unlimited(e.spec->type))
    arm(e, timer_kind::stop, now_ + policy.limit());
}

void supervision::init_expired(entry& e) {
  e.failed_start =
      exit_cause{exit_kind::crashed, "not up within its init_timeout of " +
                                         std::to_string(e.spec->init_timeout.count()) + " ms"};
  set_state(e, child_state::stopping);
  e.killed = true;
  actions_.push_back(stop_action{e.key, e.incarnation, true});
  arm(e, timer_kind::stop, now_ + options_.kill_grace);
}

void supervision::stop_expired(entry& e) {
  if (!e.killed) {
    e.killed = true;
    ++counters_.kills;
    say(kind::child_killed, &e);
    actions_.push_back(stop_action{e.key, e.incarnation, true});
    arm(e, timer_kind::stop, now_ + options_.kill_grace);
    return;
  }
  ++counters_.abandoned;
  exit_cause stuck{exit_kind::abandoned, "stuck in a handler, not even a kill ended it"};
  say(kind::child_abandoned, &e, stuck);
  actions_.push_back(abandon_action{e.key, e.incarnation, e.spec->address});
  if (e.failed_start)
    settled_failed(e, *std::exchange(e.failed_start, std::nullopt));
  else
    settled_stopped(e, std::move(stuck));
}

void supervision::settled_up(entry& e) {
  disarm(e);
  set_state(e, child_state::up);
  e.up_since = now_;
  say(kind::child_started, &e);
  if (group_waits_for(e))
    return advance_group();
  answer(e.request, info(e, now_));
  release(e);
}

void supervision::settled_ignored(entry& e) {
  disarm(e);
  set_state(e, child_state::stopped);
  say(kind::child_ignored, &e);
  mark(e, address_state::stopped, {exit_kind::normal, "ignored"});
  auto in_group = group_waits_for(e);
  answer(e.request, info(e, now_));
  release(e);
  if (e.spec->restart == restart_type::temporary || dynamic())
    remove(e);
  if (in_group)
    advance_group();
}

void supervision::settled_failed(entry& e, exit_cause cause) {
  disarm(e);
  set_state(e, child_state::stopped);
  note_failure(e, cause);
  say(kind::child_start_failed, &e, cause);
  auto text = child_named(e.spec->id) + ": failed to start: " + cause.text;
  if (phase_ == phase::stop_all) {
    mark(e, address_state::stopped, cause);
    answer(e.request, fail(errc::start_failed, text));
    release(e);
    return advance_stop_all();
  }
  if (group_waits_for(e)) {
    if (phase_ == phase::bring_up) {
      mark(e, address_state::stopped, cause);
      return stop_all({exit_kind::shutdown, std::move(text)});
    }
    end_group();
    return schedule_retry(e, delay_of(e), false);
  }
  auto why = e.why;
  if (why != purpose::automatic)
    answer(e.request, fail(errc::start_failed, text));
  release(e);
  switch (why) {
  case purpose::automatic:
    schedule_retry(e, delay_of(e), false);
    break;
  case purpose::revive:
    quarantine(e);
    break;
  case purpose::start:
    mark(e, address_state::stopped, cause);
    remove(e);
    break;
  case purpose::restart:
  case purpose::terminate:
  case purpose::none:
    mark(e, address_state::stopped, cause);
    break;
  }
}

void supervision::settled_stopped(entry& e, exit_cause cause) {
  disarm(e);
  set_state(e, child_state::stopped);
  if (cause.kind != exit_kind::abandoned)
    say(cause.kind == exit_kind::crashed ? kind::child_stop_failed : kind::child_stopped, &e,
        cause);
  if (phase_ == phase::stop_all) {
    mark(e, address_state::stopped, cause);
    if (e.why == purpose::terminate)
      answer(e.request, info(e, now_));
    release(e);
    return advance_stop_all();
  }
  if (group_waits_for(e)) {
    mark(e, address_state::restarting, {exit_kind::shutdown, "restarted with a sibling"});
    if (e.spec->restart == restart_type::temporary) {
      mark(e, address_state::stopped, cause);
      remove(e);
    }
    return advance_group();
  }
  finish_terminated(e, e.request);
}

void supervision::finish_terminated(entry& e, request_id request) {
  set_state(e, child_state::stopped);
  mark(e, address_state::stopped, {exit_kind::shutdown, "terminated"});
  answer(request, info(e, now_));
  release(e);
  if (e.spec->restart == restart_type::temporary || dynamic())
    remove(e);
}

void supervision::arm(entry& e, timer_kind what, steady at) {
  disarm(e);
  e.timer = timer_id{at, ++last_timer_};
  e.timer_for = what;
  timers_.emplace(*e.timer, e.key);
}

void supervision::disarm(entry& e) {
  if (e.timer)
    timers_.erase(*std::exchange(e.timer, std::nullopt));
}

void supervision::set_state(entry& e, child_state s) {
  live_ -= alive(e.state) ? 1 : 0;
  live_ += alive(s) ? 1 : 0;
  e.state = s;
}

void supervision::note_failure(entry& e, const exit_cause& cause) {
  ++counters_.failures;
  e.failures.push_back({now_, e.incarnation, cause});
  while (e.failures.size() > options_.failures_kept)
    e.failures.pop_front();
}

void supervision::say(kind what, const entry* e, exit_cause cause, std::chrono::nanoseconds delay) {
  supervision_event said;
  said.what = what;
  said.supervisor = options_.name;
  if (e) {
    said.child = e->spec->id;
    said.incarnation = e->incarnation;
  }
  said.cause = std::move(cause);
  said.delay = std::chrono::ceil<std::chrono::milliseconds>(delay);
  said.at = now_;
  actions_.push_back(event_action{std::move(said)});
}

void supervision::mark(const entry& e, address_state state, exit_cause cause,
                       std::chrono::milliseconds retry_after) {
  if (e.spec->address)
    actions_.push_back(
        mark_action{e.spec->address, e.spec->id, state, std::move(cause), retry_after});
}

} // namespace holdfast::detail
