#include "query_fixture.hpp"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>

namespace holdfast::testing {

using ::testing::HasSubstr;

namespace {

schema everything() {
  return schema("things")
      .key("id", string())
      .field("n", number())
      .field("i", integer())
      .field("s", string())
      .field("b", boolean())
      .field("d", date())
      .field("l", array_of())
      .field("o", object_of());
}

/// One record per column of the truth table: null, then some values.
std::string matching(const filter& which, const std::string& field,
                     const std::vector<value>& column) {
  test_bucket bucket{everything()};
  for (std::size_t i = 0; i < column.size(); ++i)
    bucket.insert(object{{"id", std::to_string(i)}, {field, column[i]}});
  return bucket.keys(query{which});
}

TEST(match, follows_the_truth_table_of_numbers) {
  //                        0        1   2     3   4     5
  std::vector<value> column{nullptr, -1, -0.5, 18, 18.0, 18.5};
  struct row {
    filter which;
    std::string keys;
  };
  std::vector<row> table{
      {"n"_f == 18, "3 4"},
      {"n"_f != 18, "1 2 5"},
      {"n"_f < 18, "1 2"},
      {"n"_f <= 18.0, "1 2 3 4"},
      {"n"_f > 18, "5"},
      {"n"_f >= 18.25, "5"},
      {"n"_f.between(-0.5, 18), "2 3 4"},
      {"n"_f.between(5, 1), ""},
      {"n"_f.in(-1, 18), "1 3 4"},
      {"n"_f.in(-1, nullptr), "0 1"},
      {filter::in("n", {}), ""},
      {"n"_f == nullptr, "0"},
      {"n"_f != nullptr, "1 2 3 4 5"},
      {"n"_f.is_null(), "0"},
      {"n"_f.exists(), "1 2 3 4 5"},
      {!("n"_f == 18), "0 1 2 5"},
      {!("n"_f < 18), "0 3 4 5"},
      {!"n"_f.is_null(), "1 2 3 4 5"},
      {filter{}, "0 1 2 3 4 5"},
      {!filter{}, ""},
      {"n"_f == 18 || "n"_f < 0, "1 2 3 4"},
      {"n"_f >= -1 && !("n"_f == 18), "1 2 5"},
  };
  for (const auto& [which, keys] : table)
    EXPECT_EQ(matching(which, "n", column), keys) << which.to_string();
}

TEST(match, compares_integers_and_reals_exactly_where_a_double_cannot) {
  std::vector<value> column{9007199254740992, 9007199254740993, 9007199254740992.0, INT64_MAX};
  EXPECT_EQ(matching("n"_f == 9007199254740992.0, "n", column), "0 2");
  EXPECT_EQ(matching("n"_f == 9007199254740993, "n", column), "1");
  EXPECT_EQ(matching("n"_f < 9223372036854775808.0, "n", column), "0 1 2 3");
  EXPECT_EQ(matching("n"_f == 9223372036854775807.0, "n", column), "");
}

TEST(match, follows_the_truth_table_of_texts) {
  //                        0        1   2    3     4     5
  std::vector<value> column{nullptr, "", "a", "ab", "b", "\xc3\xa9"};
  EXPECT_EQ(matching("s"_f == "ab", "s", column), "3");
  EXPECT_EQ(matching("s"_f != "ab", "s", column), "1 2 4 5");
  EXPECT_EQ(matching("s"_f < "b", "s", column), "1 2 3");
  EXPECT_EQ(matching("s"_f >= "b", "s", column), "4 5");
  EXPECT_EQ(matching("s"_f.starts_with("a"), "s", column), "2 3");
  EXPECT_EQ(matching("s"_f.starts_with(""), "s", column), "1 2 3 4 5");
  EXPECT_EQ(matching(!"s"_f.starts_with("a"), "s", column), "0 1 4 5");
}

TEST(match, finds_parts_of_texts_whatever_the_case) {
  //                        0        1   2     3        4          5        6
  std::vector<value> column{nullptr, "", "Ab", "xaB-y", "PŘÍLIŠ", "Привет", "ΣΊΣΥΦΟΣ"};
  EXPECT_EQ(matching("s"_f.contains("AB"), "s", column), "2 3");
  EXPECT_EQ(matching("s"_f.contains("b-"), "s", column), "3");
  EXPECT_EQ(matching("s"_f.contains(""), "s", column), "1 2 3 4 5 6");
  EXPECT_EQ(matching("s"_f.contains("říliš"), "s", column), "4");
  EXPECT_EQ(matching("s"_f.contains("riliš"), "s", column), "");
  EXPECT_EQ(matching("s"_f.contains("ПРИВЕТ"), "s", column), "5");
  EXPECT_EQ(matching("s"_f.contains("σίσυφος"), "s", column), "6");
  EXPECT_EQ(matching(!"s"_f.contains("a"), "s", column), "0 1 4 5 6");
  EXPECT_EQ(matching("s"_f.ends_with("b"), "s", column), "2");
  EXPECT_EQ(matching("s"_f.ends_with("B"), "s", column), "");
  EXPECT_EQ(matching("s"_f.ends_with(""), "s", column), "1 2 3 4 5 6");
  EXPECT_EQ(matching(!"s"_f.ends_with("b"), "s", column), "0 1 3 4 5 6");
}

TEST(match, finds_a_part_that_repeats_itself) {
  std::vector<value> column{"aabaaabaaaab", "aabaaabaaab"};
  EXPECT_EQ(matching("s"_f.contains("aaaa"), "s", column), "0");
  EXPECT_EQ(matching("s"_f.contains("abaaabaaab"), "s", column), "1");
  EXPECT_EQ(matching("s"_f.contains("aabaaabaaaa"), "s", column), "0");
}

TEST(match, finds_equal_items_of_arrays) {
  std::vector<value> lists{nullptr, array{}, array{1, "Red"}, array{"red", 2.0},
                           array{value{array{1}}}};
  EXPECT_EQ(matching("l"_f.contains("red"), "l", lists), "3");
  EXPECT_EQ(matching("l"_f.contains(2), "l", lists), "3");
  EXPECT_EQ(matching("l"_f.contains(value(array{1})), "l", lists), "4");
  EXPECT_EQ(matching(!"l"_f.contains(1), "l", lists), "0 1 3 4");
}

TEST(match, follows_paths_into_objects_and_arrays) {
  std::vector<value> people{
      nullptr,
      object{{"city", "Brno"}, {"geo", object{{"lat", 49.2}}}, {"tags", array{"a", "b"}}},
      object{{"city", nullptr}, {"geo", 5}, {"tags", "a"}},
      object{{"city", 5}, {"geo", object{{"lat", "north"}}}, {"tags", array{object{{"n", 1}}}}},
  };
  EXPECT_EQ(matching("o.city"_f == "Brno", "o", people), "1");
  EXPECT_EQ(matching("o.city"_f != "Brno", "o", people), "3");
  EXPECT_EQ(matching("o.city"_f == nullptr, "o", people), "0 2");
  EXPECT_EQ(matching("o.city"_f.exists(), "o", people), "1 3");
  EXPECT_EQ(matching("o.geo.lat"_f > 49, "o", people), "1");
  EXPECT_EQ(matching(!("o.geo.lat"_f > 49), "o", people), "0 2 3");
  EXPECT_EQ(matching("o.city"_f.in("Brno", 5), "o", people), "1 3");
  EXPECT_EQ(matching("o.city"_f.contains("RN"), "o", people), "1");
  EXPECT_EQ(matching("o.tags"_f.contains("b"), "o", people), "1");
  EXPECT_EQ(matching("o.tags.1"_f == "b", "o", people), "1");
  EXPECT_EQ(matching("o.tags.0.n"_f == 1, "o", people), "3");
  EXPECT_EQ(matching("o.tags.x"_f.exists(), "o", people), "");
  EXPECT_EQ(matching("l.0"_f == 7, "l", {nullptr, array{}, array{7}, array{1, 7}}), "2");
}

TEST(match, follows_the_truth_table_of_flags) {
  std::vector<value> column{nullptr, false, true};
  EXPECT_EQ(matching("b"_f == true, "b", column), "2");
  EXPECT_EQ(matching("b"_f != true, "b", column), "1");
  EXPECT_EQ(matching("b"_f < true, "b", column), "1");
  EXPECT_EQ(matching(!("b"_f == true), "b", column), "0 1");
}

TEST(match, takes_dates_as_text_and_as_milliseconds) {
  std::vector<value> column{nullptr, 0, 86'400'000, "1970-01-03"};
  EXPECT_EQ(matching("d"_f == "1970-01-02", "d", column), "2");
  EXPECT_EQ(matching("d"_f >= "1970-01-02T00:00:00Z", "d", column), "2 3");
  EXPECT_EQ(matching("d"_f < 86'400'000, "d", column), "1");
  EXPECT_EQ(matching("d"_f.in("1970-01-03", 0), "d", column), "1 3");
}

TEST(match, compares_arrays_and_objects_in_depth) {
  std::vector<value> lists{nullptr, array{}, array{1, "x"}, array{1.0, "x"}, array{"x", 1}};
  EXPECT_EQ(matching("l"_f == value(array{1, "x"}), "l", lists), "2 3");
  EXPECT_EQ(matching("l"_f != value(array{1, "x"}), "l", lists), "1 4");
  EXPECT_EQ(matching("l"_f.is_null(), "l", lists), "0");
  std::vector<value> objects{object{{"a", 1}, {"b", 2}}, object{{"b", 2}, {"a", 1}},
                             object{{"a", 1}}};
  EXPECT_EQ(matching("o"_f == value(object{{"a", 1}, {"b", 2}}), "o", objects), "0 1");
}

TEST(match, refuses_what_makes_no_sense_with_and_without_an_index) {
  struct row {
    filter which;
    std::string message;
  };
  std::vector<row> table{
      {"age"_f > 1, "things.age: no such field"},
      {"n"_f == "x", "things.n: never holds \"x\", it is of type number"},
      {"i"_f > true, "things.i: never holds true, it is of type integer"},
      {"s"_f == 1, "things.s: never holds 1, it is of type string"},
      {"b"_f == 1, "things.b: never holds 1, it is of type boolean"},
      {"l"_f == 1, "things.l: never holds 1, it is of type array"},
      {"n"_f < nullptr, "things.n: < needs a value, not null"},
      {"n"_f.between(1, nullptr), "things.n: between needs a value, not null"},
      {"n"_f == std::nan(""), "things.n: == cannot compare with nan"},
      {"n"_f.starts_with("1"), "things.n: starts_with needs a text field, not number"},
      {"d"_f.ends_with("1"), "things.d: ends_with needs a text field, not date"},
      {"o"_f.contains("1"), "things.o: contains needs a text or array field, not object"},
      {"s"_f.contains(1), "things.s: contains needs a text, not 1"},
      {"l"_f.contains(nullptr), "things.l: contains needs a value, not null"},
      {"n.x"_f == 1, "things.n.x: a field of type number has no members"},
      {"zz.x"_f == 1, "things.zz.x: no such field"},
      {"o..x"_f == 1, "things.o..x: a name in the path is empty"},
      {"o.x"_f < nullptr, "things.o.x: < needs a value, not null"},
      {"o.x"_f >= value(array{}), "things.o.x: >= needs a value with an order, not []"},
      {filter::contains("o.x", nullptr), "things.o.x: contains needs a value, not null"},
      {filter::compare("o.x", filter::kind::ends_with, 1),
       "things.o.x: ends_with needs a text, not 1"},
      {"l"_f < value(array{1}), "things.l: < needs a field with an order, not array"},
      {"d"_f == "yesterday", "things.d: \"yesterday\" is not an ISO 8601 date"},
      {"n"_f.in(1, "x"), "things.n: never holds \"x\", it is of type number"},
      {"n"_f == 1 || !("n"_f == 2 && "zz"_f == 1), "things.zz: no such field"},
  };
  auto indexed = everything().index("n").index("i").index("s").index("b").index("d");
  for (const auto& definition : {everything(), indexed}) {
    test_bucket bucket{definition};
    for (const auto& line : table) {
      const auto& which = line.which;
      const auto& message = line.message;
      auto got =
          bucket.read([&](const detail::reader& r) { return detail::all(r, query{which}, 0); });
      ASSERT_FALSE(got) << which.to_string();
      EXPECT_EQ(got.error().code(), errc::invalid_argument);
      EXPECT_EQ(got.error().message(), message);
      EXPECT_EQ(got.error().where().bucket, "things");
    }
  }
}

/// The name stood as it was, line ends and all.
TEST(match, refuses_fields_in_one_short_line_whatever_they_are_called) {
  test_bucket bucket{everything()};
  EXPECT_EQ(bucket.keys(query{"\xff\n"_f == 1}), "invalid_argument: things.??: no such field");
  const std::string endless(std::size_t{1} << 20, 'x');
  for (const auto& name : {endless, "s." + endless, "o." + endless}) {
    const auto told = bucket.keys(query{filter::compare(name, filter::kind::lt, array{1})});
    EXPECT_THAT(told, ::testing::StartsWith("invalid_argument: things."));
    EXPECT_LT(told.size(), 400U);
  }
}

TEST(match, refuses_filters_beyond_the_limits) {
  test_bucket bucket{everything()};
  auto deep = "n"_f == 1;
  for (int i = 0; i < 101; ++i)
    deep = i % 2 == 0 ? "n"_f == i || deep : "n"_f == i && deep;
  EXPECT_EQ(bucket.keys(query{deep}),
            "invalid_argument: things: the filter has more than 100 levels");
  auto large = "n"_f == 0;
  for (int i = 0; i < 14; ++i)
    large = large || large;
  EXPECT_EQ(bucket.keys(query{large}),
            "invalid_argument: things: the filter has more than 10000 terms");
  EXPECT_EQ(bucket.keys(query{"n"_f.in(std::vector<value>(10'001, 1))}),
            "invalid_argument: things: the filter has more than 10000 operands");
  value nested{1};
  for (int i = 0; i < 33; ++i)
    nested = array{std::vector<value>{nested}};
  EXPECT_EQ(bucket.keys(query{"l"_f.contains(nested)}),
            "invalid_argument: things.l: contains has an operand of more than 32 levels");
  const std::string long_text(17u << 20, 'x');
  EXPECT_THAT(bucket.keys(query{"s"_f == long_text}), HasSubstr("above the limit 16777216"));
}

/// Found by an audit: operands were looked at for nan only.
TEST(match, refuses_operands_that_no_record_can_hold) {
  test_bucket bucket{everything()};
  const auto infinity = std::numeric_limits<double>::infinity();
  EXPECT_THAT(bucket.keys(query{"n"_f < infinity}), HasSubstr("cannot compare with"));
  EXPECT_THAT(bucket.keys(query{"s"_f == "\xff"}), HasSubstr("not valid UTF-8"));
  EXPECT_THAT(bucket.keys(query{"l"_f.contains(array{1, infinity})}),
              HasSubstr("not a finite number"));
  EXPECT_THAT(bucket.keys(query{"l"_f.contains("\xc0")}), HasSubstr("not valid UTF-8"));
}

/// A text for the date in a nested place was compared as a text, and so with nothing.
TEST(match, takes_texts_for_dates_wherever_the_schema_has_dates) {
  test_bucket bucket{
      schema("things")
          .key("id", string())
          .field("when", array_of().items(date()))
          .field("o",
                 object_of()
                     .property("at", date())
                     .property("name", string())
                     .property("times", array_of().items(object_of().property("end", date()))))};
  const value day{std::int64_t{1'704'067'200'000}}, next{std::int64_t{1'704'153'600'000}};
  bucket.insert(
      object{{"id", "0"},
             {"when", array{day, next}},
             {"o", object{{"at", day},
                          {"name", "2024-01-01"},
                          {"times", array{object{{"end", day}}, object{{"end", next}}}}}}});
  bucket.insert(object{{"id", "1"}, {"when", array{next}}, {"o", object{{"at", next}}}});
  const std::pair<filter, const char*> table[] = {
      {"o.at"_f == "2024-01-01", "0"},
      {"o.at"_f > "2024-01-01T12:00:00Z", "1"},
      {"o.at"_f.in("2024-01-01", "2024-01-02"), "0 1"},
      {"o.at"_f == day, "0"},
      {"when.0"_f == "2024-01-02", "1"},
      {"when"_f.contains("2024-01-01"), "0"},
      {"when"_f.contains(next), "0 1"},
      {"o.times.1.end"_f == "2024-01-02", "0"},
      {"o.times.0.end"_f == "2024-01-02", ""},
      {"o.name"_f == "2024-01-01", "0"},
      {"o.name"_f.starts_with("2024"), "0"},
  };
  for (const auto& [which, keys] : table)
    EXPECT_EQ(bucket.keys(query{which}), keys) << which.to_string();
  EXPECT_THAT(bucket.keys(query{"o.at"_f == "soon"}), HasSubstr("is not an ISO 8601 date"));
}

} // namespace
} // namespace holdfast::testing
