#include "tests/store/reactive/reactive_subscriber.hpp"

#include "tests/store/reactive/reactive_lists.hpp"

#include <holdfast/runtime/fault.hpp>

#include <algorithm>
#include <set>
#include <stdexcept>
#include <utility>

namespace holdfast::testing {
namespace {

bool are_several(const std::vector<std::string>& outcomes) {
  return std::ranges::adjacent_find(outcomes, std::ranges::not_equal_to{}) != outcomes.end();
}

/// What is wrong with one value; nothing if all is right.
std::optional<std::string> fault_of(const reactive_subscriber& s,
                                    const reactive_subscriber::value& v,
                                    const std::vector<std::string>& fresh, bool is_unsure) {
  const auto place = std::to_string(v.at.first) + "/" + std::to_string(v.at.second);
  if (fresh.empty())
    return "a value of " + place + ", which was no moment";
  if (std::ranges::find(fresh, v.text) == fresh.end())
    return std::string{v.initial ? "first " : ""} + "told " + v.text + " at " + place +
           ", where it is " + fresh.back();
  if (s.told &&
      !(s.at.first <= v.at.first && s.at.second <= v.at.second && (s.at != v.at || is_unsure)))
    return "the seqs do not increase at " + place + ", told " + s.known + ", then " + v.text;
  if (v.text == s.known && v.unseen == s.unseen)
    return "told the same again at " + place + ": " + v.text;
  return std::nullopt;
}

bool is_cut_list(const reactive_query& q) {
  return q.declared && q.declared->aggregates.empty() && q.declared->group_by.empty() &&
         q.declared->what.limit() != query::unlimited;
}

/// A list that lacks its last record.
result<query_value> unfilled(const query_update& now) {
  if (!now.outcome || !now.outcome->if_a<query_list>())
    return now.outcome;
  auto list = now.as<query_list>();
  if (!list.items.empty())
    list.items.pop_back();
  if (!list.objects.empty())
    list.objects.pop_back();
  return query_value::of(std::move(list));
}

/// What is wrong with what comes along with a value: what there was before, and what became of it.
std::optional<std::string> wrong_company(reactive_subscriber& to, const query_update& now,
                                         reactive_bug bug) {
  auto wrong = wrong_changes(now, bug);
  if (!wrong && to.before && (!now.before || reactive_text(*now.before) != *to.before))
    wrong = "it is said to have been given another value before than it was";
  if (now.outcome)
    to.before = reactive_text(*now.outcome);
  return wrong;
}

void spoil(reactive_subscriber::value& v, reactive_subscriber& to, const query_update& now,
           reactive_bug bug) {
  const auto third = to.received % 3 == 0;
  const auto* last = to.waiting.empty() ? nullptr : &to.waiting.back();
  if (bug == reactive_bug::stale && third) {
    v.text = last ? last->text : "";
    v.unseen = last ? last->unseen : "";
  }
  if (bug == reactive_bug::backwards && to.received == 4 && last)
    v = to.waiting.front();
  if (bug == reactive_bug::unfilled && is_cut_list(*to.of))
    v.text = reactive_outcome(unfilled(now));
  if (bug == reactive_bug::lone && to.number % 2 == 0)
    v.text += " alone";
}

reactive_group::entry entry_of(const reactive_subscriber& s, const reactive_subscriber::value& v) {
  return {s.number, v.at, v.text, v.initial};
}

/// The others of its group are shown to have been told what it is told many values later.
void tell_group(reactive_subscriber& to, const reactive_subscriber::value& v, reactive_bug bug) {
  constexpr std::size_t most_late = 6;
  if (bug != reactive_bug::ahead || to.number % 2 == 0)
    return to.group->add(entry_of(to, v));
  to.late.push_back(v);
  if (to.late.size() > most_late) {
    to.group->add(entry_of(to, to.late.front()));
    to.late.pop_front();
  }
}

std::function<void(const query_update&)> reactive_handler(reactive_subscriber& to,
                                                          reactive_bug bug) {
  return [&to, bug](const query_update& now) {
    const std::lock_guard lock{to.mutex};
    ++to.received;
    if (bug == reactive_bug::lost && to.received % 3 == 0)
      return;
    reactive_subscriber::value v{{now.memory_seq, now.durable_seq},
                                 reactive_outcome(now.outcome),
                                 unseen_of(now),
                                 now.initial};
    spoil(v, to, now, bug);
    if (auto wrong = wrong_company(to, now, bug))
      to.fault = *wrong;
    tell_group(to, v, bug);
    to.waiting.push_back(std::move(v));
    if (to.received % 5 == 0)
      throw std::runtime_error{"a handler may throw"};
  };
}

} // namespace

std::string name_of(const reactive_subscriber& s) {
  auto out = s.of->name + value{s.with}.to_string();
  for (auto& [bucket, filter] : s.filters)
    out += " " + bucket + " only " + filter.to_string();
  return out;
}

void choose(reactive_subscriber& s, const std::deque<reactive_query>& from,
            const std::vector<read_filters>& filters, const reactive_subscribers& others,
            reactive_random& random) {
  if (!others.empty() && random() % 2 == 0) {
    auto& other = *others[random() % others.size()];
    s.of = other.of;
    s.with = other.with;
    s.filters = other.filters;
    return;
  }
  s.of = &from[random() % from.size()];
  if (!s.of->parameter.empty())
    s.with.set(s.of->parameter, static_cast<std::int64_t>(random() % 6));
  if (random() % 3 == 0)
    s.filters = filters[random() % filters.size()];
}

result<subscription> subscribe_to(store& db, reactive_subscriber& s, reactive_bug bug,
                                  live_options how) {
  how.filters = s.filters;
  if (bug == reactive_bug::unfiltered && !how.filters.empty())
    how.filters.erase(how.filters.begin());
  for (;;) {
    try {
      return db.subscribe(s.of->name, s.with, reactive_handler(s, bug), how);
    } catch (const injected_fault&) { // some steps are the subscriber's own, and crash once
    }
  }
}

void check_told(reactive_subscriber& s, const reactive_past& past, reactive_history& out) {
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
    out.filtered += s.filters.empty() ? 0 : 1;
    const auto fresh = past.outcomes(s, v.at);
    if (auto wrong = fault_of(s, v, fresh, past.is_unsure(v.at)))
      complain(*wrong);
    if (fresh.empty())
      continue;
    s.at = v.at;
    s.known = std::move(v.text);
    s.unseen = std::move(v.unseen);
    s.told = true;
  }
}

