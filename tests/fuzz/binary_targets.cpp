// What reads the bytes of records, definitions and encoded values.
#include "fuzz_target.hpp"

#include <holdfast/store/codec.hpp>
#include <holdfast/store/detail/value_codec.hpp>
#include <tests/store/values/blocks.hpp>

namespace holdfast::testing {

namespace {

const compiled_schema& record_schema() {
  static const auto made = compiled(schema("records")
                                        .key("id", string())
                                        .field("text", string())
                                        .field("number", number())
                                        .field("flag", boolean())
                                        .field("object", object_of())
                                        .field("list", array_of())
                                        .field("born", date()));
  return *made;
}

std::string bytes_of(const detail::record_block& block) {
  std::string out;
  codec::encode(block, 3, out);
  return out;
}

/// Records are decoded by the million at a start: none costs more than its length calls for, and
/// what was decoded is written again as what it was.
void run_record(std::string_view bytes) {
  codec::record_decoder decoder{record_schema().layout()};
  const auto size = decoder.parse(bytes);
  if (!size)
    return;
  hold(*size <= 1024 + 32 * bytes.size(), "a record takes more memory than its bytes call for");
  owned_block made{*size};
  decoder.build(made.memory());
  const auto again = bytes_of(*made);
  codec::record_decoder second{record_schema().layout()};
  const auto same = second.parse(again);
  hold(same.has_value(), "what was encoded is not understood");
  owned_block copy{*same};
  second.build(copy.memory());
  hold(bytes_of(*copy) == again, "encoding again gives other bytes");
  hold(made.handle().to_object() == copy.handle().to_object(), "a record became another one");
}

void run_definition(std::string_view bytes) {
  auto first = codec::decode_schema(bytes);
  if (!first)
    return;
  const auto again = codec::encode_schema(*first);
  auto second = codec::decode_schema(again);
  hold(second.has_value(), "what was encoded is not understood");
  hold(codec::encode_schema(*second) == again, "encoding again gives other bytes");
  static_cast<void>(compile(*first)); // may be refused
}

void run_encoded_value(std::string_view bytes) {
  const auto shown = detail::decode_value(bytes);
  static_cast<void>(shown.kind());
  static_cast<void>(shown.size());
  if (!detail::well_formed(bytes))
    return;
  const auto v = shown.materialize();
  const auto size = detail::encoded_size(v);
  hold(size.has_value(), "a value that is well-formed is too deep to be encoded");
  std::string again(*size, '\0');
  hold(detail::encode_value(v, again.data()) == again.data() + again.size(), "the size was wrong");
  hold(detail::well_formed(again), "what was encoded is malformed");
  hold(detail::decode_value(again).to_string() == shown.to_string(), "a value became another one");
}

std::vector<std::string> encoded_records() {
  auto rich = inserted(record_schema(), {{"id", "1"},
                                         {"text", std::string(40, 't')},
                                         {"number", 2.5},
                                         {"flag", true},
                                         {"object", object{{"a", array{1, "x"}}, {"b", nullptr}}},
                                         {"list", array{1, array{}, object{}}},
                                         {"born", 1'700'000'000'000},
                                         {"more", object{{"outside", true}}}});
  auto poor = inserted(record_schema(), {{"id", ""}});
  return {bytes_of(**rich), bytes_of(**poor)};
}
std::vector<std::string> encoded_definitions() {
  return {
      codec::encode_schema(schema("people")
                               .key("id", string().generated(uuid))
                               .field("name", string().required().length(1, 200).pattern("^A"))
                               .field("role", string().one_of("a", "b").otherwise("a").unique())
                               .field("home", object_of().property("city", string().required()))
                               .field("boss", string().references("people", on_delete::set_null))
                               .index("name")),
      codec::encode_schema(schema("s").key("k", integer()))};
}
std::vector<std::string> encoded_values() {
  std::vector<std::string> out;
  for (const value& v : {value{object{{"", nullptr}, {"list", array{1, -1.5, "two", array{}}}}},
                         value{array{}}, value{"text"}, value{INT64_MIN}, value{}}) {
    out.emplace_back(detail::encoded_size(v).value(), '\0');
    detail::encode_value(v, out.back().data());
  }
  return out;
}

constexpr fuzz_target all_binary_targets[] = {
    {"record", run_record, encoded_records},
    {"definition", run_definition, encoded_definitions},
    {"encoded_value", run_encoded_value, encoded_values},
};

} // namespace

std::span<const fuzz_target> binary_targets() { return all_binary_targets; }

} // namespace holdfast::testing
