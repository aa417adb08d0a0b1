// What follows when a child ended by itself, and work over several children.

#include <holdfast/runtime/detail/supervision.hpp>

#include <algorithm>

namespace holdfast::detail {

using kind = supervision_event::kind;

// -- restarts

void supervision::decide(entry& e) {
  if (needs_restart(e.spec->restart, e.exit.kind)) {
    if (charge(e))
      restart_now(e, delay_of(e));
    return;
  }
  auto id = e.spec->id;
  auto significant = e.spec->significant;
  set_state(e, child_state::stopped);
  mark(e, address_state::stopped, e.exit);
  if (e.spec->restart == restart_type::temporary || dynamic())
    remove(e);
  check_auto_shutdown(id, significant);
}

bool supervision::charge(entry& e) {
  if (!e.spec->budget) {
    if (window_.add(now_))
      return true;
    escalate(e);
    return false;
  }
  if (e.window.add(now_))
    return true;
  if (e.spec->budget->exhausted == exhausted::quarantine)
    quarantine(e);
  else
    escalate(e);
  return false;
}

void supervision::escalate(entry& e) {
  auto text = child_named(e.spec->id) + ": ended too often, last: " +
              to_string(e.failures.empty() ? e.exit : e.failures.back().cause);
  say(kind::budget_exhausted, &e, {exit_kind::shutdown, text});
  stop_all({exit_kind::shutdown, std::move(text)});
}

void supervision::quarantine(entry& e) {
  ++counters_.quarantines;
  auto cause = e.failures.empty() ? e.exit : e.failures.back().cause;
  auto after = e.spec->budget->revive_after;
  set_state(e, child_state::quarantined);
  if (after > after.zero())
    arm(e, timer_kind::revive, now_ + after);
  mark(e, address_state::quarantined, cause, after);
  say(kind::child_quarantined, &e, std::move(cause), after);
}

steady supervision::delay_of(entry& e) {
  return e.spec->backoff ? e.delays.next(*random_) : steady{0};
}

void supervision::restart_now(entry& e, steady delay) {
  if (group_strategy()) {
    group_delay_ = delay;
    restart_group(e);
  } else if (delay > steady{0}) {
    schedule_retry(e, delay, true);
  } else {
    begin_start(e, purpose::automatic, 0);
  }
}

/// The next try comes as an event of its own, even without delay, so that calls are served between
/// two failing starts.
void supervision::schedule_retry(entry& e, steady delay, bool charged) {
  set_state(e, child_state::restarting);
  e.charged = charged;
  arm(e, timer_kind::retry, now_ + delay);
  mark(e, address_state::restarting, e.failures.empty() ? e.exit : e.failures.back().cause);
  say(kind::child_restarting, &e, {}, delay);
}

void supervision::retry(entry& e) {
  if (e.charged || charge(e))
    restart_now(e, steady{0});
}

void supervision::check_auto_shutdown(const std::string& id, bool significant) {
  if (!significant || stopping_ || options_.auto_shutdown == auto_shutdown::never)
    return;
  auto counts = [](const auto& pair) {
    auto& e = pair.second;
    return e.spec->significant && e.state != child_state::stopped;
  };
  if (options_.auto_shutdown == auto_shutdown::all_significant &&
      std::any_of(entries_.begin(), entries_.end(), counts))
    return;
  exit_cause cause{exit_kind::shutdown, "significant child \"" + id + "\" ended"};
  say(kind::auto_shutdown, nullptr, cause);
  stop_all(std::move(cause));
}

// -- groups

/// True if the group was waiting for this child; then it does not any more.
bool supervision::group_waits_for(const entry& e) {
  if (phase_ == phase::none || phase_ == phase::stop_all || current_ != e.key)
    return false;
  current_.reset();
  return true;
}

void supervision::restart_group(entry& trigger) {
  phase_ = phase::group_stop;
  trigger_ = trigger.key;
  set_state(trigger, child_state::restarting);
  auto first = options_.strategy == strategy::one_for_all ? entries_.begin()
                                                          : entries_.upper_bound(trigger_);
  to_stop_.clear();
  for (auto it = first; it != entries_.end(); ++it)
    if (alive(it->second.state))
      to_stop_.push_back(it->first);
  advance_group();
}

void supervision::advance_group() {
  while (phase_ == phase::group_stop && !to_stop_.empty()) {
    auto key = to_stop_.back();
    to_stop_.pop_back();
    auto* e = find(key);
    if (!e || !alive(e->state))
      continue;
    current_ = key;
    return begin_stop(*e);
  }
  if (phase_ == phase::group_stop) {
    if (group_delay_ > steady{0}) {
      end_group();
      return schedule_retry(*find(trigger_), std::exchange(group_delay_, {}), true);
    }
    auto first =
        options_.strategy == strategy::one_for_all ? entries_.begin() : entries_.find(trigger_);
    for (auto it = first; it != entries_.end(); ++it)
      if (it->second.spec->restart != restart_type::temporary)
        to_start_.push_back(it->first);
    std::reverse(to_start_.begin(), to_start_.end());
    phase_ = phase::group_start;
  }
  while (!to_start_.empty()) {
    auto key = to_start_.back();
    to_start_.pop_back();
    auto* e = find(key);
    if (!e || alive(e->state))
      continue;
    current_ = key;
    return begin_start(*e, purpose::none, 0);
  }
  auto first_time = phase_ == phase::bring_up;
  end_group();
  if (first_time) {
    up_ = true;
    say(kind::started, nullptr);
    for (auto request : std::exchange(up_requests_, {}))
      answer(request, own_info());
    actions_.push_back(ready_action{});
  }
}

void supervision::end_group() {
  phase_ = phase::none;
  current_.reset();
  to_stop_.clear();
  to_start_.clear();
}

// -- the end

void supervision::stop_all(exit_cause cause) {
  if (stopping_)
    return;
  stopping_ = true;
  finish_cause_ = std::move(cause);
  end_group();
  phase_ = phase::stop_all;
  refuse_waiting();
  for (auto& [key, e] : entries_) {
    if (alive(e.state)) {
      to_stop_.push_back(key);
    } else if (e.state != child_state::stopped) {
      disarm(e);
      set_state(e, child_state::stopped);
      mark(e, address_state::stopped, finish_cause_);
    }
  }
  advance_stop_all();
}

void supervision::refuse_waiting() {
  auto refuse = [this](request_id request) {
    answer(request, fail(errc::stopped, options_.name + ": the supervisor is stopping"));
  };
  for (auto& w : queue_.take_all())
    refuse(w.request);
  for (auto& [key, e] : entries_)
    if (e.why != purpose::terminate)
      refuse(std::exchange(e.request, 0));
}

void supervision::advance_stop_all() {
  if (finished_)
    return;
  if (options_.parallel_stop || dynamic()) {
    for (auto key : std::exchange(to_stop_, {}))
      if (auto* e = find(key); e && alive(e->state) && e->state != child_state::stopping)
        begin_stop(*e);
    if (live_ != 0)
      return;
  }
  if (auto* e = current_ ? find(*current_) : nullptr; e && alive(e->state))
    return;
  while (!to_stop_.empty()) {
    auto key = to_stop_.back();
    to_stop_.pop_back();
    auto* e = find(key);
    if (!e || !alive(e->state))
      continue;
    current_ = key;
    if (e->state != child_state::stopping)
      begin_stop(*e);
    return;
  }
  finished_ = true;
  deadline_.reset();
  say(kind::stopped, nullptr, finish_cause_);
  for (auto request : std::exchange(stop_requests_, {}))
    answer(request, own_info());
  for (auto request : std::exchange(up_requests_, {}))
    answer(request, fail(errc::start_failed, options_.name + ": " + finish_cause_.text));
  actions_.push_back(finish_action{finish_cause_});
}

void supervision::kill_all() {
  for (auto& [key, e] : entries_) {
    if (!alive(e.state) || (e.state == child_state::stopping && e.killed))
      continue;
    ++counters_.kills;
    say(kind::child_killed, &e, {exit_kind::killed, "the supervisor's deadline passed"});
    set_state(e, child_state::stopping);
    e.killed = true;
    actions_.push_back(stop_action{key, e.incarnation, true});
    arm(e, timer_kind::stop, now_ + options_.kill_grace);
  }
}

} // namespace holdfast::detail
