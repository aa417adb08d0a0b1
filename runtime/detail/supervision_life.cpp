// What supervisors' handles and actors share: the lives of a supervisor, and what is left of them.
#include <holdfast/runtime/detail/supervision_actor.hpp>

#include <utility>

namespace holdfast::detail {

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

void supervisor_life::clear_up() {
  std::vector<caf::actor> left;
  std::unordered_map<request_id, ref<operation<child_info>>> unanswered;
  {
    std::lock_guard lock{mutex};
    ended = true;
    for (auto& [key, child] : std::exchange(children, {})) {
      auto* spec = rules.spec(key);
      orphans.push_back({child.address(), spec ? spec->address : nullptr});
      left.push_back(child);
    }
    unanswered.swap(requests);
  }
  for (auto& child : left)
    caf::anon_send_exit(child, caf::exit_reason::kill);
  for (auto& [id, op] : unanswered)
    op->reject(error{errc::stopped, "the supervisor has ended"});
}

std::vector<orphan> supervisor_life::take_orphans() {
  std::lock_guard lock{mutex};
  return std::exchange(orphans, {});
}

std::vector<std::shared_ptr<supervisor_core>> supervisor_life::nested() const {
  std::vector<std::shared_ptr<supervisor_core>> out;
  auto note = [&](const child_spec& spec) {
    if (spec.nested)
      out.push_back(spec.nested);
  };
  std::lock_guard lock{mutex};
  for (auto& spec : rules.options().children)
    note(spec);
  rules.visit(steady{0}, [&](child_key key, const child_info&) { note(*rules.spec(key)); });
  return out;
}

void supervisor_core::publish(const std::shared_ptr<const supervision_event>& e) {
  std::vector<std::shared_ptr<subscriber_queue>> to;
  std::shared_ptr<supervisor_core> above;
  {
    std::lock_guard lock{mutex};
    std::erase_if(subscribers, [&](auto& weak) {
      if (auto queue = weak.lock(); queue && queue->active()) {
        to.push_back(std::move(queue));
        return false;
      }
      return true;
    });
    above = parent.lock();
  }
  for (auto& queue : to)
    queue->push({nullptr, e});
  if (above)
    above->publish(e);
}

supervisor_call::~supervisor_call() {
  if (op)
    op->reject(error{errc::stopped, "the supervisor has ended"});
}

void supervisor_core::begun(const std::shared_ptr<supervisor_life>& next, caf::actor by) {
  auto ended_before = false;
  {
    std::scoped_lock lock{mutex, next->mutex};
    life = next;
    actor = next->ended ? caf::actor{} : std::move(by);
    ++lives;
    over = ended_before = next->ended && !nested;
  }
  changed.notify_all();
  if (ended_before)
    end_for_good(); // the actor's end may not have found this life here, and those below with it
}

void supervisor_core::ended(const std::shared_ptr<supervisor_life>& which) {
  caf::actor last; // the handle may be the last one: let go of it outside the lock
  std::scoped_lock lock{mutex, which->mutex};
  which->ended = true; // for `begun`, which may come later
  if (life == which)
    last.swap(actor);
}

void supervisor_core::end_for_good(const supervisor_core* forgotten_by) {
  std::shared_ptr<supervisor_core> starter; // let go of it outside the lock
  std::shared_ptr<supervisor_life> last;
  {
    std::lock_guard lock{mutex};
    starter = parent.lock();
    if (forgotten_by && starter && starter.get() != forgotten_by)
      return;
    over = true;
    last = life;
  }
  changed.notify_all();
  if (last)
    for (auto& one : last->nested())
      one->end_for_good();
}

} // namespace holdfast::detail
