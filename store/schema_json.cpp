#include <holdfast/store/schema_json.hpp>

#include <holdfast/store/detail/json_text.hpp>
#include <holdfast/store/detail/shown.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <utility>

namespace holdfast {
namespace {

using detail::place_in;
using detail::print_json;
using detail::shown;

/// Thrown within this file only: reading is a descent with many ends.
struct refusal {
  std::string where, what;
};
[[noreturn]] void refuse(std::string where, std::string what) {
  throw refusal{std::move(where), std::move(what)};
}

/// One object of the text, read name by name; what nobody asked for is refused at the end.
class reader {
public:
  reader(std::string where, const value& v) : where_{std::move(where)} {
    if (v.kind() != value_kind::object)
      refuse(where_, "needs an object, not " + std::string{to_string(v.kind())});
    of_ = &v.as_object();
  }

  std::string at(std::string_view name) const { return place_in(where_, name); }
  const value* find(std::string_view name) {
    known_.push_back(name);
    return of_->find(name);
  }
  const value& need(std::string_view name) {
    auto* v = find(name);
    if (!v)
      refuse(where_, "has no \"" + std::string{name} + "\"");
    return *v;
  }
  bool flag(std::string_view name, bool otherwise) {
    auto* v = find(name);
    if (!v)
      return otherwise;
    if (v->kind() != value_kind::boolean)
      refuse(at(name), "needs true or false, not " + shown(*v));
    return v->as_bool();
  }
  std::string text(std::string_view name, const value& v) const {
    if (v.kind() != value_kind::string)
      refuse(at(name), "needs a text, not " + shown(v));
    return v.as_string();
  }
  std::uint64_t whole(std::string_view name, const value& v) const {
    if (v.kind() != value_kind::integer || v.as_int() < 0)
      refuse(at(name), "needs a whole number from 0 on, not " + shown(v));
    return static_cast<std::uint64_t>(v.as_int());
  }
  template <class E>
  E one_of(std::string_view name, const value& v, std::initializer_list<E> all) const {
    auto given = text(name, v);
    std::string names;
    for (auto e : all) {
      if (spelled(e) == given)
        return e;
      names += (names.empty() ? "" : ", ") + std::string{spelled(e)};
    }
    refuse(at(name), shown(v) + " is not one of " + names);
  }
  void end() const {
    for (auto& m : *of_)
      if (std::ranges::find(known_, m.name) == known_.end())
        refuse(where_, shown(m.name) + " is not known here");
  }

