#include <holdfast/runtime/detail/supervision_actor.hpp>

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <optional>
#include <utility>

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

/// Turns messages into events of the rules, and the rules' actions into messages.
class supervisor_actor final : public caf::event_based_actor {
public:
  supervisor_actor(caf::actor_config& config, std::shared_ptr<supervisor_core> core,
                   std::shared_ptr<supervisor_life> life, std::vector<orphan> orphans,
                   std::function<void(result<void>)> announce)
      : caf::event_based_actor{config}, core_{std::move(core)}, life_{std::move(life)},
        orphans_{std::move(orphans)}, announce_{std::move(announce)} {}

  const char* name() const override { return "holdfast.supervisor"; }

  caf::behavior make_behavior() override {
    quiet(this);
    set_down_handler([this](caf::down_msg& m) { child_down(m); });
    set_exit_handler([this](caf::exit_msg& m) {
      if (!m.reason)
        return;
      begin();
      apply([&](supervision& rules) { rules.stop(now(), 0, std::nullopt); });
    });
    std::erase_if(orphans_, [this](auto& left) {
      auto still = caf::actor_cast<caf::actor>(left.at);
      if (still)
        monitor(still);
      return !still;
    });
    if (orphans_.empty())
      begin();
    else
      delayed_send(this, core_->options.kill_grace, begin_message{});
    return {[this](const call_message& m) { begun_ ? call(*m.call) : early_.push_back(m.call); },
            [this](const begin_message&) { begin(); },
            [this](const announce_message& m) { announced(m); },
            [this](wake_up_message) {
              woken_at_.reset();
              apply([&](supervision& rules) { rules.advance(now()); });
            }};
  }

  void on_exit() override {
    orphans_.clear();
    early_.clear();
    by_address_.clear();
    announce_ = nullptr;
    core_.reset();
    life_.reset();
  }

private:
  struct watched {
    child_key key;
    std::uint64_t incarnation;
  };

  steady now() { return clock().now().time_since_epoch(); }

  /// Starts the children, once; the orphans that are left are cut off first.
  void begin() {
    if (std::exchange(begun_, true))
      return;
    for (auto& left : std::exchange(orphans_, {})) {
      demonitor(left.at);
      if (left.address)
        left.address->fence(left.at.id());
    }
    apply([&](supervision& rules) { rules.begin(now()); });
    for (auto& waiting : std::exchange(early_, {}))
      call(*waiting);
  }

  /// Whether it was an orphan that ended.
  bool orphan_down(const caf::actor_addr& who) {
    auto ended = std::erase_if(orphans_, [&](auto& o) { return o.at == who; }) != 0;
    if (ended && orphans_.empty())
      begin();
    return ended;
  }

  /// Gives the rules an event, then does what they say until they say nothing more.
  template <class F>
  void apply(F event) {
    std::vector<action> actions;
    {
      std::lock_guard lock{life_->mutex};
      event(life_->rules);
      actions = life_->rules.take_actions();
    }
    while (!actions.empty()) {
      for (auto& a : actions)
        std::visit([this](auto& act) { this->perform(act); }, a);
      std::lock_guard lock{life_->mutex};
      actions = life_->rules.take_actions();
    }
    arm();
  }

  /// One delayed message at most is on its way for each point in time that matters: CAF cannot take
  /// back those that turn out to be useless.
  void arm() {
    std::optional<steady> next;
    {
      std::lock_guard lock{life_->mutex};
      if (!life_->rules.finished())
        next = life_->rules.next_deadline();
    }
    if (!next || (woken_at_ && *woken_at_ <= *next))
      return;
    woken_at_ = next;
    if (auto wait = *next - now(); wait > steady{0})
      delayed_send(this, wait, wake_up_message{});
    else
      send(this, wake_up_message{});
  }

  void call(supervisor_call& c) {
    auto op = std::exchange(c.op, {});
    if (!op || !op->cancel())
      return; // the caller gave up before we began
    auto id = ++last_request_;
    {
      std::lock_guard lock{life_->mutex};
      life_->requests.emplace(id, std::move(op));
    }
    apply([&](supervision& rules) { c.apply(rules, now(), id); });
  }

  void announced(const announce_message& m) {
    apply([&](supervision& rules) {
      if (*m.said)
        rules.child_ready(now(), m.key, m.incarnation);
      else
        rules.child_start_failed(now(), m.key, m.incarnation,
                                 {exit_kind::crashed, m.said->error().message()}, true);
    });
  }

