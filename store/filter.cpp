#include <holdfast/store/filter.hpp>

#include <algorithm>
#include <iterator>
#include <utility>

namespace holdfast {

namespace {

using kind = filter::kind;

std::vector<value> one(value x) {
  std::vector<value> out;
  out.push_back(std::move(x));
  return out;
}

void append_operands(const filter& f, std::string& out) {
  if (f.op() == kind::between) {
    out += f.operands()[0].to_string() + " and " + f.operands()[1].to_string();
    return;
  }
  if (f.op() != kind::in) {
    out += f.operands()[0].to_string();
    return;
  }
  out += '(';
  for (std::size_t i = 0; i < f.operands().size(); ++i) {
    if (i > 0)
      out += ", ";
    out += f.operands()[i].to_string();
  }
  out += ')';
}

void append_leaf(const filter& f, std::string& out) {
  if (f.negated())
    out += "not ";
  out += f.field();
  out += ' ';
  out += to_string(f.op());
  if (f.op() == kind::is_null || f.op() == kind::exists)
    return;
  out += ' ';
  append_operands(f, out);
}

void append(const filter& f, std::string& out) {
  if (f.is_leaf())
    return append_leaf(f, out);
  bool conjunction = f.op() == kind::all_of;
  if (f.terms().empty()) {
    out += conjunction ? "everything" : "nothing";
    return;
  }
  for (std::size_t i = 0; i < f.terms().size(); ++i) {
    if (i > 0)
      out += conjunction ? " and " : " or ";
    auto& term = f.terms()[i];
    bool nested = !term.is_leaf() && !term.terms().empty();
    if (nested)
      out += '(';
    append(term, out);
    if (nested)
      out += ')';
  }
}

} // namespace

filter::filter(std::string_view field, kind op, std::vector<value> operands)
    : op_{op}, field_{field}, operands_(std::move(operands)) {}

filter filter::compare(std::string_view field, kind op, value operand) {
  if (operand.is_null() && op == kind::eq)
    return is_null(field);
  if (operand.is_null() && op == kind::ne)
    return exists(field);
  return {field, op, one(std::move(operand))};
}

filter filter::in(std::string_view field, std::vector<value> operands) {
  return {field, kind::in, std::move(operands)};
}

filter filter::between(std::string_view field, value low, value high) {
  auto operands = one(std::move(low));
  operands.push_back(std::move(high));
  return {field, kind::between, std::move(operands)};
}

filter filter::is_null(std::string_view field) { return {field, kind::is_null, {}}; }

filter filter::exists(std::string_view field) { return {field, kind::exists, {}}; }

filter filter::starts_with(std::string_view field, std::string_view prefix) {
  return {field, kind::starts_with, one(value{std::string{prefix}})};
}

filter filter::contains(std::string_view field, value part) {
  return {field, kind::contains, one(std::move(part))};
}

filter filter::ends_with(std::string_view field, std::string_view suffix) {
  return {field, kind::ends_with, one(value{std::string{suffix}})};
}

/// Terms that have the same operator give way to their own; those that change nothing are left out.
filter filter::join(kind op, std::vector<filter> terms) {
  filter out;
  out.op_ = op;
  out.terms_.reserve(terms.size());
  for (auto& x : terms) {
    if (x.op_ != op)
      out.terms_.push_back(std::move(x));
    else
      std::ranges::move(x.terms_, std::back_inserter(out.terms_));
  }
  if (out.terms_.size() != 1)
    return out;
  auto only = std::move(out.terms_.front());
  return only;
}

filter filter::all(std::vector<filter> terms) { return join(kind::all_of, std::move(terms)); }

filter filter::any(std::vector<filter> terms) { return join(kind::any_of, std::move(terms)); }

namespace {

std::vector<filter> two(filter a, filter b) {
  std::vector<filter> out;
  out.reserve(2);
  out.push_back(std::move(a));
  out.push_back(std::move(b));
  return out;
}

} // namespace

filter operator&&(filter a, filter b) { return filter::all(two(std::move(a), std::move(b))); }

filter operator||(filter a, filter b) { return filter::any(two(std::move(a), std::move(b))); }

filter operator!(filter a) {
  switch (a.op_) {
  case kind::all_of:
  case kind::any_of:
    a.op_ = a.op_ == kind::all_of ? kind::any_of : kind::all_of;
    for (auto& term : a.terms_)
      term = !std::move(term);
    break;
  case kind::is_null:
    a.op_ = kind::exists;
    break;
  case kind::exists:
    a.op_ = kind::is_null;
    break;
  default:
    a.negated_ = !a.negated_;
  }
  return a;
}

bool operator==(const filter& a, const filter& b) {
  return a.op_ == b.op_ && a.negated_ == b.negated_ && a.field_ == b.field_ &&
         a.operands_ == b.operands_ && a.terms_ == b.terms_;
}

std::string filter::to_string() const {
  std::string out;
  append(*this, out);
  return out;
}

std::string_view to_string(filter::kind op) noexcept {
  switch (op) {
  case kind::all_of:
    return "and";
  case kind::any_of:
    return "or";
  case kind::eq:
    return "==";
  case kind::ne:
    return "!=";
  case kind::lt:
    return "<";
  case kind::le:
    return "<=";
  case kind::gt:
    return ">";
  case kind::ge:
    return ">=";
  case kind::in:
    return "in";
  case kind::between:
    return "between";
  case kind::is_null:
    return "is null";
  case kind::exists:
    return "exists";
  case kind::starts_with:
    return "starts_with";
  case kind::contains:
    return "contains";
  case kind::ends_with:
    return "ends_with";
  }
  return "?";
}

} // namespace holdfast
