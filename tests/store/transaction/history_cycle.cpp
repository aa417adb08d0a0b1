// Looks for transactions each of which must come before the next, and the last before the first.
#include "history.hpp"

#include <map>
#include <tuple>
#include <utility>

namespace holdfast::testing {
namespace {

/// Whose appends a list shows, in order; the list is what a look-up gave.
std::vector<std::int64_t> appends_in(const std::string& gave) {
  std::vector<std::int64_t> out;
  auto field = gave.find(':');
  for (int i = 0; i < 2 && field != std::string::npos; ++i)
    field = gave.find(':', field + 1);
  if (field == std::string::npos || gave[field + 1] != '"')
    return out;
  for (auto at = field + 2; at < gave.size() && gave[at] != '"';) {
    auto end = gave.find(',', at);
    out.push_back(std::stoll(gave.substr(at, end - at)));
    at = end + 1;
  }
  return out;
}

using edges = std::map<std::int64_t, std::vector<std::int64_t>>;

/// A path whose last leads back into it; depth-first, without recursion since paths grow with the
/// history.
std::vector<std::int64_t> cycle_in(const edges& before) {
  enum class mark : std::uint8_t { unseen, on_path, done };
  std::map<std::int64_t, mark> marks;
  std::vector<std::pair<edges::const_iterator, std::size_t>> path; // and which edge is next
  auto enter = [&](edges::const_iterator at) {
    marks[at->first] = mark::on_path;
    path.emplace_back(at, 0);
  };
  for (auto first = before.begin(); first != before.end(); ++first) {
    if (marks[first->first] == mark::unseen)
      enter(first);
    while (!path.empty()) {
      auto& [at, next] = path.back();
      if (next == at->second.size()) {
        marks[at->first] = mark::done;
        path.pop_back();
        continue;
      }
      auto to = before.find(at->second[next++]);
      if (to == before.end())
        continue;
      if (marks[to->first] == mark::on_path) {
        std::vector<std::int64_t> out;
        for (auto& [of, _] : path)
          out.push_back(of->first);
        return out;
      }
      if (marks[to->first] == mark::unseen)
        enter(to);
    }
  }
  return {};
}

} // namespace

std::vector<std::int64_t> find_cycle(const history& ran) {
  // Which transaction must come before which: writers of a list in its order, a reader behind what
  // it saw and before what it did not see.
  edges before;
  using place = std::tuple<bool, std::int64_t, std::int64_t>;  // of a list: bucket, key, its begin
  std::map<std::pair<place, std::int64_t>, std::int64_t> next; // (list, last) -> next
  auto each_read = [&](auto&& f) {
    for (auto& t : ran.all)
      for (auto& s : t.steps)
        if (s.kind == step::what::get)
          if (auto seen = appends_in(s.gave); !seen.empty())
            f(t.id, seen, place{s.right, s.key, seen[0]});
  };
  each_read([&](std::int64_t, auto& seen, const place& list) {
    for (std::size_t i = 1; i < seen.size(); ++i) {
      before[seen[i - 1]].push_back(seen[i]);
      next[{list, seen[i - 1]}] = seen[i];
    }
  });
  each_read([&](std::int64_t reader, auto& seen, const place& list) {
    if (seen.back() != reader)
      before[seen.back()].push_back(reader);
    if (auto unseen = next.find({list, seen.back()}); unseen != next.end())
      if (unseen->second != reader)
        before[reader].push_back(unseen->second);
  });
  return cycle_in(before);
}

} // namespace holdfast::testing
