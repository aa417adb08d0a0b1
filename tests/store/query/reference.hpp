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

/// Records, filters and queries at random, over one set of fields that has everything.
class random_data {
public:
  explicit random_data(std::uint32_t seed) : random_{seed} {}

  std::size_t below(std::size_t n) { return random_() % n; }
  bool chance(unsigned percent) { return below(100) < percent; }

  /// Indexes at random, each with `percent`; `full` for the same fields with the same constraints.
  static schema fields(bool integer_key, bool ordered) {
    schema out{"things"};
    out.key("id", integer_key ? integer() : string());
    out.field("text", string()).field("num", number()).field("int", integer());
    out.field("flag", boolean()).field("day", date()).field("list", array_of());
    out.field("thing", object_of())
        .field("code", string().unique())
        .field("rank", integer().unique());
    if (ordered)
      out.ordered();
    return out;
  }

  /// Two to four fields in any order.
  std::vector<std::string> fields_of_index() {
    std::vector<std::string> all{"text", "num", "int", "flag", "day"};
    std::shuffle(all.begin(), all.end(), random_);
    all.resize(2 + below(3));
    return all;
  }

  value text() {
    static const char* const words[] = {"",          "a",          "ab",
                                        "abc",       "abcdefg",    "abcdefgh",
                                        "abcdefghi", "abcdefghij", "abcdefghijklmnopq",
                                        "b",         "\xc3\xbf",   "z",
                                        "A",         "aBC",        "Bcd"};
    return words[below(std::size(words))];
  }
  value number_() {
    static const double reals[] = {-1.5, 0.0, 0.5, 1.0, 2.5, 9007199254740992.0, 1e300};
    static const std::int64_t wholes[] = {
        -3, 0, 1, 2, 3, 9007199254740992, 9007199254740993, INT64_MAX, INT64_MIN};
    return chance(50) ? value(reals[below(std::size(reals))])
                      : value(wholes[below(std::size(wholes))]);
  }
  value integer_() {
    static const std::int64_t wholes[] = {-2, -1, 0, 1, 2, 3, 4, 5, INT64_MAX, INT64_MIN};
    return wholes[below(std::size(wholes))];
  }
  value day() { return static_cast<std::int64_t>(below(5)) * 86'400'000; }
  value list() {
    array items;
    for (auto n = below(3); n > 0; --n)
      items.push_back(static_cast<std::int64_t>(below(2)));
    return items;
  }
  value thing() {
    object out;
    if (chance(70))
      out.set("a", static_cast<std::int64_t>(below(2)));
    if (chance(50))
      out.set("b", text());
    if (chance(30))
      out.set("c", object{{"d", number_()}, {"e", list()}});
    return out;
  }
  value of(std::string_view field) {
    if (field == "text")
      return text();
    if (field == "num")
      return number_();
    if (field == "int")
      return integer_();
    if (field == "flag")
      return chance(50);
    if (field == "day")
      return day();
    if (field == "list")
      return list();
    if (field == "thing")
      return thing();
    if (field.ends_with(".b"))
      return text();
    return field.find('.') == field.npos ? value{} : number_();
  }

  object record(const value& id, std::int64_t serial) {
    object out;
    out.set("id", id);
    for (std::string_view field : {"text", "num", "int", "flag", "day", "list", "thing"})
      if (chance(80))
        out.set(field, of(field));
    if (chance(70))
      out.set("code", "code-with-a-long-tail-" + std::to_string(serial));
    if (chance(70))
      out.set("rank", serial);
    return out;
  }

  /// A comparison of what a path leads to, where anything may be asked.
  filter of_member() {
    using kind = filter::kind;
    static const char* const paths[] = {"thing.a",   "thing.b",     "thing.c", "thing.c.d",
                                        "thing.c.e", "thing.c.e.0", "list.0",  "list.1",
                                        "list.x",    "thing.none"};
    std::string name = paths[below(std::size(paths))];
    auto operand = chance(70) ? of(name) : chance(50) ? integer_() : text();
    if (chance(20))
      return chance(50) ? filter::is_null(name) : filter::exists(name);
    if (chance(20))
      return filter::in(name, {operand, integer_(), nullptr});
    if (chance(20))
      return chance(50) ? filter::starts_with(name, std::string{text().as_string()})
                        : filter::ends_with(name, std::string{text().as_string()});
    static const kind all[] = {kind::eq, kind::ne, kind::lt,      kind::le,
                               kind::gt, kind::ge, kind::contains};
    return chance(15) ? filter::between(name, operand, integer_())
                      : filter::compare(name, all[below(std::size(all))], operand);
  }

