// Definitions of buckets as files that a person edits.
#include <holdfast/store/schema_json.hpp>

#include <gmock/gmock.h>

#include <cstdint>
#include <limits>
#include <random>

namespace holdfast {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view users_text = R"({
  "name": "users",
  "key": "id",
  "fields": {
    "id": {"type": "string", "generated": "uuid"},
    "name": {"type": "string", "required": true, "minLength": 1, "maxLength": 200},
    "email": {"type": "string", "format": "email", "unique": true},
    "role": {"type": "string", "enum": ["admin", "user"], "default": "user"},
    "age": {"type": "integer", "min": 0, "max": 150},
    "born": {"type": "date", "format2": 1},
    "team": {"type": "string", "ref": "teams", "onDelete": "set_null"},
    "address": {"type": "object", "properties": {"city": {"type": "string", "required": true}}},
    "tags": {"type": "array", "items": {"type": "string", "pattern": "^[a-z]+$"}}
  },
  "indexes": ["role", ["team", "age"]], "invertedIndexes": ["tags"],
  "closed": true, "ttl": "30m", "maxSize": 10000, "evict": "least_recently_used"
})";

std::string without(std::string text, std::string_view part) {
  auto at = text.find(part);
  EXPECT_NE(at, text.npos);
  return text.erase(at, part.size());
}

