// The reference's table of definition options (1.3), one test per row, with what holdfast decides
// differently as decided.
#include "reference_fixture.hpp"

#include <holdfast/store/record_input.hpp>

#include <cmath>
#include <limits>
#include <new>
#include <stdexcept>

namespace holdfast::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct definition_options : reference_fixture {
  static schema things() { return schema("things").key("id", integer()); }

  /// The issues of a write, as `field code`; empty if it went through.
  template <class T>
  static std::vector<std::string> issues(const result<T>& r) {
    std::vector<std::string> out;
    if (!r)
      for (auto& i : r.error().issues())
        out.push_back(i.field + " " + i.code);
    return out;
  }
  /// The issues of inserting `v` into a field of these rules. A refused insert leaves no record.
  std::vector<std::string> issues_of(const field_spec& rules, const value& v) {
    auto b = define(things().field("f", rules));
    auto made = b.insert({{"id", 1}, {"f", v}}).get();
    EXPECT_EQ(b.count().get().value(), made ? 1U : 0U);
    EXPECT_TRUE(db.drop("things"));
    return issues(made);
  }
};

TEST_F(definition_options, key) {
  EXPECT_FALSE(db.define(schema("things").key("id").field("f", string())));
  auto b = define(things().field("f", string()));
  EXPECT_THAT(issues(b.insert({{"f", "x"}}).get()), ElementsAre("id required"));
  ASSERT_TRUE(b.insert({{"id", 1}}).get());
  EXPECT_EQ(b.insert({{"id", 1}}).get().error().code(), errc::duplicate);
  EXPECT_TRUE(b.update(1, {{"id", 1}, {"f", "y"}}).get());
  EXPECT_THAT(issues(b.update(1, {{"id", 2}}).get()), ElementsAre("id immutable"));
}

TEST_F(definition_options, type) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  EXPECT_THAT(issues_of(string(), ""), IsEmpty());
  EXPECT_THAT(issues_of(string(), 1), ElementsAre("f type"));
  EXPECT_THAT(issues_of(number(), 1.5), IsEmpty());
  EXPECT_THAT(issues_of(number(), std::nan("")), ElementsAre("f finite"));
  EXPECT_THAT(issues_of(number(), infinity), ElementsAre("f finite"));
  EXPECT_THAT(issues_of(number(), -infinity), ElementsAre("f finite"));
  EXPECT_THAT(issues_of(integer(), 1.5), ElementsAre("f type"));
  EXPECT_THAT(issues_of(boolean(), 0), ElementsAre("f type"));
  EXPECT_THAT(issues_of(object_of(), array{}), ElementsAre("f type"));
  EXPECT_THAT(issues_of(array_of(), object{}), ElementsAre("f type"));
  EXPECT_THAT(issues_of(date(), "any string at all"), ElementsAre("f type"));
  EXPECT_THAT(issues_of(date(), "2024-02-29"), IsEmpty());
}

TEST_F(definition_options, required) {
  auto b = define(things().field("f", string().required()));
  EXPECT_THAT(issues(b.insert({{"id", 1}}).get()), ElementsAre("f required"));
  EXPECT_THAT(issues(b.insert({{"id", 1}, {"f", nullptr}}).get()), ElementsAre("f required"));
  ASSERT_TRUE(b.insert({{"id", 1}, {"f", ""}}).get());
  EXPECT_THAT(issues(b.update(1, {{"f", nullptr}}).get()), ElementsAre("f required"));
}

TEST_F(definition_options, default_value) {
  int calls = 0;
  auto b =
      define(things().field("a", string().otherwise("x")).field("b", integer().otherwise([&calls] {
        return value{++calls};
      })));
  auto first = b.insert({{"id", 1}}).get().value();
  EXPECT_EQ(first["a"], value_view{"x"});
  EXPECT_EQ(first["b"], value_view{1});
  auto null = b.insert({{"id", 2}, {"a", nullptr}, {"b", nullptr}}).get().value();
  EXPECT_TRUE(null["a"].is_null());
  EXPECT_TRUE(null["b"].is_null());
  EXPECT_EQ(b.update(2, {{"other", 1}}).get().value()["a"], value_view{}) << "on insert only";
  EXPECT_EQ(calls, 1);
}

