// The events that the rules are told of.

#include <holdfast/runtime/detail/supervision.hpp>

#include <algorithm>

namespace holdfast::detail {

supervision::supervision(supervisor_options options, random_source& random)
    : options_{std::move(options)}, random_{&random}, window_{restart_budget{options_.intensity,
                                                                             options_.period}} {}

void supervision::begin(steady now) {
  now_ = now;
  phase_ = phase::bring_up;
  for (auto& spec : options_.children)
    to_start_.push_back(add(std::make_shared<const child_spec>(spec), {}).key);
  std::reverse(to_start_.begin(), to_start_.end());
  options_.children.clear();
  advance_group();
  drain();
}

void supervision::start_child(steady now, request_id request, child_spec spec) {
  now_ = now;
  if (dynamic())
    return answer(request, fail(errc::invalid_argument,
                                child_named(spec.id) + ": a simple_one_for_one supervisor has no "
                                                       "children but those of its template"));
  child_work w{child_work::kind::start, spec.id, request};
  w.spec = std::make_shared<const child_spec>(std::move(spec));
  submit(std::move(w));
  drain();
}

void supervision::start_child(steady now, request_id request, dynamic_child child) {
  now_ = now;
  if (!dynamic())
    return answer(request, fail(errc::invalid_argument,
                                child_named(child.id) + ": the supervisor has no template"));
  auto spec = *options_.child_template;
  spec.id = child.id.empty() ? spec.id + "-" + std::to_string(++made_up_ids_) : child.id;
  spec.address = child.address;
  child_work w{child_work::kind::start, spec.id, request};
  w.spec = std::make_shared<const child_spec>(std::move(spec));
  w.argument = std::move(child.argument);
  submit(std::move(w));
  drain();
}

void supervision::terminate_child(steady now, request_id request, std::string id) {
  now_ = now;
  submit({child_work::kind::terminate, std::move(id), request});
  drain();
}

void supervision::restart_child(steady now, request_id request, std::string id) {
  now_ = now;
  submit({child_work::kind::restart, std::move(id), request});
  drain();
}

void supervision::delete_child(steady now, request_id request, std::string id) {
  now_ = now;
  submit({child_work::kind::remove, std::move(id), request});
  drain();
}

void supervision::revive(steady now, request_id request, std::string id) {
  now_ = now;
  submit({child_work::kind::revive, std::move(id), request});
  drain();
}

void supervision::stop(steady now, request_id request, std::optional<steady> deadline) {
  now_ = now;
  if (finished_)
    return answer(request, own_info());
  if (request != 0)
    stop_requests_.push_back(request);
  if (deadline && (!deadline_ || *deadline < *deadline_))
    deadline_ = deadline;
  stop_all({exit_kind::shutdown, "stop was asked for"});
}

void supervision::await_up(steady now, request_id request) {
  now_ = now;
  if (finished_)
    answer(request, fail(errc::start_failed, options_.name + ": " + finish_cause_.text));
  else if (up_)
    answer(request, own_info());
  else
    up_requests_.push_back(request);
}

void supervision::child_ready(steady now, child_key key, std::uint64_t incarnation) {
  now_ = now;
  if (auto* e = find(key, incarnation); e && e->state == child_state::starting)
    settled_up(*e);
  drain();
}

void supervision::child_ignored(steady now, child_key key, std::uint64_t incarnation) {
  now_ = now;
  if (auto* e = find(key, incarnation); e && e->state == child_state::starting)
    settled_ignored(*e);
  drain();
}

void supervision::child_start_failed(steady now, child_key key, std::uint64_t incarnation,
                                     exit_cause cause, bool has_actor) {
  now_ = now;
  auto* e = find(key, incarnation);
  if (e && e->state == child_state::starting && has_actor) {
    e->failed_start = std::move(cause);
    begin_stop(*e);
  } else if (e && e->state == child_state::starting) {
    settled_failed(*e, std::move(cause));
  } else if (e && e->state == child_state::stopping && !has_actor) {
    settled_stopped(*e, std::move(cause));
  }
  drain();
}

void supervision::child_exited(steady now, child_key key, std::uint64_t incarnation,
                               exit_cause cause) {
  now_ = now;
  auto* e = find(key, incarnation);
  if (!e || !alive(e->state))
    return;
  disarm(*e);
  if (e->state == child_state::starting) {
    settled_failed(*e, std::move(cause));
  } else if (e->state == child_state::stopping) {
    if (e->failed_start)
      settled_failed(*e, *std::exchange(e->failed_start, std::nullopt));
    else
      settled_stopped(*e, std::move(cause));
  } else {
    e->delays.was_up_for(now_ - e->up_since);
    e->exit = cause;
    // While all children are stopped nobody decides any more: it just was faster than its turn.
    set_state(*e, stopping_ ? child_state::stopped : child_state::down);
    if (cause.abnormal() || e->spec->restart == restart_type::permanent)
      note_failure(*e, cause);
    mark(*e, stopping_ ? address_state::stopped : address_state::restarting, cause);
    say(supervision_event::kind::child_terminated, e, std::move(cause));
    child_work w{child_work::kind::crash, e->spec->id};
    w.key = key;
    w.incarnation = incarnation;
    submit(std::move(w));
  }
  drain();
}

void supervision::advance(steady now) {
  now_ = now;
  if (deadline_ && *deadline_ <= now_) {
    deadline_.reset();
    kill_all();
  }
  std::vector<timer_id> due;
  for (auto it = timers_.begin(); it != timers_.end() && it->first.first <= now_; ++it)
    due.push_back(it->first);
  for (auto& id : due) {
    auto it = timers_.find(id);
    if (it == timers_.end())
      continue; // what was due before it made it pointless
    auto& e = entries_.at(it->second);
    disarm(e);
    child_work w{child_work::kind::retry, e.spec->id};
    w.key = e.key;
    switch (e.timer_for) {
    case timer_kind::init:
      init_expired(e);
      break;
    case timer_kind::stop:
      stop_expired(e);
      break;
    case timer_kind::retry:
      submit(std::move(w));
      break;
    case timer_kind::revive:
      w.what = child_work::kind::auto_revive;
      submit(std::move(w));
      break;
    }
  }
  drain();
}

std::optional<steady> supervision::next_deadline() const {
  auto first = deadline_;
  if (!timers_.empty() && (!first || timers_.begin()->first.first < *first))
    first = timers_.begin()->first.first;
  return first;
}

} // namespace holdfast::detail
