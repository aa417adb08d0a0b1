#include "history_workloads.hpp"

#include <algorithm>

namespace holdfast::testing {
namespace {

using what = step::what;

/// Lists of each bucket: few, so that many transactions meet in them.
constexpr std::uint64_t list_count = 3;

/// A transaction at work.
struct worker {
  std::int64_t id;
  const std::function<std::string(step)>& act;
  const std::function<std::uint64_t(std::uint64_t)>& pick;

  std::int64_t key() const { return static_cast<std::int64_t>(pick(key_count)); }
  std::int64_t below(std::uint64_t n) const { return static_cast<std::int64_t>(pick(n)); }
  bool side() const { return pick(2) == 0; }

  void append() const { // after a look at another list, or to two, or only a look at two
    const bool at = side();
    const auto one = 2 * below(list_count), other = 2 * below(list_count);
    const auto mine = std::to_string(id) + ",";
    switch (pick(3)) {
    case 0:
      act({what::get, at, one, 0, {}});
      act({what::append, !at, other, 0, mine});
      break;
    case 1:
      act({what::append, at, one, 0, mine});
      act({what::append, !at, other, 0, mine});
      break;
    default:
      act({what::get, at, one, 0, {}});
      act({what::get, !at, other, 0, {}});
    }
  }
  void move() const { // between buckets
    auto from = key(), to = key();
    act({what::get, false, from, 0, {}});
    act({what::get, true, to, 0, {}});
    act({what::set_number, false, from, below(100), {}});
    act({what::set_number, true, to, below(100), {}});
  }
  void count() const { // a range, and add to it or take of it
    const bool at = side();
    auto low = below(90);
    auto many = act({what::count, at, low, low + 20, {}});
    if (many < std::string{"3"})
      act({what::insert, at, key(), low + 5, {}});
    else
      act({what::erase, at, key(), 0, {}});
  }
  std::string any_tag() const { return tags[pick(tags.size())]; }
  void tag(bool at, std::int64_t one, std::string value) const {
    act({what::set_tag, at, one, 0, std::move(value)});
  }
  void hand_over() const { // a unique value that was read, or swap two; whoever has none takes one
    const bool at = side();
    const auto from = key(), to = key();
    auto mine = tag_in(act({what::get, at, from, 0, {}}));
    const auto other = tag_in(act({what::get, at, to, 0, {}}));
    if (mine.empty())
      mine = any_tag();
    tag(at, to, mine);
    switch (pick(4)) {
    case 0:
      return tag(at, from, other);
    case 1:
      return; // it keeps what it gave away
    default:
      return tag(at, from, {});
    }
  }
  void claim() const { // a unique value, without a look at who has it
    const bool at = side();
    const auto one = key();
    tag(at, one, pick(5) == 0 ? std::string{} : any_tag());
    if (pick(2) == 0)
      tag(!at, one, any_tag());
  }
  void refer() const { // to a record that is there, or end one with all that refer to it
    auto parent = key();
    if (pick(3) == 0) {
      act({what::erase, false, parent, 0, {}});
      if (pick(2) == 0)
        act({what::insert, false, parent, 1, {}});
    } else if (act({what::get, false, parent, 0, {}}) != "-") {
      act({what::insert, true, key(), 50, {}, parent});
    }
  }
  void decide_on_absence() const {
    const bool at = side();
    if (act({what::get, at, key(), 0, {}}) == "-")
      act({what::insert, !at, key(), below(100), {}});
    else
      act({what::set_number, !at, key(), 7, {}});
  }
  void decide_on_an_end() const { // of an order
    const bool at = side();
    const auto end = pick(2) == 0 ? what::lowest : what::highest;
    if (act({end, at, 2, 100, {}}).size() > 12)
      act({what::set_number, !at, key(), below(20), {}});
  }
  void look() const {
    const bool at = side();
    act({what::lowest, at, 3, 0, {}});
    act({what::highest, !at, 2, 100, {}});
    act({what::count, !at, 0, 100, {}});
    act({what::get, at, key(), 0, {}});
  }
  void extend() const { // the life of a record, or of those that take its place
    const auto mine = key();
    const auto seen = act({what::get, true, mine, 0, {}});
    if (seen != "-")
      act({what::touch, true, mine, 0, {}});
    else
      act({what::insert, true, mine, below(100), {}});
    act({what::count, true, 0, 100, {}});
    act({what::highest, true, 2, 100, {}});
    act({what::get, true, mine, 0, {}});
  }
  void bank() const { // money from one account to another, or a look at all
    if (pick(3) == 0) {
      for (bool right : {false, true})
        for (auto account : account_keys)
          act({what::get, right, account, 0, {}});
      return;
    }
    const bool from_right = side(), to_right = side();
    const auto from = account_keys[pick(account_keys.size())];
    const auto to = account_keys[pick(account_keys.size())];
    if (from_right == to_right && from == to)
      return;
    auto has = number_in(act({what::get, from_right, from, 0, {}}));
    auto had = number_in(act({what::get, to_right, to, 0, {}}));
    const auto amount = 1 + below(9);
    act({what::set_number, from_right, from, has.value_or(0) - amount, {}});
    act({what::set_number, to_right, to, had.value_or(0) + amount, {}});
  }
  bool is_on(std::size_t place) const {
    auto [right, node] = node_at(place);
    return number_in(act({what::get, right, node, 0, {}})) == node_on;
  }
  void ring() const { // switch a node, off only between two that are on; or look at all
    if (pick(4) == 0) {
      for (std::size_t place = 0; place < ring_size; ++place)
        is_on(place);
      return;
    }
    const auto place = pick(ring_size);
    auto [right, node] = node_at(place);
    if (!is_on(place))
      act({what::set_number, right, node, node_on, {}});
    else if (is_on(place + 1) && is_on(place + ring_size - 1))
      act({what::set_number, right, node, node_off, {}});
  }
};

} // namespace

std::vector<first_item> first_items() {
  std::vector<first_item> out;
  for (std::int64_t key = 0; key < key_count; key += 2)
    out.push_back({key, key * 5});
  for (auto account : account_keys)
    out.push_back({account, balance_at_first});
  for (auto node : node_keys)
    out.push_back({node, node_on});
  return out;
}

void random_work(std::int64_t id, linking references, bool deadlines,
                 const std::function<std::string(step)>& act,
                 const std::function<std::uint64_t(std::uint64_t)>& pick) {
  const worker w{id, act, pick};
  switch (pick(deadlines ? 14 : 12)) {
  case 0:
    return w.append();
  case 1:
    return w.move();
  case 2:
    return w.count();
  case 3:
    return w.hand_over();
  case 4:
    return references == linking::present ? w.refer() : w.decide_on_absence();
  case 5:
    return w.decide_on_absence();
  case 6:
    return w.decide_on_an_end();
  case 7:
    return w.bank();
  case 8:
    return w.ring();
  case 10:
    return w.hand_over();
  case 11:
    return w.claim();
  case 12:
  case 13:
    return w.extend();
  default:
    return w.look();
  }
}

std::string tag_in(const std::string& gave) {
  const auto number = gave.find(':');
  const auto at = number == gave.npos ? number : gave.find(':', number + 1);
  if (at == gave.npos || gave[at + 1] != '"')
    return {};
  return gave.substr(at + 2, gave.find('"', at + 2) - at - 2);
}

std::optional<std::int64_t> number_in(const std::string& gave) {
  auto at = gave.find(':');
  if (at == std::string::npos)
    return std::nullopt;
  return std::stoll(gave.substr(at + 1));
}

} // namespace holdfast::testing
