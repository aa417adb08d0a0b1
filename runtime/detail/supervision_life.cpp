// What supervisors' handles and actors share: the lives of a supervisor, and what is left of them.
#include <holdfast/runtime/detail/supervision_life.hpp>

#include <holdfast/runtime/detail/logger_scope.hpp>
#include <holdfast/runtime/detail/supervision_actor.hpp>

#include <algorithm>
#include <utility>

namespace holdfast::detail {
namespace {

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
  const logger_scope no_logger;
  auto actor = core->rt.system().spawn<supervisor_actor>(core, life, std::move(orphans),
                                                         std::move(announce));
  actor->attach_functor(
      [life, weak = std::weak_ptr{core}, present = core->rt.presence()](const caf::error&) {
        auto still = weak.lock();
        if (still && !still->nested)
          life->close_addresses(); // first: who learns of the end may use them for another
        if (still)
          still->ended(life);
        life->clear_up();
        if (still && !still->nested)
          still->end_for_good();
      });
  core->begun(life, actor);
  return actor;
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

void supervisor_life::close_addresses() {
  std::vector<ref<holdfast::address>> left;
  {
    std::lock_guard lock{mutex};
    if (std::exchange(closed, true) || rules.finished())
      return;
    auto note = [&](const child_spec& spec) {
      if (spec.address)
        left.push_back(spec.address);
    };
    for (auto& spec : rules.options().children) // when it had not begun with them
      note(spec);
    rules.visit(steady{0}, [&](child_key key, const child_info&) { note(*rules.spec(key)); });
  }
  for (auto& address : left)
    address->stopped(error{errc::stopped, "its supervisor has ended"});
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
  if (!last)
    return;
  last->close_addresses();
  for (auto& one : last->nested())
    one->end_for_good();
}

} // namespace holdfast::detail
