// What reads text: definitions, filters, queries, values, patterns and topics.
#include "fuzz_target.hpp"

#include <holdfast/runtime/topic.hpp>
#include <holdfast/store/detail/formats.hpp>
#include <holdfast/store/detail/json_text.hpp>
#include <holdfast/store/filter_json.hpp>
#include <holdfast/store/schema_json.hpp>
#include <tests/store/values/blocks.hpp>

namespace holdfast::testing {

namespace {

/// What was understood is printed, and read back as the same.
template <class Read>
void expect_reads_back(std::string_view text, Read&& read) {
  auto first = read(text);
  if (!first)
    return;
  const auto printed = to_json(*first);
  auto second = read(std::string_view{printed});
  hold(second.has_value(), "what was printed is not understood");
  hold(*second == *first, "what was printed means something else");
  hold(to_json(*second) == printed, "printing again gives another text");
}

void run_filter_json(std::string_view text) {
  expect_reads_back(text, [](std::string_view t) { return filter_from_json(t); });
}
void run_query_json(std::string_view text) {
  expect_reads_back(text, [](std::string_view t) { return query_from_json(t); });
}
void run_schema_json(std::string_view text) {
  expect_reads_back(text, [](std::string_view t) { return schema_from_json(t); });
  if (auto understood = schema_from_json(text))
    static_cast<void>(compile(*understood)); // may be refused
}

void run_value_json(std::string_view text) {
  auto first = detail::parse_json(text, "fuzz");
  if (!first)
    return;
  const auto printed = detail::print_json(*first);
  auto second = detail::parse_json(printed, "fuzz");
  hold(second.has_value(), "what was printed is not understood");
  hold(*second == *first, "what was printed is another value");
}

void run_formats(std::string_view text) {
  if (detail::is_utf8(text))
    hold(detail::code_points(text) <= text.size(), "more code points than bytes");
  hold(!detail::is_ascii(text) || detail::is_utf8(text), "ASCII that is no UTF-8");
  static_cast<void>(detail::is_email(text));
  static_cast<void>(detail::is_url(text));
  const auto ms = detail::parse_iso_date(text);
  hold(ms.has_value() == detail::is_iso_date(text), "a date is not read, or what is read is none");
  if (ms)
    hold(detail::parse_iso_date(detail::to_iso_date(*ms)) == ms, "a date is printed as another");
}

/// The first line is a pattern, the rest a text that it is held against.
void run_pattern(std::string_view bytes) {
  const auto end = bytes.find('\n');
  const auto text = end == bytes.npos ? std::string_view{} : bytes.substr(end + 1);
  auto made = compile(schema("fuzz")
                          .key("id", string())
                          .field("text", string().pattern(std::string{bytes.substr(0, end)})));
  if (!made)
    return;
  static_cast<void>(inserted(**made, {{"id", "1"}, {"text", std::string{text}}}));
}

/// The first line is a pattern, the second one a topic.
void run_topics(std::string_view bytes) {
  const auto end = bytes.find('\n');
  auto pattern = topic_pattern::parse(bytes.substr(0, end));
  auto about = topic::parse(end == bytes.npos ? std::string_view{} : bytes.substr(end + 1));
  if (!pattern || !about)
    return;
  const bool matches = pattern->matches(*about);
  if (pattern->text().find('*') == std::string::npos)
    hold(matches == (pattern->text() == about->text()), "a plain pattern matches another topic");
  hold(topic_pattern::parse(about->text())->matches(*about), "a topic does not match itself");
}

std::vector<std::string> filters() {
  return {R"({"age":{"$gte":18},"role":{"$in":["admin","user",null]}})",
          R"({"$or":[{"a":1},{"b.c":{"$ne":2.5}},{"$not":{"d":{"$exists":true}}}]})",
          R"({"$and":[{"name":{"$startsWith":"A"}},{"tags":{"$contains":"x"}}]})",
          R"({"n":{"$between":[1,5]},"m":{"$nin":[]},"e":{"$endsWith":"\u00e4"}})"};
}
std::vector<std::string> queries() {
  return {R"({"filter":{"age":{"$gt":3}},"sort":[{"field":"age","direction":"desc"},"name"]})",
          R"({"offset":5,"limit":5,"fields":["a","b.c"],"sort":"a"})"};
}
std::vector<std::string> definitions() {
  auto rich = schema("people")
                  .key("id", string().generated(uuid))
                  .field("name", string().required().length(1, 200))
                  .field("email", string().format(email).unique())
                  .field("role", string().one_of("admin", "user").otherwise("user"))
                  .field("tags", array_of().items(string().pattern("^[a-z]+$")))
                  .field("age", integer().min(0).max(150))
                  .index("role");
  return {to_json(rich), to_json(schema("s").key("k", integer()))};
}
std::vector<std::string> texts() {
  return {R"({"a":[1,2.5,-3e10,"x",true,null],"b":{"c":"\u00e4\ud83d\ude00"}})", "[[[[1]]],{}]",
          "9223372036854775807", "1e308", "\"\""};
}
std::vector<std::string> formats() {
  return {"2024-02-29T12:30:00.5+01:00",    "1999-12-31",
          "+012345-01-01T00:00:00Z",        "a@b.cd",
          "https://example.org:8080/x?y#z", "\xc3\xa4\xf0\x9f\x98\x80"};
}
std::vector<std::string> patterns() {
  return {"^[a-z]{2,5}$\nabc", "(a+)+$\naaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab",
          "\\p{Greek}+|x?\n\xce\xb1", "(?i)[[:alpha:]]\\d*\nA1"};
}
std::vector<std::string> topics() {
  return {"bucket.*.inserted\nbucket.users.inserted", "bucket.**\nbucket.a.b.c", "a.b\na.b"};
}

constexpr fuzz_target all_text_targets[] = {
    {"filter_json", run_filter_json, filters},
    {"query_json", run_query_json, queries},
    {"schema_json", run_schema_json, definitions},
    {"value_json", run_value_json, texts},
    {"formats", run_formats, formats},
    {"pattern", run_pattern, patterns},
    {"topics", run_topics, topics},
};

} // namespace

std::span<const fuzz_target> text_targets() { return all_text_targets; }

} // namespace holdfast::testing
