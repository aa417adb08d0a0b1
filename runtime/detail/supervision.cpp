#include <holdfast/runtime/detail/supervision.hpp>

#include <algorithm>

namespace holdfast::detail {
namespace {

std::string named(const std::string& id) { return "child \"" + id + "\""; }

} // namespace

supervision::supervision(supervisor_options options, random_source& random)
    : options_{std::move(options)}, random_{&random}, window_{restart_budget{options_.intensity,
                                                                             options_.period}} {}

// -- events

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
                                named(spec.id) + ": a simple_one_for_one supervisor has no "
                                                 "children but those of its template"));
  work w{work_kind::start, spec.id, request};
  w.spec = std::make_shared<const child_spec>(std::move(spec));
  submit(std::move(w));
  drain();
}

void supervision::start_child(steady now, request_id request, dynamic_child child) {
  now_ = now;
  if (!dynamic())
    return answer(request, fail(errc::invalid_argument,
                                named(child.id) + ": the supervisor has no template"));
  auto spec = *options_.child_template;
  spec.id = child.id.empty() ? spec.id + "-" + std::to_string(++made_up_ids_) : child.id;
  spec.address = child.address;
  work w{work_kind::start, spec.id, request};
  w.spec = std::make_shared<const child_spec>(std::move(spec));
  w.argument = std::move(child.argument);
  submit(std::move(w));
  drain();
}

void supervision::terminate_child(steady now, request_id request, std::string id) {
  now_ = now;
  submit({work_kind::terminate, std::move(id), request});
  drain();
}

void supervision::restart_child(steady now, request_id request, std::string id) {
  now_ = now;
  submit({work_kind::restart, std::move(id), request});
  drain();
}

void supervision::delete_child(steady now, request_id request, std::string id) {
  now_ = now;
  submit({work_kind::remove, std::move(id), request});
  drain();
}

