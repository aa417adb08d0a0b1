#pragma once

#include "history.hpp"

#include <algorithm>
#include <map>
#include <span>

namespace holdfast::testing {

/// The two buckets as a serial run makes them.
class history_model {
public:
  /// What the step gives at that time; one that does not write leaves the model as it is. That a
  /// value is unique is looked at when all is written, see `is_shared`.
  std::string run(const step& s, bool writes, std::int64_t now) {
    using what = step::what;
    auto& b = side_[s.right];
    auto at = find(b, s.key, now);
    switch (s.kind) {
    case what::get:
      return at == b.end() ? "-" : text(*at);
    case what::insert:
      if (at != b.end())
        return "duplicate";
      if (writes)
        b[s.key] = {s.number, {}, {}, s.parent, next_row_[s.right]++, s.ends};
      return "ok";
    case what::set_number:
      return change(b, at, writes, [&](item& x) { x.number = s.number; });
    case what::set_tag:
      return change(b, at, writes, [&](item& x) { x.tag = s.text; });
    case what::append:
      return change(b, at, writes, [&](item& x) { x.list += s.text; });
    case what::touch:
      return change(b, at, writes, [&](item& x) { x.ends = s.ends; });
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
      return std::to_string(std::ranges::count_if(b, [&](auto& e) {
        return is_there(e, now) && e.second.number >= s.key && e.second.number <= s.number;
      }));
    case what::lowest:
    case what::highest: {
      const bool low = s.kind == what::lowest;
      auto all = sorted(b, now, [](auto* e) { return std::pair{e->second.number, e->second.row}; });
      std::erase_if(all, [&](auto* e) { return !low && e->second.number > s.number; });
      const auto most = std::min(all.size(), static_cast<std::size_t>(s.key));
      const std::span<const entry* const> items{all};
      return text(low ? items.first(most) : items.last(most));
    }
    }
    return {};
  }
  /// Whether two records have one tag.
  bool is_shared(std::int64_t now) const {
    return std::ranges::any_of(side_, [&](auto& b) {
      std::vector<std::string_view> seen;
      for (auto& e : b)
        if (!e.second.tag.empty() && is_there(e, now))
          seen.push_back(e.second.tag);
      std::ranges::sort(seen);
      return std::ranges::adjacent_find(seen) != seen.end();
    });
  }
  /// The records with this tag.
  std::string tagged(std::string_view tag) const {
    std::string out;
    for (auto& b : side_)
      for (auto& e : b)
        if (e.second.tag == tag)
          out += (&b == side_ ? " left " : " right ") + text(e);
    return out;
  }
  std::string listed(bool right, std::int64_t now) const {
    return text(sorted(side_[right], now, [](auto* e) { return e->second.row; }));
  }

private:
  struct item {
    std::int64_t number = 0;
    std::string tag, list;
    std::optional<std::int64_t> parent;
    std::uint64_t row = 0;
    std::int64_t ends = 0;
  };
  using bucket_of_items = std::map<std::int64_t, item>;
  using entry = bucket_of_items::value_type;

  static bool is_there(const entry& e, std::int64_t now) {
    return e.second.ends == 0 || e.second.ends > now;
  }
  static bucket_of_items::iterator find(bucket_of_items& b, std::int64_t key, std::int64_t now) {
    auto at = b.find(key);
    return at == b.end() || is_there(*at, now) ? at : b.end();
  }
  template <class F>
  static std::string change(bucket_of_items& b, bucket_of_items::iterator at, bool writes, F&& f) {
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
  static std::vector<const entry*> sorted(const bucket_of_items& b, std::int64_t now,
                                          Order&& order) {
    std::vector<const entry*> all;
    for (auto& e : b)
      if (is_there(e, now))
        all.push_back(&e);
    std::ranges::sort(all, {}, order);
    return all;
  }
  static std::string text(std::span<const entry* const> items) {
    std::string out;
    for (auto* e : items)
      out += text(*e) + "\n";
    return out;
  }

  bucket_of_items side_[2];
  std::uint64_t next_row_[2] = {0, 0};
};

/// What a transaction's steps give, and whether it is refused behind them.
struct answer {
  std::vector<std::string> gives;
  bool refused = false;
};

/// What a store makes of a unique value that two records have.
enum class clashes : std::uint8_t {
  refuse,     ///< it refuses whoever would make them
  let_by,     ///< it does not notice
  see_always, ///< it refuses, though there are none
};

/// Runs a whole transaction at this point of a serial run. One that only read, as is known, leaves
/// the model as it is; so does one that is refused, or was. `writes(step)`: whether what the step
/// writes gets there at all.
template <class Writes>
answer run_whole(history_model& m, const done_transaction& t, Writes&& writes,
                 clashes how = clashes::refuse) {
  answer out;
  const bool may_write = t.wrote() || t.refused;
  const bool gives_tags = std::ranges::any_of(
      t.steps, [](auto& s) { return s.kind == step::what::set_tag && s.gave == "ok"; });
  std::optional<history_model> before;
  if (may_write && gives_tags)
    before = m;
  for (auto& s : t.steps)
    out.gives.push_back(m.run(s, may_write && writes(s), t.at));
  if (!before)
    return out;
  out.refused = how == clashes::see_always || (how == clashes::refuse && m.is_shared(t.at));
  if (out.refused || (t.refused && how != clashes::let_by))
    m = std::move(*before);
  return out;
}
inline answer run_whole(history_model& m, const done_transaction& t) {
  return run_whole(m, t, [](auto&) { return true; });
}

} // namespace holdfast::testing