TEST(a_schema_as_json, says_all_that_a_schema_says) {
  auto s = schema_from_json(without(std::string{users_text}, R"(, "format2": 1)"));
  ASSERT_TRUE(s) << s.error().to_string();
  auto wanted = schema("users");
  wanted.key("id").field("id", string().generated(uuid));
  wanted.field("name", string().required().length(1, 200));
  wanted.field("email", string().format(email).unique());
  wanted.field("role", string().one_of("admin", "user").otherwise("user"));
  wanted.field("age", integer().min(0).max(150)).field("born", date());
  wanted.field("team", string().references("teams", on_delete::set_null));
  wanted.field("address", object_of().property("city", string().required()));
  wanted.field("tags", array_of().items(string().pattern("^[a-z]+$")));
  wanted.index("role").inverted_index("tags").index({"team", "age"}).closed().expire_after("30m");
  wanted.capacity(10'000, evict::least_recently_used);
  EXPECT_EQ(*s, wanted) << s->to_string();
  EXPECT_EQ(schema_from_json(to_json(wanted)).value(), wanted);
}

TEST(a_schema_as_json, names_the_place_of_what_it_cannot_read) {
  struct bad {
    std::string text, wanted;
  };
  auto field = [](std::string rules) {
    return R"({"name":"u","key":"id","fields":{"id":{"type":"string"},"f":)" + rules + "}}";
  };
  auto top = [](std::string more) {
    return R"({"name":"u","key":"id","fields":{"id":{"type":"string"}},)" + more + "}";
  };
  for (auto& [text, wanted] : std::vector<bad>{
           {std::string{users_text}, R"(schema.fields.born: "format2" is not known here)"},
           {"[]", "schema: needs an object, not array"},
           {"{", "schema: "},
           {R"({"key":"id","fields":{}})", R"(schema: has no "name")"},
           {R"({"name":1,"key":"id","fields":{}})", "schema.name: needs a text, not 1"},
           {R"({"name":"u","key":"id","fields":[]})", "schema.fields: needs an object, not []"},
           {field("{}"), R"(schema.fields.f: has no "type")"},
           {field(R"({"type":"text"})"), R"(schema.fields.f.type: "text" is not one of string)"},
           {field(R"({"type":"string","required":1})"),
            "schema.fields.f.required: needs true or false, not 1"},
           {field(R"({"type":"string","minLength":-1})"),
            "schema.fields.f.minLength: needs a whole number"},
           {field(R"({"type":"string","minLength":1.5})"),
            "schema.fields.f.minLength: needs a whole number"},
           {field(R"({"type":"string","enum":"x"})"), "schema.fields.f.enum: needs a list"},
           {field(R"({"type":"string","onDelete":"cascade"})"), R"(without "ref")"},
           {field(R"({"type":"string","ref":"t","onDelete":"x"})"),
            "is not one of restrict, cascade, set_null"},
           {field(R"({"type":"object","properties":{"a":{"type":"x"}}})"),
            "schema.fields.f.properties.a.type"},
           {field(R"({"type":"array","items":{"type":"array","items":3}})"),
            "schema.fields.f.items.items: needs an object"},
           {top(R"("indexes":"id")"), "schema.indexes: needs a list"},
           {top(R"("invertedIndexes":"id")"), "schema.invertedIndexes: needs a list"},
           {top(R"("invertedIndexes":[["id"]])"), "schema.invertedIndexes: needs a text"},
           {top(R"("ttl":"soon")"), R"(schema.ttl: "soon" is not a number with a unit)"},
           {top(R"("ttl":true)"), "schema.ttl: needs a text, not true"},
           {top(R"("evict":"oldest")"), R"(without "maxSize")"},
           {top(R"("maxSize":"x")"), "schema.maxSize: needs a whole number"},
           {top(R"("ordered":0)"), "schema.ordered: needs true or false"},
       }) {
    auto s = schema_from_json(text);
    ASSERT_FALSE(s) << text;
    EXPECT_EQ(s.error(), errc::invalid_argument);
    EXPECT_THAT(s.error().message(), HasSubstr(wanted));
  }
}

/// Names stood whole in the message.
TEST(a_schema_as_json, that_has_a_long_name_is_refused_in_one_short_line) {
  const std::string endless(500'000, 'x');
  for (auto name : {endless, "a\\n" + endless, std::string{"a\\nb"}}) {
    auto s = schema_from_json(R"({"name":"u","key":"id","fields":{")" + name +
                              R"(":{"type":"object","properties":{")" + name + "\":1}}}}");
    ASSERT_FALSE(s);
    EXPECT_THAT(s.error().message(), ::testing::StartsWith("schema.fields."));
    EXPECT_THAT(s.error().message(), HasSubstr(": needs an object, not integer"));
    EXPECT_LT(s.error().message().size(), 300U);
    EXPECT_EQ(s.error().message().find('\n'), std::string::npos);
  }
}

TEST(a_schema_as_json, that_is_malformed_is_told_by_line_and_column) {
  auto read = schema_from_json("{\n  \"name\": \"users\",\n  \"key\" \"id\"\n}");
  ASSERT_FALSE(read);
  EXPECT_THAT(read.error().message(),
              ::testing::StartsWith("schema: malformed JSON at line 3, column 12: "));
}

TEST(a_schema_as_json, is_refused_where_it_is_nested_too_deep) {
  std::string text = R"({"type":"string"})";
  for (unsigned i = 0; i <= max_nesting; ++i)
    text = R"({"type":"array","items":)" + text + "}";
  auto s = schema_from_json(R"({"name":"u","key":"id","fields":{"id":)" + text + "}}");
  ASSERT_FALSE(s);
  EXPECT_THAT(s.error().message(), HasSubstr("nested deeper than the limit 10"));
}

/// A random definition; it may contradict itself, which is not JSON's business.
class schema_maker {
public:
  explicit schema_maker(unsigned seed) : random_{seed} {}

  schema make() {
    schema s{"b" + std::to_string(pick(1000))};
    s.key("k").field("k", string());
    for (auto n = pick(6); n > 0; --n)
      s.field("f" + std::to_string(n), field(0));
    for (auto n = pick(3); n > 0; --n)
      s.index(n == 1 ? std::vector<std::string>{"a"} : std::vector<std::string>{"a", "b"});
    for (auto n = pick(3); n > 0; --n)
      s.inverted_index("f" + std::to_string(n));
    if (pick(2))
      s.ordered();
    if (pick(2))
      s.closed();
    s.persistent(pick(2) == 0);
    if (pick(2))
      s.expire_after(std::chrono::milliseconds{pick(100'000)});
    if (pick(2))
      s.capacity(pick(1000), pick(2) ? evict::oldest : evict::least_recently_used);
    return s;
  }

private:
  field_spec field(unsigned level) {
    field_options o;
    o.type = static_cast<field_type>(pick(7));
    o.required = pick(2);
    o.unique = pick(2);
    o.generated = static_cast<generated_by>(pick(5));
    o.format = static_cast<text_format>(pick(4));
    if (pick(2))
      o.min = content();
    if (pick(2))
      o.one_of = std::vector<value>{content(), content()};
    if (pick(3) == 0)
      o.default_value = content();
    if (pick(3) == 0)
      o.max_length = pick(1000);
    if (pick(3) == 0)
      o.pattern = "^\"\\\\u\n[a-z]é$";
    if (pick(3) == 0)
      o.references = reference{"other", static_cast<on_delete>(pick(3))};
    if (level < 4 && pick(3) == 0)
      for (auto n = pick(3); n > 0; --n)
        o.properties.push_back({"p" + std::to_string(n), field(level + 1).options()});
    if (level < 4 && pick(3) == 0)
      o.items = std::make_shared<const field_options>(field(level + 1).options());
    return field_spec{o};
  }
  value content() {
    switch (pick(6)) {
    case 0:
      return static_cast<int>(pick(1000)) - 500;
    case 1:
      return 0.25 * pick(100);
    case 2:
      return "text \"é\" " + std::to_string(pick(9));
    case 3:
      return true;
    case 4:
      return array{1, "x"};
    default:
      return object{{"a", nullptr}};
    }
  }
  unsigned pick(unsigned n) { return static_cast<unsigned>(random_() % n); }
  std::mt19937 random_;
};

TEST(a_schema_as_json, is_read_back_equal) {
  for (unsigned seed = 0; seed < 500; ++seed) {
    auto s = schema_maker{seed}.make();
    auto back = schema_from_json(to_json(s));
    ASSERT_TRUE(back) << back.error().to_string() << to_json(s);
    ASSERT_EQ(*back, s) << to_json(s);
  }
}

/// Bytes changed, cut and doubled at random: whatever comes of it is a schema or an error.
TEST(a_schema_as_json, survives_any_damage) {
  std::mt19937 random{7};
  std::string good{users_text};
  for (int round = 0; round < 20'000; ++round) {
    auto text = good;
    for (auto n = 1 + random() % 4; n > 0; --n) {
      auto at = random() % text.size();
      switch (random() % 4) {
      case 0:
        text[at] = static_cast<char>(random());
        break;
      case 1:
        text.erase(at, random() % 20);
        break;
      case 2:
        text.insert(at, text.substr(random() % text.size(), random() % 30));
        break;
      case 3:
        text.insert(at, 1, "{}[]\",:0\\"[random() % 9]);
        break;
      }
      if (text.empty())
        text = "x";
    }
    if (auto s = schema_from_json(text))
      (void)compile(*s);
  }
}

/// A length that no integer can say made it throw.
TEST(schema_json, says_of_lengths_beyond_all_integers_the_greatest) {
  constexpr auto most = std::numeric_limits<std::uint64_t>::max();
  auto written = to_json(schema("x")
                             .key("id", string().length(0, most))
                             .field("list", array_of().length(most, most))
                             .capacity(most));
  EXPECT_THAT(written, HasSubstr("\"maxLength\":9223372036854775807"));
  auto again = schema_from_json(written);
  ASSERT_TRUE(again) << again.error().to_string();
  EXPECT_EQ(again->max_records(), std::uint64_t{INT64_MAX});
}

TEST(schema_json, has_the_limits_that_it_is_given) {
  const std::string text = R"({"name":"t","key":"id","fields":{"id":{"type":"string"}}})";
  EXPECT_TRUE(schema_from_json(text, {.bytes = text.size()}));
  auto long_one = schema_from_json(text, {.bytes = text.size() - 1});
  ASSERT_FALSE(long_one);
  EXPECT_THAT(long_one.error().message(), HasSubstr("bytes are above the limit"));
  EXPECT_TRUE(schema_from_json(text, {.depth = 3}));
  auto deep = schema_from_json(text, {.depth = 2});
  ASSERT_FALSE(deep);
  EXPECT_EQ(deep.error().message(), "schema.fields.id: deeper than the limit 2");
}

} // namespace
} // namespace holdfast
