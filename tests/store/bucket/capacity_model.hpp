// What a full bucket should hold, and others that refer to it: a small model without any index.
#pragma once

#include <holdfast/store/schema.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <vector>

namespace holdfast::full_bucket {

inline constexpr std::ptrdiff_t most_in_cache = 5;
inline constexpr std::int64_t most_keys = 12;
enum place : std::size_t { cache, lists, lines, pins };
inline constexpr std::array<const char*, 4> names{"cache", "lists", "lines", "pins"};
struct link {
  place from;
  std::size_t slot;
  const char* field;
  place to;
  on_delete what;
};
inline constexpr std::array<link, 5> links{{{cache, 0, "up", cache, on_delete::cascade},
                                            {lists, 0, "of", cache, on_delete::cascade},
                                            {lines, 0, "in", lists, on_delete::restrict},
                                            {lines, 1, "of", cache, on_delete::set_null},
                                            {pins, 0, "of", cache, on_delete::restrict}}};
using reference_keys = std::array<std::optional<std::int64_t>, 2>; ///< by slots

struct spot {
  place in;
  std::int64_t id;
  bool operator==(const spot&) const = default;
};
enum class verb : std::uint8_t { insert, upsert, update, erase };
struct action {
  verb what = verb::insert;
  spot at = {};
  reference_keys refs = {};
  std::int64_t lasts = 0; ///< in seconds; 0: it says no deadline
};
enum class way : std::uint8_t { plain, many, transaction };

/// What the store should hold: records in order of insertion, and among them those whose deadline
/// has come until something removes them.
class capacity_model {
public:
  struct row {
    std::int64_t id;
    reference_keys refs;
    std::int64_t ends; ///< 0: never
    reference_keys before{};
    bool made = true;    ///< inserted by the commit
    bool written = true; ///< or updated
  };
  std::array<std::vector<row>, 4> rows;
  std::int64_t now = 0;

  bool is_live(const row& r) const { return r.ends == 0 || r.ends > now; }
  row* there(spot at) {
    auto found = std::ranges::find(rows[at.in], at.id, &row::id);
    return found == rows[at.in].end() ? nullptr : &*found;
  }
  row* find(spot at) {
    auto* r = there(at);
    return r && is_live(*r) ? r : nullptr;
  }
  /// The error, if it is refused; then nothing happens.
  std::optional<errc> commit(const std::vector<action>& all, way how) {
    auto next = *this;
    next.acting_ = how == way::transaction;
    std::optional<errc> failed;
    for (auto& each : all)
      failed = failed ? failed : next.act(each);
    next.acting_ = false;
    failed = failed ? failed : next.end();
    if (!failed)
      *this = std::move(next);
    return failed;
  }
  void purge() {
    for (auto b : {cache, lists, lines, pins}) {
      while (auto* due = first_due(b))
        erase({b, due->id});
      EXPECT_FALSE(end());
    }
  }

private:
  std::vector<std::pair<const link*, spot>> referrers(spot to) const {
    std::vector<std::pair<const link*, spot>> out;
    for (auto& by : links)
      for (auto& r : rows[by.from])
        if (by.to == to.in && r.refs[by.slot] == to.id)
          out.emplace_back(&by, spot{by.from, r.id});
    return out;
  }
  std::optional<errc> act(const action& a) {
    auto* found = find(a.at);
    const auto ends = a.lasts == 0 ? 0 : now + a.lasts;
    if (a.what == verb::insert && found)
      return errc::duplicate;
    if ((a.what == verb::update || a.what == verb::erase) && !found)
      return errc::not_found;
    if (a.what == verb::erase) {
      erase(a.at);
    } else if (found) {
      *found = {a.at.id, a.refs, ends == 0 ? found->ends : ends, found->before, found->made};
    } else {
      if (there(a.at)) // it has expired
        erase(a.at, true);
      rows[a.at.in].push_back({a.at.id, a.refs, ends});
    }
    return std::nullopt;
  }
  void erase(spot at, bool makes_room = false) {
    auto* r = there(at);
    if (acting_ && !r->made)
      gone_.push_back(at);
    rows[at.in].erase(rows[at.in].begin() + (r - rows[at.in].data()));
    follow(at, makes_room);
    if (!acting_)
      follow_all();
  }
  /// A transaction does to those that it sees what their fields say at once, and to others when it
  /// commits, unless the key is there again. What it has written since then stays, and is refused.
  void follow_all() {
    while (!gone_.empty()) {
      const auto at = gone_.back();
      gone_.pop_back();
      if (!there(at))
        follow(at, false, true);
    }
  }
  /// Whoever refers to it anew refers to what is there in the end, unless the function sees it.
  void follow(spot gone, bool makes_room = false, bool by_function = false) {
    for (auto [by, each] : referrers(gone)) {
      auto* r = there(each);
      if (r && (!acting_ || makes_room) && r->refs[by->slot] != r->before[by->slot])
        continue;
      if (r && !is_live(*r)) {
        if (!acting_ && !is_kept(each))
          erase(each);
      } else if (r && by->what != on_delete::restrict && !(by_function && r->written)) {
        if (by->what == on_delete::cascade) {
          erase(each);
        } else {
          r->refs[by->slot] = std::nullopt;
          r->written = true;
        }
      }
    }
  }
  bool is_kept(spot at) {
    std::vector<spot> going{at};
    for (std::size_t i = 0; i < going.size(); ++i)
      for (auto [by, each] : referrers(going[i])) {
        auto* r = find(each);
        if (!r || std::ranges::find(going, each) != going.end())
          continue;
        if (r->written || by->what == on_delete::restrict)
          return true;
        if (by->what == on_delete::cascade)
          going.push_back(each);
      }
    return false;
  }
  row* first_due(place b) {
    row* first = nullptr;
    for (auto& r : rows[b])
      if (!is_live(r) && (!first || r.ends < first->ends) && !is_kept({b, r.id}))
        first = &r;
    return first;
  }
  row* oldest(bool made, std::optional<std::int64_t> other_than = {}) {
    for (auto& r : rows[cache])
      if (r.made == made && r.id != other_than && !is_kept({cache, r.id}))
        return &r;
    return nullptr;
  }
  bool shrink() {
    const auto& all = rows[cache];
    std::optional<std::int64_t> last; // of those that are new: it came when all others were there
    for (auto& r : all)
      last = r.made ? r.id : last;
    for (auto due = std::ssize(all) - most_in_cache; due > 0; --due) // whatever goes with them
      if (auto* next = first_due(cache))
        erase({cache, next->id});
    while (std::ssize(all) > most_in_cache) {
      auto* next = oldest(false);
      if (!next)
        next = oldest(true, last);
      if (!next)
        return false;
      erase({cache, next->id});
    }
    return true;
  }
  std::optional<errc> end() {
    if (!shrink())
      return errc::overloaded;
    follow_all();
    for (auto& by : links)
      for (auto& r : rows[by.from])
        if (const auto to = r.refs[by.slot]; to && is_live(r))
          if (!there({by.to, *to}) || (to != r.before[by.slot] && !find({by.to, *to})))
            return errc::broken_reference;
    for (auto& all : rows)
      for (auto& r : all)
        r = {r.id, r.refs, r.ends, r.refs, false, false};
    return std::nullopt;
  }

  bool acting_ = false;    ///< a transaction's function runs
  std::vector<spot> gone_; ///< by the function
};

} // namespace holdfast::full_bucket
