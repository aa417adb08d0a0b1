#include <holdfast/runtime/supervisor.hpp>

#include <holdfast/runtime/detail/supervision_life.hpp>
#include <holdfast/runtime/fault.hpp>
#include <holdfast/runtime/time_limit.hpp>

#include <utility>

namespace holdfast {

using detail::steady;
using detail::supervision;
using detail::supervisor_call;
using detail::supervisor_core;
using detail::supervisor_life;

namespace {

/// What a verb says of a supervisor that has ended.
enum class when_gone : std::uint8_t { fails, succeeds };

/// A verb on its way; answered by the supervisor's actor.
class verb final : public operation<child_info> {
public:
  verb(std::shared_ptr<supervisor_core> core, supervisor_call::function f, when_gone gone)
      : operation<child_info>{core->rt}, core_{std::move(core)}, apply_{std::move(f)}, gone_{gone} {
  }

  void start() override {
    auto call =
        std::make_shared<supervisor_call>(ref<operation<child_info>>{this}, std::move(apply_));
    gate::pass pass{core_->rt.gate()};
    if (!pass && !runtime::inside_actor())
      return refuse(*call);
    caf::actor to;
    {
      std::lock_guard lock{core_->mutex};
      to = core_->actor;
    }
    if (to)
      return caf::anon_send(to, detail::call_message{std::move(call)});
    call->op = {};
    reject(error{core_->nested ? errc::unavailable : errc::stopped,
                 "supervisor " + core_->options.name + ": not running"});
  }

  void run() override {} // never submitted to an address

  void reject(error why) noexcept override {
    auto well = gone_ == when_gone::succeeds && (why == errc::stopped || why == errc::unavailable);
    if (well)
      complete(child_info{.id = core_->options.name, .type = child_type::supervisor});
    else
      complete(fail(std::move(why)));
  }

private:
  /// The runtime stops. Who wants a supervisor to end must not be told that it has while it runs.
  void refuse(supervisor_call& call) {
    call.op = {};
    const auto ended = [this] {
      std::lock_guard lock{core_->mutex};
      return core_->actor == nullptr;
    }();
    error why{errc::stopped, "supervisor " + core_->options.name +
                                 ": the runtime is stopping and lets no call in any more"};
    if (ended)
      reject(std::move(why));
    else
      complete(fail(std::move(why)));
  }

