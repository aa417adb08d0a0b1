#include <holdfast/store/detail/formats.hpp>
#include <holdfast/store/detail/match.hpp>
#include <holdfast/store/detail/validation_check.hpp>
#include <holdfast/store/detail/value_codec.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace holdfast::detail {

namespace {

using kind = filter::kind;

bool has_item(value_view list, value_view wanted) noexcept {
  for (auto item : list.items())
    if (item == wanted)
      return true;
  return false;
}

bool compares(const bound_node& test, value_view x) noexcept {
  value_view first = test.operands.front();
  switch (test.op) {
  case kind::ne:
    return !x.is_null() && x != first;
  case kind::lt:
    return same_family(x.kind(), first.kind()) && x < first;
  case kind::le:
    return same_family(x.kind(), first.kind()) && x <= first;
  case kind::gt:
    return same_family(x.kind(), first.kind()) && x > first;
  case kind::ge:
    return same_family(x.kind(), first.kind()) && x >= first;
  case kind::between:
    return same_family(x.kind(), first.kind()) && x >= first && x <= value_view{test.operands[1]};
  case kind::starts_with:
    return x.is_string() && x.as_string().starts_with(first.as_string());
  case kind::ends_with:
    return x.is_string() && x.as_string().ends_with(first.as_string());
  case kind::contains:
    return x.is_string() ? test.finder && test.finder->in(x.as_string()) : has_item(x, first);
  default:
    return false;
  }
}

/// Whether a field of this type can ever hold a value of this kind.
bool can_hold(field_type type, value_kind k) noexcept {
  switch (type) {
  case field_type::string:
    return k == value_kind::string;
  case field_type::number:
  case field_type::integer:
  case field_type::date:
    return k == value_kind::integer || k == value_kind::real;
  case field_type::boolean:
    return k == value_kind::boolean;
  case field_type::object:
    return k == value_kind::object;
  case field_type::array:
    return k == value_kind::array;
  }
  return false;
}

tl::unexpected<error> refuse(const filter& leaf, const record_layout& layout, std::string what) {
  return fail(errc::invalid_argument,
              layout.bucket() + "." + shown_place(leaf.field()) + ": " + std::move(what),
              {layout.bucket(), {}, leaf.field()});
}

bool is_about_text(kind op) noexcept {
  return op == kind::starts_with || op == kind::ends_with || op == kind::contains;
}

bool is_about_order(kind op) noexcept {
  return op == kind::lt || op == kind::le || op == kind::gt || op == kind::ge ||
         op == kind::between;
}

bool is_collection(value_kind k) noexcept {
  return k == value_kind::array || k == value_kind::object;
}

/// What can be said of an operand without knowing the field.
result<void> check_operand(const filter& leaf, const value& x, const record_layout& layout) {
  std::string op{to_string(leaf.op())};
  if (x.is_null()) {
    if (leaf.op() == kind::in)
      return {};
    return refuse(leaf, layout, op + " needs a value, not null");
  }
  auto& most = layout.limits();
  const auto size = encoded_size(x, most.depth);
  if (!size)
    return refuse(leaf, layout,
                  op + " has an operand of more than " + std::to_string(most.depth) + " levels");
  if (*size > most.value_bytes)
    return refuse(leaf, layout,
                  op + " has an operand of " + std::to_string(*size) +
                      " bytes, which is above the limit " + std::to_string(most.value_bytes));
  if (x.kind() == value_kind::real && !std::isfinite(x.as_double()))
    return refuse(leaf, layout, op + " cannot compare with " + x.to_string());
  issue_list found{layout.bucket(), most.issues};
  check_content(leaf.field(), x, found);
  if (auto wrong = found.as_error(errc::invalid_argument))
    return refuse(leaf, layout, op + " cannot compare: " + wrong->message());
  return {};
}

/// The operand for a member that may hold anything.
result<void> check_member_operand(const filter& leaf, const value& x, const record_layout& layout) {
  bool needs_text = leaf.op() == kind::starts_with || leaf.op() == kind::ends_with;
  bool fits = needs_text ? x.kind() == value_kind::string
                         : !(is_about_order(leaf.op()) && is_collection(x.kind()));
  if (fits)
    return {};
  return refuse(leaf, layout,
                std::string{to_string(leaf.op())} + " needs " +
                    (needs_text ? "a text" : "a value with an order") + ", not " + shown(x));
}

result<void> check_text_operand(const filter& leaf, const value& x, field_type type,
                                const record_layout& layout) {
  bool finds = leaf.op() == kind::contains;
  if (type == field_type::array && finds)
    return {};
  std::string op{to_string(leaf.op())};
  if (type != field_type::string)
    return refuse(leaf, layout,
                  op + " needs a text " + (finds ? "or array field" : "field") + ", not " +
                      std::string{to_string(type)});
  if (x.kind() != value_kind::string)
    return refuse(leaf, layout, op + " needs a text, not " + shown(x));
  return {};
}

/// The operand for a field of the schema, by its type.
result<void> check_field_operand(const filter& leaf, const value& x, field_type type,
                                 const record_layout& layout) {
  if (is_about_text(leaf.op()))
    return check_text_operand(leaf, x, type, layout);
  if (!x.is_null() && !can_hold(type, x.kind()))
    return refuse(leaf, layout,
                  "never holds " + shown(x) + ", it is of type " + std::string{to_string(type)});
  bool has_order = type != field_type::object && type != field_type::array;
  if (!has_order && is_about_order(leaf.op()))
    return refuse(leaf, layout,
                  std::string{to_string(leaf.op())} + " needs a field with an order, not " +
                      std::string{to_string(type)});
  return {};
}

/// One step of a path: a member by its name, an item by its position.
value_view step(value_view from, std::string_view name) noexcept {
  if (from.kind() != value_kind::array)
    return from[name];
  std::size_t position = 0;
  auto parsed = std::from_chars(name.data(), name.data() + name.size(), position);
  if (parsed.ec != std::errc{} || parsed.ptr != name.data() + name.size())
    return {};
  for (auto item : from.items())
    if (position-- == 0)
      return item;
  return {};
}

/// Whether operands are compared with dates, be it with those in an array.
bool compares_dates(const bound_node& leaf, const record_layout& layout) {
  if (!is_about_text(leaf.op))
    return layout.holds_date(leaf.field.slot, leaf.field.path);
  const auto items = leaf.field.path.empty() ? "0" : std::string{leaf.field.path} + ".0";
  return leaf.op == kind::contains && layout.holds_date(leaf.field.slot, items);
}

} // namespace

