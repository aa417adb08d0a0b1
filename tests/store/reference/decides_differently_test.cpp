// One test per row of "Where holdfast decides differently" in the description of noex-store, named
// after its subject. Rows about transactions, queries, backups and migrations have their tests
// there.
#include "reference_fixture.hpp"

#include <holdfast/store/filter_json.hpp>

#include <atomic>
#include <cmath>
#include <latch>
#include <utility>

namespace holdfast::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

struct where_holdfast_decides_differently : reference_fixture {
  bucket<> people(bool ordered = false) {
    auto s = schema("people");
    s.key("id", string()).field("name", string()).field("age", number()).index("age");
    if (ordered)
      s.ordered();
    return define(s);
  }
};

TEST_F(where_holdfast_decides_differently, insert_of_an_existing_key) {
  auto p = people();
  ASSERT_TRUE(p.insert({{"id", "a"}, {"age", 1}}).get());
  auto again = p.insert({{"id", "a"}, {"age", 2}}).get();
  EXPECT_EQ(again.error(), errc::duplicate);
  EXPECT_EQ(again.error().where().key, "\"a\"");
  EXPECT_THAT(keys(p.where("age"_f == 1).all().get()), ElementsAre("a"));
  EXPECT_THAT(keys(p.where("age"_f == 2).all().get()), IsEmpty());
}

TEST_F(where_holdfast_decides_differently, missing_key_field) {
  auto p = people();
  auto none = p.insert({{"name", "x"}}).get();
  ASSERT_EQ(none.error(), errc::invalid);
  EXPECT_EQ(none.error().issues()[0].field, "id");
  EXPECT_EQ(none.error().issues()[0].code, "required");
  auto made = define(schema("made").key("id", string().generated(uuid)));
  EXPECT_EQ(made.insert({{"x", 1}}).get()->key().as_string().size(), 36u);
}

TEST_F(where_holdfast_decides_differently, failed_definition) {
  EXPECT_EQ(db.define(schema("b").key("id", string()).index("none")).error(), errc::invalid_schema);
  EXPECT_FALSE(db.has_bucket("b"));
  EXPECT_TRUE(db.define(schema("b").key("id", string())));
}

TEST_F(where_holdfast_decides_differently, bad_pattern_bad_ttl_text) {
  EXPECT_EQ(db.define(schema("b").key("id", string().pattern("("))).error(), errc::invalid_schema);
  EXPECT_EQ(db.define(schema("b").key("id", string()).expire_after("soon")).error(),
            errc::invalid_schema);
}

TEST_F(where_holdfast_decides_differently, date_type) {
  auto b = define(schema("b").key("id", integer()).field("at", date()));
  ASSERT_TRUE(b.insert({{"id", 1}, {"at", "2024-02-29T12:00:00Z"}}).get());
  ASSERT_TRUE(b.insert({{"id", 2}, {"at", 1'709'208'000'000}}).get());
  EXPECT_EQ((*b.get(1).get())["at"], (*b.get(2).get())["at"]);
  EXPECT_EQ((*b.get(1).get())["at"].kind(), value_kind::integer);
  for (value_view bad : {value_view{"any text"}, value_view{"2023-02-29"}, value_view{true}})
    EXPECT_FALSE(b.insert({{"id", 3}, {"at", bad}}).get()) << bad;
}

TEST_F(where_holdfast_decides_differently, integer_and_real) {
  auto b = define(schema("b").key("id", integer()).field("n", number()).field("i", integer()));
  ASSERT_TRUE(b.insert({{"id", 1}, {"n", 1.5}, {"i", 2.0}}).get());
  ASSERT_TRUE(b.insert({{"id", 2}, {"n", 1}}).get());
  EXPECT_FALSE(b.insert({{"id", 3}, {"i", 1.5}}).get());
}

TEST_F(where_holdfast_decides_differently, autoincrement) {
  auto b = define(schema("b").key("id", integer().generated(autoincrement)).field("n", integer()));
  EXPECT_EQ(b.insert({{"n", 1}}).get()->key(), value_view{1});
  ASSERT_TRUE(b.insert({{"id", 10}}).get());
  EXPECT_FALSE(b.insert({{"n", "no number"}}).get());
  EXPECT_EQ(b.insert({{"n", 1}}).get()->key(), value_view{11});
}

TEST_F(where_holdfast_decides_differently, returned_records) {
  auto p = people();
  auto before = p.insert({{"id", "a"}, {"age", 1}}).get().value();
  ASSERT_TRUE(p.update("a", {{"age", 2}}).get());
  EXPECT_EQ(before["age"], value_view{1});
}

