// What the supervisor's actor is told.
#include <holdfast/runtime/detail/supervision_actor.hpp>

namespace holdfast::detail {
namespace {

/// Why an actor ended, in the supervisor's words.
exit_cause cause_of(const caf::error& reason, caf::actor_system& system) {
  if (!reason)
    return {exit_kind::normal, {}};
  if (reason == caf::exit_reason::user_shutdown)
    return {exit_kind::shutdown, {}};
  if (reason == caf::exit_reason::kill)
    return {exit_kind::killed, {}};
  auto& context = reason.context();
  if (reason == caf::sec::runtime_error && context.match_elements<std::string>())
    return {exit_kind::crashed, context.get_as<std::string>(0)};
  return {exit_kind::crashed, system.render(reason)};
}

} // namespace

caf::behavior supervisor_actor::make_behavior() {
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

void supervisor_actor::on_exit() {
  orphans_.clear();
  early_.clear();
  by_address_.clear();
  announce_ = nullptr;
  core_.reset();
  life_.reset();
}

/// Starts the children, once; the orphans that are left are cut off first.
void supervisor_actor::begin() {
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
bool supervisor_actor::orphan_down(const caf::actor_addr& who) {
  auto ended = std::erase_if(orphans_, [&](auto& o) { return o.at == who; }) != 0;
  if (ended && orphans_.empty())
    begin();
  return ended;
}

/// One delayed message at most is on its way for each point in time that matters: CAF cannot take
/// back those that turn out to be useless.
void supervisor_actor::arm() {
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

void supervisor_actor::call(supervisor_call& c) {
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

void supervisor_actor::announced(const announce_message& m) {
  apply([&](supervision& rules) {
    if (*m.said)
      rules.child_ready(now(), m.key, m.incarnation);
    else
      rules.child_start_failed(now(), m.key, m.incarnation,
                               {exit_kind::crashed, m.said->error().message()}, true);
  });
}

void supervisor_actor::child_down(const caf::down_msg& m) {
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

} // namespace holdfast::detail
