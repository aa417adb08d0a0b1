// In which order the transactions of a history came. In each line the commits say that. Of two that
// are in different lines nobody knows it by their numbers, so each order is tried that agrees with
// all snapshots: few commits lie between two of those. What the model is after some commits of the
// one line and some of the other does not depend on the way there, as each writes to the buckets of
// its line; so a way that came to nothing need not be tried again from where it met another.
#include "history_replay.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

namespace holdfast::testing {
namespace {

std::string name_of(const done_transaction& t) {
  return "transaction " + std::to_string(t.id) + " at " + to_string(t.commit);
}

/// What the transaction did, a step on a line.
std::string listed(const done_transaction& t) {
  static constexpr const char* names[] = {"get",   "insert", "set_number", "set_tag", "append",
                                          "touch", "erase",  "count",      "lowest",  "highest"};
  std::string out;
  for (auto& s : t.steps) {
    out += std::string{names[static_cast<std::size_t>(s.kind)]} + (s.right ? " right " : " left ") +
           std::to_string(s.key) + " " + std::to_string(s.number) + " " + s.text;
    if (s.ends != 0)
      out += " ends at " + std::to_string(s.ends);
    out += ": " + s.gave + "\n";
  }
  return out + "at " + std::to_string(t.at) + (t.refused ? ", refused\n" : "\n");
}

/// Who has the tags that it gives.
std::string tags_of(const history_model& m, const done_transaction& t) {
  std::string out;
  for (auto& s : t.steps)
    if (s.kind == step::what::set_tag && !s.text.empty())
      out += s.text + " is that of" + m.tagged(s.text) + "\n";
  return out;
}

/// All that was looked at, in order; those of one moment once.
std::vector<moment> moments_of(const history& ran) {
  std::vector<moment> out;
  for (auto& t : ran.all)
    out.insert(out.end(), {t.first, t.seen, t.last});
  auto in_order = [](const moment& m) { return std::pair{m.memory, m.durable}; };
  std::ranges::sort(out, {}, in_order);
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

std::optional<std::string> find_crossing(const history& ran) {
  const auto all = moments_of(ran);
  for (std::size_t i = 1; i < all.size(); ++i)
    if (!all[i].reaches(all[i - 1]))
      return "snapshots were taken at " + to_string(all[i - 1]) + " and at " + to_string(all[i]);
  return std::nullopt;
}

std::optional<std::string> find_out_of_time(const history& ran) {
  auto inside = [](sequence first, sequence commit, sequence last) {
    return commit == 0 || (first < commit && commit <= last);
  };
  for (auto& t : ran.all)
    if (!inside(t.first.memory, t.commit.memory, t.last.memory) ||
        !inside(t.first.durable, t.commit.durable, t.last.durable) || !t.seen.reaches(t.first) ||
        !t.last.reaches(t.seen))
      return name_of(t) + " began at " + to_string(t.first) + ", saw " + to_string(t.seen) +
             " and ended at " + to_string(t.last);
  return std::nullopt;
}

/// Whoever begins sees all of those who had ended.
std::optional<std::string> find_overlooked(const history& ran) {
  std::vector<const done_transaction*> beginning, ending;
  for (auto& t : ran.all)
    beginning.push_back(&t);
  ending = beginning;
  std::ranges::sort(beginning, {}, &done_transaction::began);
  std::ranges::sort(ending, {}, &done_transaction::ended);
  moment ended;
  auto next = ending.begin();
  for (auto* t : beginning) {
    for (; next != ending.end() && (*next)->ended < t->began; ++next)
      ended = {std::max(ended.memory, (*next)->last.memory),
               std::max(ended.durable, (*next)->last.durable)};
    if (!t->first.reaches(ended))
      return name_of(*t) + " began at " + to_string(t->first) + " when others had ended at " +
             to_string(ended);
  }
  return std::nullopt;
}

/// The search for an order of the commits of both lines.
class merging {
public:
  explicit merging(const history& ran) : stops_{moments_of(ran)} {
    for (auto& t : ran.all) {
      if (t.commit.memory > 0)
        lines_[0].push_back(&t);
      if (t.commit.durable > 0)
        lines_[1].push_back(&t);
    }
    std::ranges::sort(lines_[0], {}, [](auto* t) { return t->commit.memory; });
    std::ranges::sort(lines_[1], {}, [](auto* t) { return t->commit.durable; });
  }
  serial_order run() {
    if (auto twice = find_twice())
      return {{}, *twice};
    place to{0, 0};
    for (auto& stop : stops_) {
      while (to[0] < lines_[0].size() && lines_[0][to[0]]->commit.memory <= stop.memory)
        ++to[0];
      while (to[1] < lines_[1].size() && lines_[1][to[1]]->commit.durable <= stop.durable)
        ++to[1];
      dead_.clear();
      if (!go(to))
        return {{}, why_not_};
    }
    dead_.clear();
    if (!go({lines_[0].size(), lines_[1].size()}))
      return {{}, why_not_};
    return {std::move(order_), {}};
  }

private:
  using place = std::array<std::size_t, 2>; ///< how many commits of each line

  std::optional<std::string> find_twice() const {
    auto same = [](auto seq_of) {
      return [seq_of](auto* a, auto* b) { return seq_of(a->commit) == seq_of(b->commit); };
    };
    auto memory = std::ranges::adjacent_find(lines_[0], same([](auto& m) { return m.memory; }));
    auto durable = std::ranges::adjacent_find(lines_[1], same([](auto& m) { return m.durable; }));
    if (memory != lines_[0].end())
      return "two transactions are commit " + to_string((*memory)->commit);
    if (durable != lines_[1].end())
      return "two transactions are commit " + to_string((*durable)->commit);
    return std::nullopt;
  }
  const done_transaction* next_in(std::size_t line, const place& to) const {
    return at_[line] < to[line] ? lines_[line][at_[line]] : nullptr;
  }
  /// Which may come next: one of either line, or one of both that is next in both.
  std::vector<const done_transaction*> possible(const place& to) const {
    auto *memory = next_in(0, to), *durable = next_in(1, to);
    if (memory && memory == durable)
      return {memory};
    std::vector<const done_transaction*> out;
    if (memory && memory->commit.durable == 0)
      out.push_back(memory);
    if (durable && durable->commit.memory == 0)
      out.push_back(durable);
    return out;
  }
  bool take(const done_transaction& t) {
    auto wrong = disagreement(model_, t);
    if (wrong) {
      if (why_not_.empty() || at_[0] + at_[1] > furthest_) {
        furthest_ = at_[0] + at_[1];
        why_not_ = std::move(*wrong);
      }
      return false;
    }
    at_[0] += t.commit.memory > 0;
    at_[1] += t.commit.durable > 0;
    order_.push_back(&t);
    return true;
  }
  bool go(const place& to) {
    for (;;) {
      if (at_ == to)
        return true;
      const auto next = possible(to);
      if (next.empty()) {
        if (why_not_.empty())
          why_not_ = "a snapshot sees one half of " +
                     name_of(next_in(0, to) ? *next_in(0, to) : *next_in(1, to));
        return false;
      }
      if (next.size() > 1)
        return choose(next, to);
      if (!take(*next[0]))
        return false;
    }
  }
  bool choose(const std::vector<const done_transaction*>& next, const place& to) {
    const auto here = at_;
    if (dead_.contains(here))
      return false;
    const auto before = model_;
    const auto length = order_.size();
    for (auto* t : next) {
      if (take(*t) && go(to))
        return true;
      at_ = here;
      model_ = before;
      order_.resize(length);
    }
    dead_.insert(here);
    return false;
  }

  std::vector<const done_transaction*> lines_[2]; ///< in memory, and the durable one
  std::vector<moment> stops_;
  place at_{0, 0};
  history_model model_;
  std::vector<const done_transaction*> order_;
  std::set<place> dead_; ///< from where there is no way to the next stop
  std::size_t furthest_ = 0;
  std::string why_not_;
};

} // namespace

std::string to_string(const moment& m) {
  return std::to_string(m.memory) + "/" + std::to_string(m.durable);
}

std::optional<std::string> disagreement(history_model& m, const done_transaction& t) {
  const auto model = run_whole(m, t);
  for (std::size_t i = 0; i < t.steps.size(); ++i)
    if (model.gives[i] != t.steps[i].gave)
      return name_of(t) + ", step " + std::to_string(i) + ": it saw\n" + t.steps[i].gave +
             "\nwhere a serial run has\n" + model.gives[i] + "\nits steps were\n" + listed(t);
  if (model.refused != t.refused)
    return name_of(t) +
           (t.refused ? " was refused, but all its unique values are free"
                      : " gave one unique value to two records") +
           "; its steps were\n" + listed(t) + tags_of(m, t);
  return std::nullopt;
}

std::optional<std::string> find_disorder(const history& ran) {
  if (auto found = find_crossing(ran))
    return found;
  if (auto found = find_out_of_time(ran))
    return found;
  return find_overlooked(ran);
}

serial_order order_of_writers(const history& ran) { return merging{ran}.run(); }

} // namespace holdfast::testing