TEST_F(where_holdfast_decides_differently, nesting_deeper_than_10) {
  auto f = object_of();
  for (int i = 0; i < 11; ++i)
    f = object_of().property("in", f);
  EXPECT_EQ(db.define(schema("b").key("id", string()).field("f", f)).error(), errc::invalid_schema);
}

TEST_F(where_holdfast_decides_differently, filter_null_or_absent) {
  auto b =
      define(schema("b").key("id", string()).field("x", string()).field("y", string()).index("x"));
  ASSERT_TRUE(b.insert({{"id", "absent"}}).get());
  ASSERT_TRUE(b.insert({{"id", "null"}, {"x", nullptr}, {"y", nullptr}}).get());
  ASSERT_TRUE(b.insert({{"id", "set"}, {"x", "1"}, {"y", "1"}}).get());
  for (auto field : {"x", "y"}) {
    EXPECT_THAT(keys(b.where(filter::is_null(field)).all().get()), ElementsAre("absent", "null"));
    EXPECT_THAT(keys(b.where(filter::compare(field, filter::kind::eq, nullptr)).all().get()),
                ElementsAre("absent", "null"));
  }
}

TEST_F(where_holdfast_decides_differently, equality_on_arrays_and_objects) {
  auto b =
      define(schema("b").key("id", string()).field("list", array_of()).field("o", object_of()));
  ASSERT_TRUE(
      b.insert({{"id", "a"}, {"list", array{1, "x"}}, {"o", object{{"k", array{1.0}}}}}).get());
  EXPECT_EQ(*b.count("list"_f == value{array{1.0, "x"}}).get(), 1u);
  EXPECT_EQ(*b.count("o"_f == value{object{{"k", array{1}}}}).get(), 1u);
  EXPECT_EQ(*b.count("o"_f == value{object{{"k", array{2}}}}).get(), 0u);
}

TEST_F(where_holdfast_decides_differently, unknown_operator_missing_operand) {
  for (auto text : {R"({"age":{"$ne":1}})", R"({"age":{"$between":[1]}})", R"({"age":{"$in":3}})"})
    EXPECT_EQ(filter_from_json(text).error(), errc::invalid_argument) << text;
  auto p = people();
  EXPECT_EQ(p.count("none"_f == 1).get().error(), errc::invalid_argument);
}

TEST_F(where_holdfast_decides_differently, order_of_results) {
  auto p = people();
  for (auto [id, age] : {std::pair{"c", 3}, {"a", 1}, {"b", 3}, {"d", 2}})
    ASSERT_TRUE(p.insert({{"id", id}, {"age", age}}).get());
  ASSERT_TRUE(p.update("c", {{"age", 9}}).get());
  ASSERT_TRUE(p.update("c", {{"age", 3}}).get());
  EXPECT_THAT(keys(p.where("age"_f == 3).all().get()), ElementsAre("c", "b")) << "as inserted";
  EXPECT_THAT(keys(p.where("age"_f >= 2).all().get()), ElementsAre("c", "b", "d"));
  EXPECT_THAT(keys(p.everything().order_by("age").all().get()), ElementsAre("a", "d", "c", "b"));
}

TEST_F(where_holdfast_decides_differently, key_order_in_ordered_buckets) {
  auto p = people(true);
  for (auto id : {"b", "B", "\xc3\xa1", "a"})
    ASSERT_TRUE(p.insert({{"id", id}}).get());
  EXPECT_THAT(keys(p.all().get()), ElementsAre("B", "a", "b", "\xc3\xa1")) << "bytewise";
  auto n = define(schema("n").key("id", integer()).ordered());
  for (auto id : {10, 9, -1})
    ASSERT_TRUE(n.insert({{"id", id}}).get());
  EXPECT_THAT(keys(n.all().get()), ElementsAre("-1", "9", "10"));
}

TEST_F(where_holdfast_decides_differently, all_of_an_ordered_bucket) {
  auto p = people(true);
  for (auto id : {"b", "a"})
    ASSERT_TRUE(p.insert({{"id", id}}).get());
  EXPECT_THAT(keys(p.all().get()), ElementsAre("a", "b"));
  EXPECT_THAT(keys(p.first(1).get()), ElementsAre("a"));
}

