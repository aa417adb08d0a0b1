#pragma once

#include "history.hpp"

#include <algorithm>
#include <map>

namespace holdfast::testing {

/// The two buckets as a serial run makes them.
class history_model {
public:
  /// What the step gives at that time; a step of a transaction that wrote nothing leaves the model
  /// as it is.
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
        b[s.key] = {s.number, {}, {}, s.parent, next_row_++, s.ends};
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
      return listed(b, static_cast<std::size_t>(s.key), now, [](auto* e) {
        return std::pair{e->second.number, e->second.row};
      });
    }
    return {};
  }
  std::string listed(bool right, std::int64_t now) const {
    return listed(side_[right], ~std::size_t{0}, now, [](auto* e) { return e->second.row; });
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
  static std::string listed(const bucket_of_items& b, std::size_t most, std::int64_t now,
                            Order&& order) {
    std::vector<const entry*> all;
    for (auto& e : b)
      if (is_there(e, now))
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

} // namespace holdfast::testing
