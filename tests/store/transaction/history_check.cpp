#include "history.hpp"
#include "history_model.hpp"
#include "history_workloads.hpp"

#include <algorithm>
#include <numeric>
#include <span>

namespace holdfast::testing {

namespace {

/// What the transaction did, a step on a line.
std::string listed(const done_transaction& t) {
  static constexpr const char* names[] = {"get",   "insert", "set_number", "set_tag", "append",
                                          "touch", "erase",  "count",      "lowest"};
  std::string out;
  for (auto& s : t.steps) {
    out += std::string{names[static_cast<std::size_t>(s.kind)]} + (s.right ? " right " : " left ") +
           std::to_string(s.key) + " " + std::to_string(s.number) + " " + s.text;
    if (s.ends != 0)
      out += " ends at " + std::to_string(s.ends);
    out += ": " + s.gave + "\n";
  }
  return out + "at " + std::to_string(t.at) + "\n";
}

/// The first step that gives something else in the model; nothing if all agree.
std::optional<std::string> disagreement(history_model& m, const done_transaction& t) {
  for (std::size_t i = 0; i < t.steps.size(); ++i)
    if (auto gives = m.run(t.steps[i], t.seq > 0, t.at); gives != t.steps[i].gave)
      return "transaction " + std::to_string(t.id) + " at " + std::to_string(t.seq) + ", step " +
             std::to_string(i) + ": it saw\n" + t.steps[i].gave + "\nwhere a serial run has\n" +
             gives + "\nits steps were\n" + listed(t);
  return std::nullopt;
}

} // namespace

std::optional<std::string> find_anomaly(const history& ran) {
  std::vector<const done_transaction*> writers, readers;
  for (auto& t : ran.all)
    (t.seq > 0 ? writers : readers).push_back(&t);
  std::ranges::sort(writers, {}, &done_transaction::seq);
  std::ranges::sort(readers, {}, &done_transaction::first);
  std::vector<const done_transaction*> open; // readers that agreed with no moment yet
  std::size_t next_reader = 0;
  std::optional<std::string> why;
  history_model m;
  auto look = [&](sequence from, sequence to) { // the model is that of [from, to)
    for (; next_reader < readers.size() && readers[next_reader]->first < to; ++next_reader)
      open.push_back(readers[next_reader]);
    std::erase_if(open, [&](auto* t) {
      if (t->last < from || t->first >= to)
        return false;
      return !disagreement(m, *t); // it changes nothing
    });
    for (auto* t : open)
      if (t->last < to && !why)
        why = "transaction " + std::to_string(t->id) + " read what there was at no moment from " +
              std::to_string(t->first) + " to " + std::to_string(t->last);
  };
  for (std::size_t i = 0; i < writers.size() && !why; ++i) {
    if (i > 0 && writers[i]->seq == writers[i - 1]->seq)
      return "two transactions are commit " + std::to_string(writers[i]->seq);
    if (auto found = disagreement(m, *writers[i]))
      return found;
    look(writers[i]->seq, i + 1 < writers.size() ? writers[i + 1]->seq : ~sequence{0});
  }
  for (bool right : {false, true})
    if (auto left_over = m.listed(right, ran.at);
        !why && left_over != (right ? ran.right : ran.left))
      why = std::string{right ? "right" : "left"} + " ends as\n" + (right ? ran.right : ran.left) +
            "where a serial run ends as\n" + left_over;
  return why;
}

namespace {

/// What the transaction found at these places before it wrote any; nothing unless it looked at all.
std::optional<std::vector<std::int64_t>>
numbers_at(const done_transaction& t, std::span<const std::pair<bool, std::int64_t>> places) {
  std::vector<std::int64_t> out;
  for (auto& place : places) {
    auto seen = std::ranges::find_if(t.steps, [&](const step& s) {
      return s.kind == step::what::get && std::pair{s.right, s.key} == place;
    });
    auto number = seen == t.steps.end() ? std::nullopt : number_in(seen->gave);
    if (!number)
      return std::nullopt;
    out.push_back(*number);
  }
  return out;
}

} // namespace

std::optional<std::string> find_lost_money(const history& ran) {
  std::vector<std::pair<bool, std::int64_t>> accounts;
  for (bool right : {false, true})
    for (auto key : account_keys)
      accounts.emplace_back(right, key);
  const auto all = static_cast<std::int64_t>(accounts.size()) * balance_at_first;
  for (auto& t : ran.all)
    if (auto seen = numbers_at(t, accounts))
      if (auto sum = std::accumulate(seen->begin(), seen->end(), std::int64_t{0}); sum != all)
        return "transaction " + std::to_string(t.id) + " saw " + std::to_string(sum) + " of " +
               std::to_string(all);
  return std::nullopt;
}

std::optional<std::string> find_broken_ring(const history& ran) {
  std::vector<std::pair<bool, std::int64_t>> nodes;
  for (std::size_t place = 0; place < ring_size; ++place)
    nodes.push_back(node_at(place));
  for (auto& t : ran.all)
    if (auto seen = numbers_at(t, nodes))
      for (std::size_t place = 0; place < ring_size; ++place)
        if (seen->at(place) == node_off && seen->at((place + 1) % ring_size) == node_off)
          return "transaction " + std::to_string(t.id) + " saw the neighbours " +
                 std::to_string(place) + " and " + std::to_string((place + 1) % ring_size) + " off";
  return std::nullopt;
}

} // namespace holdfast::testing
