#include <holdfast/store/schema.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>

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
         a.references == b.references && a.properties == b.properties && !a.items == !b.items &&
         (!a.items || *a.items == *b.items) && !a.default_function == !b.default_function &&
         !a.validator == !b.validator;
}

bool operator==(const schema& a, const schema& b) {
  return a.name_ == b.name_ && a.key_ == b.key_ && a.fields_ == b.fields_ &&
         a.indexes_ == b.indexes_ && a.ordered_ == b.ordered_ && a.closed_ == b.closed_ &&
         a.persistent_ == b.persistent_ && a.expire_after_ == b.expire_after_ &&
         a.capacity_ == b.capacity_ && a.eviction_ == b.eviction_ &&
         a.bad_duration_ == b.bad_duration_ && !a.validator_ == !b.validator_;
}

field_spec& field_spec::property(std::string name, field_spec spec) {
  options_.properties.push_back({std::move(name), spec.options()});
  return *this;
}

field_spec& field_spec::items(const field_spec& spec) {
  options_.items = std::make_shared<const field_options>(spec.options());
  return *this;
}

std::string_view to_string(evict policy) noexcept {
  switch (policy) {
  case evict::oldest:
    return "oldest";
  case evict::least_recently_used:
    return "least_recently_used";
  }
  return "unknown";
}

result<std::chrono::milliseconds> parse_duration(std::string_view text) {
  auto refuse = [&] {
    return fail(errc::invalid_argument, "duration: " + value(text.substr(0, 40)).to_string() +
                                            " is not a number with a unit of s, m, h or d");
  };
  double number = 0;
  auto [end, status] =
      std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  auto unit = text.substr(static_cast<std::size_t>(end - text.data()));
  if (status != std::errc{} || !std::isfinite(number) || number < 0)
    return refuse();
  if (unit.size() == 2 && unit.front() == ' ')
    unit.remove_prefix(1);
  if (unit.size() != 1)
    return refuse();
  constexpr std::string_view units = "smhd";
  constexpr double milliseconds[] = {1e3, 60e3, 3600e3, 86400e3};
  auto at = units.find(unit.front());
  if (at == units.npos)
    return refuse();
  auto total = number * milliseconds[at];
  if (total > 1e15)
    return refuse();
  return std::chrono::milliseconds{std::llround(total)};
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
  return index(std::vector<std::string>{std::move(field)});
}

schema& schema::inverted_index(std::string field) {
  indexes_.push_back({{std::move(field)}, true});
  return *this;
}

schema& schema::index(std::initializer_list<std::string> fields) {
  return index(std::vector<std::string>(fields));
}

schema& schema::index(std::vector<std::string> fields) {
  const auto behind = std::ranges::find(indexes_, true, &index_definition::inverted);
  indexes_.insert(behind, {std::move(fields)});
  return *this;
}

schema& schema::expire_after(std::chrono::milliseconds how_long) {
  expire_after_ = how_long;
  bad_duration_.clear();
  return *this;
}

schema& schema::expire_after(std::string_view text) {
  if (auto parsed = parse_duration(text))
    return expire_after(*parsed);
  expire_after_.reset();
  bad_duration_ = text.empty() ? " " : text;
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
  if (o.validator)
    text += " validated by a function";
  const char* separator = " {";
  for (auto& p : o.properties)
    text += std::exchange(separator, ", ") + p.name + ": " + describe(p.options);
  text += o.properties.empty() ? "" : "}";
  if (o.items)
    text += " of " + describe(*o.items);
  return text;
}

} // namespace

std::string schema::to_string() const {
  std::string text = "bucket " + name_;
  text += ordered_ ? " ordered" : "";
  text += closed_ ? " closed" : "";
  text += persistent_ ? "" : " not persistent";
  if (expire_after_)
    text += " expire_after " + std::to_string(expire_after_->count()) + " ms";
  if (capacity_)
    text += " capacity " + std::to_string(*capacity_) + " evict " +
            std::string(holdfast::to_string(eviction_));
  text += validator_ ? " validated by a function" : "";
  for (auto& f : fields_)
    text += "\n  " + std::string(f.name == key_ ? "key " : "field ") + f.name + ": " +
            describe(f.options);
  for (auto& index : indexes_) {
    const char* separator = index.inverted ? "\n  inverted index " : "\n  index ";
    for (auto& name : index.fields)
      text += std::exchange(separator, ", ") + name;
  }
  return text;
}

} // namespace holdfast
