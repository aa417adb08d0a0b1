#include "tests/store/reactive/reactive_group.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>

namespace holdfast::testing {
namespace {

using entries = std::vector<reactive_group::entry>;

std::string shown(const reactive_moment& at) {
  return std::to_string(at.first) + "/" + std::to_string(at.second);
}

std::optional<std::string>
disagreement(const entries& told, const std::function<bool(const reactive_moment&)>& ambiguous) {
  std::map<reactive_moment, const std::string*> texts;
  for (auto& e : told) {
    auto [found, fresh] = texts.emplace(e.at, &e.text);
    if (!fresh && *found->second != e.text && !ambiguous(e.at))
      return "at " + shown(e.at) + " one member is told " + e.text + " and another member " +
             *found->second;
  }
  return std::nullopt;
}

/// The moment before which a member is given nothing any more when the group has come to `newest`:
/// that of the value before, which all had been given; none if there is no such moment.
std::optional<reactive_moment> bound_of(const std::set<reactive_moment>& values,
                                        const reactive_moment& newest) {
  const auto at = values.lower_bound(newest);
  return at == values.begin() ? std::nullopt : std::optional{*std::prev(at)};
}

std::optional<std::string> disorder(const entries& told) {
  std::set<reactive_moment> values; // that were told to all
  for (auto& e : told)
    if (!e.initial)
      values.insert(e.at);
  reactive_moment newest;                                       // so far
  std::map<std::size_t, std::optional<reactive_moment>> bounds; // of what each is told next
  for (auto& e : told) {
    if (auto known = bounds.find(e.member);
        known != bounds.end() && known->second && e.at < *known->second)
      return "a member is told how it was at " + shown(e.at) + " behind another member that " +
             "was past " + shown(*known->second) + " when it took it";
    if (!e.initial)
      newest = std::max(newest, e.at);
    bounds[e.member] = bound_of(values, newest);
  }
  return std::nullopt;
}

} // namespace

void reactive_group::add(entry e) {
  const std::lock_guard lock{mutex_};
  told_.push_back(std::move(e));
}

std::size_t reactive_group::shared() const {
  const std::lock_guard lock{mutex_};
  const auto one = [&](const entry& e) { return e.member == told_.front().member; };
  return std::ranges::all_of(told_, one) ? 0 : told_.size();
}

std::optional<std::string>
reactive_group::check(const std::function<bool(const reactive_moment&)>& ambiguous) {
  entries told;
  {
    const std::lock_guard lock{mutex_};
    told.swap(told_);
  }
  auto wrong = disagreement(told, ambiguous);
  return wrong ? wrong : disorder(told);
}

} // namespace holdfast::testing
