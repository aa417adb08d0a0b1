#include "tests/store/reactive/live_query_fixture.hpp"

#include <holdfast/runtime/fault.hpp>
#include <holdfast/store/detail/bucket_core.hpp>
#include <holdfast/store/memory_journal.hpp>

#include <cmath>
#include <memory>
#include <optional>
#include <thread>

/// Live queries across what happens to a store: buckets that come, go and change, crashes,
/// subscribers that are slow or leave, a disk that fails.
namespace holdfast {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::live_query;
using testing::told;

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

/// Who settled then waited for a run that nobody was left to want.
TEST(a_query, that_its_last_subscriber_leaves_amid_a_run_keeps_nobody_waiting) {
  store db = std::move(*store::start({.runtime_settings = {.deterministic = true}}));
  auto users = db.define(schema("users").key("id", integer())).value();
  std::vector<std::thread> meanwhile;
  ASSERT_TRUE(db.define_query("count", [&](query_context& in) {
    auto out = in.in(users).count();
    if (meanwhile.empty()) // a change that its first run has not seen
      meanwhile.emplace_back([&] { ASSERT_TRUE(users.insert({{"id", 1}}).get()); }).join();
    return out;
  }));
  told<std::uint64_t> seen;
  db.subscribe("count", seen.here()).value().cancel();
  EXPECT_TRUE(db.settle(std::chrono::seconds{2}));
}

TEST_F(live_query, that_is_removed_says_so_behind_all_that_it_told) {
  define_adults();
  told<std::uint64_t> seen;
  auto first = db.subscribe("adults", {{"least", 18}}, [](const query_update&) {}).value();
  ASSERT_TRUE(orders.insert({{"id", 1}}).get()); // of no interest
  auto token = db.subscribe("adults", {{"least", 18}}, seen.here()).value();
  settle();
  ASSERT_TRUE(db.remove_query("adults"));
  settle();
  ASSERT_EQ(seen.seqs().size(), 2u);
  EXPECT_THAT(seen.errors(), ElementsAre(HasSubstr("removed")));
  EXPECT_GE(seen.seqs()[1], seen.seqs()[0]);
}

TEST_F(live_query, tells_no_number_once) {
  ASSERT_TRUE(db.define_query("nan", [this](query_context& in) -> result<double> {
    (void)in.in(users).count().get();
    return std::nan("");
  }));
  told<double> seen;
  auto token = db.subscribe("nan", seen.here()).value();
  settle();
  for (int id = 10; id < 13; ++id) {
    add(id, "user", 1);
    settle();
  }
  EXPECT_EQ(seen.values().size(), 1u);
}

TEST_F(live_query, handle_that_is_kept_past_its_end_is_an_error) {
  std::optional<bucket<>> late;
  ASSERT_TRUE(db.define_query("keeps", [&](query_context& in) {
    late.emplace(in.in(users));
    return late->count();
  }));
  {
    read_filters adults{{"users", "age"_f >= 18}};
    EXPECT_EQ(db.run("keeps", object{}, adults)->as<std::uint64_t>(), 2u);
  }
  EXPECT_EQ(late->count().get().error(), errc::invalid_argument);
  EXPECT_EQ(late->get(1).get().error(), errc::invalid_argument);
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
  settle(); // else the first value may be left out for the second
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

/// It was run again, at a later moment: members that had not been told of the earlier one never
/// were, though others had gone on from it.
TEST_F(live_query, is_told_to_the_end_after_a_crash_amid_telling_it_and_not_run_again) {
  define_adults();
  told<std::uint64_t> first, second;
  auto one = db.subscribe("adults", {{"least", 18}}, first.here()).value();
  auto other = db.subscribe("adults", {{"least", 18}}, second.here()).value();
  settle();
  const auto before = runs("adults", {{"least", 18}});
  testing::fault strike{"queries.telling", 1};
  add(101, "user", 50);
  settle();
  EXPECT_TRUE(strike.struck());
  EXPECT_EQ(runs("adults", {{"least", 18}}), before + 1);
  EXPECT_THAT(first.values(), ::testing::ElementsAre(2u, 3u));
  EXPECT_THAT(second.values(), ::testing::ElementsAre(2u, 3u));
  EXPECT_EQ(first.seqs(), second.seqs());
}

/// Found in review: it ended the process.
TEST_F(live_query, is_left_without_memory_for_that) {
  define_adults();
  told<std::uint64_t> first, second;
  auto one = db.subscribe("adults", {{"least", 18}}, first.here()).value();
  auto other = db.subscribe("adults", {{"least", 19}}, second.here()).value();
  settle();
  testing::fault strike{"queries.leaving", 0, [] { throw std::bad_alloc{}; }, 2};
  one.cancel();
  other.cancel();
  settle();
  EXPECT_TRUE(strike.struck());
  EXPECT_EQ(db.query_info_of("adults")->groups, 0U);
  EXPECT_EQ(db.why("adults", {{"least", 18}}).error(), errc::not_found) << "its group is gone, too";
  add(101, "user", 50);
  settle();
  EXPECT_EQ(first.values().size(), 1U);
}

/// Found in review: those who had been told of the end already heard no more.
TEST_F(live_query, goes_on_when_its_removal_broke_off) {
  define_adults();
  told<std::uint64_t> first, second;
  auto one = db.subscribe("adults", {{"least", 18}}, first.here()).value();
  auto other = db.subscribe("adults", {{"least", 19}}, second.here()).value();
  settle();
  {
    testing::fault strike{"queries.telling", 1};
    EXPECT_THROW((void)db.remove_query("adults"), injected_fault);
  }
  add(101, "user", 50);
  settle();
  EXPECT_EQ(first.values().back(), 3u);
  EXPECT_EQ(second.values().back(), 3u);
  EXPECT_TRUE(db.remove_query("adults"));
  settle();
  EXPECT_FALSE(one.active() || other.active());
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
  const detail::turn_guard mine{users.core().turn()};
  EXPECT_FALSE(users.core().is_followed(users.core().lines().feed.generation()));
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
