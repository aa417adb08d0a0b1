// What a store tells about itself, and whom it passes its changes on to.
#include <holdfast/store/bridge.hpp>
#include <holdfast/store/store.hpp>

#include <gmock/gmock.h>

#include <future>
#include <sstream>

namespace holdfast {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::SizeIs;

struct administration : ::testing::Test {
  store db = store::start({.name = "app"}).value();
  bucket<> users = db.define(schema("users")
                                 .key("id", string())
                                 .field("mail", string().unique())
                                 .field("role", string())
                                 .index("role"))
                       .value();
};

TEST_F(administration, counts_records_indexes_commits_and_restarts) {
  db.runtime_in_use().log().redirect(nullptr, log_level::off);
  auto before = db.stats();
  ASSERT_TRUE(users.insert({{"id", "a"}, {"mail", "x"}, {"role", "admin"}}).get());
  ASSERT_TRUE(users.insert({{"id", "b"}}).get());
  ASSERT_TRUE(db.crash("users"));
  auto s = db.stats();
  ASSERT_THAT(s.buckets, SizeIs(1));
  auto& b = s.buckets[0];
  EXPECT_EQ(b.records, 2u);
  EXPECT_EQ(b.writes, 2u);
  EXPECT_EQ(b.restarts, 1u);
  EXPECT_GT(b.memory_bytes, 0u);
  ASSERT_THAT(b.indexes, SizeIs(2));
  EXPECT_EQ(b.indexes[0].fields, "mail");
  EXPECT_TRUE(b.indexes[0].unique);
  EXPECT_EQ(b.indexes[1].fields, "role");
  EXPECT_EQ(b.indexes[1].entries, 2u);
  auto rates = s.rates_since(before);
  ASSERT_THAT(rates, SizeIs(1));
  EXPECT_GT(rates[0].writes_per_second, 0);
}

/// Its commits were counted from those of the one before it.
TEST_F(administration, tells_no_rate_of_a_bucket_that_was_another_one_before) {
  for (auto* id : {"a", "b"})
    ASSERT_TRUE(users.insert({{"id", id}}).get());
  const auto before = db.stats();
  ASSERT_TRUE(db.drop("users"));
  auto others = db.define(schema("users").key("id", integer())).value();
  for (int i = 0; i < 5; ++i)
    ASSERT_TRUE(others.insert({{"id", i}}).get());
  const auto now = db.stats();
  EXPECT_NE(now.buckets.at(0).life, before.buckets.at(0).life);
  EXPECT_THAT(now.rates_since(before), SizeIs(0));
}

TEST_F(administration, counts_the_values_in_a_unique_index_without_nulls) {
  auto values = [&] {
    auto s = db.stats();
    auto entries = s.buckets.at(0).indexes.at(0).entries;
    EXPECT_THAT(s.to_prometheus(),
                HasSubstr("holdfast_index_entries{store=\"app\",bucket=\"users\",index=\"mail\","
                          "type=\"unique\"} " +
                          std::to_string(entries) + "\n"));
    return entries;
  };
  ASSERT_TRUE(
      users.insert_many({{{"id", "a"}}, {{"id", "b"}}, {{"id", "c"}, {"mail", "c"}}}).get());
  EXPECT_EQ(values(), 1u);
  ASSERT_TRUE(users.update("a", {{"mail", "a"}}).get());
  EXPECT_EQ(values(), 2u);
  ASSERT_TRUE(users.update("a", {{"mail", "d"}}).get());
  EXPECT_EQ(values(), 2u);
  ASSERT_TRUE(users.update("c", {{"mail", nullptr}}).get());
  EXPECT_EQ(values(), 1u);
  ASSERT_EQ(
      users.insert_many({{{"id", "e"}, {"mail", "e"}}, {{"id", "f"}, {"mail", "d"}}}).get().error(),
      errc::duplicate);
  EXPECT_EQ(values(), 1u) << "a refused write leaves no trace";
  ASSERT_TRUE(users.erase("b").get());
  EXPECT_EQ(values(), 1u);
  ASSERT_TRUE(users.erase("a").get());
  EXPECT_EQ(values(), 0u);
  ASSERT_TRUE(users.insert({{"id", "g"}, {"mail", "g"}}).get());
  ASSERT_TRUE(users.clear().get());
  EXPECT_EQ(values(), 0u);
}

/// Each figure of the table is there, with the number that it has.
TEST_F(administration, exports_every_figure) {
  db.runtime_in_use().log().redirect(nullptr, log_level::off);
  auto token = db.on("bucket.users.*", [](const change&) {}).value();
  ASSERT_TRUE(db.define_query("all", {.bucket = "users"}));
  auto live = db.subscribe("all", [](const query_update&) {}).value();
  auto held = db.snapshot();
  ASSERT_TRUE(users.insert({{"id", "a"}, {"role", "admin"}}).get());
  ASSERT_TRUE(db.crash("users"));
  ASSERT_TRUE(db.settle());
  store_stats s = db.stats();
  auto text = s.to_prometheus();
  const std::pair<std::string_view, std::uint64_t> figures[] = {
      {"buckets", 1},
      {"records", s.records},
      {"memory_bytes", s.memory_bytes},
      {"persistent", 0},
      {"ttl_interval_milliseconds", 1000},
      {"snapshots", s.snapshots},
      {"published_seq", s.published},
      {"durable_seq", s.durable},
      {"memory_published_seq", 1},
      {"backlog_commits", s.backlog_commits},
      {"backlog_bytes", s.backlog_bytes},
      {"journal_batches_total", s.batches},
      {"persistence_restarts_total", s.persistence_restarts},
      {"writing_stopped", 0},
      {"event_subscribers", 1},
      {"queries", 1},
      {"query_subscriptions", 1},
      {"events_published_total", s.events.published},
      {"events_delivered_total", s.events.delivered},
      {"events_refused_total", s.events.refused},
      {"events_unheard_total", s.events.unheard},
      {"feed_backlog", s.feed_backlog},
      {"gateway_requests", 0},
      {"callbacks_waiting", s.callbacks_waiting},
      {"callback_threads", s.callback_threads},
      {"callback_failures_total", s.callback_failures},
  };
  for (auto [name, figure] : figures)
    EXPECT_THAT(text, HasSubstr("\nholdfast_" + std::string{name} + "{store=\"app\"} " +
                                std::to_string(figure) + "\n"));
  auto& b = s.buckets.at(0);
  const std::pair<std::string_view, std::uint64_t> of_bucket[] = {
      {"records", 1},
      {"commits_total", 1},
      {"memory_bytes", b.memory_bytes},
      {"mapped_bytes", b.mapped_bytes},
      {"persistent", 0},
      {"restarts_total", 1},
      {"waiting", b.waiting},
      {"up", 1},
  };
  for (auto [name, figure] : of_bucket)
    EXPECT_THAT(text,
                HasSubstr("\nholdfast_bucket_" + std::string{name} +
                          "{store=\"app\",bucket=\"users\"} " + std::to_string(figure) + "\n"));
}

/// Every line is a comment or `name{labels} number`, and every metric has its type.
TEST_F(administration, tells_the_same_as_prometheus_text) {
  ASSERT_TRUE(users.insert({{"id", "a"}}).get());
  ASSERT_TRUE(db.define(schema("odd \"name\"").key("id", string())));
  auto text = db.stats().to_prometheus();
  EXPECT_THAT(text, AllOf(HasSubstr("holdfast_bucket_records{store=\"app\",bucket=\"users\"} 1\n"),
                          HasSubstr("holdfast_index_entries{store=\"app\",bucket=\"users\",index="
                                    "\"role\",type=\"ordered\"} 1\n"),
                          HasSubstr("bucket=\"odd \\\"name\\\"\""),
                          HasSubstr("# TYPE holdfast_bucket_commits_total counter\n")));
  std::istringstream lines{text};
  std::string typed;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("# HELP "))
      continue;
    if (line.starts_with("# TYPE ")) {
      typed = line.substr(7, line.find(' ', 7) - 7);
      continue;
    }
    EXPECT_TRUE(line.starts_with(typed + "{")) << line;
    auto number = line.substr(line.rfind(' ') + 1);
    EXPECT_EQ(number.find_first_not_of("0123456789"), number.npos) << line;
  }
}