TEST_F(definition_options, generated) {
  auto b = define(schema("things")
                      .key("id", string().generated(uuid))
                      .field("c", string().generated(cuid))
                      .field("n", integer().generated(autoincrement))
                      .field("t", date().generated(insertion_time)));
  auto r = b.insert({}).get().value();
  EXPECT_EQ(r.key().as_string().size(), 36U);
  EXPECT_EQ(r["c"].as_string().front(), 'c');
  EXPECT_EQ(r["n"], value_view{1});
  EXPECT_FALSE(r["t"].is_null());
  EXPECT_EQ(b.insert({{"n", 10}}).get().value()["n"], value_view{10});
  EXPECT_THAT(issues(b.update(r.key().materialize(), {{"n", 5}}).get()),
              ElementsAre("n immutable"));
  auto both = define(schema("both")
                         .key("id", integer().generated(autoincrement))
                         .field("n", string().generated(cuid).otherwise("never")));
  EXPECT_NE(both.insert({}).get().value()["n"], value_view{"never"}) << "wins over the default";
}

TEST_F(definition_options, enumeration) {
  EXPECT_THAT(issues_of(string().one_of("a", "b"), "c"), ElementsAre("f enum"));
  EXPECT_THAT(issues_of(number().one_of(1, 2), 1.0), IsEmpty());
  EXPECT_THAT(issues_of(array_of().one_of(std::vector<value>{value{array{1}}}), array{1}),
              IsEmpty());
}

TEST_F(definition_options, format) {
  EXPECT_THAT(issues_of(string().format(email), "a@b"), ElementsAre("f format"));
  EXPECT_THAT(issues_of(string().format(url), "x.y"), ElementsAre("f format"));
  EXPECT_THAT(issues_of(string().format(iso_date), "2023-02-29"), ElementsAre("f format"));
}

TEST_F(definition_options, min_and_max) {
  EXPECT_THAT(issues_of(integer().min(1).max(3), 0), ElementsAre("f min"));
  EXPECT_THAT(issues_of(integer().min(1).max(3), 4), ElementsAre("f max"));
  EXPECT_THAT(issues_of(integer().min(1).max(3), 3), IsEmpty());
  EXPECT_FALSE(db.define(things().field("f", string().min(1)))) << "of numbers and dates only";
}

TEST_F(definition_options, min_length_and_max_length) {
  EXPECT_THAT(issues_of(string().length(2, 2), "\xf0\x9f\x98\x80"), ElementsAre("f min_length"));
  EXPECT_THAT(issues_of(string().length(1, 1), "\xf0\x9f\x98\x80"), IsEmpty()) << "code points";
  EXPECT_THAT(issues_of(string().length(1, 1), "ab"), ElementsAre("f max_length"));
}

