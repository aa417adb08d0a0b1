#include <holdfast/store/detail/formats.hpp>
#include <holdfast/store/detail/stored_form.hpp>
#include <holdfast/store/detail/validation_check.hpp>

#include <re2/re2.h>

#include <algorithm>
#include <cmath>

namespace holdfast {

namespace {

using detail::field_rule;
using detail::issue_list;
using detail::limits;
using detail::name_fault;
using detail::shown;

/// Where a field stands.
struct surroundings {
  std::string_view bucket;
  bool closed = false; ///< objects with properties have no other members
  bool is_key = false;
  record_limits allowed = {};
  unsigned level = 0; ///< 0: a field of the record itself

  surroundings within() const { return {bucket, closed, false, allowed, level + 1}; }
};

bool holds_number(field_type type) {
  return type == field_type::number || type == field_type::integer || type == field_type::date;
}

bool holds_collection(field_type type) {
  return type == field_type::array || type == field_type::object;
}

bool can_generate(field_type type, generated_by how) {
  switch (how) {
  case generated_by::nothing:
    return true;
  case generated_by::uuid:
  case generated_by::cuid:
    return type == field_type::string;
  case generated_by::autoincrement:
    return type == field_type::integer || type == field_type::number;
  case generated_by::insertion_time:
    return holds_number(type);
  }
  return false;
}

/// A bound in stored form; null and a violation if it is not of the field's type.
value_view compile_bound(const field_rule& rule, std::string_view word,
                         const std::optional<value>& bound, issue_list& found) {
  if (!bound)
    return {};
  auto stored = detail::stored_form(rule.type, *bound);
  // The bound of an integer field may have a fraction: 1.5 is a bound like any other.
  auto wanted = rule.type == field_type::integer ? field_type::number : rule.type;
  bool fits = holds_number(rule.type) && detail::of_type(wanted, stored) &&
              std::isfinite(stored.as_double());
  if (fits)
    return stored;
  found.add(rule.name, word,
            std::string(word) + " " + shown(*bound) + " does not fit type " +
                std::string(to_string(rule.type)));
  return {};
}

void compile_bounds(field_rule& rule, issue_list& found) {
  auto& o = *rule.options;
  rule.min = compile_bound(rule, "min", o.min, found);
  rule.max = compile_bound(rule, "max", o.max, found);
  rule.has_bounds = !rule.min.is_null() || !rule.max.is_null();
  if (!rule.min.is_null() && !rule.max.is_null() && rule.min > rule.max)
    found.add(rule.name, "min", "min " + shown(*o.min) + " is above max " + shown(*o.max));
}

void compile_text_rules(field_rule& rule, issue_list& found) {
  auto& o = *rule.options;
  rule.format = o.format;
  rule.has_length = o.min_length || o.max_length;
  auto bounded = [](std::size_t n) {
    return static_cast<std::uint32_t>(std::min<std::size_t>(n, ~std::uint32_t{0}));
  };
  rule.min_length = bounded(o.min_length.value_or(0));
  rule.max_length = bounded(o.max_length.value_or(~std::uint32_t{0}));
  if (rule.min_length > rule.max_length)
    found.add(rule.name, "min_length",
              "min_length " + std::to_string(rule.min_length) + " is above max_length " +
                  std::to_string(rule.max_length));
  auto text_only = [&](bool given, std::string_view word) {
    if (given && rule.type != field_type::string)
      found.add(rule.name, word,
                std::string(word) + " does not fit type " + std::string(to_string(rule.type)));
  };
  text_only(o.min_length.has_value(), "min_length");
  text_only(o.max_length.has_value(), "max_length");
  text_only(o.pattern.has_value(), "pattern");
  text_only(o.format != text_format::any, "format");
  if (!o.pattern)
    return;
  re2::RE2::Options quiet;
  quiet.set_log_errors(false);
  auto pattern = std::make_shared<const re2::RE2>(*o.pattern, quiet);
  if (pattern->ok())
    rule.pattern = std::move(pattern);
  else
    found.add(rule.name, "pattern",
              "pattern " + shown(*o.pattern) +
                  " is malformed: " + detail::shortened(pattern->error()));
}

void compile_one_of(field_rule& rule, issue_list& found) {
  if (!rule.options->one_of)
    return;
  if (rule.options->one_of->empty())
    found.add(rule.name, "enum", "one_of lists no value");
  for (auto& given : *rule.options->one_of) {
    auto stored = converted(rule, given);
    if (!detail::encoded_size(stored, limits.record.depth)) {
      found.add(rule.name, "enum", "a one_of value is too deep");
      continue;
    }
    check_content(rule.name, stored, found);
    if (!detail::of_type(rule.type, stored))
      found.add(rule.name, "enum",
                "one_of value " + shown(given) + " does not fit type " +
                    std::string(to_string(rule.type)));
    rule.allowed.push_back(std::move(stored));
  }
  rule.one_of.assign(rule.allowed.begin(), rule.allowed.end());
}

/// Comes last: a default is checked against all the other rules.
void compile_default(field_rule& rule, const surroundings& in, issue_list& found) {
  auto& o = *rule.options;
  if (o.default_value && o.default_function)
    found.add(rule.name, "default", "has both a default value and a default function");
  if (!o.default_value)
    return;
  rule.default_value = converted(rule, *o.default_value);
  auto size = detail::encoded_size(rule.default_value, limits.record.depth);
  if (!size || *size > limits.record.value_bytes) {
    found.add(rule.name, "default", "the default is too deep or too large");
    return;
  }
  issue_list broken(in.bucket, in.allowed.issues);
  check_field(rule, rule.default_value, broken);
  for (auto& fault : broken.all())
    found.add(rule.name, "default",
              "the default breaks the field's own rules (" + fault.message + ")");
}

void check_reference(const field_rule& rule, bool is_key, issue_list& found) {
  auto& to = rule.options->references;
  if (!to)
    return;
  if (auto fault = name_fault(to->bucket); !fault.empty())
    found.add(rule.name, "references", "references a bucket whose name is none: the name " + fault);
  if (rule.type != field_type::string && rule.type != field_type::integer)
    found.add(rule.name, "references",
              "a key is a string or an integer, not type " + std::string(to_string(rule.type)));
  if (to->what == on_delete::set_null && rule.required)
    found.add(rule.name, "references",
              is_key ? "on_delete set_null does not fit a key"
                     : "on_delete set_null does not fit a required field");
  if (rule.options->generated != generated_by::nothing)
    found.add(rule.name, "references", "a generated field cannot refer to another record");
}

field_rule compile_field(const std::string& name, const field_options& o, const surroundings& in,
                         issue_list& found);

void check_names(const std::vector<field_definition>& fields, issue_list& found) {
  std::vector<std::string_view> names;
  for (auto& f : fields)
    names.push_back(f.name);
  std::ranges::sort(names);
  for (auto at = std::ranges::adjacent_find(names); at != names.end();
       at = std::ranges::adjacent_find(std::ranges::upper_bound(names, *at), names.end()))
    found.add(*at, "name", "the field is defined more than once");
}

/// What only a field of the record itself can be.
void check_nested_options(const field_options& o, issue_list& found) {
  auto refuse = [&](bool given, std::string_view word) {
    if (given)
      found.add("", word, std::string(word) + " does not fit a nested field");
  };
  refuse(o.unique, "unique");
  refuse(o.generated != generated_by::nothing, "generated");
  refuse(o.default_value || o.default_function, "default");
  refuse(o.references.has_value(), "references");
}

field_rule compile_nested(const std::string& name, const field_options& o, const surroundings& in,
                          issue_list& found) {
  auto rule = compile_field(name, o, in, found);
  issue_list::scope here{found, name};
  check_nested_options(o, found);
  return rule;
}

void compile_properties(field_rule& rule, const surroundings& in, issue_list& found) {
  auto& o = *rule.options;
  if (!o.properties.empty() && rule.type != field_type::object)
    found.add(rule.name, "properties",
              "properties do not fit type " + std::string(to_string(rule.type)));
  if (o.items && rule.type != field_type::array)
    found.add(rule.name, "items", "items do not fit type " + std::string(to_string(rule.type)));
  if ((!o.properties.empty() || o.items) && in.level >= max_nesting)
    return found.add(rule.name, "depth",
                     "nested deeper than the limit " + std::to_string(max_nesting));
  if (o.properties.size() > limits.record.fields)
    return found.add(rule.name, "properties",
                     std::to_string(o.properties.size()) + " properties are above the limit " +
                         std::to_string(limits.record.fields));
  issue_list::scope here{found, rule.name};
  check_names(o.properties, found);
  for (auto& p : o.properties) {
    if (auto fault = detail::field_name_fault(p.name); !fault.empty())
      found.add(p.name, "name", "the name " + fault);
    rule.properties.push_back(compile_nested(p.name, p.options, in.within(), found));
    rule.converts = rule.converts || rule.properties.back().converts;
    rule.validates = rule.validates || rule.properties.back().validates;
  }
  if (o.items) {
    static const std::string nameless;
    issue_list::scope each{found, "[]"};
    rule.items =
        std::make_shared<const field_rule>(compile_nested(nameless, *o.items, in.within(), found));
    rule.converts = rule.items->converts;
    rule.validates = rule.validates || rule.items->validates;
  }
}

/// `name` and `o` outlive the rule.
field_rule compile_field(const std::string& name, const field_options& o, const surroundings& in,
                         issue_list& found) {
  field_rule rule;
  rule.options = &o;
  rule.name = name;
  rule.type = o.type;
  rule.required = o.required || in.is_key;
  rule.fixed = in.is_key || o.generated != generated_by::nothing;
  rule.converts = in.level > 0 && (o.type == field_type::date || o.type == field_type::integer);
  rule.nested = !o.properties.empty() || o.items;
  rule.validates = static_cast<bool>(o.validator);
  rule.closed = in.closed && !o.properties.empty();
  rule.max_bytes = in.is_key ? in.allowed.key_bytes : in.allowed.value_bytes;
  if (!can_generate(o.type, o.generated))
    found.add(rule.name, "generated",
              "generated " + std::string(to_string(o.generated)) + " does not fit type " +
                  std::string(to_string(o.type)));
  if (o.unique && holds_collection(o.type))
    found.add(rule.name, "unique", "unique does not fit type " + std::string(to_string(o.type)));
  compile_bounds(rule, found);
  compile_text_rules(rule, found);
  compile_properties(rule, in, found);
  compile_one_of(rule, found);
  compile_default(rule, in, found);
  check_reference(rule, in.is_key, found);
  return rule;
}

void check_limits(const schema& s, issue_list& found) {
  if (!s.bad_duration().empty())
    found.add("", "expire_after",
              "expire_after " + shown(s.bad_duration()) +
                  " is not a number with a unit of s, m, h or d");
  if (s.expires_after() && s.expires_after()->count() <= 0)
    found.add("", "expire_after",
              "expire_after " + std::to_string(s.expires_after()->count()) +
                  " ms is below the minimum 1 ms");
  if (s.max_records() == 0U)
    found.add("", "capacity", "capacity 0 is below the minimum 1");
}

std::size_t position_of(const schema& s, std::string_view name) {
  auto at = std::ranges::find(s.fields(), name, &field_definition::name);
  return static_cast<std::size_t>(at - s.fields().begin());
}

std::size_t check_key(const schema& s, issue_list& found) {
  auto slot = position_of(s, s.key_name());
  if (s.key_name().empty())
    found.add("", "key", "no key is defined");
  else if (slot == s.fields().size())
    found.add("", "key", "key field " + shown(s.key_name()) + " is not defined");
  else if (auto type = s.fields()[slot].options.type;
           type != field_type::string && type != field_type::integer)
    found.add(s.key_name(), "key",
              "a key is a string or an integer, not type " + std::string(to_string(type)));
  return slot;
}

void check_field_list(const schema& s, issue_list& found) {
  auto& fields = s.fields();
  if (fields.size() > limits.record.fields)
    found.add("", "fields",
              std::to_string(fields.size()) + " fields are above the limit " +
                  std::to_string(limits.record.fields));
  check_names(fields, found);
  auto counters = std::ranges::count_if(
      fields, [](auto& f) { return f.options.generated == generated_by::autoincrement; });
  if (counters > 1)
    found.add("", "generated",
              std::to_string(counters) + " autoincrement fields are above the limit 1");
}

void check_inverted(const schema& s, const std::string& name, issue_list& found) {
  const auto slot = position_of(s, name);
  if (slot == s.fields().size())
    return found.add("", "index", "index field " + shown(name) + " is not defined");
  const auto type = s.fields()[slot].options.type;
  if (type != field_type::string && type != field_type::array)
    found.add(name, "index",
              "an inverted index is over texts or arrays, not type " +
                  std::string(to_string(type)));
}

void check_index(const schema& s, const index_definition& index, issue_list& found) {
  auto& fields = index.fields;
  if (index.inverted && fields.size() == 1)
    return check_inverted(s, fields.front(), found);
  if (fields.empty() || fields.size() > limits.max_index_fields)
    found.add("", "index",
              "an index over " + std::to_string(fields.size()) + " fields is " +
                  (fields.empty() ? "below the minimum 1"
                                  : "above the limit " + std::to_string(limits.max_index_fields)));
  for (auto name = fields.begin(); name != fields.end(); ++name) {
    auto slot = position_of(s, *name);
    if (slot == s.fields().size())
      found.add("", "index", "index field " + shown(*name) + " is not defined");
    else if (auto type = s.fields()[slot].options.type; holds_collection(type))
      found.add(*name, "index", "an index does not fit type " + std::string(to_string(type)));
    if (std::find(fields.begin(), name, *name) != name)
      found.add(*name, "index", "the field stands in the index more than once");
  }
}

void check_indexes(const schema& s, issue_list& found) {
  for (auto index = s.indexes().begin(); index != s.indexes().end(); ++index) {
    check_index(s, *index, found);
    if (!index->fields.empty() && std::find(s.indexes().begin(), index, *index) != index)
      found.add(index->fields.front(), "index", "the index is defined more than once");
  }
}

/// The paths to dates inside of a field.
void add_dates(const field_options& of, const std::string& path, std::vector<std::string>& out) {
  const auto member = [&](const std::string& name, const field_options& what) {
    const auto below = path.empty() ? name : path + "." + name;
    if (what.type == field_type::date)
      out.push_back(below);
    add_dates(what, below, out);
  };
  for (auto& p : of.properties)
    member(p.name, p.options);
  if (of.items)
    member("*", *of.items);
}

detail::index_rule compile_index(const schema& s, const index_definition& index) {
  auto& fields = index.fields;
  detail::index_rule out{fields.front(), position_of(s, fields.front()),
                         index.inverted ? detail::index_type::inverted
                                        : detail::index_type::ordered};
  for (std::size_t i = 1; i < fields.size(); ++i) {
    out.more.push_back(position_of(s, fields[i]));
    out.name += ", " + fields[i];
  }
  if (!out.more.empty())
    out.name = "(" + out.name + ")";
  return out;
}

} // namespace

result<std::shared_ptr<const compiled_schema>> compile(const schema& definition,
                                                       const record_limits& allowed) {
  std::shared_ptr<compiled_schema> made(new compiled_schema(definition, allowed));
  auto& s = made->definition_;
  issue_list found(s.name().empty() ? std::string_view("schema") : std::string_view(s.name()),
                   allowed.issues);
  if (auto fault = name_fault(s.name()); !fault.empty())
    found.add("", "name", "the name " + fault);
  check_field_list(s, found);
  auto key_slot = check_key(s, found);
  std::vector<detail::layout_field> layout;
  for (std::size_t i = 0; i < s.fields().size(); ++i) {
    auto& f = s.fields()[i];
    if (auto fault = detail::field_name_fault(f.name); !fault.empty())
      found.add(f.name, "name", "the name " + fault);
    made->rules_.push_back(compile_field(
        f.name, f.options, {s.name(), s.is_closed(), i == key_slot, allowed, 0}, found));
    if (made->rules_.back().converts)
      made->converted_.push_back(i);
    made->has_validators_ = made->has_validators_ || made->rules_.back().validates;
    layout.push_back({f.name, f.options.type, {}});
    add_dates(f.options, "", layout.back().dates);
    if (f.options.generated != generated_by::nothing || f.options.default_value ||
        f.options.default_function)
      made->filled_.push_back(i);
    if (f.options.unique && i != key_slot)
      made->indexes_.push_back({f.name, i, detail::index_type::unique});
  }
  made->has_validators_ = made->has_validators_ || s.validator();
  check_indexes(s, found);
  check_limits(s, found);
  if (auto fault = found.as_error(errc::invalid_schema))
    return fail(*fault);
  for (auto& index : s.indexes())
    made->indexes_.push_back(compile_index(s, index));
  // Those who refer to a record are found through an index.
  for (std::size_t i = 0; i < made->rules_.size(); ++i)
    if (made->rules_[i].options->references && !made->has_index_over(i))
      made->indexes_.push_back({s.fields()[i].name, i});
  if (s.is_ordered() && !made->has_index_over(key_slot))
    made->indexes_.push_back({s.fields()[key_slot].name, key_slot});
  made->layout_ =
      std::make_shared<const detail::record_layout>(s.name(), std::move(layout), key_slot, allowed);
  return std::shared_ptr<const compiled_schema>(std::move(made));
}

} // namespace holdfast