TEST_F(administration, draws_the_tree_with_services_and_buckets) {
  EXPECT_THAT(db.tree(), AllOf(HasSubstr("services"), HasSubstr("event_bus"), HasSubstr("users")));
}

/// A receiver that can be waited for.
struct inbox {
  std::mutex mutex;
  std::condition_variable came;
  std::vector<std::pair<std::string, object>> all;

  event_receiver receiver() {
    return [this](const std::string& where, const object& data) {
      std::lock_guard lock{mutex};
      all.emplace_back(where, data);
      came.notify_all();
    };
  }
  auto wait(std::size_t n) {
    std::unique_lock lock{mutex};
    came.wait_for(lock, std::chrono::seconds{20}, [&] { return all.size() >= n; });
    return all;
  }
};

TEST_F(administration, a_bridge_forwards_changes_as_topics_and_data) {
  inbox in;
  auto to = bridge::connect(db, in.receiver()).value();
  ASSERT_TRUE(users.insert({{"id", "a"}, {"role", "x"}}).get());
  ASSERT_TRUE(users.update("a", {{"role", "y"}}).get());
  ASSERT_TRUE(users.erase("a").get());
  auto got = in.wait(3);
  ASSERT_THAT(got, SizeIs(3));
  EXPECT_EQ(got[0].first, "bucket.users.inserted");
  EXPECT_EQ(got[0].second["type"], value{"inserted"});
  EXPECT_EQ(got[0].second["key"], value{"a"});
  EXPECT_EQ(got[0].second["record"], (value{object{{"id", "a"}, {"role", "x"}}}));
  EXPECT_EQ(got[1].second["old_record"], (value{object{{"id", "a"}, {"role", "x"}}}));
  EXPECT_EQ(got[1].second["new_record"], (value{object{{"id", "a"}, {"role", "y"}}}));
  EXPECT_EQ(got[2].second["cause"], value{"user"});
}