TEST_F(definition_options, pattern) {
  EXPECT_THAT(issues_of(string().pattern("b+"), "abc"), IsEmpty()) << "unanchored";
  EXPECT_THAT(issues_of(string().pattern("^b"), "abc"), ElementsAre("f pattern"));
  EXPECT_THAT(issues_of(string().pattern("^(a|b)*$"), std::string(200'000, 'a')), IsEmpty());
}

TEST_F(definition_options, unique) {
  auto b = define(things().field("f", string().unique()));
  ASSERT_TRUE(b.insert({{"id", 1}, {"f", "x"}}).get());
  EXPECT_EQ(b.insert({{"id", 2}, {"f", "x"}}).get().error().code(), errc::duplicate);
  EXPECT_TRUE(b.insert({{"id", 3}, {"f", nullptr}}).get());
  EXPECT_TRUE(b.insert({{"id", 4}}).get());
}

TEST_F(definition_options, ref_and_on_delete) {
  auto teams = define(schema("teams").key("id", integer()));
  auto b = define(things()
                      .field("r", integer().references("teams"))
                      .field("c", integer().references("teams", on_delete::cascade))
                      .field("n", integer().references("teams", on_delete::set_null)));
  EXPECT_FALSE(b.insert({{"id", 1}, {"r", 1}}).get());
  for (int i = 1; i <= 3; ++i)
    ASSERT_TRUE(teams.insert({{"id", i}}).get());
  ASSERT_TRUE(b.insert({{"id", 1}, {"r", 1}}).get());
  ASSERT_TRUE(b.insert({{"id", 2}, {"c", 2}}).get());
  ASSERT_TRUE(b.insert({{"id", 3}, {"n", 3}}).get());
  EXPECT_FALSE(teams.erase(1).get()) << "restrict";
  ASSERT_TRUE(teams.erase(2).get());
  EXPECT_FALSE(b.get(2).get()) << "cascade";
  ASSERT_TRUE(teams.erase(3).get());
  EXPECT_TRUE(b.get(3).get().value()["n"].is_null()) << "set_null";
}

TEST_F(definition_options, properties) {
  auto address = object_of().property("city", string().required()).property("since", date());
  EXPECT_THAT(issues_of(address, object{{"since", "soon"}}),
              ElementsAre("f.city required", "f.since type"));
  EXPECT_THAT(issues_of(address, object{{"city", "Brno"}, {"other", 1}}), IsEmpty());
  auto b = define(things().field("f", address));
  auto r = b.insert({{"id", 1}, {"f", object{{"city", "x"}, {"since", "1970-01-02"}}}}).get();
  ASSERT_TRUE(r);
  EXPECT_EQ((*r)["f"]["since"], value_view{86'400'000});
  restart();
  b = define(things().field("f", address));
  EXPECT_EQ(b.get(1).get().value()["f"]["since"], value_view{86'400'000});
  EXPECT_THAT(issues(b.update(1, {{"f", object{{"city", 5}}}}).get()), ElementsAre("f.city type"));
}

TEST_F(definition_options, items) {
  auto contacts = array_of().items(object_of().property("name", string().required()).required());
  EXPECT_THAT(issues_of(contacts, array{object{{"name", "a"}}, object{}, nullptr, 7}),
              ElementsAre("f[1].name required", "f[3] type"));
  EXPECT_THAT(issues_of(array_of().items(array_of().items(integer())), array{value{array{1, "x"}}}),
              ElementsAre("f[0][1] type"));
}

TEST_F(definition_options, validate_field) {
  auto even = integer().min(0).validate(
      [](value_view v, const record_input& whole) -> std::optional<std::string> {
        if (v.as_int() % 2 == 0)
          return std::nullopt;
        return "record " + whole.key().to_string() + " is odd";
      });
  EXPECT_THAT(issues_of(even, 2), IsEmpty());
  EXPECT_THAT(issues_of(even, -3), ElementsAre("f min", "f custom")) << "after the other checks";
  EXPECT_THAT(issues_of(even, "x"), ElementsAre("f type")) << "not when the type is wrong";
  EXPECT_THAT(issues_of(even, nullptr), IsEmpty()) << "not for null";
  EXPECT_THAT(issues_of(array_of().items(even), array{2, 3}), ElementsAre("f[1] custom"));
}

TEST_F(definition_options, indexes) {
  EXPECT_FALSE(db.define(things().index("f")));
  auto b = define(things().field("f", string()).field("u", string().unique()).index("f"));
  for (int i = 0; i < 20; ++i)
    ASSERT_TRUE(
        b.insert({{"id", i}, {"f", i % 10 ? "x" : "y"}, {"u", "u" + std::to_string(i)}}).get());
  using namespace literals;
  auto some = b.where("f"_f == "y");
  EXPECT_EQ(some.explain()->from, explanation::source::index);
  EXPECT_THAT(some.explain()->indexes, ElementsAre("f"));
  EXPECT_THAT(keys(some.all().get()), ElementsAre("0", "10"));
  EXPECT_EQ(b.where("u"_f == "u7").explain()->from, explanation::source::unique_index);
  EXPECT_THAT(keys(b.where("u"_f == "u7").all().get()), ElementsAre("7"));
}

TEST_F(definition_options, ordered_set) {
  auto b = define(things().ordered());
  for (int i : {3, 1, 2})
    ASSERT_TRUE(b.insert({{"id", i}}).get());
  EXPECT_THAT(keys(b.all().get()), ElementsAre("1", "2", "3"));
}

TEST_F(definition_options, persistent) {
  auto kept = define(things());
  auto lost = define(schema("lost").key("id", integer()).persistent(false));
  ASSERT_TRUE(kept.insert({{"id", 1}}).get());
  ASSERT_TRUE(lost.insert({{"id", 1}}).get());
  restart();
  EXPECT_TRUE(db.has_bucket("things"));
  EXPECT_FALSE(db.has_bucket("lost"));
}

TEST_F(definition_options, ttl) {
  EXPECT_EQ(things().expire_after("1.5 h").expires_after(), std::chrono::minutes{90});
  EXPECT_FALSE(db.define(things().expire_after("1.5 hours")));
  EXPECT_FALSE(db.has_bucket("things"));
  auto b = define(things().expire_after("1.5 h"));
  EXPECT_EQ(b.insert({{"id", 1}}).get()->expires_at(), clock.now() + std::chrono::minutes{90});
  EXPECT_EQ(b.update(1, {{"x", 1}}).get()->expires_at(), clock.now() + std::chrono::minutes{90});
  restart();
  b = db.bucket("things").value();
  clock.advance(std::chrono::minutes{89});
  EXPECT_TRUE(b.contains(1));
  clock.advance(std::chrono::minutes{1});
  EXPECT_FALSE(b.contains(1));
}

TEST_F(definition_options, max_size) {
  EXPECT_FALSE(db.define(things().capacity(0)));
  auto b = define(things().capacity(2));
  for (int i : {3, 1, 2})
    ASSERT_TRUE(b.insert({{"id", i}}).get());
  EXPECT_FALSE(b.contains(3)) << "the one inserted first";
  restart();
  b = db.bucket("things").value();
  ASSERT_TRUE(b.insert({{"id", 4}}).get());
  EXPECT_EQ(*b.count().get(), 2u);
  EXPECT_FALSE(b.contains(1));
}

TEST_F(definition_options, validate_bucket) {
  auto checked = [] {
    return things().field("f", integer()).validate([](const record_input& r) {
      std::vector<std::string> out;
      if (r["f"] == value_view{13})
        throw std::runtime_error{"bad luck"};
      if (r["f"] == value_view{14})
        throw 14;
      if (r["f"] == value_view{15})
        throw std::bad_alloc{};
      if (r.version() > 2)
        out.push_back("changed too often");
      if (!r["outside"].is_null())
        out.push_back("outside");
      return out;
    });
  };
  auto b = define(checked());
  EXPECT_THAT(issues(b.insert({{"id", 1}, {"f", "x"}, {"outside", 1}}).get()),
              ElementsAre("f type", "_record custom"));
  for (int i : {13, 14, 15})
    EXPECT_FALSE(b.insert({{"id", 1}, {"f", i}}).get());
  EXPECT_EQ(b.count().get().value(), 0U);
  EXPECT_EQ(db.stats().buckets.front().restarts, 0U) << "what throws fails its own write";
  ASSERT_TRUE(b.insert({{"id", 1}}).get());
  ASSERT_TRUE(b.update(1, {{"f", 1}}).get());
  EXPECT_THAT(b.update(1, {{"f", 2}}).get().error().message(), HasSubstr("changed too often"));
  restart();
  EXPECT_FALSE(db.define(things().field("f", integer()))) << "the check has to be given again";
  b = define(checked());
  EXPECT_FALSE(b.update(1, {{"f", 2}}).get());
  EXPECT_EQ(b.get(1).get().value()["f"], value_view{1});
}

TEST_F(definition_options, unknown_fields) {
  auto open = define(things());
  EXPECT_EQ(open.insert({{"id", 1}, {"x", 5}}).get().value()["x"], value_view{5});
  auto closed = define(schema("closed").key("id", integer()).closed());
  EXPECT_THAT(issues(closed.insert({{"id", 1}, {"x", 5}}).get()), ElementsAre("x unknown"));
}

TEST_F(definition_options, bad_input_of_every_kind_is_told_and_changes_nothing) {
  auto b = define(things().field("f", string()).field("g", array_of()));
  ASSERT_TRUE(b.insert({{"id", 1}, {"f", "x"}}).get());
  value deep = 1;
  for (unsigned i = 0; i < 40; ++i)
    deep = array{deep};
  const std::pair<object, std::string> table[] = {
      {object{{"f", "\xff"}}, "things.f: text is not valid UTF-8"},
      {object{{"f", std::string((std::size_t{16} << 20) + 1, 'x')}}, "bytes are above the limit"},
      {object{{"g", deep}}, "things.g: nested deeper than the limit 32"},
      {object{{"outside", deep}}, "things.outside: nested deeper than the limit 32"},
      {object{{"outside", std::nan("")}}, "is not a finite number"},
      {object{{"g", array{object{{"\xff", 1}}}}}, "things.g[0]: a member's name is not valid"},
      {object{{"", 1}}, "a field's name is empty"},
      {object{{"\xff", 1}}, "a field's name is not valid UTF-8"},
      {object{{std::string(256, 'n'), 1}}, "256 bytes, above the limit 255"},
  };
  for (auto& [changes, told] : table) {
    auto updated = b.update(1, changes).get();
    ASSERT_FALSE(updated) << told;
    EXPECT_EQ(updated.error().code(), errc::invalid);
    EXPECT_THAT(updated.error().message(), HasSubstr(told));
    auto fields = changes;
    fields.set("id", 2);
    auto made = b.insert(fields).get();
    ASSERT_FALSE(made) << told;
    EXPECT_THAT(made.error().message(), HasSubstr(told));
  }
  EXPECT_EQ(b.count().get().value(), 1U);
  EXPECT_EQ(b.get(1).get().value().version(), 1U);
}

} // namespace
} // namespace holdfast::testing
