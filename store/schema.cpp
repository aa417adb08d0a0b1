#include <holdfast/store/schema.hpp>

namespace holdfast {

std::string_view to_string(generated_by how) noexcept {
  switch (how) {
  case generated_by::nothing:
    return "nothing";
  case generated_by::uuid:
    return "uuid";
  case generated_by::cuid:
    return "cuid";
  case generated_by::autoincrement:
    return "autoincrement";
  case generated_by::insertion_time:
    return "timestamp";
  }
  return "unknown";
}

std::string_view to_string(text_format format) noexcept {
  switch (format) {
  case text_format::any:
    return "any";
  case text_format::email:
    return "email";
  case text_format::url:
    return "url";
  case text_format::iso_date:
    return "iso_date";
  }
  return "unknown";
}

std::string_view to_string(on_delete what) noexcept {
  switch (what) {
  case on_delete::restrict:
    return "restrict";
  case on_delete::cascade:
    return "cascade";
  case on_delete::set_null:
    return "set_null";
  }
  return "unknown";
}

bool operator==(const field_options& a, const field_options& b) {
  return a.type == b.type && a.required == b.required && a.unique == b.unique &&
         a.generated == b.generated && a.format == b.format && a.min == b.min && a.max == b.max &&
         a.min_length == b.min_length && a.max_length == b.max_length && a.pattern == b.pattern &&
         a.one_of == b.one_of && a.default_value == b.default_value &&
         a.references == b.references && !a.default_function == !b.default_function;
}

schema& schema::key(std::string name, field_spec spec) {
  key_ = name;
  return field(std::move(name), std::move(spec));
}

schema& schema::field(std::string name, field_spec spec) {
  fields_.push_back({std::move(name), spec.options()});
  return *this;
}

schema& schema::index(std::string field) {
  indexes_.push_back({{std::move(field)}});
  return *this;
}

namespace {

std::string describe(const field_options& o) {
  std::string text{to_string(o.type)};
  auto add = [&](std::string_view word, const auto& maybe, auto&& show) {
    if (maybe)
      text += " " + std::string(word) + " " + show(*maybe);
  };
  auto shown = [](const value& v) { return v.to_string(); };
  auto counted = [](std::size_t n) { return std::to_string(n); };
  if (o.required)
    text += " required";
  if (o.unique)
    text += " unique";
  if (o.generated != generated_by::nothing)
    text += " generated " + std::string(to_string(o.generated));
  if (o.format != text_format::any)
    text += " format " + std::string(to_string(o.format));
  add("min", o.min, shown);
  add("max", o.max, shown);
  add("min_length", o.min_length, counted);
  add("max_length", o.max_length, counted);
  add("pattern", o.pattern, [](const std::string& p) { return value(p).to_string(); });
  add("one_of", o.one_of, [](const std::vector<value>& all) { return value(all).to_string(); });
  add("otherwise", o.default_value, shown);
  if (o.default_function)
    text += " otherwise a function";
  if (o.references)
    text += " references " + o.references->bucket + " on_delete " +
            std::string(to_string(o.references->what));
  return text;
}

} // namespace

std::string schema::to_string() const {
  std::string text = "bucket " + name_;
  text += ordered_ ? " ordered" : "";
  text += closed_ ? " closed" : "";
  text += persistent_ ? "" : " not persistent";
  for (auto& f : fields_)
    text += "\n  " + std::string(f.name == key_ ? "key " : "field ") + f.name + ": " +
            describe(f.options);
  for (auto& index : indexes_) {
    const char* separator = "\n  index ";
    for (auto& name : index.fields)
      text += std::exchange(separator, ", ") + name;
  }
  return text;
}

} // namespace holdfast