TEST_F(administration, a_bridge_filters_first_then_maps_topic_and_data) {
  inbox in;
  auto to = bridge::connect(db, in.receiver(),
                            {.pattern = "bucket.users.*",
                             .filter = [](const change& c) { return c.key() != value_view{"no"}; },
                             .map_topic = [](const change& c) { return "t/" + c.bucket(); },
                             .map_data =
                                 [](const change& c) {
                                   return object{{"k", value{c.key()}}};
                                 }})
                .value();
  ASSERT_TRUE(users.insert({{"id", "no"}}).get());
  ASSERT_TRUE(users.insert({{"id", "yes"}}).get());
  auto got = in.wait(1);
  ASSERT_THAT(got, SizeIs(1));
  EXPECT_EQ(got[0].first, "t/users");
  EXPECT_EQ(got[0].second, (object{{"k", "yes"}}));
  to.disconnect();
  EXPECT_EQ(to.counters().filtered, 1u);
}

TEST_F(administration, a_bridge_counts_what_fails_and_goes_on) {
  std::atomic<int> calls{0};
  std::promise<void> third;
  auto to = bridge::connect(db, [&](const std::string&, const object&) {
              if (++calls == 3)
                third.set_value();
              throw std::runtime_error{"receiver is down"};
            }).value();
  for (int i = 0; i < 3; ++i)
    ASSERT_TRUE(users.insert({{"id", std::to_string(i)}}).get());
  third.get_future().wait();
  to.disconnect(); // waits for the receiver
  EXPECT_EQ(to.counters().failed, 3u);
  EXPECT_EQ(to.counters().last_failure, "receiver is down");
  EXPECT_FALSE(bridge::connect(db, [](auto&, auto&) {}, {.pattern = "a..b"}));
}

} // namespace
} // namespace holdfast
