#include "tests/store/reactive/reactive_moments.hpp"

#include <algorithm>
#include <iterator>

namespace holdfast::testing {

void reactive_moments::remember(const snapshot& now) {
  const reactive_moment at{now.memory_seq(), now.durable_seq()};
  if (auto found = seen_.find(at); found != seen_.end())
    found->second.at = now;
  else
    seen_.emplace(at, moment{now});
}

std::string reactive_moments::outcome(const reactive_subscriber& s, const snapshot& at) const {
  return reactive_outcome(*s.of, filtered(view_(at), s.filters), s.with);
}

std::string reactive_moments::outcome_now(const reactive_subscriber& s) const {
  return outcome(s, newest());
}

void reactive_moments::note(const reactive_subscribers& all) {
  for (auto& [when, m] : seen_) {
    std::map<std::string, std::string> fresh; // each group once
    for (auto& s : all)
      if (auto [at, first] = fresh.try_emplace(name_of(*s)); first)
        at->second = outcome(*s, m.at);
    for (auto& [group, text] : fresh)
      if (auto& noted = m.noted[group]; std::ranges::find(noted, text) == noted.end())
        noted.push_back(text);
  }
}

void reactive_moments::extend() {
  if (seen_.size() < 2)
    return;
  auto& last = seen_.rbegin()->second;
  for (auto& [group, texts] : std::next(seen_.rbegin())->second.noted)
    last.noted[group].insert(last.noted[group].end(), texts.begin(), texts.end());
}

void reactive_moments::forget() {
  seen_.erase(seen_.begin(), std::prev(seen_.end()));
  seen_.begin()->second.noted.clear();
}

reactive_past reactive_moments::past() const {
  return {.outcomes =
              [this](const reactive_subscriber& s, const reactive_moment& when) {
                std::vector<std::string> out;
                const auto found = seen_.find(when);
                if (found == seen_.end())
                  return out;
                if (auto noted = found->second.noted.find(name_of(s));
                    noted != found->second.noted.end())
                  out = noted->second;
                out.push_back(outcome(s, found->second.at));
                return out;
              },
          .is_unsure =
              [this](const reactive_moment& when) {
                const auto found = seen_.find(when);
                return found != seen_.end() && !found->second.noted.empty();
              }};
}

} // namespace holdfast::testing
