#include "tests/store/reactive/live_query_fixture.hpp"

#include <map>
#include <string>

namespace holdfast {

struct live_query_least {
  std::int64_t least = 0;
  std::optional<std::string> role;
};
template <>
inline constexpr auto
    mapping<live_query_least> = map_object<live_query_least>(field<&live_query_least::least>(),
                                                             field<&live_query_least::role>());

namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::live_query;
using ::testing::SizeIs;
using testing::told;

TEST_F(live_query, tells_how_it_stands_and_then_each_other_value) {
  define_adults();
  told<std::uint64_t> seen;
  auto token = db.subscribe("adults", {{"least", 18}}, seen.here()).value();
  settle();
  EXPECT_THAT(seen.values(), ElementsAre(2));
  age(1, 40);
  settle();
  age(2, 15);
  settle();
  age(2, 16); // the number stays
  settle();
  EXPECT_THAT(seen.values(), ElementsAre(2, 3, 2));
  auto seqs = seen.seqs();
  EXPECT_EQ(seqs[0].first, 3u);
  EXPECT_EQ(seqs[2].first, 5u);
}

TEST_F(live_query, skips_the_first_value_if_asked_to) {
  define_adults();
  told<std::uint64_t> seen;
  auto token = db.subscribe("adults", {{"least", 18}}, seen.here(), {.skip_initial = true}).value();
  settle();
  EXPECT_THAT(seen.values(), IsEmpty());
  add(4, "user", 50);
  settle();
  EXPECT_THAT(seen.values(), ElementsAre(3));
}

TEST_F(live_query, is_run_on_demand) {
  define_adults();
  EXPECT_EQ(db.run("adults", {{"least", 25}})->as<std::uint64_t>(), 1u);
  EXPECT_EQ(db.run("none").error(), errc::not_found);
  EXPECT_EQ(db.define_query("adults", [](query_context&) { return 1; }).error(),
            errc::already_exists);
  EXPECT_EQ(db.subscribe("none", [](const query_update&) {}).error(), errc::not_found);
}

TEST_F(live_query, takes_parameters_as_a_struct) {
  ASSERT_TRUE(db.define_query<live_query_least>(
      "typed", [this](query_context& in, const live_query_least& with) {
        auto which = "age"_f >= with.least;
        return in.in(users).where(with.role ? which && "role"_f == *with.role : which).count();
      }));
  EXPECT_EQ(db.run("typed", live_query_least{.least = 5, .role = "user"})->as<std::uint64_t>(), 2u);
  EXPECT_EQ(db.run("typed", {{"least", 15}})->as<std::uint64_t>(), 2u);
  auto wrong = db.run("typed", {{"least", "old"}});
  ASSERT_FALSE(wrong);
  EXPECT_THAT(wrong.error().to_string(), HasSubstr("typed.least"));
  EXPECT_EQ(db.run("typed", {{"least", 15}, {"other", 1}}).error(), errc::invalid);
  const live_query_least users_of_15{.least = 15, .role = "user"};
  told<std::uint64_t> seen, same;
  auto token = db.subscribe("typed", users_of_15, seen.here()).value();
  auto other = db.subscribe("typed", {{"least", 15}, {"role", "user"}}, same.here()).value();
  settle(); // or the next value takes the place of the first
  age(1, 16);
  settle();
  EXPECT_THAT(seen.values(), ElementsAre(1, 2));
  EXPECT_EQ(db.query_info_of("typed")->groups, 1U) << "a struct and an object that say the same";
  EXPECT_EQ(db.why("typed", users_of_15)->runs, 2U);
  EXPECT_EQ(db.subscribe("typed", {{"least", "old"}}, seen.here()).error(), errc::invalid);
}

TEST_F(live_query, runs_again_only_for_what_it_read) {
  ASSERT_TRUE(db.define_query("one", [this](query_context& in, const object& with) {
    return in.in(users).get(*with.find("id"));
  }));
  ASSERT_TRUE(db.define_query("admins", [this](query_context& in) {
    return in.in(users).where("role"_f == "admin" && "age"_f < 90).all();
  }));
  told<record> one;
  told<records> admins;
  auto a = db.subscribe("one", {{"id", 7}}, one.here()).value();
  auto b = db.subscribe("admins", admins.here()).value();
  age(1, 11);
  ASSERT_TRUE(orders.insert({{"id", 1}, {"user", 7}}).get());
  settle();
  EXPECT_EQ(runs("one", {{"id", 7}}), 1u);
  EXPECT_EQ(runs("admins"), 1u);
  add(7, "user", 70);
  settle();
  EXPECT_EQ(runs("one", {{"id", 7}}), 2u);
  EXPECT_EQ(runs("admins"), 1u);
  ASSERT_TRUE(users.update(7, {{"role", "admin"}}).get());
  settle();
  EXPECT_EQ(runs("admins"), 2u);
  EXPECT_THAT(one.errors(), ElementsAre(HasSubstr("not_found")));
  EXPECT_EQ(one.values().size(), 2u);
  EXPECT_EQ(admins.values().back().size(), 2u);
  EXPECT_EQ(db.why("admins")->last->to_string(),
            "users: where role == \"admin\" and age < 90, changed by commit 7");
}

TEST_F(live_query, of_what_differs_runs_again_for_what_comes_to_and_ceases_to) {
  ASSERT_TRUE(db.define_query(
      "others", [this](query_context& in) { return in.in(users).where("age"_f != 20).all(); }));
  ASSERT_TRUE(db.define_query("minors", [this](query_context& in) {
    return in.in(users).where(!("age"_f >= 18)).count();
  }));
  told<records> others;
  told<std::uint64_t> minors;
  auto a = db.subscribe("others", others.here()).value();
  auto b = db.subscribe("minors", minors.here()).value();
  auto expect = [&](std::uint64_t of_others, std::uint64_t of_minors, const char* after) {
    settle();
    EXPECT_EQ(runs("others"), of_others) << after;
    EXPECT_EQ(runs("minors"), of_minors) << after;
  };
  add(4, "user", 20);
  ASSERT_TRUE(users.update(2, {{"name", "Ann"}}).get());
  expect(1, 1, "what is equal and not less");
  age(4, 21);
  expect(2, 1, "one that differs");
  age(4, 17);
  expect(3, 2, "it goes on differing, on the other side");
  ASSERT_TRUE(users.update(4, {{"age", nullptr}}).get());
  expect(4, 2, "without a value it does not differ, and is still not at least 18");
  ASSERT_TRUE(users.insert({{"id", 5}, {"role", "user"}}).get());
  expect(4, 3, "one that never had a value");
  EXPECT_THAT(others.values(), ElementsAre(SizeIs(2), SizeIs(3), SizeIs(3), SizeIs(2)));
  EXPECT_THAT(minors.values(), ElementsAre(1, 2, 3));
}

/// The ages are 10, 20, 30.
TEST_F(live_query, of_an_end_of_an_order_runs_again_for_what_comes_to_it_and_leaves_it) {
  const auto define = [&](const char* name, direction way) {
    ASSERT_TRUE(db.define_query(name, [this, way](query_context& in) {
      return in.in(users).everything().order_by("age", way).last(2);
    }));
  };
  define("oldest", direction::ascending);
  define("youngest", direction::descending);
  ASSERT_TRUE(
      db.define_query("newest", [this](query_context& in) { return in.in(users).last(1); }));
  told<records> oldest, youngest, newest;
  auto a = db.subscribe("oldest", oldest.here()).value();
  auto b = db.subscribe("youngest", youngest.here()).value();
  auto c = db.subscribe("newest", newest.here()).value();
  auto expect = [&](std::uint64_t old, std::uint64_t young, std::uint64_t fresh,
                    const char* after) {
    settle();
    EXPECT_EQ(runs("oldest"), old) << after;
    EXPECT_EQ(runs("youngest"), young) << after;
    EXPECT_EQ(runs("newest"), fresh) << after;
  };
  expect(1, 1, 1, "first");
  age(1, 11);
  expect(1, 2, 1, "the youngest");
  age(2, 21);
  expect(2, 3, 1, "one between, which is in both");
  add(4, "user", 40);
  expect(3, 3, 2, "an older one");
  add(5, "user", 5);
  expect(3, 4, 3, "a younger one");
  ASSERT_TRUE(users.insert({{"id", 6}, {"role", "user"}}).get());
  expect(4, 5, 4, "one without a value, which is last in both orders");
  ASSERT_TRUE(users.erase(2).get());
  expect(4, 5, 4, "one that is in neither");
  EXPECT_EQ(oldest.values().back()[1].key(), 6);
  EXPECT_EQ(youngest.values().back()[0]["age"], 5);
}

TEST_F(live_query, shares_one_run_among_equal_subscriptions) {
  define_adults();
  told<std::uint64_t> seen[3];
  std::vector<subscription> tokens;
  for (auto& each : seen)
    tokens.push_back(db.subscribe("adults", {{"least", 18}}, each.here()).value());
  settle();
  EXPECT_EQ(runs("adults", {{"least", 18}}), 1u);
  add(4, "user", 50);
  settle();
  EXPECT_EQ(runs("adults", {{"least", 18}}), 2u);
  for (auto& each : seen)
    EXPECT_THAT(each.values(), ElementsAre(2, 3));
  auto info = db.query_info_of("adults").value();
  EXPECT_EQ(info.groups, 1u);
  EXPECT_EQ(info.subscriptions, 3u);
  tokens.clear();
  settle();
  EXPECT_EQ(db.query_info_of("adults")->subscriptions, 0u);
  EXPECT_EQ(db.why("adults", {{"least", 18}}).error(), errc::not_found);
}

TEST_F(live_query, says_what_became_of_a_list) {
  ASSERT_TRUE(db.define_query(
      "oldest",
      {.bucket = "users",
       .what = query{}.order_by("age", direction::descending).limit(3).fields({"id", "age"})}));
  told<query_list> seen;
  auto token = db.subscribe("oldest", seen.here()).value();
  settle();
  EXPECT_EQ(seen.last_changes().added.size(), 3u);
  add(4, "user", 25);
  settle();
  EXPECT_EQ(seen.last_changes(), (list_changes{.removed = {2}, .added = {1}}));
  age(2, 35); // from the end to the front
  settle();
  EXPECT_EQ(seen.last_changes(), (list_changes{.changed = {{2, 0}}, .moved = {{2, 0}}}));
  age(4, 33); // one of the last two has moved
  settle();
  EXPECT_EQ(seen.last_changes(), (list_changes{.changed = {{2, 1}}, .moved = {{2, 1}}}));
  ASSERT_TRUE(users.update(4, {{"name", "Ann"}}).get()); // not among its fields
  settle();
  EXPECT_EQ(seen.values().size(), 4u);
}

TEST_F(live_query, is_declared_with_parameters_aggregates_and_groups) {
  ASSERT_TRUE(db.define_query("sum", {.bucket = "users",
                                      .what = query{"role"_f == parameter("role")},
                                      .aggregates = {aggregate::sum("age")}}));
  ASSERT_TRUE(db.define_query(
      "roles", {.bucket = "users", .aggregates = {aggregate::count()}, .group_by = {"role"}}));
  told<value> sums;
  told<groups> roles;
  auto a = db.subscribe("sum", {{"role", "user"}}, sums.here()).value();
  auto b = db.subscribe("roles", roles.here()).value();
  settle(); // else the second value may take the place of the first
  add(4, "user", 40);
  settle();
  EXPECT_THAT(sums.values(), ElementsAre(value{30}, value{70}));
  EXPECT_EQ(roles.values().back()[0].results[0], value{3});
  EXPECT_EQ(db.run("sum").error(), errc::invalid_argument);
  EXPECT_EQ(db.run("sum", {{"role", "a"}, {"x", 1}}).error(), errc::invalid_argument);
  EXPECT_EQ(db.define_query("other", {.bucket = "none"}).error(), errc::not_found);
  EXPECT_EQ(db.define_query("bad", {.bucket = "users", .what = query{"no"_f == 1}}).error(),
            errc::invalid_argument);
  EXPECT_EQ(db.query_info_of("bad").error(), errc::not_found);
}

TEST_F(live_query, tells_errors_and_goes_on) {
  ASSERT_TRUE(db.define_query("strict", [this](query_context& in) -> result<std::uint64_t> {
    auto n = in.in(users).count().get().value();
    if (n == 4)
      throw std::runtime_error{"four"};
    return n;
  }));
  told<std::uint64_t> seen;
  auto token = db.subscribe("strict", seen.here()).value();
  settle();
  add(4, "user", 1);
  settle();
  EXPECT_THAT(seen.errors(), ElementsAre(HasSubstr("strict: the query threw: four")));
  add(5, "user", 1);
  settle();
  EXPECT_THAT(seen.values(), ElementsAre(3, 5));
}

/// What writes through a bucket, by name; whatever it says but its error is dropped.
using write_call = std::function<result<void>(const bucket<>&)>;
template <class Pending>
result<void> outcome(Pending writing) {
  auto done = std::move(writing).get();
  return done ? result<void>{} : result<void>{fail(std::move(done.error()))};
}
template <class T>
result<void> no_value(result<T> done) {
  return done ? result<void>{} : result<void>{fail(std::move(done.error()))};
}
std::map<std::string, write_call> every_write() {
  using to = const bucket<>&;
  const object four{{"id", 4}}, older{{"age", 1}};
  const std::vector<object> list{four};
  return {
      {"insert", [=](to b) { return outcome(b.insert(four)); }},
      {"update", [=](to b) { return outcome(b.update(1, older)); }},
      {"upsert", [=](to b) { return outcome(b.upsert(four)); }},
      {"touch", [=](to b) { return outcome(b.touch(1, {.never_expires = true})); }},
      {"erase", [=](to b) { return outcome(b.erase(1)); }},
      {"clear", [=](to b) { return outcome(b.clear()); }},
      {"insert_many", [=](to b) { return outcome(b.insert_many(list)); }},
      {"upsert_many", [=](to b) { return outcome(b.upsert_many(list)); }},
      {"update_many", [=](to b) { return outcome(b.update_many(filter{}, older)); }},
      {"erase_many", [=](to b) { return outcome(b.erase_many(filter{})); }},
      {"modify", [=](to b) { return no_value(b.modify(1, [=](const record&) { return older; })); }},
      {"purge", [=](to b) { return no_value(b.purge()); }},
  };
}

TEST_F(live_query, cannot_write) {
  for (auto& [name, write] : every_write()) {
    ASSERT_TRUE(
        db.define_query(name, [&, &call = write](query_context& in) -> result<std::uint64_t> {
          if (auto done = call(in.in(users)); !done)
            return fail(std::move(done.error()));
          return 0;
        }));
    auto done = db.run(name);
    ASSERT_FALSE(done) << name;
    EXPECT_THAT(done.error().to_string(), HasSubstr("users: a query can only read")) << name;
  }
  EXPECT_EQ(users.count().get().value(), 3u);
}

TEST_F(live_query, sees_only_what_its_filters_let_it) {
  ASSERT_TRUE(db.define_query("count", [this](query_context& in) { return in.in(users).count(); }));
  ASSERT_TRUE(db.define_query("third", [this](query_context& in) { return in.in(users).get(3); }));
  const read_filters only{{"users", "role"_f == "user"}};
  EXPECT_EQ(db.run("count", object{}, only)->as<std::uint64_t>(), 2u);
  EXPECT_EQ(db.run("third", object{}, only).error(), errc::not_found);
  told<std::uint64_t> seen, all;
  auto a = db.subscribe("count", seen.here(), {.filters = only}).value();
  auto b = db.subscribe("count", all.here()).value();
  settle();
  ASSERT_TRUE(users.update(3, {{"role", "user"}}).get());
  settle();
  EXPECT_THAT(seen.values(), ElementsAre(2, 3));
  EXPECT_THAT(all.values(), ElementsAre(3));
  const read_filters wrong{{"users", "none"_f == "user"}};
  EXPECT_EQ(db.run("third", object{}, wrong).error(), errc::invalid_argument);
}

} // namespace
} // namespace holdfast
