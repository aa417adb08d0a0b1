#include <holdfast/store/codec.hpp>

#include <holdfast/store/detail/validation_rules.hpp>

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <proto/schema.pb.h>

#include <stdexcept>

// Definitions are written seldom, so the generated classes do it, and deterministically: equal
// definitions have equal bytes.

namespace holdfast::codec {

namespace {

constexpr std::uint32_t known_format = 1;

/// Says why bytes are refused; caught in `decode_schema`, never leaves this file.
struct refusal {
  errc code;
  std::string why;
};

[[noreturn]] void refuse(std::string why) { throw refusal{errc::corrupt, std::move(why)}; }

template <class Message>
void set_kind(Message& to, value_view v);

void set_value(proto::Value& to, value_view v) { set_kind(to, v); }

template <class Message>
void set_kind(Message& to, value_view v) {
  switch (v.kind()) {
  case value_kind::null:
    return;
  case value_kind::boolean:
    to.set_boolean(v.as_bool());
    return;
  case value_kind::integer:
    to.set_integer(v.as_int());
    return;
  case value_kind::real:
    to.set_real(v.as_double());
    return;
  case value_kind::string:
    to.set_text(std::string(v.as_string()));
    return;
  case value_kind::array:
    to.mutable_array();
    for (auto item : v.items())
      set_value(*to.mutable_array()->add_items(), item);
    return;
  case value_kind::object:
    to.mutable_object();
    for (auto m : v.members()) {
      auto* member = to.mutable_object()->add_members();
      member->set_name(std::string(m.name));
      set_value(*member->mutable_value(), m.content);
    }
    return;
  }
}

/// Throws if the message holds what this version does not know.
template <class Message>
void know_all(const Message& message) {
  if (!message.GetReflection()->GetUnknownFields(message).empty())
    refuse("an unknown field, damaged or of a newer version");
}

value value_of(const proto::Value& from, unsigned max_depth) {
  know_all(from);
  switch (from.kind_case()) {
  case proto::Value::KIND_NOT_SET:
    return {};
  case proto::Value::kBoolean:
    return from.boolean();
  case proto::Value::kInteger:
    return std::int64_t{from.integer()};
  case proto::Value::kReal:
    return from.real();
  case proto::Value::kText:
    return from.text();
  case proto::Value::kArray: {
    know_all(from.array());
    if (max_depth == 0)
      refuse("values nested too deep");
    array items;
    for (auto& item : from.array().items())
      items.push_back(value_of(item, max_depth - 1));
    return items;
  }
  case proto::Value::kObject: {
    know_all(from.object());
    if (max_depth == 0)
      refuse("values nested too deep");
    object members;
    for (auto& m : from.object().members()) {
      know_all(m);
      members.set(m.name(), value_of(m.value(), max_depth - 1));
    }
    return members;
  }
  }
  return {};
}

// The enumerations of both sides have the same order; `TYPE_UNSPECIFIED` comes before the first.
static_assert(proto::TYPE_STRING == static_cast<int>(field_type::string) + 1 &&
              proto::TYPE_DATE == static_cast<int>(field_type::date) + 1);
static_assert(proto::GENERATED_INSERTION_TIME == static_cast<int>(generated_by::insertion_time));
static_assert(proto::ON_DELETE_SET_NULL == static_cast<int>(on_delete::set_null));
static_assert(proto::EVICTION_LEAST_RECENTLY_USED == static_cast<int>(evict::least_recently_used));
static_assert(proto::FORMAT_ISO_DATE == static_cast<int>(text_format::iso_date));

void set_rules(proto::FieldRules& to, const std::string& name, const field_options& o) {
  to.set_name(name);
  to.set_type(static_cast<proto::Type>(static_cast<int>(o.type) + 1));
  to.set_required(o.required);
  to.set_unique(o.unique);
  to.set_generated(static_cast<proto::Generated>(o.generated));
  to.set_format(static_cast<proto::Format>(o.format));
  if (o.min)
    set_value(*to.mutable_min(), *o.min);
  if (o.max)
    set_value(*to.mutable_max(), *o.max);
  if (o.min_length)
    to.set_min_length(*o.min_length);
  if (o.max_length)
    to.set_max_length(*o.max_length);
  if (o.pattern)
    to.set_pattern(*o.pattern);
  if (o.one_of) {
    to.mutable_one_of();
    for (auto& allowed : *o.one_of)
      set_value(*to.mutable_one_of()->add_items(), allowed);
  }
  if (o.default_value)
    set_value(*to.mutable_default_value(), *o.default_value);
  to.set_default_function(static_cast<bool>(o.default_function));
  if (o.references) {
    to.mutable_references()->set_bucket(o.references->bucket);
    to.mutable_references()->set_on_delete(static_cast<proto::OnDelete>(o.references->what));
  }
  for (auto& property : o.properties)
    set_rules(*to.add_properties(), property.name, property.options);
  if (o.items)
    set_rules(*to.mutable_items(), {}, *o.items);
  to.set_validator(static_cast<bool>(o.validator));
}

/// Stands for a function that was given and is not stored.
[[noreturn]] void not_stored() {
  throw std::logic_error("the function is not stored; define the bucket again with it");
}

void check_enumerators(const proto::FieldRules& from) {
  if (!proto::Type_IsValid(from.type()) || from.type() == proto::TYPE_UNSPECIFIED)
    refuse("an unknown field type");
  if (!proto::Generated_IsValid(from.generated()) || !proto::Format_IsValid(from.format()))
    refuse("an unknown generator or format");
}

std::vector<value> values_of(const proto::Array& from) {
  know_all(from);
  std::vector<value> out;
  for (auto& item : from.items())
    out.push_back(value_of(item, detail::limits.record.depth));
  return out;
}

reference reference_of(const proto::Reference& from) {
  know_all(from);
  if (!proto::OnDelete_IsValid(from.on_delete()))
    refuse("an unknown on_delete");
  return {from.bucket(), static_cast<on_delete>(from.on_delete())};
}

field_options options_of(const proto::FieldRules& from, unsigned levels) {
  know_all(from);
  if (levels == 0)
    refuse("fields nested too deep");
  check_enumerators(from);
  constexpr auto depth = detail::limits.record.depth;
  field_options o;
  o.type = static_cast<field_type>(from.type() - 1);
  o.required = from.required();
  o.unique = from.unique();
  o.generated = static_cast<generated_by>(from.generated());
  o.format = static_cast<text_format>(from.format());
  if (from.has_min())
    o.min = value_of(from.min(), depth);
  if (from.has_max())
    o.max = value_of(from.max(), depth);
  if (from.has_min_length())
    o.min_length = from.min_length();
  if (from.has_max_length())
    o.max_length = from.max_length();
  if (from.has_pattern())
    o.pattern = from.pattern();
  if (from.has_one_of())
    o.one_of = values_of(from.one_of());
  if (from.has_default_value())
    o.default_value = value_of(from.default_value(), depth);
  if (from.has_references())
    o.references = reference_of(from.references());
  if (from.default_function())
    o.default_function = []() -> value { not_stored(); };
  for (auto& property : from.properties())
    o.properties.push_back({property.name(), options_of(property, levels - 1)});
  if (from.has_items())
    o.items = std::make_shared<const field_options>(options_of(from.items(), levels - 1));
  if (from.validator())
    o.validator = [](value_view, const record_input&) -> std::optional<std::string> {
      not_stored();
    };
  return o;
}

schema schema_of(const proto::Schema& from) {
  if (from.format() > known_format)
    throw refusal{errc::newer_format, "written in a newer format"};
  if (from.format() != known_format)
    refuse("no format version");
  know_all(from);
  schema s(from.name());
  s.key(from.key()).persistent(from.persistent());
  for (auto& f : from.fields())
    s.field(f.name(), field_spec(options_of(f, max_nesting + 1)));
  for (auto& index : from.indexes()) {
    know_all(index);
    if (index.inverted() && index.fields_size() != 1)
      refuse("an inverted index over " + std::to_string(index.fields_size()) + " fields");
    if (index.inverted())
      s.inverted_index(index.fields(0));
    else
      s.index(std::vector<std::string>(index.fields().begin(), index.fields().end()));
  }
  if (from.has_expire_after())
    s.expire_after(std::chrono::milliseconds{from.expire_after()});
  if (!proto::Eviction_IsValid(from.eviction()))
    refuse("an unknown eviction");
  if (from.has_capacity())
    s.capacity(from.capacity(), static_cast<evict>(from.eviction()));
  if (from.validator())
    s.validate([](const record_input&) -> std::vector<std::string> { not_stored(); });
  if (from.ordered())
    s.ordered();
  if (from.closed())
    s.closed();
  return s;
}

} // namespace

std::string encode_schema(const schema& definition) {
  proto::Schema to;
  to.set_format(known_format);
  to.set_name(definition.name());
  to.set_key(definition.key_name());
  for (auto& f : definition.fields())
    set_rules(*to.add_fields(), f.name, f.options);
  for (auto& index : definition.indexes()) {
    auto* added = to.add_indexes();
    added->set_inverted(index.inverted);
    for (auto& name : index.fields)
      added->add_fields(name);
  }
  to.set_ordered(definition.is_ordered());
  to.set_closed(definition.is_closed());
  to.set_persistent(definition.is_persistent());
  if (definition.expires_after())
    to.set_expire_after(definition.expires_after()->count());
  if (definition.max_records())
    to.set_capacity(*definition.max_records());
  to.set_eviction(static_cast<proto::Eviction>(definition.eviction()));
  to.set_validator(static_cast<bool>(definition.validator()));
  std::string bytes;
  {
    google::protobuf::io::StringOutputStream stream(&bytes);
    google::protobuf::io::CodedOutputStream out(&stream);
    out.SetSerializationDeterministic(true);
    to.SerializeToCodedStream(&out);
  }
  return bytes;
}

result<schema> decode_schema(std::string_view bytes) {
  proto::Schema from;
  // Protobuf would write to stderr what the error says.
  const google::protobuf::LogSilencer quiet;
  if (bytes.size() > INT32_MAX ||
      !from.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
    return fail(errc::corrupt, "a stored schema: malformed bytes");
  try {
    return schema_of(from);
  } catch (const refusal& r) {
    auto& name = from.name();
    return fail(r.code, (name.empty() ? "a stored schema" : name) + ": " + r.why,
                {.bucket = name, .key = {}, .field = {}});
  }
}

} // namespace holdfast::codec
