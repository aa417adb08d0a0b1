#include <holdfast/runtime/fault.hpp>
#include <holdfast/store/memory_journal.hpp>
#include <holdfast/store/store.hpp>

#include <gmock/gmock.h>

#include <functional>
#include <map>
#include <mutex>
#include <thread>

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

/// What a subscriber was told, in order.
template <class T>
class told {
public:
  std::function<void(const query_update&)> here() {
    return [this](const query_update& now) {
      const std::lock_guard lock{mutex_};
      if (now.outcome)
        values_.push_back(now.as<T>());
      else
        errors_.push_back(now.outcome.error().to_string());
      seqs_.emplace_back(now.memory_seq, now.durable_seq);
      changes_.push_back(now.changes());
    };
  }
  std::vector<T> values() const {
    const std::lock_guard lock{mutex_};
    return values_;
  }
  std::vector<std::string> errors() const {
    const std::lock_guard lock{mutex_};
    return errors_;
  }
  list_changes last_changes() const {
    const std::lock_guard lock{mutex_};
    return changes_.back();
  }
  std::vector<std::pair<sequence, sequence>> seqs() const {
    const std::lock_guard lock{mutex_};
    return seqs_;
  }

private:
  mutable std::mutex mutex_;
  std::vector<T> values_;
  std::vector<std::string> errors_;
  std::vector<std::pair<sequence, sequence>> seqs_;
  std::vector<list_changes> changes_;
};

struct live_query : ::testing::Test {
  store db = std::move(*store::start());
  bucket<> users = std::move(*db.define(schema("users")
                                            .key("id", integer())
                                            .field("role", string())
                                            .field("age", integer())
                                            .field("name", string())
                                            .index("age")));
  bucket<> orders = std::move(
      *db.define(schema("orders").key("id", integer()).field("user", integer()).index("user")));

