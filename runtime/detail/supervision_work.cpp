// Who may work when, and what each piece of work begins with.

#include <holdfast/runtime/detail/supervision.hpp>

namespace holdfast::detail {

bool supervision::exclusive() const {
  return phase_ != phase::none || (group_strategy() && busy_ != 0);
}

bool supervision::busy(const std::string& id) const {
  auto it = ids_.find(id);
  return it != ids_.end() && entries_.at(it->second).why != purpose::none;
}

void supervision::submit(child_work w) {
  if (stopping_)
    return answer(w.request, fail(errc::stopped, options_.name + ": the supervisor is stopping"));
  if (group_strategy() || exclusive())
    queue_.push_behind_all(std::move(w));
  else
    queue_.push(std::move(w));
}

void supervision::drain() {
  auto is_busy = [this](const std::string& id) { return busy(id); };
  auto all_free = [this] { return !exclusive(); };
  while (auto w = queue_.next(is_busy, all_free)) {
    auto id = w->id;
    run(*w);
    if (!busy(id))
      queue_.freed(std::move(id));
  }
}

void supervision::run(child_work& w) {
  if (w.what == child_work::kind::start)
    return run_start(w);
  auto* e = w.key != 0 ? find(w.key) : find(w.id);
  if (!e)
    return answer(w.request, fail(errc::not_found, child_named(w.id) + ": unknown"));
  switch (w.what) {
  case child_work::kind::start:
    break;
  case child_work::kind::terminate:
    run_terminate(w, *e);
    break;
  case child_work::kind::restart:
    run_restart(w, *e);
    break;
  case child_work::kind::remove:
    run_remove(w, *e);
    break;
  case child_work::kind::revive:
    if (e->state == child_state::quarantined)
      run_restart(w, *e);
    else
      answer(w.request, fail(errc::conflict, child_named(w.id) + ": not quarantined but " +
                                                 std::string{to_string(e->state)}));
    break;
  case child_work::kind::crash:
    if (e->state == child_state::down && e->incarnation == w.incarnation)
      decide(*e);
    break;
  case child_work::kind::retry:
    if (e->state == child_state::restarting && !e->timer)
      retry(*e);
    break;
  case child_work::kind::auto_revive:
    if (e->state == child_state::quarantined && !e->timer)
      run_restart(w, *e);
    break;
  }
}

void supervision::run_start(child_work& w) {
  if (auto* e = find(w.id))
    return answer(w.request,
                  fail(errc::already_exists, child_named(w.id) + ": there is one already, " +
                                                 std::string{to_string(e->state)}));
  if (entries_.size() >= options_.max_children)
    return answer(w.request, fail(errc::overloaded, options_.name + ": has its max_children " +
                                                        std::to_string(options_.max_children)));
  begin_start(add(std::move(w.spec), std::move(w.argument)), purpose::start, w.request);
}

void supervision::run_terminate(child_work& w, entry& e) {
  if (!alive(e.state)) {
    disarm(e);
    return finish_terminated(e, w.request);
  }
  e.why = purpose::terminate;
  e.request = w.request;
  ++busy_;
  begin_stop(e);
}

void supervision::run_restart(child_work& w, entry& e) {
  auto quarantined = e.state == child_state::quarantined;
  if (dynamic() && !quarantined)
    return answer(w.request, fail(errc::invalid_argument,
                                  child_named(w.id) + ": was made from a template, start another"));
  if (!quarantined && e.state != child_state::stopped)
    return answer(w.request, fail(errc::conflict, child_named(w.id) + ": not stopped but " +
                                                      std::string{to_string(e.state)}));
  if (quarantined) {
    e.window.clear();
    e.delays.reset();
    say(supervision_event::kind::child_revived, &e);
  }
  begin_start(e, quarantined ? purpose::revive : purpose::restart, w.request);
}

void supervision::run_remove(child_work& w, entry& e) {
  if (e.state != child_state::stopped && e.state != child_state::quarantined)
    return answer(w.request, fail(errc::conflict, child_named(w.id) + ": not stopped but " +
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
  queue_.freed(e.spec->id);
}

void supervision::answer(request_id request, result<child_info> a) {
  if (request != 0)
    actions_.push_back(answer_action{request, std::move(a)});
}

} // namespace holdfast::detail
