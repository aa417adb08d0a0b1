#pragma once

#include <holdfast/store/query.hpp>
#include <holdfast/store/schema.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace holdfast::testing {

/// What queries mean, in the simplest possible words: a list of records in order of insertion, read
/// from front to back.
class reference_bucket {
public:
  struct entry {
    object fields;
    std::int64_t expires_at = 0;
  };
  explicit reference_bucket(bool ordered) : ordered_{ordered} {}

  std::vector<entry> entries;

  static value at(const object& o, std::string_view path) {
    auto dot = path.find('.');
    const auto* x = o.find(path.substr(0, dot));
    if (!x || dot == path.npos)
      return x ? *x : value{};
    auto rest = path.substr(dot + 1);
    if (x->kind() == value_kind::object)
      return at(x->as_object(), rest);
    if (x->kind() != value_kind::array)
      return {};
    object by_position;
    for (const auto& item : x->as_array())
      by_position.set(std::to_string(by_position.size()), item);
    return at(by_position, rest);
  }

  static value sort_key(const object& o, std::string_view path) {
    auto x = at(o, path);
    bool has_order = x.kind() != value_kind::array && x.kind() != value_kind::object;
    return has_order ? x : value{};
  }

  static bool contains(const value& x, const value& part) {
    if (x.kind() == value_kind::array) {
      const auto& items = x.as_array();
      return std::find(items.begin(), items.end(), part) != items.end();
    }
    auto lower = [](std::string text) {
      for (auto& c : text)
        c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + 'a' - 'A' : c);
      return text;
    };
    return x.kind() == value_kind::string && part.kind() == value_kind::string &&
           lower(x.as_string()).find(lower(part.as_string())) != std::string::npos;
  }

  static bool comparable(const value& a, const value& b) {
    return a.kind() == b.kind() || (a.is_number() && b.is_number());
  }

  static bool holds(const filter& leaf, const value& x) {
    using kind = filter::kind;
    auto operand = [&](std::size_t i) { return leaf.operands()[i]; };
    switch (leaf.op()) {
    case kind::eq:
      return !x.is_null() && x == operand(0);
    case kind::ne:
      return !x.is_null() && !(x == operand(0));
    case kind::lt:
      return comparable(x, operand(0)) && x < operand(0);
    case kind::le:
      return comparable(x, operand(0)) && !(x > operand(0));
    case kind::gt:
      return comparable(x, operand(0)) && x > operand(0);
    case kind::ge:
      return comparable(x, operand(0)) && !(x < operand(0));
    case kind::in: {
      bool found = false;
      for (const auto& y : leaf.operands())
        found = found || x == y;
      return found;
    }
    case kind::between:
      return comparable(x, operand(0)) && !(x < operand(0)) && !(x > operand(1));
    case kind::is_null:
      return x.is_null();
    case kind::exists:
      return !x.is_null();
    case kind::starts_with:
      return x.kind() == value_kind::string && x.as_string().rfind(operand(0).as_string(), 0) == 0;
    case kind::ends_with: {
      auto suffix = operand(0).as_string();
      return x.kind() == value_kind::string && x.as_string().size() >= suffix.size() &&
             x.as_string().substr(x.as_string().size() - suffix.size()) == suffix;
    }
    case kind::contains:
      return contains(x, operand(0));
    case kind::all_of:
    case kind::any_of:
      break;
    }
    return false;
  }

  static bool matches(const filter& f, const object& o) {
    if (f.is_leaf())
      return holds(f, at(o, f.field())) != f.negated();
    std::size_t hits = 0;
    for (const auto& term : f.terms())
      hits += matches(term, o) ? 1U : 0U;
    return f.op() == filter::kind::all_of ? hits == f.terms().size() : hits > 0;
  }

  /// The matching records, those that have expired included.
  std::vector<const object*> with_expired(const query& q) const {
    std::vector<const object*> out;
    for (const auto& e : entries)
      if (matches(q.which(), e.fields))
        out.push_back(&e.fields);
    return out;
  }

  /// The matching records in order, offset and limit aside.
  std::vector<const object*> matching(const query& q, std::int64_t now) const {
    std::vector<const object*> out;
    for (const auto& e : entries)
      if ((e.expires_at == 0 || e.expires_at > now) && matches(q.which(), e.fields))
        out.push_back(&e.fields);
    auto order = q.order();
    if (order.empty() && ordered_)
      order.push_back({"id"});
    std::reverse(order.begin(), order.end());
    for (const auto& term : order)
      std::stable_sort(out.begin(), out.end(), [&](const object* a, const object* b) {
        auto x = sort_key(*a, term.field), y = sort_key(*b, term.field);
        if (x.is_null() || y.is_null())
          return !x.is_null() && y.is_null();
        return term.way == direction::descending ? y < x : x < y;
      });
    return out;
  }

  static std::vector<const object*> cut(std::vector<const object*> list, const query& q) {
    auto first = std::min<std::uint64_t>(q.offset(), list.size());
    list.erase(list.begin(), list.begin() + static_cast<std::ptrdiff_t>(first));
    if (q.limit() < list.size())
      list.resize(q.limit());
    return list;
  }

private:
  bool ordered_;
};

} // namespace holdfast::testing
