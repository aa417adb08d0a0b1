// What became of a list is worked out once more, item by item, without the library's ways.
#include "tests/store/reactive/reactive_lists.hpp"

#include "tests/store/reactive/reactive_queries.hpp"

#include <algorithm>
#include <map>
#include <vector>

namespace holdfast::testing {
namespace {

using step = list_changes::step;

std::string times_of_record(const record& r) {
  std::string out;
  for (auto t : {r.created_at(), r.updated_at(), r.expires_at().value_or(timestamp{})})
    out += std::to_string(t.time_since_epoch().count()) + " ";
  return out;
}

/// What counts of an item: what the query names, or all.
std::string content_of(const query_list& in, std::size_t i) {
  if (!in.objects.empty())
    return value{in.objects.at(i)}.to_string();
  auto& r = in.items.at(i);
  return reactive_text(r) + " " + times_of_record(r);
}

std::map<value, std::size_t> places_of(const query_list& in) {
  std::map<value, std::size_t> out;
  for (std::size_t i = 0; i < in.items.size(); ++i)
    out.emplace(in.items[i].key().materialize(), i);
  return out;
}

/// The items that are in both lists, in order of the later one.
std::vector<step> stayed(const query_list& before, const query_list& after) {
  const auto old = places_of(before);
  std::vector<step> out;
  for (std::size_t j = 0; j < after.items.size(); ++j)
    if (auto found = old.find(after.items[j].key().materialize()); found != old.end())
      out.push_back({found->second, j});
  return out;
}

/// How many of these may stand still while the others move.
std::size_t most_unmoved(const std::vector<step>& steps) {
  std::vector<std::size_t> best(steps.size(), 1); // of those that end at each
  std::size_t out = 0;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    for (std::size_t k = 0; k < i; ++k)
      if (steps[k].before < steps[i].before)
        best[i] = std::max(best[i], best[k] + 1);
    out = std::max(out, best[i]);
  }
  return out;
}

/// Those places of one list whose keys the other one has not.
std::vector<std::size_t> alone(const query_list& in, const query_list& other) {
  const auto there = places_of(other);
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < in.items.size(); ++i)
    if (!there.contains(in.items[i].key().materialize()))
      out.push_back(i);
  return out;
}

/// Whether taking out what was removed and has moved, and putting in what was added and has moved,
/// leads from the one list to the other.
bool leads_on(const query_list& before, const query_list& after, const list_changes& by) {
  std::vector<value> keys;
  for (std::size_t i = 0; i < before.items.size(); ++i)
    if (std::ranges::find(by.removed, i) == by.removed.end() &&
        std::ranges::find(by.moved, i, &step::before) == by.moved.end())
      keys.push_back(before.items[i].key().materialize());
  std::map<std::size_t, value> put; // in order of place
  for (auto j : by.added)
    put.emplace(j, after.items.at(j).key().materialize());
  for (auto& each : by.moved)
    put.emplace(each.after, before.items.at(each.before).key().materialize());
  for (auto& [place, key] : put)
    keys.insert(keys.begin() + static_cast<std::ptrdiff_t>(std::min(place, keys.size())), key);
  return std::ranges::equal(keys, after.items, {}, {},
                            [](const record& r) { return r.key().materialize(); });
}

std::vector<step> in_order(std::vector<step> steps) {
  std::ranges::sort(steps, {}, &step::after);
  return steps;
}

list_changes spoiled(list_changes in, reactive_bug by) {
  if (by == reactive_bug::unchanged && !in.changed.empty())
    in.changed.pop_back();
  if (by == reactive_bug::misplaced && !in.moved.empty())
    in.moved.back().before += in.moved.back().before == 0 ? 1 : -1;
  if (by == reactive_bug::unremoved && !in.removed.empty())
    in.removed.back() += in.removed.back() == 0 ? 1 : -1;
  return in;
}

} // namespace

std::optional<std::string> wrong_changes(const query_update& now, reactive_bug bug) {
  auto* list = now.outcome ? now.outcome->if_a<query_list>() : nullptr;
  if (!list)
    return std::nullopt;
  const query_list nothing;
  auto* given = now.before ? now.before->if_a<query_list>() : nullptr;
  const auto& before = given ? *given : nothing;
  const auto changes = spoiled(now.changes(), bug);
  const auto same_keys = stayed(before, *list);
  std::vector<step> changed;
  for (auto& each : same_keys)
    if (content_of(before, each.before) != content_of(*list, each.after))
      changed.push_back(each);
  if (in_order(changes.changed) != changed)
    return "what is told to have changed in a list is not what has other content";
  if (changes.removed != alone(before, *list) || changes.added != alone(*list, before))
    return "what is told to have come to a list and to have left it is not what did";
  for (auto& each : changes.moved)
    if (std::ranges::find(same_keys, each) == same_keys.end())
      return "what is told to have moved in a list is not in both of these places";
  if (!leads_on(before, *list, changes))
    return "the changes of a list do not lead from one value to the next";
  if (changes.moved.size() + most_unmoved(same_keys) != same_keys.size())
    return "more is told to have moved in a list than explains it";
  return std::nullopt;
}

std::string unseen_of(const query_update& now) {
  if (!now.outcome)
    return now.outcome.error().message();
  std::string out;
  auto* list = now.outcome->if_a<query_list>();
  if (!list || !list->objects.empty())
    return out;
  for (auto& r : list->items)
    out += times_of_record(r);
  return out;
}

} // namespace holdfast::testing