  std::shared_ptr<supervisor_core> core_;
  supervisor_call::function apply_;
  when_gone gone_;
};

pending<child_info> ask(const std::shared_ptr<supervisor_core>& core, supervisor_call::function f,
                        when_gone gone = when_gone::fails) {
  return pending<child_info>{ref<operation<child_info>>{make_ref<verb>(core, std::move(f), gone)}};
}

pending<child_info> ask_about(const std::shared_ptr<supervisor_core>& core, std::string child,
                              void (supervision::*what)(steady, detail::request_id, std::string)) {
  return ask(core, [child = std::move(child), what](supervision& rules, steady now,
                                                    detail::request_id id) {
    (rules.*what)(now, id, child);
  });
}

/// With the life's mutex: until it has ended, its actor keeps the actor system alive.
steady now_of(const supervisor_core& core, const supervisor_life& life) {
  return life.ended ? steady{0} : core.rt.system().clock().now().time_since_epoch();
}

child_state state_of(const supervisor_life& life) {
  if (life.ended || life.rules.finished())
    return child_state::stopped;
  if (life.rules.stopping())
    return child_state::stopping;
  return life.rules.up() ? child_state::up : child_state::starting;
}

void look_at(supervisor_tree& node, const supervisor_core& core) {
  node.strategy = core.options.strategy;
  auto life = core.current();
  if (!life)
    return;
  std::vector<std::shared_ptr<supervisor_core>> below;
  {
    std::lock_guard lock{life->mutex};
    node.counters = life->rules.counters();
    life->rules.visit(now_of(core, *life), [&](detail::child_key key, child_info info) {
      auto* spec = life->rules.spec(key);
      supervisor_tree child;
      child.info = std::move(info);
      if (spec->address)
        child.mailbox = spec->address->waiting();
      node.children.push_back(std::move(child));
      below.push_back(spec->nested);
    });
  }
  for (std::size_t i = 0; i < below.size(); ++i)
    if (below[i])
      look_at(node.children[i], *below[i]);
}

} // namespace

// -- starting

result<supervisor> supervisor::launch(runtime& rt, supervisor_options options) {
  if (auto ok = check_specs(options); !ok)
    return fail(ok.error());
  gate::pass pass{rt.gate()};
  if (!pass && !runtime::inside_actor())
    return fail(errc::stopped, "supervisor " + options.name + ": the runtime is stopping");
  supervisor handle{std::make_shared<supervisor_core>(rt, std::move(options))};
  return detail::spawn_supervisor(handle.core_, nullptr).map([&](const caf::actor&) {
    return handle;
  });
}

result<supervisor> supervisor::start(runtime& rt, supervisor_options options,
                                     std::chrono::milliseconds timeout) {
  auto handle = launch(rt, std::move(options));
  if (!handle)
    return handle;
  auto up = handle->up().get(timeout);
  if (up)
    return handle;
  // Nobody will hold a handle: what has been started must not stay behind.
  (void)handle->stop(std::chrono::milliseconds{0}).get(timeout);
  if (up.error() == errc::start_failed)
    return fail(up.error());
  // It may have ended before it could be asked.
  if (auto life = handle->core_->current()) {
    std::lock_guard lock{life->mutex};
    if (life->rules.finished())
      return fail(errc::start_failed, handle->name() + ": " + life->rules.finish_cause().text);
  }
  return fail(errc::start_failed, "supervisor " + handle->name() + ": not up within " +
                                      std::to_string(timeout.count()) + " ms");
}

result<nested_supervisor> supervisor::nested(runtime& rt, supervisor_options options,
                                             restart_type restart) {
  if (auto ok = check_specs(options); !ok)
    return fail(ok.error());
  auto core = std::make_shared<supervisor_core>(rt, std::move(options));
  core->nested = true;
  auto start = [core](start_context& context) -> result<caf::actor> {
    {
      std::lock_guard lock{core->mutex};
      core->parent = context.parent;
    }
    return detail::spawn_supervisor(core, context.announce);
  };
  child_spec spec{.id = core->options.name,
                  .start = std::move(start),
                  .restart = restart,
                  .type = child_type::supervisor,
                  .ready = readiness::announced,
                  .init_timeout = std::chrono::seconds{60},
                  .nested = core};
  return nested_supervisor{std::move(spec), supervisor{core}};
}

// -- verbs

pending<child_info> supervisor::up() const {
  return ask(core_, [](supervision& rules, steady now, detail::request_id id) {
    rules.await_up(now, id);
  });
}

pending<child_info> supervisor::start_child(child_spec spec) const {
  if (auto ok = check_spec(spec, core_->options); !ok)
    return pending<child_info>{fail(ok.error())};
  return ask(core_,
             [spec = std::move(spec)](supervision& rules, steady now, detail::request_id id) {
               rules.start_child(now, id, spec);
             });
}

pending<child_info> supervisor::start_dynamic(dynamic_child child) const {
  return ask(core_,
             [child = std::move(child)](supervision& rules, steady now, detail::request_id id) {
               rules.start_child(now, id, child);
             });
}

pending<child_info> supervisor::terminate_child(std::string id) const {
  return ask_about(core_, std::move(id), &supervision::terminate_child);
}
pending<child_info> supervisor::restart_child(std::string id) const {
  return ask_about(core_, std::move(id), &supervision::restart_child);
}
pending<child_info> supervisor::delete_child(std::string id) const {
  return ask_about(core_, std::move(id), &supervision::delete_child);
}
pending<child_info> supervisor::revive(std::string id) const {
  return ask_about(core_, std::move(id), &supervision::revive);
}

pending<child_info> supervisor::stop(std::optional<std::chrono::milliseconds> deadline) const {
  return ask(
      core_,
      [deadline](supervision& rules, steady now, detail::request_id id) {
        rules.stop(now, id,
                   deadline ? std::optional<steady>{now + bounded(*deadline)} : std::nullopt);
      },
      when_gone::succeeds);
}

pending<child_info> supervisor::crash(std::string why) const {
  return ask(core_, [why = std::move(why)](supervision&, steady, detail::request_id) {
    throw injected_fault{why};
  });
}

// -- observers

const std::string& supervisor::name() const { return core_->options.name; }

bool supervisor::running() const {
  std::lock_guard lock{core_->mutex};
  return core_->actor != nullptr;
}

std::uint64_t supervisor::lives() const {
  std::lock_guard lock{core_->mutex};
  return core_->lives;
}

bool supervisor::wait_for_life_after(std::uint64_t n, std::chrono::milliseconds timeout) const {
  ensure(!runtime::inside_actor(), "supervisor::wait_for_life_after: a wait inside an actor");
  while (lives() <= n && core_->rt.run_one()) {
  }
  const time_limit until{core_->rt.clock(), timeout};
  std::unique_lock lock{core_->mutex};
  core_->changed.wait_until(lock, until.wake_up(), [&] { return core_->lives > n || core_->over; });
  return core_->lives > n;
}

std::vector<child_info> supervisor::which_children() const {
  auto life = core_->current();
  if (!life)
    return {};
  std::lock_guard lock{life->mutex};
  return life->rules.children(now_of(*core_, *life));
}

child_counts supervisor::count_children() const {
  auto life = core_->current();
  if (!life)
    return {};
  std::lock_guard lock{life->mutex};
  return life->rules.count();
}

result<child_info> supervisor::child(const std::string& id) const {
  if (auto life = core_->current()) {
    std::lock_guard lock{life->mutex};
    if (auto found = life->rules.child(now_of(*core_, *life), id))
      return std::move(*found);
  }
  return fail(errc::not_found, "child \"" + id + "\": unknown");
}

result<child_spec> supervisor::spec(const std::string& id) const {
  if (auto life = core_->current()) {
    std::lock_guard lock{life->mutex};
    if (auto key = life->rules.key_of(id))
      return *life->rules.spec(*key);
  }
  return fail(errc::not_found, "child \"" + id + "\": unknown");
}

supervisor_counters supervisor::counters() const {
  auto life = core_->current();
  if (!life)
    return {};
  std::lock_guard lock{life->mutex};
  return life->rules.counters();
}

supervisor_tree supervisor::tree() const {
  supervisor_tree root;
  root.info.id = core_->options.name;
  root.info.type = child_type::supervisor;
  if (auto life = core_->current()) {
    std::lock_guard lock{life->mutex};
    root.info.state = state_of(*life);
    root.info.incarnation = 1;
  }
  look_at(root, *core_);
  return root;
}

subscription supervisor::subscribe(std::function<void(const supervision_event&)> handler,
                                   std::size_t limit) const {
  auto call = [handler = std::move(handler)](const detail::delivery& d) {
    handler(static_cast<const supervision_event&>(*d.what));
  };
  auto queue = std::make_shared<detail::subscriber_queue>(core_->rt.executor(), std::move(call),
                                                          limit, overflow::drop_oldest);
  std::lock_guard lock{core_->mutex};
  core_->subscribers.push_back(queue);
  return subscription{std::move(queue)};
}

} // namespace holdfast
