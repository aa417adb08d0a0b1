#include <holdfast/store/filter_json.hpp>

#include <holdfast/store/detail/filter_value.hpp>
#include <holdfast/store/detail/json_text.hpp>
#include <holdfast/store/detail/shown.hpp>

#include <algorithm>
#include <cstdint>
#include <utility>

namespace holdfast {

namespace {

tl::unexpected<error> refuse(const std::string& where, std::string what) {
  return fail(errc::invalid_argument, where + ": " + std::move(what));
}

std::string name_of(const value& x) { return std::string{to_string(x.kind())}; }

result<std::uint64_t> count_from(const value& x, const std::string& where) {
  if (!value_view{x}.if_int())
    return refuse(where,
                  "needs a whole number, not " + (x.is_number() ? x.to_string() : name_of(x)));
  if (x.as_int() < 0)
    return refuse(where, x.to_string() + " is below the minimum 0");
  return static_cast<std::uint64_t>(x.as_int());
}

/// A list of things, of which a single one may stand alone.
array list_of(const value& x) { return x.kind() == value_kind::array ? x.as_array() : array{x}; }

result<order_term> term_from(const value& x, const std::string& where) {
  if (x.kind() == value_kind::string)
    return order_term{x.as_string()};
  if (x.kind() != value_kind::object)
    return refuse(where, "needs a field or an object, not " + name_of(x));
  order_term out;
  for (const auto& [name, content] : x.as_object()) {
    auto at = detail::place_in(where, name);
    if (name != "field" && name != "direction")
      return refuse(at, "no such part");
    if (content.kind() != value_kind::string)
      return refuse(at, "needs a text, not " + name_of(content));
    if (name == "field")
      out.field = content.as_string();
    else if (content == "asc" || content == "desc")
      out.way = content == "asc" ? direction::ascending : direction::descending;
    else
      return refuse(at, "needs \"asc\" or \"desc\", not " + detail::shown(content));
  }
  if (out.field.empty())
    return refuse(where, "names no field");
  return out;
}

result<void> add_order(query& to, const value& x, const std::string& where) {
  std::size_t position = 0;
  for (const auto& item : list_of(x)) {
    auto term = term_from(item, detail::place_in(where, position++));
    if (!term)
      return fail(std::move(term.error()));
    to.then_by(term->field, term->way);
  }
  return {};
}

result<void> add_fields(query& to, const value& x, const std::string& where) {
  std::vector<field_name> names;
  for (const auto& item : list_of(x)) {
    if (item.kind() != value_kind::string)
      return refuse(detail::place_in(where, names.size()), "needs a text, not " + name_of(item));
    names.emplace_back(item.as_string());
  }
  to.fields(std::move(names));
  return {};
}

result<void> add_part(query& to, const std::string& name, const value& x) {
  auto where = detail::place_in("query", name);
  if (name == "filter") {
    auto which = detail::filter_from(x, where);
    if (!which)
      return fail(std::move(which.error()));
    to.where(std::move(*which));
    return {};
  }
  if (name == "sort")
    return add_order(to, x, where);
  if (name == "fields")
    return add_fields(to, x, where);
  if (name != "offset" && name != "limit")
    return refuse(where, "no such part");
  auto count = count_from(x, where);
  if (!count)
    return fail(std::move(count.error()));
  name == "offset" ? to.offset(*count) : to.limit(*count);
  return {};
}

} // namespace

result<query> query_from_json(std::string_view text, const json_limits& limits) {
  auto parsed = detail::parse_json(text, "query", limits);
  if (!parsed)
    return fail(std::move(parsed.error()));
  if (parsed->kind() != value_kind::object)
    return refuse("query", "needs an object, not " + name_of(*parsed));
  query out;
  for (const auto& [name, content] : parsed->as_object())
    if (auto ok = add_part(out, name, content); !ok)
      return fail(std::move(ok.error()));
  return out;
}

namespace {

/// Counts above every number of records there can be are all the same.
value most_count(std::uint64_t n) { return std::min<std::uint64_t>(n, INT64_MAX); }

} // namespace

std::string to_json(const query& q) {
  object out;
  if (!q.which().is_everything())
    out.set("filter", detail::json_of(q.which()));
  if (!q.order().empty()) {
    array order;
    for (const auto& [field, way] : q.order()) {
      object term{{"field", field}};
      term.set("direction", way == direction::ascending ? "asc" : "desc");
      order.push_back(std::move(term));
    }
    out.set("sort", std::move(order));
  }
  if (q.offset() > 0)
    out.set("offset", most_count(q.offset()));
  if (q.limit() != query::unlimited)
    out.set("limit", most_count(q.limit()));
  if (!q.fields().empty()) {
    array names;
    for (const auto& name : q.fields())
      names.push_back(name.text);
    out.set("fields", std::move(names));
  }
  return detail::print_json(out);
}

} // namespace holdfast
