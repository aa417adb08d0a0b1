// What the supervisor's actor does.
#include <holdfast/runtime/detail/supervision_actor.hpp>

#include <holdfast/runtime/detail/logger_scope.hpp>

#include <cstdlib>
#include <exception>

namespace holdfast::detail {
namespace {

log_level level_of(supervision_event::kind k) {
  using enum supervision_event::kind;
  switch (k) {
  case child_started:
  case child_ignored:
  case child_stopped:
  case child_removed:
  case child_restarting:
  case child_revived:
  case started:
  case stopped:
    return log_level::info;
  case child_start_failed:
  case child_terminated:
  case child_stop_failed:
  case child_killed:
  case auto_shutdown:
    return log_level::warning;
  case child_abandoned:
  case child_quarantined:
  case budget_exhausted:
    return log_level::error;
  }
  return log_level::info;
}

error error_of(const std::string& id, const exit_cause& cause) {
  return error{errc::unavailable, id + ": " + to_string(cause)};
}

result<caf::actor> attempt(const child_spec& spec, start_context& context) {
  try {
    const logger_scope no_logger; // the thread may be a caller's
    return spec.start(context);
  } catch (const std::exception& e) {
    return fail(errc::start_failed, e.what());
  } catch (...) { // a user's function: whatever it throws is a failed start
    return fail(errc::start_failed, "an exception that is not a std::exception");
  }
}

} // namespace

void supervisor_actor::perform(start_action& a) {
  auto* spec = life_->rules.spec(a.key);
  auto* argument = life_->rules.argument(a.key);
  if (!spec || !argument)
    return;
  auto to = caf::actor_cast<caf::actor>(this);
  start_context context{
      system(),
      spec->id,
      a.incarnation,
      *argument,
      [to, key = a.key, incarnation = a.incarnation](result<void> said) {
        caf::anon_send(to, announce_message{key, incarnation,
                                            std::make_shared<const result<void>>(std::move(said))});
      },
      core_};
  auto started = attempt(*spec, context);
  std::lock_guard lock{life_->mutex};
  auto& rules = life_->rules;
  if (!started)
    return rules.child_start_failed(now(), a.key, a.incarnation,
                                    {exit_kind::crashed, started.error().message()});
  if (!*started)
    return rules.child_ignored(now(), a.key, a.incarnation);
  if (auto present = core_->rt.presence())
    (*started)->attach_functor([present] {});
  monitor(*started);
  by_address_[caf::actor_cast<caf::actor_addr>(*started)] = {a.key, a.incarnation};
  life_->children[a.key] = *started;
  if (spec->ready == readiness::initialized)
    probe(*started, a);
}

/// Every event-based actor answers this message of CAF's own once its init has run. Any answer
/// but "it is gone" will do; that it is gone is told by its down message.
void supervisor_actor::probe(const caf::actor& child, const start_action& a) {
  auto ready = [this, a] {
    apply([&](supervision& rules) { rules.child_ready(now(), a.key, a.incarnation); });
  };
  request(child, caf::infinite, caf::sys_atom::value, caf::get_atom::value, std::string{"info"})
      .then([ready](caf::ok_atom, const std::string&, const caf::strong_actor_ptr&,
                    const std::string&) { ready(); },
            [ready](const caf::error& e) {
              if (e != caf::sec::request_receiver_down)
                ready();
            });
}

void supervisor_actor::perform(stop_action& a) {
  if (auto child = handle_of(a.key))
    send_exit(child, a.kill ? caf::exit_reason::kill : caf::exit_reason::user_shutdown);
}

void supervisor_actor::perform(abandon_action& a) {
  if (life_->rules.options().stuck == stuck_policy::abort_process) {
    core_->rt.log().write(log_level::error, component(), "a stuck child: aborting the process");
    std::abort();
  }
  auto child = handle_of(a.key);
  if (!child)
    return;
  if (a.address)
    a.address->fence(child.id());
  demonitor(child);
  by_address_.erase(caf::actor_cast<caf::actor_addr>(child));
  std::lock_guard lock{life_->mutex};
  life_->children.erase(a.key);
}

void supervisor_actor::perform(mark_action& a) {
  auto& address = a.address;
  auto reason = error_of(a.id, a.cause);
  switch (a.state) {
  case address_state::starting:
    address->starting();
    break;
  case address_state::restarting:
    address->down(std::move(reason));
    break;
  case address_state::quarantined:
    address->quarantined(std::move(reason), a.retry_after);
    break;
  case address_state::stopped:
    address->stopped(std::move(reason));
    break;
  case address_state::up:
    break; // the actor says so itself
  }
}

void supervisor_actor::perform(answer_action& a) {
  ref<operation<child_info>> op;
  {
    std::lock_guard lock{life_->mutex};
    auto it = life_->requests.find(a.request);
    if (it == life_->requests.end())
      return;
    op = std::move(it->second);
    life_->requests.erase(it);
  }
  op->complete(std::move(a.answer));
}

void supervisor_actor::perform(event_action& a) {
  auto e = std::make_shared<const supervision_event>(std::move(a.event));
  auto& log = core_->rt.log();
  if (auto level = level_of(e->what); log.enabled(level))
    log.write(level, component(), to_string(*e));
  if (auto& hook = core_->options.on_event) {
    try {
      hook(*e);
    } catch (...) { // a user's function must not end the supervisor
      log.write(log_level::warning, component(), "on_event threw");
    }
  }
  core_->publish(e);
}

void supervisor_actor::perform(forget_action& a) { a.nested->end_for_good(core_.get()); }

void supervisor_actor::perform(ready_action&) {
  if (auto announce = std::exchange(announce_, nullptr))
    announce({});
}

void supervisor_actor::perform(finish_action& a) {
  {
    std::lock_guard lock{life_->mutex};
    life_->ended = true;
  }
  if (auto announce = std::exchange(announce_, nullptr))
    announce(fail(errc::start_failed, core_->options.name + ": " + a.cause.text));
  quit(caf::exit_reason::user_shutdown);
}

caf::actor supervisor_actor::handle_of(child_key key) {
  std::lock_guard lock{life_->mutex};
  auto it = life_->children.find(key);
  return it == life_->children.end() ? caf::actor{} : it->second;
}

} // namespace holdfast::detail
