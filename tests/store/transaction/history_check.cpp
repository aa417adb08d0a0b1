#include "history.hpp"

#include <algorithm>
#include <map>

namespace holdfast::testing {

namespace {

struct item {
  std::int64_t number = 0;
  std::string tag, list;
  std::optional<std::int64_t> parent;
  std::uint64_t row = 0;
};

/// The two buckets as a serial run makes them.
class model {
public:
  /// What the step gives; a step of a transaction that wrote nothing leaves the model as it is.
  std::string run(const step& s, bool writes) {
    using what = step::what;
    auto& b = side_[s.right];
    auto at = b.find(s.key);
    switch (s.kind) {
    case what::get:
      return at == b.end() ? "-" : text(*at);
    case what::insert:
      if (at != b.end())
        return "duplicate";
      if (writes)
        b[s.key] = {s.number, {}, {}, s.parent, next_row_++};
      return "ok";
    case what::set_number:
      return change(b, s.key, writes, [&](item& x) { x.number = s.number; });
    case what::set_tag:
      return change(b, s.key, writes, [&](item& x) { x.tag = s.text; });
    case what::append:
      return change(b, s.key, writes, [&](item& x) { x.list += s.text; });
    case what::erase:
      if (at == b.end())
        return "not_found";
      if (!writes)
        return "ok";
      b.erase(at);
      if (!s.right)
        std::erase_if(side_[1], [&](auto& e) { return e.second.parent == s.key; });
      return "ok";
    case what::count:
      return std::to_string(std::ranges::count_if(
          b, [&](auto& e) { return e.second.number >= s.key && e.second.number <= s.number; }));
    case what::lowest:
      return listed(b, static_cast<std::size_t>(s.key), [](auto* e) {
        return std::pair{e->second.number, e->second.row};
      });
    }
    return {};
  }
  std::string listed(bool right) const {
    return listed(side_[right], ~std::size_t{0}, [](auto* e) { return e->second.row; });
  }

private:
  using bucket_of_items = std::map<std::int64_t, item>;
  using entry = bucket_of_items::value_type;

  template <class F>
  static std::string change(bucket_of_items& b, std::int64_t key, bool writes, F&& f) {
    auto at = b.find(key);
    if (at == b.end())
      return "not_found";
    if (writes)
      f(at->second);
    return "ok";
  }
  static std::string quoted(const std::string& s) { return s.empty() ? "null" : '"' + s + '"'; }
  static std::string text(const entry& e) {
    auto& x = e.second;
    return std::to_string(e.first) + ":" + std::to_string(x.number) + ":" + quoted(x.tag) + ":" +
           quoted(x.list) + ":" + (x.parent ? std::to_string(*x.parent) : "null");
  }
  template <class Order>
  static std::string listed(const bucket_of_items& b, std::size_t most, Order&& order) {
    std::vector<const entry*> all;
    for (auto& e : b)
      all.push_back(&e);
    std::ranges::sort(all, {}, order);
    all.resize(std::min(all.size(), most));
    std::string out;
    for (auto* e : all)
      out += text(*e) + "\n";
    return out;
  }

  bucket_of_items side_[2];
  std::uint64_t next_row_ = 0;
};

/// The first step that gives something else in the model; nothing if all agree.
std::optional<std::string> disagreement(model& m, const done_transaction& t) {
  for (std::size_t i = 0; i < t.steps.size(); ++i)
    if (auto gives = m.run(t.steps[i], t.seq > 0); gives != t.steps[i].gave)
      return "transaction " + std::to_string(t.id) + " at " + std::to_string(t.seq) + ", step " +
             std::to_string(i) + ": it saw\n" + t.steps[i].gave + "\nwhere a serial run has\n" +
             gives;
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
  model m;
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
  if (!why && m.listed(false) != ran.left)
    why = "left ends as\n" + ran.left + "where a serial run ends as\n" + m.listed(false);
  if (!why && m.listed(true) != ran.right)
    why = "right ends as\n" + ran.right + "where a serial run ends as\n" + m.listed(true);
  return why;
}

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
  std::map<std::pair<std::int64_t, std::int64_t>, std::int64_t>
      next; // (list's begin, last) -> next
  auto each_read = [&](auto&& f) {
    for (auto& t : ran.all)
      for (auto& s : t.steps)
        if (s.kind == step::what::get)
          if (auto seen = appends_in(s.gave); !seen.empty())
            f(t.id, seen);
  };
  each_read([&](std::int64_t, auto& seen) {
    for (std::size_t i = 1; i < seen.size(); ++i) {
      before[seen[i - 1]].push_back(seen[i]);
      next[{seen[0], seen[i - 1]}] = seen[i];
    }
  });
  each_read([&](std::int64_t reader, auto& seen) {
    if (seen.back() != reader)
      before[seen.back()].push_back(reader);
    if (auto unseen = next.find({seen[0], seen.back()}); unseen != next.end())
      if (unseen->second != reader)
        before[reader].push_back(unseen->second);
  });
  return cycle_in(before);
}

} // namespace holdfast::testing
