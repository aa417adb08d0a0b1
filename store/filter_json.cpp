#include <holdfast/store/filter_json.hpp>

#include <holdfast/store/detail/filter_value.hpp>
#include <holdfast/store/detail/json_text.hpp>
#include <holdfast/store/detail/shown.hpp>

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace holdfast {

namespace {

using kind = filter::kind;
using detail::place_in;

tl::unexpected<error> refuse(const std::string& where, std::string what) {
  return fail(errc::invalid_argument, where + ": " + std::move(what));
}

/// Operators that take one value and are named alike everywhere.
constexpr std::array<std::pair<std::string_view, kind>, 9> comparisons{{
    {"$eq", kind::eq},
    {"$differs", kind::ne},
    {"$gt", kind::gt},
    {"$gte", kind::ge},
    {"$lt", kind::lt},
    {"$lte", kind::le},
    {"$contains", kind::contains},
    {"$startsWith", kind::starts_with},
    {"$endsWith", kind::ends_with},
}};

bool is_operators(const value& x) {
  if (x.kind() != value_kind::object || x.as_object().empty())
    return false;
  return std::ranges::all_of(x.as_object(),
                             [](const member& m) { return m.name.starts_with('$'); });
}

result<filter> condition_from(const std::string& field, const value& x, const std::string& where);

result<filter> in_from(const std::string& field, const value& x, const std::string& where) {
  if (x.kind() != value_kind::array)
    return refuse(where, "needs a list of values, not " + std::string{to_string(x.kind())});
  return filter::in(field, x.as_array());
}

result<filter> between_from(const std::string& field, const value& x, const std::string& where) {
  if (x.kind() != value_kind::array)
    return refuse(where, "needs a list of 2 values, not " + std::string{to_string(x.kind())});
  if (x.as_array().size() != 2)
    return refuse(where, "needs a list of 2 values, not " + std::to_string(x.as_array().size()));
  return filter::between(field, x.as_array()[0], x.as_array()[1]);
}

result<filter> operator_from(const std::string& field, const std::string& name, const value& x,
                             const std::string& where) {
  auto known = std::ranges::find(comparisons, name, &std::pair<std::string_view, kind>::first);
  if (known != comparisons.end()) {
    auto op = known->second;
    bool equality = op == kind::eq || op == kind::ne;
    if (x.is_null() && !equality)
      return refuse(where, "needs a value, not null");
    if ((op == kind::starts_with || op == kind::ends_with) && x.kind() != value_kind::string)
      return refuse(where, "needs a text, not " + std::string{to_string(x.kind())});
    return filter::compare(field, op, x);
  }
  if (name == "$in")
    return in_from(field, x, where);
  if (name == "$nin")
    return in_from(field, x, where).map([](filter f) { return !std::move(f); });
  if (name == "$neq")
    return !filter::compare(field, kind::eq, x);
  if (name == "$between")
    return between_from(field, x, where);
  if (name == "$not")
    return condition_from(field, x, where).map([](filter f) { return !std::move(f); });
  if (name != "$exists")
    return refuse(where, "no such operator");
  if (x.kind() != value_kind::boolean)
    return refuse(where, "needs true or false, not " + std::string{to_string(x.kind())});
  return x.as_bool() ? filter::exists(field) : filter::is_null(field);
}

/// What is said about one field: a value to be equal to, or operators.
result<filter> condition_from(const std::string& field, const value& x, const std::string& where) {
  if (!is_operators(x))
    return filter::compare(field, kind::eq, x);
  std::vector<filter> terms;
  for (const auto& [name, operand] : x.as_object()) {
    auto term = operator_from(field, name, operand, place_in(where, name));
    if (!term)
      return term;
    terms.push_back(std::move(*term));
  }
  return filter::all(std::move(terms));
}

using detail::filter_from;

result<std::vector<filter>> list_from(const value& x, const std::string& where) {
  if (x.kind() != value_kind::array)
    return refuse(where, "needs a list of filters, not " + std::string{to_string(x.kind())});
  std::vector<filter> out;
  for (const auto& item : x.as_array()) {
    auto term = filter_from(item, place_in(where, out.size()));
    if (!term)
      return fail(std::move(term.error()));
    out.push_back(std::move(*term));
  }
  return out;
}

result<filter> term_from(const std::string& name, const value& x, const std::string& where) {
  if (name == "$and")
    return list_from(x, where).map(filter::all);
  if (name == "$or")
    return list_from(x, where).map(filter::any);
  if (name == "$not")
    return filter_from(x, where).map([](filter f) { return !std::move(f); });
  if (name.starts_with('$'))
    return refuse(where, "no such operator");
  if (name.empty())
    return refuse(where, "the name of the field is empty");
  return condition_from(name, x, where);
}

} // namespace

result<filter> detail::filter_from(const value& x, const std::string& where) {
  if (x.kind() != value_kind::object)
    return refuse(where, "needs an object, not " + std::string{to_string(x.kind())});
  std::vector<filter> terms;
  for (const auto& [name, content] : x.as_object()) {
    auto term = term_from(name, content, place_in(where, name));
    if (!term)
      return term;
    terms.push_back(std::move(*term));
  }
  return filter::all(std::move(terms));
}

result<filter> filter_from_json(std::string_view text, const json_limits& limits) {
  auto parsed = detail::parse_json(text, "filter", limits);
  if (!parsed)
    return fail(std::move(parsed.error()));
  return filter_from(*parsed, "filter");
}

namespace {

/// The operator of a leaf with its operand, the negation aside.
member operator_of(const filter& leaf) {
  auto operands = [&] { return array(leaf.operands().begin(), leaf.operands().end()); };
  if (leaf.op() == kind::in)
    return {leaf.negated() ? "$nin" : "$in", operands()};
  if (leaf.op() == kind::eq && leaf.negated())
    return {"$neq", leaf.operands()[0]};
  if (leaf.op() == kind::between)
    return {"$between", operands()};
  if (leaf.op() == kind::is_null || leaf.op() == kind::exists)
    return {"$exists", leaf.op() == kind::exists};
  auto named =
      std::ranges::find(comparisons, leaf.op(), &std::pair<std::string_view, kind>::second);
  return {std::string{named->first}, leaf.operands()[0]};
}

/// What an operator object says of a leaf.
member condition_of(const filter& leaf) {
  auto out = operator_of(leaf);
  if (!leaf.negated() || leaf.op() == kind::in || leaf.op() == kind::eq)
    return out;
  object inner;
  inner.set(out.name, std::move(out.content));
  return {"$not", std::move(inner)};
}

/// Whether a leaf can be said as `field: value`.
bool is_plain(const filter& leaf) {
  return !leaf.negated() &&
         (leaf.op() == kind::is_null ||
          (leaf.op() == kind::eq && leaf.operands()[0].kind() != value_kind::object));
}

using detail::json_of;

value list_of(const filter& f) {
  array out;
  for (const auto& term : f.terms())
    out.push_back(json_of(term));
  return out;
}

/// The terms as members of one object, if that keeps their order: leaves of one field stand next to
/// each other and say different things.
std::optional<object> members_of(std::span<const filter> terms) {
  object out;
  std::set<std::string_view> names; // there may be thousands
  for (std::size_t i = 0; i < terms.size();) {
    if (!terms[i].is_leaf()) {
      if (!names.insert("$or").second)
        return std::nullopt;
      out.append("$or", list_of(terms[i++]));
      continue;
    }
    const auto& field = terms[i].field();
    auto end = i;
    while (end < terms.size() && terms[end].is_leaf() && terms[end].field() == field)
      ++end;
    if (field.starts_with('$') || field.empty() || !names.insert(field).second)
      return std::nullopt;
    if (end - i == 1 && is_plain(terms[i])) {
      out.append(field, terms[i].op() == kind::is_null ? value{} : terms[i].operands()[0]);
    } else {
      object operators;
      for (auto at = i; at < end; ++at) {
        auto [name, content] = condition_of(terms[at]);
        if (operators.contains(name))
          return std::nullopt;
        operators.set(name, std::move(content));
      }
      out.append(field, std::move(operators));
    }
    i = end;
  }
  return out;
}

} // namespace

value detail::json_of(const filter& f) {
  object out;
  if (f.op() == kind::any_of) {
    out.set("$or", list_of(f));
  } else if (f.is_leaf()) {
    bool plain = is_plain(f);
    if (plain)
      out.set(f.field(), f.op() == kind::is_null ? value{} : f.operands()[0]);
    else
      out.set(f.field(), object{condition_of(f)});
  } else if (auto members = members_of(f.terms())) {
    out = std::move(*members);
  } else {
    out.set("$and", list_of(f));
  }
  return out;
}

std::string to_json(const filter& which) { return detail::print_json(json_of(which)); }

} // namespace holdfast