void supervision::revive(steady now, request_id request, std::string id) {
  now_ = now;
  submit({work_kind::revive, std::move(id), request});
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
    work w{work_kind::crash, e->spec->id};
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
    work w{work_kind::retry, e.spec->id};
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
      w.kind = work_kind::auto_revive;
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

// -- who may work when

bool supervision::exclusive() const {
  return phase_ != phase::none || (group_strategy() && busy_ != 0);
}

bool supervision::busy(const std::string& id) const {
  auto it = ids_.find(id);
  return it != ids_.end() && entries_.at(it->second).why != purpose::none;
}

void supervision::submit(work w) {
  if (stopping_)
    return answer(w.request, fail(errc::stopped, options_.name + ": the supervisor is stopping"));
  if (group_strategy() || exclusive() || !backlog_.empty()) {
    backlog_.push_back(std::move(w));
    return;
  }
  ready_.push_back(w.id);
  waiting_[w.id].push_back(std::move(w));
}

void supervision::drain() {
  for (;;) {
    if (!ready_.empty()) {
      auto id = std::move(ready_.front());
      ready_.pop_front();
      auto queue = waiting_.find(id);
      if (queue == waiting_.end() || busy(id))
        continue;
      auto w = std::move(queue->second.front());
      queue->second.pop_front();
      if (queue->second.empty())
        waiting_.erase(queue);
      run(w);
      if (!busy(id))
        ready_.push_back(std::move(id));
    } else if (!backlog_.empty() && !exclusive()) {
      auto w = std::move(backlog_.front());
      backlog_.pop_front();
      if (group_strategy()) {
        run(w);
      } else {
        ready_.push_back(w.id);
        waiting_[w.id].push_back(std::move(w));
      }
    } else {
      return;
    }
  }
}

void supervision::run(work& w) {
  if (w.kind == work_kind::start)
    return run_start(w);
  auto* e = w.key != 0 ? find(w.key) : find(w.id);
  if (!e)
    return answer(w.request, fail(errc::not_found, named(w.id) + ": unknown"));
  switch (w.kind) {
  case work_kind::start:
    break;
  case work_kind::terminate:
    run_terminate(w, *e);
    break;
  case work_kind::restart:
    run_restart(w, *e);
    break;
  case work_kind::remove:
    run_remove(w, *e);
    break;
  case work_kind::revive:
    if (e->state == child_state::quarantined)
      run_restart(w, *e);
    else
      answer(w.request, fail(errc::conflict, named(w.id) + ": not quarantined but " +
                                                 std::string{to_string(e->state)}));
    break;
  case work_kind::crash:
    if (e->state == child_state::down && e->incarnation == w.incarnation)
      decide(*e);
    break;
  case work_kind::retry:
    if (e->state == child_state::restarting && !e->timer)
      retry(*e);
    break;
  case work_kind::auto_revive:
    if (e->state == child_state::quarantined && !e->timer)
      run_restart(w, *e);
    break;
  }
}

void supervision::run_start(work& w) {
  if (auto* e = find(w.id))
    return answer(w.request, fail(errc::already_exists, named(w.id) + ": there is one already, " +
                                                            std::string{to_string(e->state)}));
  if (entries_.size() >= options_.max_children)
    return answer(w.request, fail(errc::overloaded, options_.name + ": has its max_children " +
                                                        std::to_string(options_.max_children)));
  begin_start(add(std::move(w.spec), std::move(w.argument)), purpose::start, w.request);
}

void supervision::run_terminate(work& w, entry& e) {
  if (!alive(e.state)) {
    disarm(e);
    return finish_terminated(e, w.request);
  }
  e.why = purpose::terminate;
  e.request = w.request;
  ++busy_;
  begin_stop(e);
}

void supervision::run_restart(work& w, entry& e) {
  auto quarantined = e.state == child_state::quarantined;
  if (dynamic() && !quarantined)
    return answer(w.request, fail(errc::invalid_argument,
                                  named(w.id) + ": was made from a template, start another"));
  if (!quarantined && e.state != child_state::stopped)
    return answer(w.request, fail(errc::conflict, named(w.id) + ": not stopped but " +
                                                      std::string{to_string(e.state)}));
  if (quarantined) {
    e.window.clear();
    e.delays.reset();
    say(supervision_event::kind::child_revived, &e);
  }
  begin_start(e, quarantined ? purpose::revive : purpose::restart, w.request);
}

void supervision::run_remove(work& w, entry& e) {
  if (e.state != child_state::stopped && e.state != child_state::quarantined)
    return answer(w.request, fail(errc::conflict, named(w.id) + ": not stopped but " +
                                                      std::string{to_string(e.state)}));
  answer(w.request, info(e, now_));
  mark(e, address_state::stopped, {exit_kind::shutdown, "deleted"});
  remove(e);
}

void supervision::release(entry& e) {
  if (e.why == purpose::none)
    return;
  e.why = purpose::none;
  e.request = 0;
  --busy_;
  ready_.push_back(e.spec->id);
}

void supervision::answer(request_id request, result<child_info> a) {
  if (request != 0)
    actions_.push_back(answer_action{request, std::move(a)});
}

// -- entries

supervision::entry* supervision::find(const std::string& id) {
  auto it = ids_.find(id);
  return it == ids_.end() ? nullptr : &entries_.at(it->second);
}

supervision::entry* supervision::find(child_key key) {
  auto it = entries_.find(key);
  return it == entries_.end() ? nullptr : &it->second;
}

supervision::entry* supervision::find(child_key key, std::uint64_t incarnation) {
  auto* e = find(key);
  return e && e->incarnation == incarnation ? e : nullptr;
}

supervision::entry& supervision::add(std::shared_ptr<const child_spec> spec, std::any argument) {
  auto key = ++last_key_;
  auto budget = spec->budget.value_or(child_budget{});
  entry e{.key = key,
          .spec = spec,
          .argument = std::move(argument),
          .failures = {},
          .delays = backoff{spec->backoff.value_or(backoff_options{})},
          .window = restart_window{{budget.intensity, budget.period}},
          .exit = {},
          .failed_start = {},
          .timer = {}};
  ids_.emplace(spec->id, key);
  return entries_.emplace(key, std::move(e)).first->second;
}

void supervision::remove(entry& e) {
  say(supervision_event::kind::child_removed, &e);
  if (e.spec->nested)
    actions_.push_back(forget_action{e.spec->nested});
  disarm(e);
  release(e);
  ids_.erase(e.spec->id);
  entries_.erase(e.key);
}

// -- observers

child_info supervision::own_info() const {
  return {.id = options_.name,
          .type = child_type::supervisor,
          .state = finished_ ? child_state::stopped : child_state::up};
}

child_info supervision::info(const entry& e, steady now) const {
  child_info out{.id = e.spec->id,
                 .type = e.spec->type,
                 .restart = e.spec->restart,
                 .significant = e.spec->significant,
                 .state = e.state,
                 .incarnation = e.incarnation,
                 .restarts = e.restarts,
                 .failures = {e.failures.begin(), e.failures.end()}};
  auto waits = e.state == child_state::restarting || e.state == child_state::quarantined;
  if (waits && e.timer && e.timer->first > now)
    out.retry_after = std::chrono::ceil<std::chrono::milliseconds>(e.timer->first - now);
  return out;
}

child_counts supervision::count() const {
  child_counts out;
  out.specs = entries_.size();
  out.active = live_;
  for (auto& [key, e] : entries_)
    ++(e.spec->type == child_type::supervisor ? out.supervisors : out.workers);
  return out;
}

std::vector<child_info> supervision::children(steady now) const {
  std::vector<child_info> out;
  out.reserve(entries_.size());
  for (auto& [key, e] : entries_)
    out.push_back(info(e, now));
  return out;
}

std::optional<child_info> supervision::child(steady now, const std::string& id) const {
  auto it = ids_.find(id);
  return it == ids_.end() ? std::nullopt : std::optional{info(entries_.at(it->second), now)};
}

std::optional<child_key> supervision::key_of(const std::string& id) const {
  auto it = ids_.find(id);
  return it == ids_.end() ? std::nullopt : std::optional{it->second};
}

const child_spec* supervision::spec(child_key key) const {
  auto it = entries_.find(key);
  return it == entries_.end() ? nullptr : it->second.spec.get();
}

const std::any* supervision::argument(child_key key) const {
  auto it = entries_.find(key);
  return it == entries_.end() ? nullptr : &it->second.argument;
}

} // namespace holdfast::detail
