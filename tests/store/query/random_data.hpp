#pragma once

#include "reference.hpp"

#include <cctype>

namespace holdfast::testing {

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

  /// A part of a text of single bytes, in any case, at times its end.
  std::string some_of(const std::string& text) {
    const auto from = below(text.size() + 1);
    auto out = text.substr(from, chance(40) ? text.npos : below(20));
    if (!out.empty() && chance(30))
      for (auto& c : out)
        c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    return out;
  }

  filter comparison(const reference_bucket& data) {
    if (chance(15))
      return of_member();
    if (chance(4))
      return filter::contains("list",
                              chance(20) ? value(1.0) : static_cast<std::int64_t>(below(2)));
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
    if ((name == "text" || name == "id" || name == "code") && first.kind() == value_kind::string &&
        chance(40)) {
      auto part = name == "id" ? first.as_string().substr(0, 1 + below(4))
                  : name == "text" || !first.as_string().starts_with("code")
                      ? std::string{text().as_string()}
                      : some_of(first.as_string());
      return chance(60)   ? filter::starts_with(name, part)
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
      return filter::compare(name, chance(70) ? kind::eq : kind::ne, first);
    static const kind orders[] = {kind::lt, kind::le, kind::gt, kind::ge};
    return filter::compare(name, orders[below(4)], first);
  }

  filter equal_but_in_last(const std::vector<std::string>& fields, const reference_bucket& data) {
    auto out = filter{};
    const auto& like = data.entries[below(data.entries.size())].fields;
    for (std::size_t i = 0; i + 1 < fields.size(); ++i)
      out = out &&
            filter::compare(fields[i], filter::kind::eq, reference_bucket::at(like, fields[i]));
    return out;
  }

  /// What an index over several fields is for: equal in some, and something about another one.
  filter several(const reference_bucket& data) {
    auto fields = fields_of_index();
    auto out = equal_but_in_last(fields, data);
    if (chance(40))
      return out;
    auto next = chance(50) ? filter::compare(fields.back(), filter::kind::ne, of(fields.back()))
                           : comparison(data);
    return out && (chance(25) ? !next : next);
  }

  filter tree(const reference_bucket& data, unsigned depth) {
    if (depth > 0 && !data.entries.empty() && chance(20))
      return several(data);
    if (depth == 0 || chance(40)) {
      auto leaf = comparison(data);
      return chance(25) ? !leaf : leaf;
    }
    auto a = tree(data, depth - 1), b = tree(data, depth - 1);
    auto both = chance(60) ? a && b : a || b;
    return chance(10) ? !both : both;
  }

  /// The first ones in the order of an index over several fields.
  query first_of_index(const reference_bucket& data) {
    auto fields = fields_of_index();
    auto which = equal_but_in_last(fields, data);
    auto way = chance(50) ? direction::ascending : direction::descending;
    return query{std::move(which)}.order_by(fields.back(), way).limit(1 + below(4));
  }

  query any_query(const reference_bucket& data) {
    if (!data.entries.empty() && chance(4))
      return first_of_index(data);
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
