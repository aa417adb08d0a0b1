#include <holdfast/store/live_query.hpp>

#include <holdfast/store/detail/execute.hpp>
#include <holdfast/store/detail/list_edits.hpp>
#include <holdfast/store/detail/match.hpp>
#include <holdfast/store/detail/query_basis.hpp>
#include <holdfast/store/detail/shown.hpp>
#include <holdfast/store/detail/transaction_state.hpp>

#include <algorithm>
#include <limits>
#include <set>

namespace holdfast {

namespace {

constexpr std::string_view before_name = "params.";

std::string_view without_blanks(std::string_view text) {
  const auto first = text.find_first_not_of(' ');
  if (first == text.npos)
    return {};
  return text.substr(first, text.find_last_not_of(' ') + 1 - first);
}

/// The parameter that a value stands for, if it does: "{{ params.name }}", with blanks or without.
std::optional<std::string_view> parameter_in(const value& x) {
  if (x.kind() != value_kind::string)
    return std::nullopt;
  std::string_view text{x.as_string()};
  if (text.size() < 4 || !text.starts_with("{{") || !text.ends_with("}}"))
    return std::nullopt;
  text = without_blanks(text.substr(2, text.size() - 4));
  if (!text.starts_with(before_name))
    return std::nullopt;
  return without_blanks(text.substr(before_name.size()));
}

using parameter_names = std::set<std::string, std::less<>>;

void collect(const value& x, parameter_names& out) {
  if (auto name = parameter_in(x))
    out.emplace(*name);
  else if (x.kind() == value_kind::array)
    for (auto& item : x.as_array())
      collect(item, out);
  else if (x.kind() == value_kind::object)
    for (auto& m : x.as_object())
      collect(m.content, out);
}

void collect(const filter& f, parameter_names& out) {
  for (auto& operand : f.operands())
    collect(operand, out);
  for (auto& term : f.terms())
    collect(term, out);
}

parameter_names parameters_of(const declared_query& q) {
  parameter_names out;
  collect(q.what.which(), out);
  for (auto* name : {&q.offset_parameter, &q.limit_parameter})
    if (!name->empty())
      out.insert(*name);
  return out;
}

std::optional<error> fault_in(std::string_view query, const declared_query& q) {
  const auto refuse = [&](const std::string& what) {
    return error{errc::invalid_argument,
                 detail::shown_name(query) + ": the name of a parameter " + what,
                 {.query = std::string{query}}};
  };
  if (parameters_of(q).contains(""))
    return refuse("is empty");
  for (auto* name : {&q.offset_parameter, &q.limit_parameter})
    if (without_blanks(*name) != *name)
      return refuse("begins or ends with a blank: " + detail::shown(*name));
  return std::nullopt;
}

value filled(const value& x, const object& with) {
  if (auto name = parameter_in(x))
    return *with.find(*name);
  if (x.kind() == value_kind::array) {
    array out;
    for (auto& item : x.as_array())
      out.push_back(filled(item, with));
    return out;
  }
  if (x.kind() == value_kind::object) {
    object out;
    for (auto& m : x.as_object())
      out.append(m.name, filled(m.content, with));
    return out;
  }
  return x;
}

filter filled(const filter& f, const object& with) {
  if (!f.is_leaf()) {
    std::vector<filter> terms;
    for (auto& term : f.terms())
      terms.push_back(filled(term, with));
    return f.op() == filter::kind::all_of ? filter::all(std::move(terms))
                                          : filter::any(std::move(terms));
  }
  std::vector<value> operands;
  for (auto& operand : f.operands())
    operands.push_back(filled(operand, with));
  auto made = [&] {
    switch (f.op()) {
    case filter::kind::in:
      // A parameter may be the whole list.
      if (f.operands().size() == 1 && operands[0].kind() == value_kind::array &&
          parameter_in(f.operands()[0]))
        return filter::in(f.field(), operands[0].as_array());
      return filter::in(f.field(), std::move(operands));
    case filter::kind::between:
      return filter::between(f.field(), operands[0], operands[1]);
    case filter::kind::is_null:
      return filter::is_null(f.field());
    case filter::kind::exists:
      return filter::exists(f.field());
    case filter::kind::all_of:
    case filter::kind::any_of:
    case filter::kind::eq:
    case filter::kind::ne:
    case filter::kind::lt:
    case filter::kind::le:
    case filter::kind::gt:
    case filter::kind::ge:
    case filter::kind::starts_with:
    case filter::kind::contains:
    case filter::kind::ends_with:
      break;
    }
    return filter::compare(f.field(), f.op(), operands[0]);
  }();
  return f.negated() ? !std::move(made) : made;
}

std::optional<error> wrong_count(std::string_view query, const std::string& name,
                                 const object& with) {
  if (name.empty())
    return std::nullopt;
  auto number = value_view{*with.find(name)}.if_int();
  if (number && *number >= 0)
    return std::nullopt;
  return error{errc::invalid_argument, detail::shown_name(query) + "." + detail::shown_name(name) +
                                           ": " + detail::shown(*with.find(name)) +
                                           " is not a whole number of at least 0"};
}

std::optional<error> check_given(const parameter_names& known, const declared_query& q,
                                 std::string_view query, const object& with) {
  for (auto& name : known)
    if (!with.find(name))
      return error{errc::invalid_argument, detail::shown_name(query) + ": the parameter " +
                                               detail::shown_name(name) + " is missing"};
  for (auto& each : with)
    if (!known.contains(each.name))
      return error{errc::invalid_argument, detail::shown_name(query) + ": it has no parameter " +
                                               detail::shown_name(each.name)};
  for (auto* name : {&q.offset_parameter, &q.limit_parameter})
    if (auto wrong = wrong_count(query, *name, with))
      return wrong;
  return std::nullopt;
}

query filled(const declared_query& q, const object& with) {
  query out{filled(q.what.which(), with)};
  for (auto& term : q.what.order())
    out.then_by(term.field, term.way);
  out.fields(q.what.fields()).offset(q.what.offset()).limit(q.what.limit());
  auto count = [&](const std::string& name) {
    return static_cast<std::uint64_t>(value_view{*with.find(name)}.if_int().value_or(0));
  };
  if (!q.offset_parameter.empty())
    out.offset(count(q.offset_parameter));
  if (!q.limit_parameter.empty())
    out.limit(count(q.limit_parameter));
  return out;
}

pending<value> aggregated(const selection& over, const aggregate& what) {
  switch (what.what) {
  case aggregate::function::count:
    break;
  case aggregate::function::sum:
    return over.sum(what.field);
  case aggregate::function::avg:
    return over.avg(what.field);
  case aggregate::function::min:
    return over.min(what.field);
  case aggregate::function::max:
    return over.max(what.field);
  }
  return over.count().map([](std::uint64_t n) { return value{n}; });
}

/// Whether one number is asked for, which needs no groups.
bool is_single(const declared_query& q) {
  return q.aggregates.size() == 1 && q.group_by.empty() &&
         (q.aggregates[0].what != aggregate::function::count || q.aggregates[0].field.empty());
}

/// A list, with those of its records that have deadlines, or of those that are kept of it.
result<query_value> run_list_to_follow(const selection& over, detail::query_basis& basis) {
  const auto cut = detail::is_cut(basis.what) && basis.what.limit() > 0;
  auto found = cut ? over.list_with_more(basis.behind(), basis.first.emplace()) : over.list();
  if (!found)
    return fail(std::move(found.error()));
  for (auto& each : cut ? *basis.first : found->items)
    if (each.expires_at())
      basis.ends->push_back(each);
  if (basis.ends->size() > detail::query_basis::most_ends)
    basis.ends = std::nullopt;
  return query_value::of(std::move(*found));
}

/// Those of a query's records that have deadlines; absent if so many have some in its bucket that
/// they are not even looked through. O(log records + those).
std::optional<records> ending(const detail::transaction_part& part, const query& what) {
  constexpr auto never = std::numeric_limits<std::int64_t>::max();
  if (part.count_ended(part.now(), never) > detail::query_basis::most_ends)
    return std::nullopt;
  const auto which = detail::matcher::bind(what.which(), part.schema().layout());
  records out;
  part.each_ended(part.now(), never, [&](auto& block) {
    if (which && (*which)(block))
      out.push_back(detail::handle_to(&block));
    return true;
  });
  return out;
}

/// With what its value follows from when its records change or end.
result<query_value> run_to_follow(const declared_query& q, const detail::transaction_part& part,
                                  const selection& over, detail::query_basis& basis) {
  basis.what = over.description();
  basis.now = part.now();
  if (q.aggregates.empty())
    return run_list_to_follow(over, basis);
  auto& one = q.aggregates[0];
  const auto extreme = one.what == aggregate::function::min || one.what == aggregate::function::max;
  if (part.has_deadlines()) // each end of the least would be a run, which had to look through them
    basis.ends = extreme ? std::nullopt : ending(part, basis.what);
  const auto averages = one.what == aggregate::function::avg;
  if (!averages && one.what != aggregate::function::sum)
    return detail::to_query_value(aggregated(over, one));
  return over.add_up(one.field).map([&](detail::adder numbers) {
    auto out = query_value::of(averages ? numbers.mean() : numbers.sum());
    basis.numbers = std::move(numbers);
    return out;
  });
}

} // namespace

query_parameter parameter(std::string_view name) {
  return {"{{ " + std::string{before_name}.append(name) + " }}"};
}

namespace detail {

result<query_function> function_of(std::string_view query, declared_query what) {
  if (auto wrong = fault_in(query, what))
    return fail(std::move(*wrong));
  query_function out;
  out.declared = what;
  out.check = [known = parameters_of(what), what](std::string_view called, const object& with) {
    return check_given(known, what, called, with);
  };
  out.run = [what = std::move(what)](query_context& in, const object& with) {
    return run_declared(what, in, with, nullptr);
  };
  return out;
}

result<query_value> run_declared(const declared_query& q, query_context& in, const object& with,
                                 query_basis* basis) {
  auto part = in.state().part(q.bucket);
  if (!part)
    return fail(std::move(part.error()));
  const selection over{*part, filled(q, with)};
  const auto single = is_single(q);
  if (basis && (single || (q.aggregates.empty() && q.group_by.empty())))
    return run_to_follow(q, **part, over, *basis);
  if (single)
    return to_query_value(aggregated(over, q.aggregates[0]));
  if (!q.aggregates.empty() || !q.group_by.empty())
    return to_query_value(over.group_by(q.group_by, q.aggregates));
  return over.list().map([](query_list found) { return query_value::of(std::move(found)); });
}

} // namespace detail
} // namespace holdfast
