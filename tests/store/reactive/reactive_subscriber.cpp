#include "tests/store/reactive/reactive_subscriber.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <stdexcept>

namespace holdfast::testing {
namespace {

/// Whether the changes of a list lead from the one to the other.
std::optional<std::string> wrong_changes(const query_update& now) {
  auto* list = now.outcome ? now.outcome->if_a<query_list>() : nullptr;
  if (!list)
    return std::nullopt;
  auto* before = now.before ? now.before->if_a<query_list>() : nullptr;
  const auto changes = now.changes();
  std::vector<value> keys;
  for (std::size_t i = 0; before && i < before->items.size(); ++i) {
    auto is = [&](auto& s) { return s.before == i; };
    if (std::ranges::find(changes.removed, i) == changes.removed.end() &&
        std::ranges::none_of(changes.moved, is))
      keys.push_back(before->items[i].key().materialize());
  }
  std::map<std::size_t, value> put; // in order of place
  for (auto j : changes.added)
    put.emplace(j, list->items.at(j).key().materialize());
  for (auto& step : changes.moved)
    put.emplace(step.after, before->items.at(step.before).key().materialize());
  for (auto& [place, key] : put)
    keys.insert(keys.begin() + static_cast<std::ptrdiff_t>(std::min(place, keys.size())), key);
  for (std::size_t j = 0; j < list->items.size(); ++j)
    if (keys.size() != list->items.size() || keys[j] != list->items[j].key())
      return "the changes of a list do not lead from one value to the next";
  return std::nullopt;
}

/// What is wrong with one value; nothing if all is right.
std::optional<std::string> fault_of(const reactive_subscriber& s,
                                    const reactive_subscriber::value& v,
                                    const std::vector<reactive_view>& views) {
  const auto place = std::to_string(v.at.first) + "/" + std::to_string(v.at.second);
  if (views.empty())
    return "a value of " + place + ", which was no moment";
  std::string fresh;
  for (auto& view : views)
    if ((fresh = reactive_outcome(*s.of, view, s.with)) == v.text)
      break;
  if (fresh != v.text)
    return std::string{v.initial ? "first " : ""} + "told " + v.text + " at " + place +
           ", where it is " + fresh;
  if (s.told && !(s.at.first <= v.at.first && s.at.second <= v.at.second && s.at != v.at))
    return "the seqs do not increase at " + place;
  if (v.text == s.known && v.times == s.times)
    return "told the same again at " + place + ": " + v.text;
  return std::nullopt;
}

/// Of the records of a list. The replay has others.
std::string times_of(const query_update& now) {
  std::string out;
  auto* list = now.outcome ? now.outcome->if_a<query_list>() : nullptr;
  if (!list || !list->objects.empty())
    return out;
  for (auto& r : list->items)
    for (auto t : {r.created_at(), r.updated_at(), r.expires_at().value_or(timestamp{})})
      out += std::to_string(t.time_since_epoch().count()) + " ";
  return out;
}

bool is_cut_list(const reactive_query& q) {
  return q.declared && q.declared->aggregates.empty() && q.declared->group_by.empty() &&
         q.declared->what.limit() != query::unlimited;
}

/// What it would be told if nothing came in from behind a list's end.
result<query_value> unfilled(const query_update& now) {
  if (!now.outcome || now.changes().removed.empty())
    return now.outcome;
  auto list = now.as<query_list>();
  if (!list.items.empty())
    list.items.pop_back();
  if (!list.objects.empty())
    list.objects.pop_back();
  return query_value::of(std::move(list));
}

} // namespace

std::string name_of(const reactive_subscriber& s) { return s.of->name + value{s.with}.to_string(); }

std::function<void(const query_update&)> reactive_handler(reactive_subscriber& to,
                                                          reactive_bug bug) {
  return [&to, bug](const query_update& now) {
    const std::lock_guard lock{to.mutex};
    ++to.received;
    if (bug == reactive_bug::lost && to.received % 3 == 0)
      return;
    reactive_subscriber::value v{{now.memory_seq, now.durable_seq},
                                 reactive_outcome(now.outcome),
                                 times_of(now),
                                 now.initial};
    if (bug == reactive_bug::stale && to.received % 3 == 0 && to.waiting.empty())
      v.text = v.times = "";
    else if (bug == reactive_bug::stale && to.received % 3 == 0)
      v = {v.at, to.waiting.back().text, to.waiting.back().times, v.initial};
    if (bug == reactive_bug::backwards && to.received == 4 && !to.waiting.empty())
      v = to.waiting.front();
    if (bug == reactive_bug::unfilled && is_cut_list(*to.of))
      v.text = reactive_outcome(unfilled(now));
    if (auto wrong = wrong_changes(now))
      to.fault = *wrong;
    to.waiting.push_back(std::move(v));
    if (to.received % 5 == 0)
      throw std::runtime_error{"a handler may throw"};
  };
}

void check_told(reactive_subscriber& s, const reactive_views& views, reactive_history& out) {
  std::deque<reactive_subscriber::value> values;
  const auto complain = [&](const std::string& what) {
    out.failures.push_back(name_of(s) + ": " + what);
  };
  {
    const std::lock_guard lock{s.mutex};
    values.swap(s.waiting);
    if (!s.fault.empty())
      complain(s.fault);
  }
  for (auto& v : values) {
    ++out.values;
    out.errors += v.text.starts_with("failed with") ? 1 : 0;
    const auto all = views(v.at);
    if (auto wrong = fault_of(s, v, all))
      complain(*wrong);
    if (all.empty())
      continue;
    s.at = v.at;
    s.known = std::move(v.text);
    s.times = std::move(v.times);
    s.told = true;
  }
}

void count_kept_up(const reactive_subscriber& s, const store& db, reactive_history& out) {
  if (!is_cut_list(*s.of))
    return;
  const auto why = db.why(s.of->name, s.with);
  if (!why)
    return;
  out.cut_adjusted += why->adjusted > why->runs ? 1 : 0;
  out.cut_spent += why->last_run == run_cause::spare ? 1 : 0;
}

} // namespace holdfast::testing
