// The reference's rows about queries (1.1, 1.5) and transactions (1.6), one test per row, with what
// holdfast decides differently as decided.
#include "reference_fixture.hpp"

#include <holdfast/store/filter_json.hpp>

namespace holdfast::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

struct query_rows : reference_fixture {
  bucket<> users = define(schema("users")
                              .key("id", string())
                              .field("role", string())
                              .field("age", integer())
                              .field("email", string().unique())
                              .index("role"));
  void SetUp() override {
    ASSERT_TRUE(users
                    .insert_many({{{"id", "a"}, {"role", "admin"}, {"age", 40}},
                                  {{"id", "b"}, {"role", "user"}, {"age", 20}},
                                  {{"id", "c"}, {"role", "user"}, {"age", 30}},
                                  {{"id", "d"}, {"role", "user"}}})
                    .get());
  }
  /// The keys that a query of records gives.
  std::vector<std::string> run(std::string_view name, const object& with = {},
                               const read_filters& filters = {}) const {
    auto found = db.run(name, with, filters);
    if (!found)
      return {found.error().to_string()};
    auto* list = found->if_a<query_list>(); // of a declarative one
    return keys(result<records>{list ? list->items : found->as<records>()});
  }
};

TEST_F(query_rows, define_query) {
  auto adults = [this](query_context& in, const object& with) {
    return in.in(users).where("age"_f >= *with.find("least")).all();
  };
  ASSERT_TRUE(db.define_query("adults", adults));
  EXPECT_THAT(run("adults", {{"least", 30}}), ElementsAre("a", "c"));
  auto twice = db.define_query("adults", adults);
  EXPECT_EQ(twice.error(), errc::already_exists);
  EXPECT_EQ(twice.error().where().query, "adults");
}

TEST_F(query_rows, define_declarative_query) {
  declared_query list{.bucket = "users",
                      .what = query{"role"_f == parameter("role")}
                                  .order_by("age", direction::descending)
                                  .offset(1)
                                  .limit(2)};
  ASSERT_TRUE(db.define_query("list", list));
  EXPECT_THAT(run("list", {{"role", "user"}}), ElementsAre("b", "d"))
      << "filter, sort, offset, limit; records without a value come last";
  EXPECT_EQ(db.define_query("list", list).error(), errc::already_exists) << "one space of names";
  auto unknown = db.define_query("other", {.bucket = "none"});
  EXPECT_EQ(unknown.error(), errc::not_found);
  EXPECT_EQ(unknown.error().where().bucket, "none");
  ASSERT_TRUE(
      db.define_query("names", {.bucket = "users", .what = query{"age"_f > 30}.fields({"id"})}));
  EXPECT_EQ(db.run("names")->as<query_list>().objects, (std::vector{object{{"id", "a"}}}));
  ASSERT_TRUE(db.define_query("ages", {.bucket = "users",
                                       .what = query{}.order_by("age").limit(1),
                                       .aggregates = {aggregate::count()},
                                       .group_by = {"role"}}));
  EXPECT_EQ(db.run("ages")->as<groups>(), (groups{group{{"user"}, {1}}}))
      << "the limit counts records, not groups: the youngest alone is grouped";
}

TEST_F(query_rows, aggregate_of_a_declarative_query) {
  ASSERT_TRUE(db.define_query("sum", {.bucket = "users", .aggregates = {aggregate::sum("age")}}));
  EXPECT_EQ(db.run("sum")->as<value>(), value{90});
  ASSERT_TRUE(db.define_query("by_role", {.bucket = "users",
                                          .aggregates = {aggregate::count(), aggregate::avg("age")},
                                          .group_by = {"role"}}));
  EXPECT_EQ(db.run("by_role")->as<groups>(),
            (groups{{{"admin"}, {1, 40.0}}, {{"user"}, {3, 25.0}}}));
}

TEST_F(query_rows, undefine_query) {
  ASSERT_TRUE(db.define_query("all", {.bucket = "users"}));
  std::promise<error> ended;
  auto token = db.subscribe("all", [&](const query_update& now) {
                   if (!now.outcome)
                     ended.set_value(now.outcome.error());
                 }).value();
  EXPECT_TRUE(db.remove_query("all"));
  EXPECT_FALSE(db.remove_query("all"));
  EXPECT_EQ(ended.get_future().get(), errc::dropped) << "subscribers are told";
}

TEST_F(query_rows, get_queries_and_get_query_info) {
  ASSERT_TRUE(db.define_query("all", {.bucket = "users"}));
  ASSERT_TRUE(db.define_query("one", [](query_context&) { return value{1}; }));
  auto token = db.subscribe("all", [](const query_update&) {}).value();
  auto known = db.queries();
  ASSERT_EQ(known.size(), 2u);
  EXPECT_EQ(known[0].name, "all");
  EXPECT_EQ(known[0].declared->bucket, "users");
  EXPECT_EQ(known[0].subscriptions, 1u);
  EXPECT_FALSE(known[1].declared);
  EXPECT_EQ(db.query_info_of("one")->subscriptions, 0u);
  auto unknown = db.query_info_of("none");
  EXPECT_EQ(unknown.error(), errc::not_found);
  EXPECT_EQ(unknown.error().where().query, "none");
}