bool holds(const bound_node& test, value_view x) noexcept {
  switch (test.op) {
  case kind::is_null:
    return x.is_null() != test.negated;
  case kind::exists:
    return x.is_null() == test.negated;
  case kind::eq:
    return (x == value_view{test.operands.front()}) != test.negated;
  case kind::in: {
    auto same = [&](const value& y) { return x == value_view{y}; };
    return std::ranges::any_of(test.operands, same) != test.negated;
  }
  default:
    return compares(test, x) != test.negated;
  }
}

value_view descend(value_view from, std::string_view path) noexcept {
  while (!from.is_null()) {
    auto dot = path.find('.');
    from = step(from, path.substr(0, dot));
    if (dot == path.npos)
      return from;
    path.remove_prefix(dot + 1);
  }
  return {};
}

result<bound_field> find_field(const record_layout& layout, std::string_view name) {
  auto dot = name.find('.');
  auto slot = layout.find(name.substr(0, dot));
  auto wrong = [&](std::string_view what) {
    return fail(errc::invalid_argument,
                layout.bucket() + "." + shown_place(name) + ": " + std::string{what},
                {layout.bucket(), {}, std::string{name}});
  };
  if (slot == record_layout::npos)
    return wrong("no such field");
  if (dot == name.npos)
    return bound_field{static_cast<std::uint16_t>(slot), {}};
  auto type = layout.type(slot);
  if (type != field_type::object && type != field_type::array)
    return wrong("a field of type " + std::string{to_string(type)} + " has no members");
  if (name.ends_with('.') || name.find("..") != name.npos)
    return wrong("a name in the path is empty");
  return bound_field{static_cast<std::uint16_t>(slot), name.substr(dot + 1)};
}

result<void> matcher::convert_dates(bound_node& leaf, const record_layout& layout) {
  auto is_text = [](const value& x) { return x.kind() == value_kind::string; };
  if (!std::ranges::any_of(leaf.operands, is_text))
    return {};
  auto dates = std::make_unique<std::vector<value>>(leaf.operands.begin(), leaf.operands.end());
  for (auto& x : *dates) {
    if (!is_text(x))
      continue;
    auto ms = parse_iso_date(x.as_string());
    if (!ms)
      return refuse(*leaf.origin, layout, shown(x) + " is not an ISO 8601 date");
    x = *ms;
  }
  leaf.operands = *dates;
  converted_.push_back(std::move(dates));
  return {};
}

