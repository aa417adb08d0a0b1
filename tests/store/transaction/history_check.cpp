#include "history.hpp"
#include "history_replay.hpp"
#include "history_workloads.hpp"

#include <algorithm>
#include <array>
#include <numeric>
#include <span>

namespace holdfast::testing {
namespace {

constexpr sequence never_comes = ~sequence{0};

/// Where a serial run is in one line: behind the commit `from` and before `to`.
struct stretch {
  sequence from = 0, to = never_comes;
  bool meets(sequence first, sequence last) const { return from <= last && first < to; }
  bool is_past(sequence last) const { return last < to; }
};

/// Transactions that wrote nothing must agree with a moment of the serial run between their first
/// and their last look at what was published. Most had one snapshot there, and so one moment. Of
/// others it is not known how the lines were to one another, so each is asked by itself.
class readers {
public:
  explicit readers(const history& ran) : ran_{ran} {
    for (auto& t : ran.all)
      if (!t.wrote())
        to_come_.push_back(&t);
    auto last_first = [](auto* t) { return std::pair{t->first.memory, t->first.durable}; };
    std::ranges::sort(to_come_, std::ranges::greater{}, last_first);
  }
  /// The run is here. One that agreed with no moment, when there comes no other.
  std::optional<std::string> look(history_model& m, const stretch& memory, const stretch& durable) {
    while (!to_come_.empty() && (to_come_.back()->first.memory < memory.to &&
                                 to_come_.back()->first.durable < durable.to)) {
      open_.push_back({to_come_.back(), {false, false}, false});
      to_come_.pop_back();
    }
    const done_transaction* wrong = nullptr;
    std::erase_if(open_, [&](open_reader& r) {
      const auto &first = r.what->first, &seen = r.what->seen;
      const bool here[] = {memory.meets(first.memory, seen.memory),
                           durable.meets(first.durable, seen.durable)};
      if (first == seen ? here[0] && here[1] : here[0] || here[1])
        ask(m, r, here);
      const bool agrees = r.agrees[0] && r.agrees[1] && r.refused == r.what->refused;
      if (!agrees && memory.is_past(seen.memory) && durable.is_past(seen.durable))
        wrong = r.what;
      return agrees;
    });
    if (!wrong)
      return std::nullopt;
    return "transaction " + std::to_string(wrong->id) +
           (wrong->refused ? " was refused as it would have been" : " read what there was") +
           " at no moment from " + to_string(wrong->first) + " to " + to_string(wrong->seen);
  }

private:
  struct open_reader {
    const done_transaction* what;
    bool agrees[2]; ///< with a moment of the line in memory, and of the durable one
    bool refused;
  };

  void ask(history_model& m, open_reader& r, std::span<const bool, 2> here) const {
    auto& t = *r.what;
    const auto model = run_whole(m, t); // it changes nothing
    bool agree[2] = {true, true};
    for (std::size_t i = 0; i < t.steps.size(); ++i)
      if (model.gives[i] != t.steps[i].gave)
        agree[ran_.durable[t.steps[i].right]] = false;
    if (t.first == t.seen) {
      r.agrees[0] = r.agrees[1] = agree[0] && agree[1] && model.refused == t.refused;
      r.refused = model.refused;
      return;
    }
    for (int line : {0, 1})
      r.agrees[line] = r.agrees[line] || (here[line] && agree[line]);
    r.refused = r.refused || (model.refused && agree[0] && agree[1]);
  }

  const history& ran_;
  std::vector<const done_transaction*> to_come_; ///< the next one last
  std::vector<open_reader> open_;
};

std::optional<std::string> find_other_end(const history_model& m, const history& ran) {
  for (bool right : {false, true})
    if (auto left_over = m.listed(right, ran.at); left_over != (right ? ran.right : ran.left))
      return std::string{right ? "right" : "left"} + " ends as\n" + (right ? ran.right : ran.left) +
             "where a serial run ends as\n" + left_over;
  return std::nullopt;
}

} // namespace

std::optional<std::string> find_anomaly(const history& ran) {
  if (auto found = find_disorder(ran))
    return found;
  const auto order = order_of_writers(ran);
  if (!order.why_not.empty())
    return order.why_not;
  history_model m;
  readers all{ran};
  // When the next commit of each line comes.
  std::vector<moment> next(order.writers.size() + 1, {never_comes, never_comes});
  for (std::size_t i = order.writers.size(); i-- > 0;) {
    auto& here = order.writers[i]->commit;
    next[i] = {here.memory > 0 ? here.memory : next[i + 1].memory,
               here.durable > 0 ? here.durable : next[i + 1].durable};
  }
  moment now;
  for (std::size_t i = 0; i < order.writers.size(); ++i) {
    auto& t = *order.writers[i];
    if (auto found = disagreement(m, t))
      return found;
    now = {std::max(now.memory, t.commit.memory), std::max(now.durable, t.commit.durable)};
    if (auto found =
            all.look(m, {now.memory, next[i + 1].memory}, {now.durable, next[i + 1].durable}))
      return found;
  }
  return find_other_end(m, ran);
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
