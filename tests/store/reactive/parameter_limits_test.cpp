// Parameters come from outside, and groups keep them: what no record could hold is refused before
// anything is run, by whatever way it comes and whatever the query is.
#include <holdfast/store/store.hpp>

#include <gmock/gmock.h>

#include <cmath>
#include <limits>

namespace holdfast::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct parameters_are_refused : ::testing::Test {
  int runs = 0;
  store db = store::start({.limits = {.value_bytes = 1000, .fields = 8, .depth = 5}}).value();
  bucket<> things = db.define(schema("things").key("id", integer())).value();

  parameters_are_refused() {
    EXPECT_TRUE(db.define_query("function", [this](query_context&, const object&) {
      ++runs;
      return 1;
    }));
    EXPECT_TRUE(
        db.define_query("declared", {.bucket = "things", .what = query{"id"_f == parameter("x")}}));
  }
  void expect_refused(const object& given, std::string_view why) {
    for (const auto* name : {"function", "declared"}) {
      const auto expect = [&](const auto& outcome, const char* way) {
        ASSERT_FALSE(outcome) << name << ' ' << way << ' ' << why;
        EXPECT_EQ(outcome.error(), errc::invalid_argument) << outcome.error().to_string();
        EXPECT_EQ(outcome.error().where().query, name);
        EXPECT_THAT(outcome.error().message(), HasSubstr(why)) << name << ' ' << way;
        EXPECT_LE(outcome.error().message().size(), 400U);
      };
      expect(db.run(name, given), "run");
      expect(db.subscribe(name, given, [](const query_update&) { ADD_FAILURE(); }), "subscribe");
      EXPECT_EQ(db.query_info_of(name)->groups, 0U);
    }
  }
};

value nested(int levels) {
  value out{1};
  for (int i = 0; i < levels; ++i)
    out = value{array{std::move(out)}};
  return out;
}

TEST_F(parameters_are_refused, that_no_record_could_hold) {
  const auto infinity = std::numeric_limits<double>::infinity();
  const std::pair<value, std::string_view> table[] = {
      {std::nan(""), ".x: nan is not a finite number"},
      {infinity, "is not a finite number"},
      {array{1.5, -infinity}, ".x[1]: "},
      {"\xff", ".x: text is not valid UTF-8"},
      {object{{"a", array{"\xc3"}}}, ".x.a[0]: text is not valid UTF-8"},
      {object{{"\xff", 1}}, ".x: a member's name is not valid UTF-8"},
      {std::string(1001, 'a'), "bytes are above the limit 1000"},
      {nested(6), ".x: more than 5 levels"},
      {nested(500), ".x: more than 5 levels"},
  };
  for (auto& [given, why] : table)
    expect_refused({{"x", given}}, why);
  EXPECT_EQ(runs, 0);
}

TEST_F(parameters_are_refused, whose_names_or_number_are_not_fit) {
  for (auto& [name, why] : std::vector<std::pair<std::string, std::string_view>>{
           {"", "a parameter's name is empty"},
           {"\xff", "a parameter's name is not valid UTF-8"},
           {"a\nb", "a parameter's name contains a control character"},
           {std::string(256, 'n'), "a parameter's name has 256 bytes, above the limit 255"}})
    expect_refused({{name, 1}}, why);
  object many;
  for (int i = 0; i < 9; ++i)
    many.set("x" + std::to_string(i), i);
  expect_refused(many, "9 parameters are above the limit 8");
  expect_refused({{"a", std::nan("")}, {"b", "\xff"}}, "2 violations");
  EXPECT_EQ(runs, 0);
}

TEST_F(parameters_are_refused, and_those_at_the_limit_are_not) {
  const object fits{{"x", nested(5)}, {"y", std::string(900, 'a')}, {"a.b", nullptr}};
  EXPECT_TRUE(db.run("function", fits));
  EXPECT_TRUE(db.run("declared", object{{"x", 7}}));
  EXPECT_EQ(runs, 1);
}

} // namespace
} // namespace holdfast::testing
