// The children that are known, and what is told of them.

#include <holdfast/runtime/detail/supervision.hpp>

namespace holdfast::detail {

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