  template <class E>
  static std::string_view spelled(E e) {
    return to_string(e);
  }
  static std::string_view spelled(text_format f) {
    return f == text_format::iso_date ? "iso-date" : to_string(f);
  }

private:
  std::string where_;
  const object* of_;
  std::vector<std::string_view> known_;
};

field_options field_from(const std::string& where, const value& v, unsigned level);

void read_text_rules(reader& in, field_options& o) {
  if (auto* v = in.find("minLength"))
    o.min_length = in.whole("minLength", *v);
  if (auto* v = in.find("maxLength"))
    o.max_length = in.whole("maxLength", *v);
  if (auto* v = in.find("pattern"))
    o.pattern = in.text("pattern", *v);
  if (auto* v = in.find("format"))
    o.format =
        in.one_of("format", *v, {text_format::email, text_format::url, text_format::iso_date});
}

void read_reference(reader& in, field_options& o) {
  auto* to = in.find("ref");
  auto* what = in.find("onDelete");
  if (what && !to)
    refuse(in.at("onDelete"), "makes no sense without \"ref\"");
  if (!to)
    return;
  o.references = reference{in.text("ref", *to)};
  if (what)
    o.references->what = in.one_of("onDelete", *what,
                                   {on_delete::restrict, on_delete::cascade, on_delete::set_null});
}

void read_nested(reader& in, field_options& o, unsigned level) {
  auto* properties = in.find("properties");
  auto* items = in.find("items");
  if ((properties || items) && level >= max_nesting)
    refuse(in.at(properties ? "properties" : "items"),
           "nested deeper than the limit " + std::to_string(max_nesting));
  if (properties) {
    if (properties->kind() != value_kind::object)
      refuse(in.at("properties"), "needs an object, not " + shown(*properties));
    for (auto& m : properties->as_object())
      o.properties.push_back(
          {m.name, field_from(place_in(in.at("properties"), m.name), m.content, level + 1)});
  }
  if (items)
    o.items = std::make_shared<const field_options>(field_from(in.at("items"), *items, level + 1));
}

field_options field_from(const std::string& where, const value& v, unsigned level) {
  reader in{where, v};
  field_options o;
  o.type =
      in.one_of("type", in.need("type"),
                {field_type::string, field_type::number, field_type::integer, field_type::boolean,
                 field_type::object, field_type::array, field_type::date});
  o.required = in.flag("required", false);
  o.unique = in.flag("unique", false);
  if (auto* x = in.find("generated"))
    o.generated = in.one_of("generated", *x,
                            {generated_by::uuid, generated_by::cuid, generated_by::autoincrement,
                             generated_by::insertion_time});
  if (auto* x = in.find("default"))
    o.default_value = *x;
  if (auto* x = in.find("enum")) {
    if (x->kind() != value_kind::array)
      refuse(in.at("enum"), "needs a list of values, not " + shown(*x));
    o.one_of = x->as_array();
  }
  if (auto* x = in.find("min"))
    o.min = *x;
  if (auto* x = in.find("max"))
    o.max = *x;
  read_text_rules(in, o);
  read_reference(in, o);
  read_nested(in, o, level);
  in.end();
  return o;
}

void read_inverted_indexes(reader& in, schema& s) {
  auto* list = in.find("invertedIndexes");
  if (!list)
    return;
  if (list->kind() != value_kind::array)
    refuse(in.at("invertedIndexes"), "needs a list, not " + shown(*list));
  for (auto& each : list->as_array())
    s.inverted_index(in.text("invertedIndexes", each));
}

void read_indexes(reader& in, schema& s) {
  auto* list = in.find("indexes");
  if (!list)
    return;
  if (list->kind() != value_kind::array)
    refuse(in.at("indexes"), "needs a list, not " + shown(*list));
  for (auto& each : list->as_array()) {
    std::vector<std::string> fields;
    if (each.kind() == value_kind::array)
      for (auto& name : each.as_array())
        fields.push_back(in.text("indexes", name));
    else
      fields.push_back(in.text("indexes", each));
    s.index(std::move(fields));
  }
}

void read_limits(reader& in, schema& s) {
  if (auto* v = in.find("ttl")) {
    if (v->kind() == value_kind::integer)
      s.expire_after(std::chrono::milliseconds{v->as_int()});
    else if (auto parsed = parse_duration(in.text("ttl", *v)))
      s.expire_after(*parsed);
    else
      refuse(in.at("ttl"), shown(*v) + " is not a number with a unit of s, m, h or d");
  }
  auto* most = in.find("maxSize");
  auto* policy = in.find("evict");
  if (policy && !most)
    refuse(in.at("evict"), "makes no sense without \"maxSize\"");
  if (most)
    s.capacity(in.whole("maxSize", *most),
               policy ? in.one_of("evict", *policy, {evict::oldest, evict::least_recently_used})
                      : evict::oldest);
}

schema schema_from(const value& v) {
  reader in{"schema", v};
  schema s{in.text("name", in.need("name"))};
  s.key(in.text("key", in.need("key")));
  auto& fields = in.need("fields");
  if (fields.kind() != value_kind::object)
    refuse(in.at("fields"), "needs an object, not " + shown(fields));
  for (auto& m : fields.as_object())
    s.field(m.name, field_spec{field_from(place_in(in.at("fields"), m.name), m.content, 0)});
  read_indexes(in, s);
  read_inverted_indexes(in, s);
  if (in.flag("ordered", false))
    s.ordered();
  if (in.flag("closed", false))
    s.closed();
  s.persistent(in.flag("persistent", true));
  read_limits(in, s);
  in.end();
  return s;
}

// -- writing

/// A length or count; what is more than an integer can say is as good as the most that it can.
std::int64_t as_json(std::uint64_t count) {
  constexpr auto most = std::numeric_limits<std::int64_t>::max();
  return std::cmp_greater(count, most) ? most : static_cast<std::int64_t>(count);
}

object to_object(const field_options& o) {
  object out{{"type", to_string(o.type)}};
  auto flag = [&](std::string_view name, bool yes) {
    if (yes)
      out.set(name, true);
  };
  auto maybe = [&](std::string_view name, const auto& content) {
    if (content)
      out.set(name, value{*content});
  };
  flag("required", o.required);
  flag("unique", o.unique);
  if (o.generated != generated_by::nothing)
    out.set("generated", to_string(o.generated));
  maybe("default", o.default_value);
  maybe("enum", o.one_of);
  maybe("min", o.min);
  maybe("max", o.max);
  if (o.min_length)
    out.set("minLength", as_json(*o.min_length));
  if (o.max_length)
    out.set("maxLength", as_json(*o.max_length));
  maybe("pattern", o.pattern);
  if (o.format != text_format::any)
    out.set("format", reader::spelled(o.format));
  if (o.references) {
    out.set("ref", o.references->bucket);
    out.set("onDelete", to_string(o.references->what));
  }
  if (!o.properties.empty()) {
    object members;
    for (auto& p : o.properties)
      members.set(p.name, to_object(p.options));
    out.set("properties", std::move(members));
  }
  if (o.items)
    out.set("items", to_object(*o.items));
  return out;
}

/// The parts of the top on a line each, and the fields as well.
void print_lines(std::string& out, const object& members, std::string_view indent) {
  const char* separator = "\n";
  out += "{";
  for (auto& m : members) {
    out.append(std::exchange(separator, ",\n")).append(indent);
    out.append(print_json(m.name)).append(": ");
    if (m.name == "fields" && indent.size() == 2)
      print_lines(out, m.content.as_object(), "    ");
    else
      out.append(print_json(m.content));
  }
  out.append("\n").append(indent.substr(2)).append("}");
}

} // namespace

result<schema> schema_from_json(std::string_view text, const json_limits& limits) {
  auto parsed = detail::parse_json(text, "schema", limits);
  if (!parsed)
    return fail(std::move(parsed.error()));
  try {
    return schema_from(*parsed);
  } catch (const refusal& r) {
    return fail(errc::invalid_argument, r.where + ": " + r.what);
  }
}

std::string to_json(const schema& definition) {
  object top{{"name", definition.name()}, {"key", definition.key_name()}};
  object fields;
  for (auto& f : definition.fields())
    fields.set(f.name, to_object(f.options));
  top.set("fields", std::move(fields));
  array indexes, inverted;
  for (auto& index : definition.indexes()) {
    if (index.inverted)
      inverted.push_back(index.fields.front());
    else if (index.fields.size() == 1)
      indexes.push_back(index.fields.front());
    else
      indexes.push_back(array(index.fields.begin(), index.fields.end()));
  }
  if (!indexes.empty())
    top.set("indexes", std::move(indexes));
  if (!inverted.empty())
    top.set("invertedIndexes", std::move(inverted));
  if (definition.is_ordered())
    top.set("ordered", true);
  if (definition.is_closed())
    top.set("closed", true);
  if (!definition.is_persistent())
    top.set("persistent", false);
  if (definition.expires_after())
    top.set("ttl", definition.expires_after()->count());
  if (definition.max_records()) {
    top.set("maxSize", as_json(*definition.max_records()));
    top.set("evict", to_string(definition.eviction()));
  }
  std::string out;
  print_lines(out, top, "  ");
  return out + "\n";
}

} // namespace holdfast