TEST_F(where_holdfast_decides_differently, paginate_after_a_deleted_or_unknown_cursor) {
  for (auto ordered : {false, true}) {
    auto name = ordered ? "o" : "i";
    auto s = schema(name).key("id", string());
    auto b = define(ordered ? s.ordered() : s);
    for (auto id : {"a", "b", "c", "d"})
      ASSERT_TRUE(b.insert({{"id", id}}).get());
    auto first = b.everything().page_of(2).get().value();
    ASSERT_TRUE(first.next);
    ASSERT_TRUE(b.erase("b").get());
    auto second = b.everything().page_of(2, first.next).get().value();
    EXPECT_THAT(keys(result<records>{second.items}), ElementsAre("c", "d"));
    EXPECT_FALSE(second.next);
    EXPECT_EQ(b.everything().page_of(2, "no cursor").get().error(), errc::invalid_argument);
  }
}

TEST_F(where_holdfast_decides_differently, last_0_and_negative_n) {
  auto p = people();
  ASSERT_TRUE(p.insert({{"id", "a"}}).get());
  EXPECT_THAT(keys(p.last(0).get()), IsEmpty());
  EXPECT_EQ(p.last(-1).get().error(), errc::invalid_argument);
  EXPECT_EQ(p.first(-1).get().error(), errc::invalid_argument);
}

TEST_F(where_holdfast_decides_differently, average_of_nothing) {
  auto p = people();
  EXPECT_TRUE(p.everything().avg("age").get()->is_null());
  EXPECT_TRUE(p.everything().min("age").get()->is_null());
  EXPECT_TRUE(p.everything().max("age").get()->is_null());
  EXPECT_EQ(*p.everything().sum("age").get(), value{0});
  EXPECT_EQ(*p.count().get(), 0u);
}

TEST_F(where_holdfast_decides_differently, group_by_keys) {
  auto b = define(schema("b").key("id", integer()));
  ASSERT_TRUE(b.insert({{"id", 1}, {"x", 1}}).get());
  auto typed = define(schema("t").key("id", integer()).field("a", number()).field("b", string()));
  for (int i = 0; i < 2; ++i)
    ASSERT_TRUE(typed.insert({{"id", i}, {"a", 1}, {"b", "1"}}).get());
  ASSERT_TRUE(typed.insert({{"id", 2}, {"a", 1.0}, {"b", nullptr}}).get());
  ASSERT_TRUE(typed.insert({{"id", 3}, {"a", 1}}).get());
  auto by = typed.everything().group_by({"a", "b"}, {aggregate::count()}).get().value();
  ASSERT_EQ(by.size(), 2u);
  EXPECT_EQ(by[0].results[0], value{2});
  EXPECT_EQ(by[1].results[0], value{2}) << "absent and null are one group, 1 and 1.0 one value";
}

TEST_F(where_holdfast_decides_differently, clear_drop_and_update_bucket_are_commits_with_events) {
  auto p = people();
  listener heard{db};
  ASSERT_TRUE(p.insert({{"id", "a"}}).get());
  ASSERT_TRUE(db.update_bucket("people", bucket_update().add_index("name")));
  ASSERT_TRUE(p.clear().get());
  ASSERT_TRUE(db.drop("people"));
  EXPECT_THAT(heard.texts(4), ElementsAre("people.inserted \"a\"", "people.redefined",
                                          "people.cleared", "people.dropped"));
  auto all = heard.take(4);
  EXPECT_EQ(all[1].why, cause::schema);
  EXPECT_EQ(all[2].why, cause::user);
  EXPECT_EQ(all[2].count, 1u) << "one event for all records";
  EXPECT_EQ(all[3].why, cause::user);
}

TEST_F(where_holdfast_decides_differently, dropped_bucket) {
  auto p = people();
  ASSERT_TRUE(p.insert({{"id", "a"}}).get());
  ASSERT_TRUE(db.drop("people").value());
  EXPECT_FALSE(db.drop("people").value()) << "no such bucket is no error";
  EXPECT_EQ(p.get("a").get().error(), errc::dropped);
  auto again = people();
  EXPECT_EQ(*again.count().get(), 0u);
  EXPECT_EQ(p.get("a").get().error(), errc::dropped) << "another bucket of the same name";
  restart();
  EXPECT_EQ(*db.bucket("people")->count().get(), 0u);
}