  void SetUp() override {
    for (int i = 1; i <= 3; ++i)
      add(i, i < 3 ? "user" : "admin", 10 * i);
  }
  void add(int id, const char* role, int age) {
    ASSERT_TRUE(users.insert({{"id", id}, {"role", role}, {"age", age}}).get());
  }
  void age(int id, int years) { ASSERT_TRUE(users.update(id, {{"age", years}}).get()); }
  void settle() { ASSERT_TRUE(db.settle()); }
  void define_adults() {
    ASSERT_TRUE(db.define_query("adults", [this](query_context& in, const object& with) {
      return in.in(users).where("age"_f >= *with.find("least")).count();
    }));
  }
  std::uint64_t runs(std::string_view name, const object& with = {}) {
    return db.why(name, with)->runs;
  }
};

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
using write = std::function<result<void>(const bucket<>&)>;
template <class Pending>
result<void> outcome(Pending writing) {
  auto done = std::move(writing).get();
  return done ? result<void>{} : result<void>{fail(std::move(done.error()))};
}
std::map<std::string, write> every_write() {
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

TEST_F(live_query, follows_buckets_that_come_and_go) {
  ASSERT_TRUE(db.define_query("later", [](query_context& in) -> result<std::uint64_t> {
    auto b = in.bucket("later");
    if (!b)
      return fail(b.error());
    return b->count().get();
  }));
  told<std::uint64_t> seen;
  auto token = db.subscribe("later", seen.here()).value();
  settle();
  EXPECT_THAT(seen.errors(), ElementsAre(HasSubstr("not_found")));
  auto define = [&] { return db.define(schema("later").key("id", integer())).value(); };
  auto first = define();
  settle();
  ASSERT_TRUE(first.insert({{"id", 1}}).get());
  settle();
  ASSERT_TRUE(db.drop("later"));
  settle();
  define();
  settle();
  EXPECT_THAT(seen.values(), ElementsAre(0, 1, 0));
  EXPECT_GE(seen.errors().size(), 2u);
}

/// Run just then, it once found the bucket closed and still there, and did not look again.
TEST_F(live_query, looks_again_for_a_bucket_that_was_being_dropped_when_it_ran) {
  ASSERT_TRUE(db.define_query("later", [](query_context& in) -> result<std::uint64_t> {
    auto b = in.bucket("later");
    return b ? b->count().get() : fail(b.error());
  }));
  told<std::uint64_t> seen;
  auto token = db.subscribe("later", seen.here()).value();
  for (std::uint64_t round = 1; round <= 100; ++round) {
    auto b = db.define(schema("later").key("id", integer())).value();
    ASSERT_TRUE(b.insert({{"id", 1}}).get());
    settle();
    ASSERT_EQ(seen.values().back(), 1u) << "round " << round;
    ASSERT_TRUE(db.drop("later"));
    settle();
    ASSERT_GE(seen.errors().size(), round);
  }
}

TEST_F(live_query, follows_another_definition_of_its_bucket) {
  ASSERT_TRUE(db.define_query(
      "ann", [this](query_context& in) { return in.in(users).where("nick"_f == "ann").count(); }));
  told<std::uint64_t> seen;
  auto token = db.subscribe("ann", seen.here()).value();
  settle();
  ASSERT_TRUE(db.update_bucket("users", bucket_update{}.add_field("nick", string())));
  settle();
  ASSERT_TRUE(users.update(1, {{"nick", "ann"}}).get());
  settle();
  EXPECT_EQ(seen.errors().size(), 1u);
  EXPECT_THAT(seen.values(), ElementsAre(0, 1));
}

TEST_F(live_query, is_run_once_for_a_commit_of_many_records) {
  define_adults();
  told<std::uint64_t> seen;
  auto token = db.subscribe("adults", {{"least", 18}}, seen.here()).value();
  settle();
  std::vector<object> list;
  for (int i = 0; i < 1000; ++i)
    list.push_back({{"id", 100 + i}, {"age", 30}});
  ASSERT_TRUE(users.insert_many(list).get());
  settle();
  EXPECT_THAT(seen.values(), ElementsAre(2, 1002));
  EXPECT_EQ(runs("adults", {{"least", 18}}), 2u);
  ASSERT_TRUE(users.clear().get());
  settle();
  EXPECT_EQ(seen.values().back(), 0u);
}

TEST_F(live_query, survives_the_crash_of_its_manager_at_every_step) {
  define_adults();
  told<std::uint64_t> seen, also;
  auto token = db.subscribe("adults", {{"least", 18}}, seen.here()).value();
  auto other = db.subscribe("adults", {{"least", 18}}, also.here()).value();
  std::uint64_t count = 2;
  for (auto* point :
       {"queries.routing", "queries.running", "queries.installing", "queries.telling"}) {
    testing::fault strike{point, point == std::string{"queries.telling"} ? 1u : 0u};
    add(100 + static_cast<int>(count++), "user", 50);
    settle();
    EXPECT_TRUE(strike.struck()) << point;
    EXPECT_EQ(seen.values().back(), count) << point;
    EXPECT_EQ(also.values().back(), count) << point;
  }
  EXPECT_EQ(seen.values().size(), 5u) << "each once";
  EXPECT_EQ(also.values().size(), 5u);
  ASSERT_TRUE(db.crash_queries());
  ASSERT_TRUE(db.crash("users"));
  ASSERT_TRUE(db.crash_supervisor("services"));
  add(99, "user", 50);
  settle();
  EXPECT_EQ(seen.values().back(), count + 1);
}

TEST_F(live_query, follows_all_that_it_reads_after_a_crash_amid_noting_it) {
  ASSERT_TRUE(db.define_query("other", [this](query_context& in) -> result<std::uint64_t> {
    auto first = in.in(users).get(1).get();
    if (!first || (*first)["age"] == 10)
      return std::uint64_t{0};
    return in.in(orders).count().get();
  }));
  told<std::uint64_t> seen;
  auto token = db.subscribe("other", seen.here()).value();
  settle();
  {
    testing::fault strike{"queries.entering"};
    age(1, 11); // now it reads the orders as well
    settle();
    EXPECT_TRUE(strike.struck());
  }
  ASSERT_TRUE(orders.insert({{"id", 1}, {"user", 1}}).get());
  settle();
  EXPECT_EQ(seen.values().back(), 1u);
}

TEST_F(live_query, goes_on_beside_a_slow_and_a_throwing_handler) {
  define_adults();
  told<std::uint64_t> seen;
  std::mutex gate;
  std::unique_lock closed{gate};
  auto bad = db.subscribe("adults", {{"least", 18}}, [](const query_update&) {
                 throw std::runtime_error{"no"};
               }).value();
  auto good = db.subscribe("adults", {{"least", 18}}, seen.here()).value();
  settle();
  std::atomic<int> handled{0};
  auto slow = db.subscribe("adults", {{"least", 18}}, [&](const query_update&) {
                  const std::lock_guard wait{gate};
                  ++handled;
                }).value();
  for (int i = 0; i < 100; ++i)
    add(100 + i, "user", 50);
  EXPECT_FALSE(db.settle(std::chrono::milliseconds{20}));
  closed.unlock();
  settle();
  EXPECT_EQ(seen.values().back(), 102u);
  EXPECT_LE(handled, 20); // latest value wins
  EXPECT_GE(bad.failures(), 1u);
}

TEST_F(live_query, ends_when_it_is_removed) {
  define_adults();
  told<std::uint64_t> seen;
  auto token = db.subscribe("adults", {{"least", 18}}, seen.here()).value();
  EXPECT_TRUE(db.remove_query("adults"));
  EXPECT_FALSE(db.remove_query("adults"));
  settle();
  EXPECT_THAT(seen.errors(), ElementsAre(HasSubstr("dropped")));
  EXPECT_FALSE(token.active());
  define_adults();
  EXPECT_TRUE(db.run("adults", {{"least", 1}}));
}

TEST_F(live_query, costs_no_commit_an_entry_while_nobody_subscribes) {
  define_adults();
  {
    auto token = db.subscribe("adults", {{"least", 18}}, [](const query_update&) {}).value();
    EXPECT_EQ(db.stats().live_queries, 1u);
  }
  settle();
  EXPECT_EQ(db.stats().live_queries, 0u);
  age(1, 12);
  EXPECT_EQ(db.stats().feed_backlog, 0u);
}

TEST_F(live_query, may_subscribe_and_cancel_in_a_handler) {
  define_adults();
  told<std::uint64_t> seen;
  subscription inner;
  auto outer = db.subscribe("adults", {{"least", 18}}, [&](const query_update& now) {
                   if (now.initial)
                     inner = db.subscribe("adults", {{"least", 1}}, seen.here()).value();
                   else
                     inner.cancel();
                 }).value();
  settle();
  settle();
  EXPECT_THAT(seen.values(), ElementsAre(3));
  add(4, "user", 50);
  settle();
  EXPECT_FALSE(inner.active());
}

/// A store over a disk that does what the test says, with a query of the number of users.
struct live_query_over_a_disk : ::testing::Test {
  std::shared_ptr<memory_disk> disk = std::make_shared<memory_disk>();
  store db = store::start({.journal = memory_journal(disk)}).value();
  bucket<> users = db.define(schema("users").key("id", integer())).value();
  told<std::uint64_t> seen;

  void SetUp() override {
    ASSERT_TRUE(
        db.define_query("count", [this](query_context& in) { return in.in(users).count(); }));
  }
};

TEST_F(live_query_over_a_disk, sees_a_commit_that_was_on_its_way_when_it_subscribed) {
  disk->hold();
  std::thread writer{[&] { EXPECT_TRUE(users.insert({{"id", 1}}).get()); }};
  disk->wait_until_held();
  auto token = db.subscribe("count", seen.here()).value();
  ASSERT_TRUE(db.settle());
  EXPECT_THAT(seen.values(), ElementsAre(0));
  disk->release();
  writer.join();
  ASSERT_TRUE(db.settle());
  EXPECT_THAT(seen.values(), ElementsAre(0, 1));
}

TEST_F(live_query_over_a_disk, goes_on_when_the_store_is_reopened) {
  auto token = db.subscribe("count", seen.here()).value();
  ASSERT_TRUE(users.insert({{"id", 1}}).get());
  ASSERT_TRUE(db.settle());
  disk->fail_append(1, memory_disk::fate::written);
  EXPECT_FALSE(users.insert({{"id", 2}}).get());
  ASSERT_TRUE(db.settle());
  EXPECT_EQ(seen.values().back(), 1u);
  ASSERT_TRUE(db.reopen());
  ASSERT_TRUE(db.settle());
  EXPECT_EQ(seen.values().back(), 2u);
  ASSERT_TRUE(users.insert({{"id", 3}}).get());
  ASSERT_TRUE(db.settle());
  EXPECT_EQ(seen.values().back(), 3u);
}

TEST(live_query_of_durable_buckets, sees_commits_when_they_are_published) {
  auto db = store::start({.journal = memory_journal()}).value();
  auto users = db.define(schema("users").key("id", integer())).value();
  ASSERT_TRUE(db.define_query("count", [&](query_context& in) { return in.in(users).count(); }));
  std::vector<std::thread> writers;
  for (int t = 0; t < 2; ++t)
    writers.emplace_back([&, t] {
      for (int i = 0; i < 200; ++i)
        EXPECT_TRUE(users.insert({{"id", 1000 * t + i}}).get());
    });
  told<std::uint64_t> seen[8];
  std::vector<subscription> tokens;
  for (auto& each : seen)
    tokens.push_back(db.subscribe("count", each.here()).value());
  for (auto& w : writers)
    w.join();
  ASSERT_TRUE(db.settle());
  for (auto& each : seen) {
    EXPECT_EQ(each.values().back(), 400u);
    auto seqs = each.seqs();
    for (std::size_t i = 1; i < seqs.size(); ++i)
      EXPECT_LT(seqs[i - 1].second, seqs[i].second);
  }
}

} // namespace
} // namespace holdfast
