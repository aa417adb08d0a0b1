#include "blocks.hpp"

#include <cmath>
#include <limits>

#include <sys/wait.h>
#include <unistd.h>

namespace holdfast {
namespace {

using testing::compiled;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::inserted;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

std::vector<std::string> codes(const error& e) {
  std::vector<std::string> all;
  for (auto& found : e.issues())
    all.push_back(found.code);
  return all;
}

/// What inserting `v` into a field with these rules is refused for; empty if it is accepted.
std::vector<std::string> refused_for(const field_spec& rules, value_view v) {
  auto s = compiled(schema("t").key("id", integer()).field("f", rules));
  auto made = inserted(*s, {{"id", 1}, {"f", v}});
  return made ? std::vector<std::string>{} : codes(made.error());
}

struct option_case {
  field_spec rules;
  std::vector<value> accepted;
  std::vector<value> refused;
  std::string code;
};

constexpr double infinity = std::numeric_limits<double>::infinity();

std::vector<option_case> option_cases() {
  return {
      {string(),
       {"", "x", "\xc3\xa4", std::string(100, 'x')},
       {1, true, 1.5, array{}, object{}},
       "type"},
      {number(), {0, -1, 1.5, 1e300}, {"1", true, array{}, object{}}, "type"},
      {integer(), {0, -7, 7.0, INT64_MAX, INT64_MIN}, {1.5, 1e30, "1", false}, "type"},
      {boolean(), {true, false}, {0, 1, "true"}, "type"},
      {object_of(), {object{}, object{{"a", array{1}}}}, {array{}, "x", 1}, "type"},
      {array_of(), {array{}, array{1, "x", array{}}}, {object{}, "x", 1}, "type"},
      {date(),
       {"2024-02-29", "2024-02-29T12:00:00Z", 0, -1, 8640000000000000, 5.0},
       {"2023-02-29", "soon", "", 8640000000000001, 1.5, true},
       "type"},
      {string().required(), {"", "x"}, {nullptr}, "required"},
      {string(), {nullptr}, {}, ""},
      {string().one_of("admin", "user"), {"admin", "user", nullptr}, {"", "Admin", "root"}, "enum"},
      {number().one_of(1, 2.5), {1, 1.0, 2.5}, {2, 1.5}, "enum"},
      {array_of().one_of(std::vector<value>{value{array{1}}}),
       {array{1}, array{1.0}},
       {array{}, array{2}},
       "enum"},
      {date().one_of("2000-01-01"), {"2000-01-01", 946684800000}, {"2000-01-02"}, "enum"},
      {integer().min(1), {1, 2}, {0, -1}, "min"},
      {integer().max(9), {9, 0}, {10, INT64_MAX}, "max"},
      {number().min(0.5).max(0.75), {0.5, 0.75}, {0.25, 0}, "min"},
      {number().max(9007199254740992.0), {9007199254740992}, {9007199254740993}, "max"},
      {date().min("2000-01-01"), {"2000-01-01", "2020-01-01"}, {"1999-12-31", 0}, "min"},
      {string().min_length(2), {"ab", "\xc3\xa4\xc3\xa4"}, {"", "a", "\xc3\xa4"}, "min_length"},
      {string().length(0, 2),
       {"", "ab", "\xf0\x9f\x98\x80\xf0\x9f\x98\x80"},
       {"abc"},
       "max_length"},
      {string().pattern("b+"), {"abc", "b"}, {"", "ac"}, "pattern"},
      {string().pattern("^[a-z]+$"), {"abc"}, {"Abc", "ab1", ""}, "pattern"},
      {string().format(email), {"a@b.c"}, {"a", "a@b", "a b@c.d"}, "format"},
      {string().format(url), {"https://x.y"}, {"x.y"}, "format"},
      {string().format(iso_date), {"2024-02-29"}, {"2023-02-29"}, "format"},
      {string(), {}, {"\xff", "ab\xc3"}, "utf8"},
      {array_of(), {}, {array{"\xff"}, array{value{array{object{{"\xff", 1}}}}}}, "utf8"},
      {number(), {}, {infinity, -infinity, std::nan("")}, "finite"},
      {array_of(), {}, {array{value{array{infinity}}}}, "finite"},
  };
}

TEST(field_rules, accept_and_refuse_as_the_table_says) {
  for (auto& [rules, accepted, refused, code] : option_cases()) {
    auto text = schema("t").field("f", rules).to_string();
    for (auto& v : accepted)
      EXPECT_THAT(refused_for(rules, v), IsEmpty()) << text << " with " << v;
    for (auto& v : refused)
      EXPECT_THAT(refused_for(rules, v), Contains(code)) << text << " with " << v;
  }
}

TEST(field_rules, are_those_of_updates_too) {
  for (auto& [rules, accepted, refused, code] : option_cases()) {
    if (accepted.empty() || accepted[0].is_null())
      continue;
    auto s = compiled(schema("t").key("id", integer()).field("f", rules));
    auto old = inserted(*s, {{"id", 1}, {"f", accepted[0]}});
    ASSERT_TRUE(old) << accepted[0];
    for (auto& v : accepted) {
      auto next = testing::updated(**old, draft(*s, {{"f", v}}));
      ASSERT_TRUE(next) << s->definition().to_string() << " with " << v;
      EXPECT_EQ(next->handle()["f"], detail::view_of(**inserted(*s, {{"id", 1}, {"f", v}}), 1));
    }
    for (auto& v : refused) {
      auto next = testing::updated(**old, draft(*s, {{"f", v}}));
      ASSERT_FALSE(next) << s->definition().to_string() << " with " << v;
      EXPECT_THAT(codes(next.error()), Contains(code));
    }
  }
}

TEST(validation, reports_all_violations_at_once) {
  auto s = compiled(schema("users")
                        .key("id", string())
                        .field("name", string().required().length(1, 5))
                        .field("email", string().format(email))
                        .field("age", integer().min(18))
                        .closed());
  auto made = inserted(*s, {{"name", ""}, {"email", "x"}, {"age", 3}, {"nick", "n"}});
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code(), errc::invalid);
  EXPECT_THAT(codes(made.error()),
              ElementsAre("required", "min_length", "format", "min", "unknown"));
  EXPECT_EQ(made.error().message(), "users: 5 violations");
  EXPECT_EQ(made.error().where().bucket, "users");
  std::vector<std::string> fields;
  for (auto& found : made.error().issues())
    fields.push_back(found.field);
  EXPECT_THAT(fields, ElementsAre("id", "name", "email", "age", "nick"));
}

TEST(validation, says_what_is_wrong_with_the_value_and_the_limit) {
  auto s = compiled(schema("users")
                        .key("id", integer())
                        .field("name", string().length(1, 5))
                        .field("role", string().one_of("admin", "user"))
                        .field("born", date().max("2000-01-01")));
  auto message = [&](std::string_view field, value_view v) {
    auto made = inserted(*s, {{"id", 1}, {field, v}});
    return made ? std::string() : made.error().message();
  };
  EXPECT_EQ(message("name", ""), "users.name: length 0 is below the minimum 1");
  EXPECT_EQ(message("name", "toolong"), "users.name: length 7 is above the maximum 5");
  EXPECT_EQ(message("name", 5), "users.name: 5 is not a string");
  EXPECT_EQ(message("role", "root"), R"(users.role: "root" is not one of ["admin", "user"])");
  EXPECT_EQ(message("born", "2000-01-02"),
            "users.born: 2000-01-02T00:00:00.000Z is above the maximum 2000-01-01T00:00:00.000Z");
  EXPECT_EQ(message("id", "x"), "users.id: \"x\" is not an integer");
}

TEST(validation, cuts_long_values_in_messages) {
  auto s = compiled(schema("t").key("id", integer()).field("f", integer()));
  auto made = inserted(*s, {{"id", 1}, {"f", std::string(100'000, 'x')}});
  ASSERT_FALSE(made);
  EXPECT_LT(made.error().message().size(), 120U);
}

TEST(validation, cuts_long_patterns_in_messages) {
  const auto pattern = "^\\d\n" + std::string(20'000, 'x');
  auto s = compiled(schema("t").key("id", integer()).field("f", string().pattern(pattern)));
  auto made = inserted(*s, {{"id", 1}, {"f", "y"}});
  ASSERT_FALSE(made);
  EXPECT_THAT(made.error().message(),
              ::testing::StartsWith("t.f: \"y\" does not match the pattern ^\\d?xxx"));
  EXPECT_LT(made.error().message().size(), 120U);
}

TEST(limits, hold_whatever_the_schema_says) {
  auto s = compiled(schema("t").key("id", string()).field("f", string()).field("a", array_of()));
  auto refused = [&](std::initializer_list<field_input> fields) {
    auto made = inserted(*s, fields);
    return made ? std::vector<std::string>{} : codes(made.error());
  };
  std::string huge(detail::limits.record.value_bytes + 1, 'x');
  EXPECT_THAT(refused({{"id", "k"}, {"f", huge}}), ElementsAre("size"));
  EXPECT_THAT(refused({{"id", "k"}, {"other", huge}}), ElementsAre("size"));
  EXPECT_THAT(refused({{"id", std::string(1025, 'k')}}), ElementsAre("size"));
  array deep;
  for (unsigned i = 1; i < detail::limits.record.depth; ++i)
    deep = array{value(std::move(deep))};
  EXPECT_THAT(refused({{"id", "k"}, {"a", deep}, {"other", deep}}), IsEmpty());
  deep = array{value(std::move(deep))};
  EXPECT_THAT(refused({{"id", "k"}, {"a", deep}, {"other", deep}}), ElementsAre("depth", "depth"));
  EXPECT_THAT(refused({{"id", "k"}, {std::string(256, 'n'), 1}}), ElementsAre("name"));
  EXPECT_THAT(refused({{"id", "k"}, {"", 1}}), ElementsAre("name"));
  EXPECT_THAT(refused({{"id", "k"}, {"\xff", 1}}), ElementsAre("name"));
  object wide{{"id", "k"}};
  for (int i = 0; i < 1022; ++i)
    wide.set("f" + std::to_string(i), i);
  detail::generator from;
  draft many(*s, wide);
  EXPECT_THAT(codes(*detail::check_insert(many)), ElementsAre("fields"));
}

TEST(limits, hold_for_the_record_as_a_whole) {
  auto s = compiled(schema("t").key("id", integer()));
  draft input(*s, {{"id", 1}});
  std::string large(detail::limits.record.value_bytes / 2, 'x');
  for (int i = 0; i < 9; ++i)
    input.set("f" + std::to_string(i), large);
  detail::generator from;
  auto made = inserted(input, from);
  ASSERT_FALSE(made);
  EXPECT_THAT(codes(made.error()), Contains("size"));
}

TEST(generated_fields, are_filled_unless_given) {
  auto s = compiled(schema("t")
                        .key("id", string().generated(uuid))
                        .field("c", string().generated(cuid))
                        .field("n", integer().generated(autoincrement))
                        .field("at", date().generated(insertion_time)));
  seeded_random random(1);
  detail::generator from(random);
  draft first(*s, {{"c", nullptr}});
  auto a = inserted(first, from);
  draft second(*s);
  auto b = inserted(second, from);
  ASSERT_TRUE(a && b);
  EXPECT_THAT(std::string(a->handle().key().as_string()),
              ::testing::MatchesRegex("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-"
                                      "[0-9a-f]{12}"));
  EXPECT_NE(a->handle().key(), b->handle().key());
  EXPECT_TRUE(a->handle()["c"].is_null());
  EXPECT_EQ(b->handle()["c"].as_string().size(), 33U);
  EXPECT_EQ(b->handle()["c"].as_string()[0], 'c');
  EXPECT_EQ(a->handle()["n"], 1);
  EXPECT_EQ(b->handle()["n"], 2);
  EXPECT_EQ(a->handle()["at"], 1'700'000'000'000);
  seeded_random again(1);
  detail::generator repeated(again);
  draft third(*s, {{"c", nullptr}});
  EXPECT_EQ(inserted(third, repeated)->handle().key(), a->handle().key());
}

TEST(identifiers, differ_between_a_process_and_its_children) {
  detail::generator from;
  std::string warm(36, ' ');
  from.write_uuid(warm.data());
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  std::string mine(36, ' ');
  std::string theirs(36, ' ');
  auto child = fork();
  if (child == 0) {
    from.write_uuid(theirs.data());
    _exit(write(ends[1], theirs.data(), 36) == 36 ? 0 : 1);
  }
  from.write_uuid(mine.data());
  ASSERT_EQ(read(ends[0], theirs.data(), 36), 36);
  int status = 0;
  waitpid(child, &status, 0);
  close(ends[0]);
  close(ends[1]);
  EXPECT_EQ(status, 0);
  EXPECT_NE(mine, theirs);
}

TEST(dates, are_taken_from_time_points_too) {
  auto s = compiled(schema("t").key("id", integer()).field("at", date()));
  auto made = inserted(*s, {{"id", 1}, {"at", testing::noon - std::chrono::microseconds{1}}});
  EXPECT_EQ(made->handle()["at"], 1'699'999'999'999);
  EXPECT_EQ(value(std::chrono::sys_days{}), 0);
}

TEST(autoincrement_counter, follows_explicit_values_and_forgets_failed_inserts) {
  auto s = compiled(
      schema("t").key("id", integer().generated(autoincrement)).field("f", integer().max(9)));
  detail::generator from;
  auto insert = [&](std::initializer_list<field_input> fields) {
    from.begin(); // each is an operation of its own
    draft input(*s, fields);
    return inserted(input, from);
  };
  EXPECT_EQ(insert({})->handle().key(), 1);
  EXPECT_FALSE(insert({{"f", 10}}));
  EXPECT_EQ(insert({})->handle().key(), 2);
  EXPECT_FALSE(insert({{"id", 100}, {"f", 10}}));
  EXPECT_EQ(insert({{"id", 7}})->handle().key(), 7);
  EXPECT_EQ(insert({})->handle().key(), 8);
  EXPECT_EQ(insert({{"id", 3}})->handle().key(), 3);
  EXPECT_EQ(insert({{"id", -3}})->handle().key(), -3);
  EXPECT_EQ(from.counter(), 8);
  EXPECT_EQ(insert({{"id", INT64_MAX}})->handle().key(), INT64_MAX);
  EXPECT_THAT(codes(insert({}).error()), ElementsAre("generated"));
  from.restore(41);
  EXPECT_EQ(insert({})->handle().key(), 42);
}

TEST(defaults, are_taken_by_inserts_that_do_not_give_the_field) {
  int calls = 0;
  auto s = compiled(schema("t")
                        .key("id", integer())
                        .field("role", string().otherwise("user"))
                        .field("list", array_of().otherwise(array{1, 2}))
                        .field("n", integer().otherwise([&calls] { return ++calls; })));
  auto a = inserted(*s, {{"id", 1}});
  EXPECT_EQ(a->handle().to_object(),
            (object{{"id", 1}, {"role", "user"}, {"list", array{1, 2}}, {"n", 1}}));
  auto b = inserted(*s, {{"id", 1}, {"role", nullptr}, {"n", 7}});
  EXPECT_EQ(b->handle().to_object(), (object{{"id", 1}, {"list", array{1, 2}}, {"n", 7}}));
  EXPECT_EQ(calls, 1);
}

TEST(default_functions, fail_their_insert_when_they_throw_or_break_the_rules) {
  auto s = compiled(schema("t").key("id", integer()).field("f", string().otherwise([]() -> value {
    throw std::runtime_error("no idea");
  })));
  auto made = inserted(*s, {{"id", 1}});
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error(), errc::invalid);
  EXPECT_EQ(made.error().message(), "t.f: the default function threw: no idea");
  auto wrong =
      compiled(schema("t").key("id", integer()).field("f", string().otherwise([] { return 5; })));
  EXPECT_THAT(codes(inserted(*wrong, {{"id", 1}}).error()), ElementsAre("type"));
}

TEST(updates, cannot_change_the_key_or_generated_fields) {
  auto s = compiled(schema("t")
                        .key("id", string())
                        .field("n", integer().generated(autoincrement))
                        .field("f", integer().required()));
  auto old = inserted(*s, {{"id", "k"}, {"f", 1}});
  auto refused = [&](std::initializer_list<field_input> fields) {
    auto next = testing::updated(**old, draft(*s, fields));
    return next ? std::vector<std::string>{} : codes(next.error());
  };
  EXPECT_THAT(refused({{"id", "other"}}), ElementsAre("immutable"));
  EXPECT_THAT(refused({{"n", 2}, {"id", nullptr}}), ElementsAre("immutable", "immutable"));
  EXPECT_THAT(refused({{"f", nullptr}}), ElementsAre("required"));
  EXPECT_THAT(refused({{"id", "k"}, {"n", 1.0}, {"f", 2}}), IsEmpty());
}

TEST(closed_schemas, refuse_unknown_fields_in_updates_too) {
  auto s = compiled(schema("t").key("id", integer()).closed());
  auto old = inserted(*s, {{"id", 1}});
  auto next = testing::updated(**old, draft(*s, {{"x", 1}}));
  ASSERT_FALSE(next);
  EXPECT_EQ(next.error().message(), "t.x: the schema has no such field");
}

TEST(closed_schemas, let_a_field_be_removed_that_is_left_from_an_open_one) {
  auto open = compiled(schema("t").key("id", integer()));
  auto shut = compiled(schema("t").key("id", integer()).closed());
  auto old = inserted(*open, {{"id", 1}, {"x", 1}});
  EXPECT_FALSE(testing::updated(**old, draft(*shut, {{"x", 2}})));
  EXPECT_FALSE(testing::updated(**old, draft(*shut, {{"y", nullptr}})));
  draft without(*shut, {{"x", nullptr}});
  EXPECT_FALSE(detail::check_changes(without)) << "some record may have it";
  auto next = testing::updated(**old, std::move(without));
  ASSERT_TRUE(next) << next.error().to_string();
  EXPECT_EQ(next->handle().to_object().size(), 1U);
}

TEST(draft, bound_to_its_own_schema_is_the_same) {
  auto s = compiled(schema("t").key("id", integer()).field("f", string()).field("g", string()));
  draft input(*s, {{"id", 1}, {"f", std::string(700, 'a')}, {"g", nullptr}, {"x", "two"}});
  input.set("f", std::string(600, 'b'));
  input.set("y", std::string(detail::limits.record.value_bytes + 1, 'x'));
  auto same = input.rebound(*s);
  EXPECT_EQ(same.faults(), input.faults());
  EXPECT_TRUE(same.given(2) && same.field(2).is_null());
  EXPECT_EQ(same.field(1), value_view{std::string(600, 'b')});
  same.compact();
  EXPECT_EQ(same.tail_size(), 600U);
  EXPECT_EQ(same.extra(), input.extra());
  same.set("x", "three");
  EXPECT_EQ(input.extra_members()["x"], value_view{"two"});
}

TEST(draft, keeps_the_last_value_of_a_field_and_moves) {
  auto s = compiled(schema("t").key("id", integer()).field("f", string()).field("g", string()));
  draft input(*s, {{"id", 1}, {"f", std::string(100, 'a')}, {"x", 1}, {"x", "two"}});
  input.set(1, std::string(400, 'b'));
  input.set("g", std::string(200, 'c'));
  input.set("f", std::string(20, 'd'));
  draft moved = std::move(input);
  draft other(*s);
  other = std::move(moved);
  detail::generator from;
  auto made = inserted(other, from);
  EXPECT_EQ(
      made->handle().to_object(),
      (object{{"id", 1}, {"f", std::string(20, 'd')}, {"g", std::string(200, 'c')}, {"x", "two"}}));
  EXPECT_EQ(
      made->get()->bytes,
      inserted(*s,
               {{"id", 1}, {"f", std::string(20, 'd')}, {"g", std::string(200, 'c')}, {"x", "two"}})
          ->get()
          ->bytes);
}

} // namespace
} // namespace holdfast
