// Objects and arrays with rules of their own, and checks of the user's own.
#include "blocks.hpp"

#include <holdfast/store/codec.hpp>
#include <holdfast/store/record_input.hpp>
#include <holdfast/store/schema.hpp>

#include <gmock/gmock.h>

namespace holdfast {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

schema people_schema() {
  auto s = schema("people");
  s.key("id", string());
  s.field("address", object_of()
                         .property("city", string().required().length(1, 20))
                         .property("zip", string().pattern("^[0-9]{5}$"))
                         .property("since", date()));
  s.field("tags", array_of().items(string().max_length(5)));
  s.field("contacts",
          array_of().items(
              object_of().property("name", string().required()).property("age", integer().min(0))));
  s.field("grid", array_of().items(array_of().items(number().max(9))));
  return s;
}

/// The issues of an insert, as `field code`.
std::vector<std::string> issues_of(const schema& s, const object& fields) {
  auto compiled = compile(s);
  EXPECT_TRUE(compiled) << compiled.error().to_string();
  draft input{**compiled, fields};
  detail::generator made;
  std::vector<std::string> out;
  auto add = [&](const std::optional<error>& e) {
    if (e)
      for (auto& i : e->issues())
        out.push_back(i.field + " " + i.code);
  };
  add(detail::complete(input, made, timestamp{}));
  add(detail::check_insert(input));
  return out;
}

TEST(a_nested_value, is_checked_with_its_path) {
  auto s = people_schema();
  EXPECT_THAT(issues_of(s, {{"id", "1"}, {"address", object{{"city", "Brno"}, {"zip", "60200"}}}}),
              IsEmpty());
  EXPECT_THAT(issues_of(s, {{"id", "1"}, {"address", object{{"zip", "x"}}}}),
              UnorderedElementsAre("address.city required", "address.zip pattern"));
  EXPECT_THAT(issues_of(s, {{"id", "1"}, {"tags", array{"ok", "too long", 7}}}),
              UnorderedElementsAre("tags[1] max_length", "tags[2] type"));
  EXPECT_THAT(issues_of(s, {{"id", "1"},
                            {"contacts", array{object{{"name", "a"}, {"age", 1}},
                                               object{{"age", -1}}, object{{"name", 3}}}}}),
              UnorderedElementsAre("contacts[1].name required", "contacts[1].age min",
                                   "contacts[2].name type"));
  EXPECT_THAT(issues_of(s, {{"id", "1"}, {"grid", array{array{1, 2}, array{3, 10}, 4}}}),
              UnorderedElementsAre("grid[1][1] max", "grid[2] type"));
}

TEST(a_nested_value, says_where_and_what_in_its_message) {
  auto compiled = compile(people_schema()).value();
  draft input{*compiled, object{{"id", "1"}, {"address", object{{"city", ""}}}}};
  auto e = detail::check_insert(input);
  ASSERT_TRUE(e);
  EXPECT_EQ(e->message(), "people.address.city: length 0 is below the minimum 1");
  EXPECT_EQ(e->where().field, "address.city");
}

TEST(null_items, are_not_checked) {
  EXPECT_THAT(issues_of(people_schema(), {{"id", "1"}, {"tags", array{nullptr, "a"}}}), IsEmpty());
}

TEST(members_outside_the_properties, are_kept_and_refused_where_the_bucket_is_closed) {
  auto fields = object{{"id", "1"}, {"address", object{{"city", "Brno"}, {"street", 7}}}};
  EXPECT_THAT(issues_of(people_schema(), fields), IsEmpty());
  EXPECT_THAT(issues_of(people_schema().closed(), fields), ElementsAre("address.street unknown"));
}

TEST(nested_dates_and_integers, are_stored_in_their_own_form) {
  auto compiled = compile(people_schema()).value();
  draft input{*compiled,
              object{{"id", "1"},
                     {"address", object{{"city", "Brno"}, {"since", "1970-01-01T00:00:01Z"}}},
                     {"contacts", array{object{{"name", "a"}, {"age", 4.0}}}}}};
  detail::generator made;
  ASSERT_FALSE(detail::complete(input, made, timestamp{}));
  ASSERT_FALSE(detail::check_insert(input));
  auto address = input.field(1);
  EXPECT_EQ(address["since"].kind(), value_kind::integer);
  EXPECT_EQ(address["since"].as_int(), 1000);
  auto first = *input.field(3).items().begin();
  EXPECT_EQ(first["age"].kind(), value_kind::integer);
}

TEST(a_definition_with_nested_fields, is_refused_when_it_contradicts_itself) {
  auto codes = [](field_spec f) {
    std::vector<std::string> out;
    auto c = compile(schema("x").key("id", string()).field("f", std::move(f)));
    if (!c)
      for (auto& i : c.error().issues())
        out.push_back(i.field + " " + i.code);
    return out;
  };
  EXPECT_THAT(codes(string().property("a", string())), ElementsAre("f properties"));
  EXPECT_THAT(codes(object_of().items(string())), ElementsAre("f items"));
  EXPECT_THAT(codes(object_of().property("a", string().unique())), ElementsAre("f.a unique"));
  EXPECT_THAT(codes(object_of().property("a", string().generated(uuid))),
              ElementsAre("f.a generated"));
  EXPECT_THAT(codes(object_of().property("a", string().otherwise("x"))),
              ElementsAre("f.a default"));
  EXPECT_THAT(codes(object_of().property("a", string().references("y"))),
              ElementsAre("f.a references"));
  EXPECT_THAT(codes(object_of().property("a.b", string())), ElementsAre("f.a.b name"));
  EXPECT_THAT(codes(object_of().property("", string())), ElementsAre("f name"));
  EXPECT_THAT(codes(object_of().property("a", string()).property("a", number())),
              ElementsAre("f.a name"));
  EXPECT_THAT(codes(array_of().items(number().min(3).max(2))), ElementsAre("f[] min"));
  EXPECT_THAT(codes(array_of().items(string().pattern("("))), ElementsAre("f[] pattern"));
}

TEST(a_definition_with_nested_fields, has_a_limit_of_levels) {
  auto nested = [](unsigned levels) {
    auto f = object_of();
    for (unsigned i = 0; i < levels; ++i) {
      auto outer = object_of();
      outer.property("in", f);
      f = outer;
    }
    return compile(schema("x").key("id", string()).field("f", f)).has_value();
  };
  EXPECT_TRUE(nested(max_nesting));
  EXPECT_FALSE(nested(max_nesting + 1));
}

TEST(a_validator, sees_the_value_and_the_whole_record_and_runs_last) {
  auto s = schema("people");
  s.key("id", string());
  s.field("low", integer());
  s.field("high",
          integer().validate([](value_view v, const record_input& r) -> std::optional<std::string> {
            if (v < r["low"])
              return "is below low";
            return std::nullopt;
          }));
  s.validate([](const record_input& r) -> std::vector<std::string> {
    if (r["extra"].is_null())
      return {};
    return {"extra is not wanted", "really"};
  });
  EXPECT_THAT(issues_of(s, {{"id", "1"}, {"low", 1}, {"high", 2}}), IsEmpty());
  EXPECT_THAT(issues_of(s, {{"id", "1"}, {"low", 3}, {"high", 2}}), ElementsAre("high custom"));
  EXPECT_THAT(issues_of(s, {{"id", "1"}, {"low", 3}}), IsEmpty());
  EXPECT_THAT(issues_of(s, {{"id", "1"}, {"high", "x"}, {"extra", 1}}),
              ElementsAre("high type", "_record custom", "_record custom"));
}

TEST(a_validator, runs_in_nested_fields_and_may_throw) {
  auto s = schema("people");
  s.key("id", string());
  s.field("list", array_of().items(integer().validate(
                      [](value_view v, const record_input&) -> std::optional<std::string> {
                        if (v == value_view{13})
                          throw std::runtime_error{"bad luck"};
                        return v == value_view{4} ? std::optional<std::string>{"is four"}
                                                  : std::nullopt;
                      })));
  EXPECT_THAT(issues_of(s, {{"id", "1"}, {"list", array{1, 4, 13}}}),
              ElementsAre("list[1] custom", "list[2] custom"));
}

/// The issues of an update of what an insert of `first` made, as `field: message`.
std::vector<std::string> issues_of_update(const schema& s, std::initializer_list<field_input> first,
                                          std::initializer_list<field_input> changes) {
  auto compiled = compile(s).value();
  auto old = testing::inserted(*compiled, first);
  EXPECT_TRUE(old) << old.error().to_string();
  std::vector<std::string> out;
  if (auto next = testing::updated(**old, draft(*compiled, changes)); !next)
    for (auto& i : next.error().issues())
      out.push_back(i.message);
  return out;
}

schema range_schema() {
  auto above_low = [](value_view v, const record_input& r) -> std::optional<std::string> {
    if (v < r["low"])
      return v.to_string() + " is below low " + r["low"].to_string();
    return std::nullopt;
  };
  auto s = schema("r").key("id", integer());
  s.field("name", string()).field("low", integer()).field("high", integer().validate(above_low));
  s.field("steps", array_of().items(object_of().property("at", date().validate(above_low))));
  return s;
}

TEST(a_validator, sees_an_update_as_the_whole_record_that_it_makes) {
  auto s = range_schema();
  auto at_five = array{object{{"at", 5}}};
  EXPECT_THAT(issues_of_update(s, {{"id", 1}, {"low", 1}, {"high", 2}}, {{"low", 3}}),
              ElementsAre("r.high: 2 is below low 3"));
  EXPECT_THAT(issues_of_update(s, {{"id", 1}, {"low", 1}, {"high", 2}}, {{"low", 3}, {"high", 4}}),
              IsEmpty());
  EXPECT_THAT(issues_of_update(s, {{"id", 1}, {"low", 3}, {"high", 4}}, {{"high", 2}}),
              ElementsAre("r.high: 2 is below low 3"));
  EXPECT_THAT(issues_of_update(s, {{"id", 1}, {"low", 1}, {"high", 2}}, {{"high", nullptr}}),
              IsEmpty());
  EXPECT_THAT(issues_of_update(s, {{"id", 1}, {"steps", at_five}}, {{"low", 7}}),
              ElementsAre("r.steps[0].at: 5 is below low 7"));
  EXPECT_THAT(issues_of_update(s, {{"id", 1}, {"high", 2}}, {{"name", 5}, {"low", 3}}),
              ElementsAre("r.name: 5 is not a string", "r.high: 2 is below low 3"));
}

TEST(a_validator, of_the_bucket_sees_times_version_and_outside_fields_and_may_throw) {
  auto s = schema("r").key("id", integer()).field("a", integer());
  s.validate([](const record_input& r) -> std::vector<std::string> {
    if (r["throw"] == value_view{true})
      throw std::runtime_error{"bad luck"};
    if (r["throw"] == value_view{7})
      throw 7;
    return {r.key().to_string() + " " + std::to_string(r.version()) + " " +
            r["outside"].to_string() + " " + (r.is_update() ? "update" : "insert")};
  });
  auto compiled = compile(s).value();
  auto said = [&](std::initializer_list<field_input> fields) {
    draft input(*compiled, fields);
    return detail::check_insert(input)->message();
  };
  EXPECT_EQ(said({{"id", 1}, {"outside", "x"}}), "r._record: 1 1 \"x\" insert");
  EXPECT_EQ(said({{"id", 1}, {"throw", true}}), "r._record: the validator threw: bad luck");
  EXPECT_EQ(said({{"id", 1}, {"throw", 7}}), "r._record: the validator threw something unknown");
  draft input(*compiled, {{"id", 1}, {"a", "x"}});
  EXPECT_EQ(detail::check_insert(input)->issues().size(), 2U) << "runs even if fields are wrong";
}

TEST(a_validator, that_lacks_memory_is_not_blamed_for_it) {
  auto s = schema("r").key("id", integer());
  s.validate([](const record_input&) -> std::vector<std::string> { throw std::bad_alloc{}; });
  auto compiled = compile(s).value();
  draft input(*compiled, {{"id", 1}});
  EXPECT_THROW((void)detail::check_insert(input), std::bad_alloc);
}

TEST(violations, beyond_a_limit_are_counted_and_not_listed) {
  auto many = array(100'000, value{"too long"});
  auto compiled = compile(people_schema()).value();
  draft input(*compiled, {{"id", "1"}, {"tags", many}});
  auto e = detail::check_insert(input);
  ASSERT_TRUE(e);
  EXPECT_EQ(e->message(), "people: 100000 violations, of which the first 100 are listed");
  EXPECT_EQ(e->issues().size(), 100U);
  EXPECT_EQ(e->issues().back().message, "people.tags[99]: length 8 is above the maximum 5");
}

TEST(allowed_values, of_an_object_are_compared_in_stored_form) {
  auto s = schema("x").key("id", string());
  s.field("f", object_of()
                   .property("at", date())
                   .one_of(std::vector<value>{object{{"at", "1970-01-01T00:00:01Z"}}}));
  EXPECT_THAT(issues_of(s, {{"id", "1"}, {"f", object{{"at", 1000}}}}), IsEmpty());
  EXPECT_THAT(issues_of(s, {{"id", "1"}, {"f", object{{"at", "1970-01-01T00:00:01Z"}}}}),
              IsEmpty());
  EXPECT_THAT(issues_of(s, {{"id", "1"}, {"f", object{{"at", 1001}}}}), ElementsAre("f enum"));
}

TEST(a_duration, is_a_number_with_a_unit) {
  using std::chrono::milliseconds;
  EXPECT_EQ(parse_duration("90s").value(), milliseconds{90'000});
  EXPECT_EQ(parse_duration("1.5 h").value(), milliseconds{5'400'000});
  EXPECT_EQ(parse_duration("2m").value(), milliseconds{120'000});
  EXPECT_EQ(parse_duration("7d").value(), milliseconds{604'800'000});
  for (auto bad : {"", "s", "1", "1w", "-1s", "1  s", "1s ", " 1s", "1e3s", "nans", "infs",
                   "99999999999999999999d"})
    EXPECT_FALSE(parse_duration(bad)) << bad;
}

TEST(limits_of_a_bucket, that_make_no_sense_are_refused_at_definition) {
  auto base = [] { return schema("x").key("id", string()); };
  EXPECT_TRUE(compile(base().expire_after("30m").capacity(1)));
  EXPECT_FALSE(compile(base().expire_after("soon")));
  EXPECT_FALSE(compile(base().expire_after("")));
  EXPECT_FALSE(compile(base().expire_after("0s")));
  EXPECT_FALSE(compile(base().expire_after(std::chrono::milliseconds{-1})));
  EXPECT_FALSE(compile(base().capacity(0)));
}

TEST(a_stored_definition, keeps_all_that_is_no_function) {
  auto s = people_schema().expire_after("2h").capacity(7, evict::least_recently_used);
  s.field("boss", string().references("people", on_delete::set_null));
  auto back = codec::decode_schema(codec::encode_schema(s));
  ASSERT_TRUE(back) << back.error().to_string();
  EXPECT_EQ(*back, s);
}

} // namespace
} // namespace holdfast