TEST_F(where_holdfast_decides_differently, expired_not_yet_purged) {
  auto b =
      define(schema("b").key("id", string()).field("n", integer()).index("n").expire_after("1s"));
  ASSERT_TRUE(b.insert({{"id", "a"}, {"n", 1}}).get());
  clock.advance(std::chrono::seconds{1});
  EXPECT_FALSE(b.get("a").get());
  EXPECT_EQ(*b.count().get(), 0u);
  EXPECT_THAT(keys(b.where("n"_f == 1).all().get()), IsEmpty());
  EXPECT_THAT(keys(b.first(9).get()), IsEmpty());
  EXPECT_EQ(b.update("a", {{"n", 2}}).get().error(), errc::not_found);
}

TEST_F(where_holdfast_decides_differently, record_level_expiry_in_a_bucket_without_ttl) {
  auto p = people();
  ASSERT_TRUE(p.insert({{"id", "a"}}, {.expires_in = std::chrono::seconds{1}}).get());
  ASSERT_TRUE(p.insert({{"id", "b"}}).get());
  clock.advance(std::chrono::seconds{1});
  EXPECT_THAT(keys(p.all().get()), ElementsAre("b"));
}

TEST_F(where_holdfast_decides_differently, max_size) {
  auto b = define(schema("b").key("id", string()).field("u", string().unique()).capacity(2));
  ASSERT_TRUE(b.insert({{"id", "a"}, {"u", "1"}}).get());
  ASSERT_TRUE(b.insert({{"id", "b"}, {"u", "2"}}).get());
  EXPECT_EQ(b.insert({{"id", "c"}, {"u", "2"}}).get().error(), errc::duplicate);
  EXPECT_THAT(keys(b.all().get()), ElementsAre("a", "b")) << "nothing was evicted in vain";
  ASSERT_TRUE(b.insert({{"id", "c"}, {"u", "3"}}).get());
  EXPECT_THAT(keys(b.all().get()), ElementsAre("b", "c"));
}

TEST_F(where_holdfast_decides_differently, bucket_subscriptions_and_bulk_work) {
  auto b = define(schema("b").key("id", string()).capacity(2));
  listener heard{db};
  ASSERT_TRUE(b.insert_many({{{"id", "a"}}, {{"id", "b"}}, {{"id", "c"}}}).get());
  EXPECT_THAT(heard.texts(4), ElementsAre("b.inserted \"a\"", "b.inserted \"b\"",
                                          "b.inserted \"c\"", "b.erased \"a\""));
}

TEST_F(where_holdfast_decides_differently, topic_patterns) {
  auto p = people();
  listener one{db, "bucket.*.inserted"}, all{db, "bucket.**"};
  listener none{db, "bucket.*"};
  ASSERT_TRUE(p.insert({{"id", "a"}}).get());
  ASSERT_TRUE(p.erase("a").get());
  EXPECT_EQ(all.take(2).size(), 2u);
  EXPECT_EQ(one.take(1).size(), 1u);
  EXPECT_EQ(db.event_counters().delivered, 3u) << "none got none: a star is one segment";
  EXPECT_EQ(db.define(schema("a.b").key("id", string())).error(), errc::invalid_schema);
}

TEST_F(where_holdfast_decides_differently, references) {
  auto teams = define(schema("teams").key("id", string()));
  auto users =
      define(schema("users").key("id", string()).field("team", string().references("teams")));
  EXPECT_EQ(users.insert_many({object{{"id", "a"}, {"team", "x"}}}).get().error(),
            errc::broken_reference);
  ASSERT_TRUE(teams.insert({{"id", "x"}}).get());
  ASSERT_TRUE(users.insert({{"id", "a"}, {"team", "x"}}).get());
  EXPECT_EQ(teams.clear().get().error(), errc::broken_reference);
  EXPECT_EQ(db.drop("teams").error(), errc::broken_reference);
}

TEST_F(where_holdfast_decides_differently, transactions) {
  auto p = people();
  ASSERT_TRUE(p.insert_many({{{"id", "a"}, {"age", 1}}, {{"id", "b"}, {"age", 1}}}).get());
  // Both must not become 0: each of two writers empties its own only as long as the other's is 1.
  for (bool again : {true, false}) {
    ASSERT_EQ(*p.update_many({}, {{"age", 1}}).get(), 2u);
    std::latch both_read{2}; // the first time, before either writes
    std::atomic<int> runs{0};
    auto empty_one = [&](const char* which, const char* other) {
      auto body = [&, first = true](transaction& tx) mutable -> result<void> {
        auto in = tx.in(p);
        const bool is_empty = (*in.get(other).get())["age"] == value_view{0};
        ++runs;
        if (std::exchange(first, false))
          both_read.arrive_and_wait();
        if (is_empty)
          return {};
        return in.update(which, {{"age", 0}}).get().map([](const record&) {});
      };
      return db.transact(body, again ? transact_options{}
                                     : transact_options{.retries = 0, .exclusive_retries = 0});
    };
    auto other = std::async(std::launch::async, [&] { return empty_one("a", "b"); });
    auto mine = empty_one("b", "a");
    auto theirs = other.get();
    EXPECT_EQ(runs, again ? 3 : 2) << "who comes too late is run again, if it may";
    EXPECT_EQ(mine && theirs, again);
    if (!again) {
      EXPECT_EQ((mine ? theirs : mine).error(), errc::conflict);
    }
    EXPECT_EQ(*p.count("age"_f == 0).get(), 1u) << "strictly serializable";
  }
}