  filter comparison(const reference_bucket& data) {
    if (chance(15))
      return of_member();
    if (chance(4))
      return filter::contains("list", static_cast<std::int64_t>(below(2)));
    using kind = filter::kind;
    static const char* const names[] = {"id",  "text", "num",   "int",  "flag",
                                        "day", "list", "thing", "code", "rank"};
    std::string name = names[below(std::size(names))];
    bool ordered = name != "list" && name != "thing";
    auto operand = [&]() -> value {
      if ((name == "int" || name == "rank") && chance(20))
        return number_();
      if (!data.entries.empty() && (chance(50) || of(name).is_null())) {
        auto x = reference_bucket::at(data.entries[below(data.entries.size())].fields, name);
        if (!x.is_null())
          return x;
      }
      if (auto x = of(name); !x.is_null())
        return x;
      if (name == "rank")
        return integer_();
      if (name == "id" && !data.entries.empty())
        return reference_bucket::at(data.entries.front().fields, "id");
      return name == "id" ? value{} : text();
    };
    auto first = operand();
    if (first.is_null() || chance(10))
      return chance(50) ? filter::is_null(name) : filter::exists(name);
    if (name == "text" && chance(40)) {
      auto part = std::string{text().as_string()};
      return chance(40)   ? filter::starts_with(name, part)
             : chance(50) ? filter::contains(name, part)
                          : filter::ends_with(name, part);
    }
    if (chance(20)) {
      std::vector<value> list;
      for (auto n = below(4); n > 0; --n)
        list.push_back(operand());
      if (chance(20))
        list.push_back(nullptr);
      return filter::in(name, std::move(list));
    }
    if (ordered && chance(20))
      return filter::between(name, first, operand());
    if (!ordered || chance(40))
      return filter::compare(name, chance(80) ? kind::eq : kind::ne, first);
    static const kind orders[] = {kind::lt, kind::le, kind::gt, kind::ge};
    return filter::compare(name, orders[below(4)], first);
  }

  /// What an index over several fields is for: equal in some, and something about another one.
  filter several(const reference_bucket& data) {
    auto fields = fields_of_index();
    auto out = filter{};
    const auto& like = data.entries[below(data.entries.size())].fields;
    for (std::size_t i = 0; i + 1 < fields.size(); ++i)
      out = out &&
            filter::compare(fields[i], filter::kind::eq, reference_bucket::at(like, fields[i]));
    return chance(50) ? out : out && comparison(data);
  }

  filter tree(const reference_bucket& data, unsigned depth) {
    if (depth > 0 && !data.entries.empty() && chance(20))
      return several(data);
    if (depth == 0 || chance(40)) {
      auto leaf = comparison(data);
      return chance(15) ? !leaf : leaf;
    }
    auto a = tree(data, depth - 1), b = tree(data, depth - 1);
    auto both = chance(60) ? a && b : a || b;
    return chance(10) ? !both : both;
  }

  query any_query(const reference_bucket& data) {
    static const char* const orders[] = {"id",  "text", "num",  "int",     "flag",
                                         "day", "code", "rank", "thing.a", "thing.c.d"};
    query q{chance(10) ? filter{} : tree(data, 3)};
    if (chance(60))
      q.order_by(orders[below(std::size(orders))],
                 chance(50) ? direction::ascending : direction::descending);
    for (; !q.order().empty() && chance(30) && q.order().size() < 8;)
      q.then_by(orders[below(std::size(orders))],
                chance(50) ? direction::ascending : direction::descending);
    if (chance(30))
      q.offset(below(8));
    if (chance(50))
      q.limit(below(12));
    return q;
  }

private:
  std::mt19937 random_;
};

} // namespace holdfast::testing
