#include "random_data.hpp"

#include <holdfast/store/detail/json_text.hpp>
#include <holdfast/store/filter_json.hpp>
#include <holdfast/store/record_limits.hpp>
#include <holdfast/store/store.hpp>

#include <gmock/gmock.h>

#include <limits>

namespace holdfast::testing {
namespace {

struct meaning {
  std::string json;
  filter which;
};

TEST(filter_json, says_what_the_same_filter_says_in_cpp) {
  std::vector<meaning> table{
      {R"({})", filter{}},
      {R"({"age":18})", "age"_f == 18},
      {R"({"age":18.0})", "age"_f == 18.0},
      {R"({"name":null})", "name"_f.is_null()},
      {R"({"age":{"$gt":1,"$lte":2}})", "age"_f > 1 && "age"_f <= 2},
      {R"({"age":{"$gte":1,"$lt":2}})", "age"_f >= 1 && "age"_f < 2},
      {R"({"age":{"$neq":1}})", !("age"_f == 1)},
      {R"({"age":{"$differs":1}})", "age"_f != 1},
      {R"({"address.city":"Brno"})", "address.city"_f == "Brno"},
      {R"({"role":{"$in":["a",null]}})", "role"_f.in("a", nullptr)},
      {R"({"role":{"$nin":["a","b"]}})", !"role"_f.in("a", "b")},
      {R"({"age":{"$between":[1,9]}})", "age"_f.between(1, 9)},
      {R"({"name":{"$contains":"x"}})", "name"_f.contains("x")},
      {R"({"name":{"$startsWith":"x"}})", "name"_f.starts_with("x")},
      {R"({"name":{"$endsWith":"x"}})", "name"_f.ends_with("x")},
      {R"({"name":{"$exists":true}})", "name"_f.exists()},
      {R"({"age":{"$not":{"$gt":1}}})", !("age"_f > 1)},
      {R"({"thing":{"$eq":{"a":1}}})", "thing"_f == value(object{{"a", 1}})},
      {R"({"thing":{"$eq":{"$gt":1}}})", "thing"_f == value(object{{"$gt", 1}})},
      {R"({"$or":[{"a":1},{"b":2}]})", "a"_f == 1 || "b"_f == 2},
      {R"({"$or":[]})", !filter{}},
      {R"({"a":1,"$or":[{"b":2},{"c":3,"d":4}]})",
       "a"_f == 1 && ("b"_f == 2 || ("c"_f == 3 && "d"_f == 4))},
      {R"({"$and":[{"a":1},{"b":2},{"a":3}]})", "a"_f == 1 && "b"_f == 2 && "a"_f == 3},
  };
  for (const auto& [json, which] : table) {
    auto read = filter_from_json(json);
    ASSERT_TRUE(read) << json << ": " << read.error().to_string();
    EXPECT_EQ(*read, which) << json;
    EXPECT_EQ(to_json(which), json);
  }
}

TEST(filter_json, has_more_than_one_way_to_say_some_things) {
  std::vector<meaning> table{
      {R"({"age":{"$eq":18}})", "age"_f == 18},
      {R"({"age":{"$eq":null}})", "age"_f.is_null()},
      {R"({"age":{"$neq":null}})", "age"_f.exists()},
      {R"({"age":{"$exists":false}})", "age"_f.is_null()},
      {R"({"thing":{}})", "thing"_f == value(object{})},
      {R"({"thing":{"a":1,"$b":2}})", "thing"_f == value(object{{"a", 1}, {"$b", 2}})},
      {R"({"age":{"$not":5}})", !("age"_f == 5)},
      {R"({"$not":{"a":1,"b":{"$gt":2}}})", !("a"_f == 1) || !("b"_f > 2)},
      {R"({"$and":[]})", filter{}},
      {R"({"$and":[{"a":1},{"$and":[{"b":2},{}]}]})", "a"_f == 1 && "b"_f == 2},
      {R"({"n":18446744073709551615})", "n"_f == 18446744073709551615.0},
  };
  for (const auto& [json, which] : table) {
    auto read = filter_from_json(json);
    ASSERT_TRUE(read) << json << ": " << read.error().to_string();
    EXPECT_EQ(*read, which) << json;
  }
}

TEST(filter_json, names_the_place_of_what_is_wrong) {
  static const char* const table[][2] = {
      {R"({"age":{"$above":1}})", "filter.age.$above: no such operator"},
      {R"({"$nor":[]})", "filter.$nor: no such operator"},
      {R"({"a":{"$not":{"$size":1}}})", "filter.a.$not.$size: no such operator"},
      {R"({"$or":[{},{"a":{"$gt":null}}]})", "filter.$or[1].a.$gt: needs a value, not null"},
      {R"({"a":{"$in":5}})", "filter.a.$in: needs a list of values, not integer"},
      {R"({"a":{"$between":[1]}})", "filter.a.$between: needs a list of 2 values, not 1"},
      {R"({"a":{"$between":{}}})", "filter.a.$between: needs a list of 2 values, not object"},
      {R"({"a":{"$exists":1}})", "filter.a.$exists: needs true or false, not integer"},
      {R"({"a":{"$startsWith":1}})", "filter.a.$startsWith: needs a text, not integer"},
      {R"({"$or":{}})", "filter.$or: needs a list of filters, not object"},
      {R"({"$not":[]})", "filter.$not: needs an object, not array"},
      {R"({"$and":[1]})", "filter.$and[0]: needs an object, not integer"},
      {R"({"":1})", "filter.: the name of the field is empty"},
      {R"({"a":1,"a":2})", "filter.a: the name is given twice"},
      {R"({"$or":[{"a":[1,{"b":1,"b":2}]}]})", "filter.$or[0].a[1].b: the name is given twice"},
      {"[]", "filter: needs an object, not array"},
      {"", "filter: malformed JSON at line 1, column 1: "},
      {R"({"a":)", "filter: malformed JSON at line 1, column 6: "},
      {"{\"a\": 1,\n \"b\" 2}", "filter: malformed JSON at line 2, column 6: "},
      {R"({"a":1} x)", "filter: malformed JSON at line 1, column 9: "},
      {"{\"a\":\"\xff\"}", "filter: malformed JSON at line 1, column 7: "},
      {R"({"a":1e999})", "filter: malformed JSON at line 1, column 10: "},
  };
  for (const auto& [json, message] : table) {
    auto read = filter_from_json(json);
    ASSERT_FALSE(read) << json;
    EXPECT_EQ(read.error().code(), errc::invalid_argument);
    EXPECT_THAT(read.error().message(), ::testing::StartsWith(message)) << json;
  }
}

TEST(filter_json, has_limits) {
  std::string deep = "1", wide = "0";
  for (unsigned i = 0; i < json_limits::most_depth; ++i)
    deep = "[" + deep + "]";
  for (int i = 0; i < 100'000; ++i)
    wide += ",0";
  auto why = [](const std::string& json) { return filter_from_json(json).error().message(); };
  EXPECT_THAT(why("{\"a\":" + deep + "}"), ::testing::HasSubstr("deeper than the limit 256"));
  EXPECT_THAT(why("{\"a\":[" + wide + "]}"),
              ::testing::HasSubstr("more values than the limit 100000"));
  EXPECT_EQ(why(std::string(1'048'577, ' ')), "filter: 1048577 bytes are above the limit 1048576");
}

TEST(filter_json, has_the_limits_that_it_is_given) {
  auto wrong = [](const char* text, const json_limits& limits) {
    auto read = filter_from_json(text, limits);
    return read ? "" : read.error().message();
  };
  EXPECT_EQ(wrong(R"({"age":1})", {.bytes = 9}), "");
  EXPECT_EQ(wrong(R"({"age":1})", {.bytes = 8}), "filter: 9 bytes are above the limit 8");
  EXPECT_EQ(wrong(R"({"age":{"$in":[1]}})", {.values = 4}), "");
  EXPECT_EQ(wrong(R"({"age":{"$in":[1]}})", {.values = 3}),
            "filter.age.$in[0]: more values than the limit 3");
  EXPECT_EQ(wrong(R"({"age":{"$gt":1}})", {.depth = 2}), "");
  EXPECT_EQ(wrong(R"({"age":{"$gt":1}})", {.depth = 1}), "filter.age: deeper than the limit 1");
  std::string deep(json_limits::most_depth + 1, '[');
  EXPECT_THAT(wrong(("{\"a\":" + deep).c_str(), {.depth = 1'000'000}),
              ::testing::HasSubstr("deeper than the limit 256"));
  EXPECT_FALSE(query_from_json(R"({"limit":1})", {.bytes = 10}));
  EXPECT_TRUE(query_from_json(R"({"limit":1})", {.bytes = 11}));
}

/// Each name was compared with all that were there: seconds for a text within the limits.
TEST(filter_json, reads_objects_of_as_many_names_as_a_text_can_have) {
  std::string names;
  for (int i = 0; i < 95'000; ++i)
    names += "\"f" + std::to_string(i) + "\":1,";
  const auto read = filter_from_json("{" + names + "\"last\":1}");
  ASSERT_TRUE(read) << read.error().to_string();
  EXPECT_EQ(read->terms().size(), 95'001U);
  EXPECT_EQ(filter_from_json(to_json(*read)).value(), *read);
  EXPECT_EQ(filter_from_json("{" + names + "\"f0\":2}").error().message(),
            "filter.f0: the name is given twice");
  EXPECT_EQ(filter_from_json("{" + names + "\"f94999\":2}").error().message(),
            "filter.f94999: the name is given twice");
}

TEST(filter_json, finds_a_name_that_is_given_twice_in_objects_of_any_size) {
  std::string names;
  for (int i = 0; i < 100; ++i) {
    names += "\"f" + std::to_string(i) + "\":{\"$gt\":1},";
    const auto first = filter_from_json("{" + names + "\"f0\":2}");
    const auto last = filter_from_json("{" + names + "\"f" + std::to_string(i) + "\":2}");
    ASSERT_FALSE(first);
    ASSERT_FALSE(last);
    EXPECT_EQ(first.error().message(), "filter.f0: the name is given twice");
    EXPECT_TRUE(filter_from_json("{" + names + "\"g\":2}"));
  }
}

/// The place grew with the depth, and with each name.
TEST(filter_json, says_where_something_deep_is_in_one_short_line) {
  std::string open, close;
  for (int i = 0; i < 100; ++i) {
    open += R"({"$or":[)";
    close += "]}";
  }
  const std::string texts[] = {
      R"({"a":)" + std::string(300, '['),
      open + R"({"a":{"$none":1}})" + close,
      R"({"a":{"$none\n)" + std::string(500'000, 'x') + R"(":1}})",
      R"({"a":"\n\n)" + std::string(500'000, 'x') + "\xff\"}",
  };
  for (const auto& text : texts) {
    const auto read = filter_from_json(text);
    ASSERT_FALSE(read);
    const auto& message = read.error().message();
    EXPECT_THAT(message, ::testing::StartsWith("filter"));
    EXPECT_LT(message.size(), 500U) << message.substr(0, 1000);
    EXPECT_EQ(message.find('\n'), message.npos) << message;
  }
  EXPECT_THAT(filter_from_json(texts[1]).error().message(),
              ::testing::EndsWith("$or[0].$or[0].a.$none: no such operator"));
}

TEST(filter_json, writes_what_json_cannot_say_as_near_as_it_can) {
  constexpr auto infinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(to_json("a"_f < infinity), R"({"a":{"$lt":1.7976931348623157e+308}})");
  EXPECT_EQ(to_json("a"_f == std::nan("")), R"({"a":"nan"})");
  EXPECT_EQ(to_json("a"_f == "\xff"), "{\"a\":\"\xef\xbf\xbd\"}");
}

/// Was read back up to about 30 levels.
TEST(filter_json, reads_back_the_deepest_filter_that_a_store_takes) {
  value operand{1};
  for (unsigned i = 0; i < record_limits{}.depth; ++i) {
    array around;
    around.push_back(std::move(operand));
    operand = std::move(around);
  }
  auto deep = filter::compare("list", filter::kind::eq, operand);
  for (unsigned level = 1; level <= record_limits{}.filter_depth; ++level) {
    auto other = "n"_f == std::int64_t{level};
    deep = level % 2 == 0 ? std::move(deep) && other : std::move(deep) || other;
  }
  const auto back = filter_from_json(to_json(deep));
  ASSERT_TRUE(back) << back.error().to_string();
  EXPECT_EQ(*back, deep);
  auto db = store::start().value();
  auto all = db.define(schema("all").key("n", integer()).field("list", array_of())).value();
  EXPECT_EQ(*all.count(*back).get(), 0u);
  EXPECT_EQ(all.count(*back || ("n"_f == 0 && "n"_f == 1)).get().error(), errc::invalid_argument)
      << "one level more";
}

reference_bucket some_records(random_data& random) {
  reference_bucket out{false};
  for (std::int64_t i = 0; i < 20; ++i)
    out.entries.push_back({random.record("k" + std::to_string(i), i), 0});
  return out;
}

TEST(filter_json, law_what_was_written_is_read_back) {
  random_data random{11};
  auto model = some_records(random);
  for (int i = 0; i < 3000; ++i) {
    auto q = random.any_query(model);
    auto text = to_json(q.which());
    auto back = filter_from_json(text);
    ASSERT_TRUE(back) << text << ": " << back.error().to_string();
    ASSERT_EQ(*back, q.which()) << text;
    q.fields({"id", "thing.a"});
    ASSERT_EQ(query_from_json(to_json(q)).value(), q) << to_json(q);
  }
}

TEST(filter_json, fuzz_a_broken_text_is_an_error_or_another_filter) {
  random_data random{12};
  auto model = some_records(random);
  unsigned refused = 0;
  for (int i = 0; i < 20'000; ++i) {
    auto text = to_json(random.tree(model, 3));
    for (auto n = 1 + random.below(3); n > 0 && !text.empty(); --n) {
      auto at = random.below(text.size());
      if (random.chance(30))
        text.erase(at, 1 + random.below(4));
      else if (random.chance(50))
        text[at] = static_cast<char>(random.below(256));
      else
        text.insert(at, text.substr(random.below(text.size()), random.below(10)));
    }
    auto read = filter_from_json(text);
    if (read) {
      EXPECT_EQ(filter_from_json(to_json(*read)).value(), *read) << text;
    } else {
      ++refused;
      EXPECT_EQ(read.error().code(), errc::invalid_argument);
      EXPECT_THAT(read.error().message(), ::testing::StartsWith("filter"));
    }
  }
  EXPECT_GT(refused, 5'000U);
  EXPECT_LT(refused, 19'900U);
}

TEST(query_json, reads_every_part) {
  auto read = query_from_json(R"({"filter": {"age": {"$gte": 18}},
      "sort": [{"field": "age", "direction": "desc"}, "name", {"field": "id"}],
      "offset": 20, "limit": 10.0, "fields": ["name", "address.city"]})");
  ASSERT_TRUE(read) << read.error().to_string();
  EXPECT_EQ(*read, query{"age"_f >= 18}
                       .order_by("age", direction::descending)
                       .then_by("name")
                       .then_by("id")
                       .offset(20)
                       .limit(10)
                       .fields({"name", "address.city"}));
  EXPECT_EQ(query_from_json(R"({"sort": "age", "fields": "id"})").value(),
            query{}.order_by("age").fields({"id"}));
  EXPECT_EQ(query_from_json("{}").value(), query{});
}

TEST(query_json, names_the_place_of_what_is_wrong) {
  static const char* const table[][2] = {
      {R"({"where":{}})", "query.where: no such part"},
      {R"({"filter":{"a":{"$x":1}}})", "query.filter.a.$x: no such operator"},
      {R"({"limit":-1})", "query.limit: -1 is below the minimum 0"},
      {R"({"limit":1.5})", "query.limit: needs a whole number, not 1.5"},
      {R"({"offset":"1"})", "query.offset: needs a whole number, not string"},
      {R"({"sort":["a",5]})", "query.sort[1]: needs a field or an object, not integer"},
      {R"({"sort":[{"field":"a","direction":"up"}]})",
       "query.sort[0].direction: needs \"asc\" or \"desc\", not \"up\""},
      {R"({"sort":[{"by":"a"}]})", "query.sort[0].by: no such part"},
      {R"({"sort":[{}]})", "query.sort[0]: names no field"},
      {R"({"fields":["a",null]})", "query.fields[1]: needs a text, not null"},
      {R"(5)", "query: needs an object, not integer"},
  };
  for (const auto& [json, message] : table) {
    auto read = query_from_json(json);
    ASSERT_FALSE(read) << json;
    EXPECT_EQ(read.error().message(), message) << json;
  }
}

} // namespace
} // namespace holdfast::testing