  void child_down(const caf::down_msg& m) {
    if (orphan_down(m.source))
      return;
    auto it = by_address_.find(m.source);
    if (it == by_address_.end())
      return;
    auto child = it->second;
    by_address_.erase(it);
    auto cause = cause_of(m.reason, system());
    apply([&](supervision& rules) {
      life_->children.erase(child.key);
      rules.child_exited(now(), child.key, child.incarnation, std::move(cause));
    });
  }

  caf::actor handle_of(child_key key) {
    std::lock_guard lock{life_->mutex};
    auto it = life_->children.find(key);
    return it == life_->children.end() ? caf::actor{} : it->second;
  }

  // -- actions. Between `take_actions` and the next event nobody but us changes the rules, so specs
  // can be used without the lock.

  void perform(start_action& a) {
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
          caf::anon_send(to,
                         announce_message{key, incarnation,
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

  static result<caf::actor> attempt(const child_spec& spec, start_context& context) {
    try {
      return spec.start(context);
    } catch (const std::exception& e) {
      return fail(errc::start_failed, e.what());
    } catch (...) { // a user's function: whatever it throws is a failed start
      return fail(errc::start_failed, "an exception that is not a std::exception");
    }
  }

  /// Every event-based actor answers this message of CAF's own once its init has run. Any answer
  /// but "it is gone" will do; that it is gone is told by its down message.
  void probe(const caf::actor& child, const start_action& a) {
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

  void perform(stop_action& a) {
    if (auto child = handle_of(a.key))
      send_exit(child, a.kill ? caf::exit_reason::kill : caf::exit_reason::user_shutdown);
  }

  void perform(abandon_action& a) {
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

  void perform(mark_action& a) {
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

  void perform(answer_action& a) {
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

  void perform(event_action& a) {
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

  void perform(forget_action& a) { a.nested->end_for_good(core_.get()); }

  void perform(ready_action&) {
    if (auto announce = std::exchange(announce_, nullptr))
      announce({});
  }

  void perform(finish_action& a) {
    {
      std::lock_guard lock{life_->mutex};
      life_->ended = true;
    }
    if (auto announce = std::exchange(announce_, nullptr))
      announce(fail(errc::start_failed, core_->options.name + ": " + a.cause.text));
    quit(caf::exit_reason::user_shutdown);
  }

  std::string component() const { return "supervisor " + core_->options.name; }

  std::shared_ptr<supervisor_core> core_;
  std::shared_ptr<supervisor_life> life_;
  std::vector<orphan> orphans_; ///< of the life before; while there are any, nothing is begun
  std::vector<std::shared_ptr<supervisor_call>> early_;
  bool begun_ = false;
  std::function<void(result<void>)> announce_;
  std::unordered_map<caf::actor_addr, watched> by_address_;
  std::optional<steady> woken_at_;
  request_id last_request_ = 0;
};

bool has_child(const supervisor_options& options, const std::shared_ptr<supervisor_core>& nested) {
  return std::any_of(options.children.begin(), options.children.end(),
                     [&](auto& spec) { return spec.nested == nested; });
}

} // namespace

result<caf::actor> spawn_supervisor(const std::shared_ptr<supervisor_core>& core,
                                    std::function<void(result<void>)> announce) {
  auto options = core->options;
  if (options.further_children) {
    for (auto& spec : options.further_children())
      options.children.push_back(std::move(spec));
    if (auto ok = check_specs(options); !ok)
      return fail(std::move(ok.error()));
  }
  std::vector<orphan> orphans;
  if (auto past = core->current()) {
    past->clear_up(); // its actor has ended, though perhaps not told yet
    orphans = past->take_orphans();
    for (auto& one : past->nested())
      if (!has_child(options, one))
        one->end_for_good(core.get());
  }
  auto life = std::make_shared<supervisor_life>(
      std::move(options), core->options.random ? *core->options.random : core->rt.random());
  auto actor = core->rt.system().spawn<supervisor_actor>(core, life, std::move(orphans),
                                                         std::move(announce));
  actor->attach_functor(
      [life, weak = std::weak_ptr{core}, present = core->rt.presence()](const caf::error&) {
        auto still = weak.lock();
        if (still)
          still->ended(life);
        life->clear_up();
        if (still && !still->nested)
          still->end_for_good();
      });
  core->begun(life, actor);
  return actor;
}

} // namespace holdfast::detail