TEST_F(query_rows, subscribe) {
  ASSERT_TRUE(db.define_query("admins", {.bucket = "users", .what = query{"role"_f == "admin"}}));
  std::mutex mutex;
  std::vector<std::vector<std::string>> told;
  auto token = db.subscribe("admins", [&](const query_update& now) {
                   std::lock_guard lock{mutex};
                   told.push_back(keys(result<records>{now.as<query_list>().items}));
                 }).value();
  ASSERT_TRUE(db.settle());
  ASSERT_TRUE(users.update("b", {{"role", "admin"}}).get());
  ASSERT_TRUE(users.update("c", {{"age", 31}}).get()) << "does not concern it";
  ASSERT_TRUE(db.settle());
  token.cancel();
  token.cancel();
  ASSERT_TRUE(users.erase("a").get());
  ASSERT_TRUE(db.settle());
  EXPECT_THAT(told, ElementsAre(ElementsAre("a"), ElementsAre("a", "b")));
  auto unknown = db.subscribe("none", [](const query_update&) {});
  EXPECT_EQ(unknown.error(), errc::not_found);
  EXPECT_EQ(unknown.error().where().query, "none");
}

TEST_F(query_rows, run_query) {
  ASSERT_TRUE(db.define_query("all", {.bucket = "users"}));
  EXPECT_THAT(run("all"), ElementsAre("a", "b", "c", "d"));
  EXPECT_EQ(db.run("none").error(), errc::not_found);
  EXPECT_EQ(db.run("none").error().where().query, "none");
}

TEST_F(query_rows, read_filter) {
  ASSERT_TRUE(db.define_query("all", {.bucket = "users"}));
  ASSERT_TRUE(db.define_query("count", [this](query_context& in) { return in.in(users).count(); }));
  read_filters only_users{{"users", "role"_f == "user"}};
  EXPECT_THAT(run("all", {}, only_users), ElementsAre("b", "c", "d"));
  EXPECT_EQ(db.run("count", object{}, only_users)->as<std::uint64_t>(), 3u) << "every read of it";
}

TEST_F(query_rows, parameters_of_a_declarative_query) {
  auto from_text = filter_from_json(R"({"age": {"$between": ["{{ params.low }}", 30]}})");
  ASSERT_TRUE(from_text) << from_text.error().to_string();
  ASSERT_TRUE(db.define_query("between", {.bucket = "users", .what = query{*from_text}}));
  EXPECT_THAT(run("between", {{"low", 25}}), ElementsAre("c")) << "inside operators";
  auto missing = db.run("between");
  EXPECT_EQ(missing.error(), errc::invalid_argument) << "a missing one is an error";
  EXPECT_EQ(missing.error().where().query, "between");
  EXPECT_EQ(db.run("between", object{{"low", 25}, {"high", 1}}).error(), errc::invalid_argument);
}

/// Only lists were looked into.
TEST_F(query_rows, parameters_inside_of_objects) {
  auto things = define(schema("things").key("id", string()).field("o", object_of()));
  ASSERT_TRUE(things
                  .insert_many({{{"id", "a"}, {"o", object{{"x", 1}, {"in", array{1, 2}}}}},
                                {{"id", "b"}, {"o", object{{"x", 2}, {"in", array{1, 2}}}}}})
                  .get());
  const object wanted{{"x", parameter("p")}, {"in", array{parameter("q"), 2}}};
  ASSERT_TRUE(db.define_query("same", {.bucket = "things", .what = query{"o"_f == wanted}}));
  EXPECT_THAT(run("same", {{"p", 2}, {"q", 1}}), ElementsAre("b"));
  EXPECT_THAT(run("same", {{"p", 2}, {"q", 3}}), IsEmpty());
  EXPECT_EQ(db.run("same", object{{"p", 2}}).error(), errc::invalid_argument);
}