result<bound_node> matcher::bind_leaf(const filter& which, const record_layout& layout) {
  auto field = find_field(layout, which.field());
  if (!field)
    return fail(std::move(field.error()));
  auto type = layout.type(field->slot);
  bound_node out{which.op(), which.negated(), *field, 0, which.operands(), &which};
  bool is_member = !field->path.empty();
  if (compares_dates(out, layout))
    if (auto ok = convert_dates(out, layout); !ok)
      return fail(std::move(ok.error()));
  for (const auto& x : out.operands) {
    auto ok = check_operand(which, x, layout);
    if (ok)
      ok = is_member ? check_member_operand(which, x, layout)
                     : check_field_operand(which, x, type, layout);
    if (!ok)
      return fail(std::move(ok.error()));
  }
  if (which.op() == kind::contains && out.operands[0].kind() == value_kind::string) {
    finders_.push_back(std::make_unique<text_finder>(out.operands[0].as_string()));
    out.finder = finders_.back().get();
  }
  return out;
}

result<void> matcher::add(const filter& which, const record_layout& layout, unsigned depth) {
  // Deeper trees would run matching and printing out of stack; larger ones are mistakes, for which
  // every record would pay.
  auto& most = layout.limits();
  operand_count_ += which.is_leaf() ? which.operands().size() : 0;
  const auto refused = [&](std::size_t limit, const char* of) {
    return fail(errc::invalid_argument,
                layout.bucket() + ": the filter has more than " + std::to_string(limit) + of,
                {layout.bucket(), {}, {}});
  };
  if (depth > most.filter_depth)
    return refused(most.filter_depth, " levels");
  if (nodes_.size() >= most.filter_terms)
    return refused(most.filter_terms, " terms");
  if (operand_count_ > most.filter_terms)
    return refused(most.filter_terms, " operands");
  auto at = nodes_.size();
  if (which.is_leaf()) {
    auto leaf = bind_leaf(which, layout);
    if (!leaf)
      return fail(std::move(leaf.error()));
    nodes_.push_back(*leaf);
  } else {
    nodes_.push_back({.op = which.op(), .operands = {}, .origin = &which});
    for (const auto& term : which.terms())
      if (auto ok = add(term, layout, depth + 1); !ok)
        return ok;
  }
  nodes_[at].end = static_cast<std::uint32_t>(nodes_.size());
  return {};
}

result<matcher> matcher::bind(const filter& which, const record_layout& layout) {
  matcher out;
  if (which.is_everything())
    return out;
  if (auto ok = out.add(which, layout, 0); !ok)
    return fail(std::move(ok.error()));
  return out;
}

bool matcher::eval(std::size_t at, const record_block& block) const noexcept {
  const auto& n = nodes_[at];
  if (n.is_leaf())
    return holds(n, field_of(block, n.field));
  bool all = n.op == kind::all_of;
  for (std::size_t i = at + 1; i < n.end; i = nodes_[i].end)
    if (eval(i, block) != all)
      return !all;
  return all;
}

const bound_node* matcher::equality() const noexcept {
  const auto is_one = [](const bound_node& n) {
    return n.op == kind::eq && !n.negated && n.field.path.empty() &&
           n.operands[0].kind() != value_kind::array && n.operands[0].kind() != value_kind::object;
  };
  if (nodes_.empty() || nodes_[0].op == kind::any_of)
    return nullptr;
  for (std::size_t i = nodes_[0].is_leaf() ? 0 : 1; i < nodes_.size(); i = nodes_[i].end)
    if (is_one(nodes_[i]))
      return &nodes_[i];
  return nullptr;
}

void matcher::drop(std::span<const std::uint32_t> terms) {
  if (terms.empty())
    return;
  if (terms.front() == 0)
    return nodes_.clear();
  std::vector<bound_node> kept;
  std::uint32_t gone = 0;
  for (std::uint32_t i = 0; i < nodes_.size();) {
    if (gone < terms.size() && terms[gone] == i) {
      i = nodes_[i].end;
      ++gone;
      continue;
    }
    auto shift = i - static_cast<std::uint32_t>(kept.size());
    kept.push_back(nodes_[i]);
    kept.back().end -= i == 0 ? 0 : shift;
    ++i;
  }
  kept.front().end = static_cast<std::uint32_t>(kept.size());
  if (kept.size() == 1)
    kept.clear();
  nodes_ = std::move(kept);
}

std::string matcher::to_string() const {
  if (nodes_.empty())
    return {};
  if (nodes_.front().is_leaf() || nodes_.front().op == kind::any_of)
    return nodes_.front().origin->to_string();
  std::string out;
  for (std::size_t i = 1; i < nodes_.size(); i = nodes_[i].end) {
    const auto& term = *nodes_[i].origin;
    if (!out.empty())
      out += " and ";
    out += term.is_leaf() ? term.to_string() : '(' + term.to_string() + ')';
  }
  return out;
}

} // namespace holdfast::detail