void reactive_groups::join(reactive_subscriber& s) {
  auto& group = groups_[name_of(s)];
  if (!group)
    group = std::make_shared<reactive_group>();
  s.group = group;
  s.number = ++members_;
}

void reactive_groups::check(const std::vector<reactive_subscriber*>& all, const reactive_past& past,
                            reactive_history& out) {
  for (auto* s : all) {
    const std::lock_guard lock{s->mutex};
    for (; !s->late.empty(); s->late.pop_front())
      s->group->add(entry_of(*s, s->late.front()));
  }
  for (auto& [name, group] : groups_) {
    out.shared += group->shared();
    const auto of_it = [&group = group](auto* s) { return s->group == group; };
    const auto member = std::ranges::find_if(all, of_it);
    const auto ambiguous = [&](const reactive_moment& when) {
      return member == all.end() || are_several(past.outcomes(**member, when));
    };
    if (auto wrong = group->check(ambiguous))
      out.failures.push_back(name + ": " + *wrong);
  }
  std::erase_if(groups_, [](auto& each) { return each.second.use_count() == 1; });
}

void count_kept_up(const reactive_subscriber& s, const store& db, reactive_history& out) {
  if (!is_cut_list(*s.of))
    return;
  const auto why = db.why(s.of->name, s.with, s.filters);
  if (!why)
    return;
  out.cut_adjusted += why->adjusted > why->runs ? 1 : 0;
  out.cut_spent += why->last_run == run_cause::spare ? 1 : 0;
}

} // namespace holdfast::testing
