#include "tests/store/reactive/reactive_queries.hpp"

#include <algorithm>
#include <cmath>

namespace holdfast::testing {
namespace {

int any_of(reactive_random& random, int most) {
  return static_cast<int>(random() % static_cast<std::uint64_t>(most));
}
bool one_in(reactive_random& random, int n) { return any_of(random, n) == 0; }

std::string a_bucket(reactive_random& random) {
  return reactive_buckets[random() % reactive_buckets.size()];
}

std::string text_of(const record& r) { return reactive_text(r); }
std::string text_of(const records& list) {
  std::string out;
  for (auto& r : list)
    out += reactive_text(r) + ";";
  return out;
}
/// Alike for equal ones: who knows 2 is not told 2.0.
std::string text_of(const value& v) {
  const auto whole = v.kind() == value_kind::real
                         ? std::optional{value{std::llround(v.as_double())}}
                         : std::nullopt;
  return whole && *whole == v ? whole->to_string() : v.to_string();
}
std::string text_of(const groups& list) {
  std::string out;
  for (auto& g : list) {
    for (auto& k : g.key)
      out += k.to_string() + ",";
    for (auto& x : g.results)
      out += "=" + text_of(x);
    out += ";";
  }
  return out;
}
std::string text_of(const std::vector<object>& list) {
  std::string out;
  for (auto& o : list)
    out += value{o}.to_string() + ";";
  return out;
}
std::string text_of(std::uint64_t n) { return std::to_string(n); }
std::string text_of(const page& p) { return text_of(p.items); }

template <class T>
result<std::string> as_text(pending<T> from) {
  return std::move(from).get().map([](const T& x) { return text_of(x); });
}

value random_operand(reactive_random& random, const std::string& field) {
  if (field == "n")
    return any_of(random, 8);
  if (field == "t")
    return std::string(1, static_cast<char>('w' + any_of(random, 4)));
  if (field == "f")
    return one_in(random, 2);
  return any_of(random, 8) / 2.0;
}

filter random_comparison(reactive_random& random, const std::string& parameter) {
  static const std::vector<std::string> fields{"n", "t", "r", "f", "n", "t"};
  auto field = fields[random() % fields.size()];
  if (!parameter.empty() && one_in(random, 2))
    return filter::compare("n", one_in(random, 2) ? filter::kind::eq : filter::kind::ge,
                           holdfast::parameter(parameter));
  auto operand = random_operand(random, field);
  switch (any_of(random, field == "f" ? 3 : 9)) {
  case 0:
  case 1:
    return filter::compare(field, filter::kind::eq, operand);
  case 2:
    return filter::is_null(field);
  case 3:
    return filter::compare(field, filter::kind::lt, operand);
  case 4:
    return filter::compare(field, filter::kind::ge, operand);
  case 5:
    return filter::in(field, {operand, random_operand(random, field), nullptr});
  case 6:
    return filter::compare(field, filter::kind::ne, operand);
  case 7:
    return one_in(random, 2) ? filter::contains("t", random_operand(random, "t"))
                             : filter::ends_with("t", "y");
  default:
    return !filter::between(field, operand, random_operand(random, field));
  }
}

filter random_leaf(reactive_random& random, const std::string& parameter) {
  auto leaf = random_comparison(random, parameter);
  return one_in(random, 6) ? !leaf : leaf;
}

filter random_filter(reactive_random& random, const std::string& parameter) {
  auto leaf = [&] { return random_leaf(random, parameter); };
  switch (any_of(random, 6)) {
  case 0:
    return {};
  case 1:
    return leaf() && leaf();
  case 2:
    return leaf() || leaf();
  case 3:
    return leaf() && (leaf() || leaf());
  default:
    return leaf();
  }
}

query random_selection(reactive_random& random, const std::string& parameter) {
  static const std::vector<std::string> fields{"n", "t", "r", "id"};
  query out{random_filter(random, parameter)};
  for (int terms = any_of(random, 3); terms > 0; --terms)
    out.then_by(fields[random() % fields.size()],
                one_in(random, 2) ? direction::ascending : direction::descending);
  if (one_in(random, 3))
    out.offset(random() % 4);
  if (one_in(random, 2))
    out.limit(random() % 5);
  if (one_in(random, 3))
    out.fields({"id", one_in(random, 2) ? "n" : "t"});
  return out;
}

selection select(const reactive_reader& from, const query& q, const filter& which) {
  auto out = from.where(which);
  for (auto& term : q.order())
    out = std::move(out).then_by(term.field, term.way);
  return std::move(out).offset(q.offset()).limit(q.limit()).fields(q.fields());
}

/// The filter with the parameter put in; apart from the library's own way of doing that.
filter with_number(const filter& f, const std::string& parameter, const object& with) {
  if (f.is_leaf()) {
    if (f.operands().size() == 1 && f.operands()[0] == holdfast::parameter(parameter)) {
      auto plain = filter::compare(f.field(), f.op(), *with.find(parameter));
      return f.negated() ? !plain : plain;
    }
    return f;
  }
  std::vector<filter> terms;
  for (auto& term : f.terms())
    terms.push_back(with_number(term, parameter, with));
  return f.op() == filter::kind::all_of ? filter::all(terms) : filter::any(terms);
}

reactive_query declared_at_random(reactive_random& random, reactive_query out) {
  if (one_in(random, 2))
    out.parameter = "p";
  declared_query q{.bucket = a_bucket(random), .what = random_selection(random, out.parameter)};
  // The parameter must be somewhere, or it may not be given.
  if (!out.parameter.empty())
    q.what.where(filter::compare("n", filter::kind::ge, parameter("p")) || "t"_f == "x");
  static const std::vector<aggregate> numbers{
      aggregate::count(),  aggregate::sum("n"),   aggregate::avg("n"), aggregate::min("r"),
      aggregate::max("t"), aggregate::count("t"), aggregate::sum("r"), aggregate::avg("r")};
  const auto kind = std::max(any_of(random, 9) - 2, 0);
  if (kind == 0 || kind == 1)
    q.aggregates.push_back(numbers[random() % numbers.size()]);
  if (kind == 0 && !one_in(random, 4)) // one that needs no run
    q.what = query{q.what.which()};
  if (kind == 1) {
    q.aggregates.push_back(numbers[random() % numbers.size()]);
    q.group_by = {"t"};
  }
  if (kind > 3) { // a list with a limit, of many records, in an order that may have an index
    if (out.parameter.empty())
      q.what = query{}.fields(q.what.fields()).offset(random() % 3);
    q.what
        .order_by(one_in(random, 2) ? "n" : "r",
                  one_in(random, 2) ? direction::ascending : direction::descending)
        .limit(1 + random() % 3);
  }
  out.declared = q;
  out.run = [q, parameter = out.parameter](const reactive_view& in,
                                           const object& with) -> result<std::string> {
    auto from = select(in(q.bucket), q.what, with_number(q.what.which(), parameter, with));
    if (q.aggregates.size() != 1)
      return q.aggregates.empty()
                 ? q.what.fields().empty() ? as_text(from.all()) : as_text(from.objects())
                 : as_text(from.group_by(q.group_by, q.aggregates));
    auto& one = q.aggregates[0];
    switch (one.what) {
    case aggregate::function::count:
      return one.field.empty() ? as_text(from.count()) : as_text(from.group_by({}, q.aggregates));
    case aggregate::function::sum:
      return as_text(from.sum(one.field));
    case aggregate::function::avg:
      return as_text(from.avg(one.field));
    case aggregate::function::min:
      return as_text(from.min(one.field));
    case aggregate::function::max:
      break;
    }
    return as_text(from.max(one.field));
  };
  return out;
}

} // namespace

schema random_schema(reactive_random& random, const std::string& name, bool persistent) {
  schema out{name};
  out.key("id", integer())
      .field("n", integer())
      .field("t", string())
      .field("r", number())
      .field("f", boolean());
  for (auto* field : {"n", "t", "r"})
    if (one_in(random, 2))
      out.index(field);
  if (one_in(random, 3))
    out.index({"t", "n"});
  if (one_in(random, 2))
    out.inverted_index("t");
  if (one_in(random, 3))
    out.ordered();
  if (!persistent)
    out.persistent(false);
  return out;
}

schema with_endings(reactive_random& random, schema plain, deadlines ends) {
  // Only "one" and "three" are always of one line; the one refers to the other, or to itself.
  const auto* target = plain.name() == "one" ? "one" : plain.name() == "three" ? "one" : "two";
  auto link = integer();
  link.references(target, one_in(random, 2) ? on_delete::cascade : on_delete::set_null);
  plain.field("ref", link);
  if (ends == deadlines::some && one_in(random, 2))
    plain.expire_after(std::chrono::seconds{2 + any_of(random, 3)});
  if (one_in(random, 2))
    plain.capacity(8 + static_cast<std::uint64_t>(any_of(random, 8)),
                   one_in(random, 2) ? evict::oldest : evict::least_recently_used);
  return plain;
}

filter an_end_of_an_order(reactive_random& random) {
  const auto* field = one_in(random, 2) ? "n" : "r";
  return one_in(random, 2) ? filter::compare(field, filter::kind::lt, 1 + any_of(random, 3))
                           : filter::compare(field, filter::kind::ge, 2 + any_of(random, 5));
}

object random_fields(reactive_random& random) {
  object out;
  for (auto* field : {"n", "t", "r", "f"})
    if (!one_in(random, 5))
      out.set(field, random_operand(random, field));
  return out;
}

namespace {

using run_function = std::function<result<std::string>(const reactive_view&, const object&)>;

/// What a query of random parts reads.
struct query_parts {
  std::string first, second; ///< buckets
  filter which, other;
  query selection;
  int key = 0;
};

run_function get_by_parameter(query_parts p) {
  return [=](auto& in, auto& with) { return as_text(in(p.first).get(*with.find("k"))); };
}
/// Where one read leads decides what is read next.
run_function follow_a_number(query_parts p) {
  return [=](auto& in, auto& with) -> result<std::string> {
    auto found = in(p.first).get(*with.find("k")).get();
    if (!found)
      return "none";
    auto next = (*found)["n"].if_int();
    if (!next)
      return "no number";
    auto there = in(p.second).get(*next).get();
    return text_of(*found) + (there ? text_of(*there) : "-");
  };
}
run_function count_two(query_parts p) {
  return [=](auto& in, auto&) -> result<std::string> {
    auto a = in(p.first).count(p.which).get(), b = in(p.second).count(p.other).get();
    if (!a || !b)
      return fail((a ? b : a).error());
    return std::to_string(*a) + "+" + std::to_string(*b);
  };
}
run_function decide_by_a_count(query_parts p) {
  return [=](auto& in, auto&) -> result<std::string> {
    if (in(p.first).count(p.which).get().value() % 2 == 1)
      return as_text(in(p.second).first(3));
    return as_text(in(p.second).where(p.other).last(2));
  };
}
run_function find_or_throw(query_parts p) {
  return [=](auto& in, auto&) -> result<std::string> {
    auto one = select(in(p.first), p.selection, p.which).find_one().get();
    if (!one)
      throw std::runtime_error{"none"};
    return text_of(*one);
  };
}
run_function visit_some(query_parts p) {
  return [=](auto& in, auto&) -> result<std::string> {
    std::string text;
    auto seen = select(in(p.first), p.selection, p.which).visit([&](const record_view& r) {
      text += r.key().to_string() + ",";
      return text.size() < 6;
    });
    if (!seen)
      return fail(seen.error());
    return text;
  };
}
run_function first_page(query_parts p) {
  return
      [=](auto& in, auto&) { return as_text(in(p.first).where(p.which).order_by("n").page_of(2)); };
}
/// Absent keys of two buckets.
run_function contain_a_key(query_parts p) {
  return [=](auto& in, auto&) -> result<std::string> {
    return std::string{in(p.first).contains(p.key) ? "a" : "-"} +
           (in(p.second).contains(p.key) ? "b" : "-");
  };
}

} // namespace

reactive_query random_query(reactive_random& random, const std::string& name) {
  reactive_query out{.name = name, .run = {}, .declared = {}, .parameter = {}};
  query_parts p;
  p.first = a_bucket(random);
  p.second = a_bucket(random);
  p.which = random_filter(random, {});
  p.other = random_filter(random, {});
  p.selection = random_selection(random, {});
  p.key = any_of(random, reactive_keys);
  using made_of = run_function (*)(query_parts);
  static constexpr made_of kinds[] = {get_by_parameter,  follow_a_number, count_two,
                                      decide_by_a_count, find_or_throw,   visit_some,
                                      first_page,        contain_a_key};
  const auto kind = static_cast<std::size_t>(any_of(random, 16));
  if (kind >= std::size(kinds))
    return declared_at_random(random, std::move(out));
  if (kind < 2)
    out.parameter = "k";
  out.run = kinds[kind](std::move(p));
  return out;
}

read_filters random_read_filters(reactive_random& random) {
  read_filters out;
  for (int buckets = 1 + any_of(random, 2); buckets > 0; --buckets)
    out.insert_or_assign(a_bucket(random), random_leaf(random, {}));
  return out;
}

std::string reactive_text(const record& r) {
  return r.to_string() + "v" + std::to_string(r.version());
}

std::string reactive_text(const query_value& from) {
  if (auto* text = from.if_a<std::string>())
    return *text;
  if (auto* list = from.if_a<query_list>())
    return list->objects.empty() ? text_of(list->items) : text_of(list->objects);
  if (auto* all = from.if_a<groups>())
    return text_of(*all);
  return text_of(from.as<value>());
}

namespace {
std::string failed_with(errc code) { return "failed with " + std::string{to_string(code)}; }
} // namespace

std::string reactive_outcome(const result<query_value>& from) {
  return from ? reactive_text(*from) : failed_with(from.error().code());
}

result<std::string> reactive_answer(const reactive_query& q, const reactive_view& in,
                                    const object& with) {
  try {
    return q.run(in, with);
  } catch (const reactive_absence& absent) {
    return fail(absent.why);
  }
}

std::string reactive_outcome(const reactive_query& q, const reactive_view& in, const object& with) {
  try {
    auto text = reactive_answer(q, in, with);
    return text ? *text : failed_with(text.error().code());
  } catch (const std::exception&) {
    return failed_with(errc::invalid_argument);
  }
}

} // namespace holdfast::testing