/// One of no name was a text like any other; blanks were part of it or not.
TEST_F(query_rows, names_of_parameters) {
  for (auto* blanks : {"", " ", "  "}) {
    auto bad = db.define_query(
        "bad", {.bucket = "users", .what = query{"role"_f.in("a", parameter(blanks))}});
    EXPECT_EQ(bad.error(), errc::invalid_argument);
    EXPECT_EQ(bad.error().message(), "bad: the name of a parameter is empty");
    EXPECT_EQ(bad.error().where().query, "bad");
  }
  for (auto* name : {" n", "n ", " "}) {
    EXPECT_EQ(db.define_query("bad", {.bucket = "users", .limit_parameter = name}).error(),
              errc::invalid_argument);
    EXPECT_EQ(db.define_query("bad", {.bucket = "users", .offset_parameter = name}).error(),
              errc::invalid_argument);
  }
  EXPECT_EQ(db.query_info_of("bad").error(), errc::not_found);
  for (auto* text : {"{{params.x}}", "{{  params. x  }}"}) {
    ASSERT_TRUE(db.define_query(text, {.bucket = "users", .what = query{"role"_f == text}}));
    EXPECT_THAT(run(text, {{"x", "admin"}}), ElementsAre("a"));
    EXPECT_THAT(db.run(text).error().message(), ::testing::EndsWith("the parameter x is missing"));
  }
  for (auto* text : {"{{ params }}", "{{ paramsx }}", "{{}}", "{ params.x }"}) {
    ASSERT_TRUE(db.define_query(text, {.bucket = "users", .what = query{"role"_f == text}}));
    EXPECT_THAT(run(text), IsEmpty()) << "a text like any other";
  }
}

struct transaction_rows : query_rows {};

TEST_F(transaction_rows, transaction) {
  auto sum = db.transact([&](transaction& tx) -> result<std::int64_t> {
    auto in = tx.bucket("users").value();
    if (auto done = in.update("a", {{"age", 1}}).get(); !done)
      return fail(done.error());
    return in.everything().sum("age").get()->as_int(); // reads what it wrote
  });
  EXPECT_EQ(sum.value(), 51) << "gives what the function gave";
  auto failed = db.transact([&](transaction& tx) -> result<void> {
    (void)tx.in(users).erase("a").get();
    return fail(errc::invalid_argument, "no");
  });
  EXPECT_EQ(failed.error().message(), "no");
  EXPECT_TRUE(users.contains("a")) << "nothing was committed";
}

TEST_F(transaction_rows, handle_methods) {
  ASSERT_TRUE(db.transact([&](transaction& tx) -> result<void> {
    auto in = tx.in(users);
    EXPECT_TRUE(in.insert({{"id", "e"}}).get());
    EXPECT_TRUE(in.insert_many({{{"id", "f"}}, {{"id", "g"}}}).get());
    EXPECT_TRUE(in.upsert({{"id", "e"}, {"age", 1}}).get());
    EXPECT_EQ(*in.update_many("role"_f == "user", {{"age", 7}}).get(), 3u);
    EXPECT_EQ(*in.erase_many("id"_f == "f").get(), 1u);
    EXPECT_TRUE(in.erase("g").get());
    EXPECT_EQ(*in.count("age"_f == 7).get(), 3u);
    EXPECT_EQ(in.find_one("age"_f == 1).get()->key(), value_view{"e"});
    EXPECT_EQ(in.all().get()->size(), 5u);
    EXPECT_EQ(in.last(1).get()->front().key(), value_view{"e"}) << "and what the reference lacks";
    EXPECT_EQ(in.everything().page_of(2).get()->items.size(), 2u);
    EXPECT_EQ(in.everything().group_by({"role"}, {aggregate::count()}).get()->size(), 3u);
    return {};
  }));
  EXPECT_EQ(*users.count("age"_f == 7).get(), 3u);
}

// The reference fails on each of these always (its W19).
TEST_F(transaction_rows, ordinary_sequences_work) {
  ASSERT_TRUE(users.update("a", {{"email", "one"}}).get());
  auto done = db.transact([&](transaction& tx) -> result<void> {
    auto in = tx.in(users);
    for (auto step : {in.update("b", {{"age", 1}}).get(), in.erase("b").get(), in.erase("c").get(),
                      in.insert({{"id", "c"}}).get(), in.update("a", {{"email", nullptr}}).get(),
                      in.update("d", {{"email", "one"}}).get()})
      if (!step)
        return fail(step.error());
    return {};
  });
  ASSERT_TRUE(done) << done.error().to_string();
  EXPECT_THAT(keys(users.all().get()), ElementsAre("a", "d", "c"));
  EXPECT_EQ((*users.get("d").get())["email"], value_view{"one"});
}

TEST_F(transaction_rows, conflict) {
  int runs = 0;
  auto done = db.transact(
      [&](transaction& tx) -> result<void> {
        ++runs;
        auto in = tx.in(users);
        (void)in.get("a").get();
        (void)users.update("a", {{"age", runs}}).get(); // somebody else
        return in.update("b", {{"age", 0}}).get().map([](const record&) {});
      },
      {.retries = 2, .exclusive_retries = 0});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error(), errc::conflict);
  EXPECT_EQ(done.error().where().bucket, "users");
  EXPECT_EQ(done.error().where().key, "\"a\"");
  EXPECT_EQ(runs, 3) << "it was run again";
  EXPECT_EQ((*users.get("b").get())["age"], value_view{20});
}

} // namespace
} // namespace holdfast::testing