TEST_F(where_holdfast_decides_differently, first_result_of_a_subscription) {
  auto p = people();
  ASSERT_TRUE(db.define_query("count", [&](query_context& in) { return in.in(p).count(); }));
  std::promise<std::uint64_t> first;
  auto token = db.subscribe("count", [&](const query_update& now) {
                   EXPECT_TRUE(now.initial);
                   first.set_value(now.as<std::uint64_t>());
                 }).value();
  EXPECT_EQ(first.get_future().get(), 0u);
  token.cancel();
  std::promise<bool> next;
  auto later = db.subscribe("count", [&](const query_update& now) { next.set_value(now.initial); },
                            {.skip_initial = true})
                   .value();
  ASSERT_TRUE(p.insert({{"id", "a"}}).get());
  EXPECT_FALSE(next.get_future().get()) << "the first that it is told is a change";
}

TEST_F(where_holdfast_decides_differently, missing_parameter) {
  people();
  ASSERT_TRUE(
      db.define_query("one", {.bucket = "people", .what = query{"age"_f == parameter("n")}}));
  EXPECT_EQ(db.run("one").error(), errc::invalid_argument);
  EXPECT_EQ(db.subscribe("one", [](const query_update&) {}).error(), errc::invalid_argument);
  EXPECT_TRUE(db.run("one", object{{"n", 1}}));
}

TEST_F(where_holdfast_decides_differently, failed_load) {
  ASSERT_TRUE(people().insert({{"id", "a"}}).get());
  ASSERT_TRUE(db.stop());
  disk->fail_open(true);
  auto open = [&](bool read_only) {
    store_options options;
    options.journal = memory_journal(disk);
    options.read_only = read_only;
    return store::start(std::move(options));
  };
  EXPECT_EQ(open(false).error(), errc::io) << "refuses to start, says why";
  disk->fail_open(false);
  {
    auto only = open(true).value();
    EXPECT_EQ(*only.bucket("people")->count().get(), 1u) << "read-only opening is offered";
    EXPECT_EQ(only.bucket("people")->insert({{"id", "b"}}).get().error(), errc::read_only);
  }
  db = start();
  EXPECT_EQ(*db.bucket("people")->count().get(), 1u) << "nothing was overwritten";
}

TEST_F(where_holdfast_decides_differently, throwing_subscriber) {
  auto p = people();
  std::promise<void> called;
  auto token = db.on("**", [&](const change&) {
                   called.set_value();
                   throw std::runtime_error{"oops"};
                 }).value();
  ASSERT_TRUE(p.insert({{"id", "a"}}).get());
  called.get_future().wait();
  token.cancel();
  EXPECT_EQ(token.failures(), 1u);
  EXPECT_TRUE(p.insert({{"id", "b"}}).get());
}

TEST_F(where_holdfast_decides_differently, rejected_write) {
  auto b = define(
      schema("b").key("id", integer().generated(autoincrement)).field("mail", string().unique()));
  listener heard{db};
  ASSERT_TRUE(b.insert({{"mail", "a"}}).get());
  EXPECT_FALSE(b.insert({{"mail", "a"}}).get());
  EXPECT_EQ(b.insert({{"mail", "b"}}).get()->key(), value_view{2});
  EXPECT_THAT(heard.texts(2), ElementsAre("b.inserted 1", "b.inserted 2"));
}

TEST_F(where_holdfast_decides_differently, restart_of_a_crashed_bucket) {
  auto p = people();
  ASSERT_TRUE(p.insert({{"id", "a"}, {"age", 7}}).get());
  ASSERT_TRUE(db.crash("people"));
  EXPECT_EQ((*p.get("a").get())["age"], value_view{7});
  ASSERT_TRUE(p.update("a", {{"age", 8}}).get());
}

} // namespace
} // namespace holdfast::testing
