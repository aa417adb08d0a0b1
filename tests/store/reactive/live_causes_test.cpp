// Whatever makes a commit, a live query hears of it: purge, eviction, references, clear.
#include "tests/support/options_at.hpp"

#include <holdfast/store/store.hpp>

#include <gmock/gmock.h>

#include <future>
#include <mutex>
#include <utility>
#include <vector>

namespace holdfast {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;

struct live_causes : ::testing::Test {
  manual_clock clock;
  store db = store::start(testing::options_at(clock)).value();
  std::mutex mutex;
  std::vector<std::uint64_t> counts;
  subscription token;

  void follow(const bucket<>& of) {
    ASSERT_TRUE(db.define_query("count", [of](query_context& in) { return in.in(of).count(); }));
    token = db.subscribe("count", [this](const query_update& now) {
                const std::lock_guard lock{mutex};
                counts.push_back(now.as<std::uint64_t>());
              }).value();
    ASSERT_TRUE(db.settle());
  }
  std::vector<std::uint64_t> told() {
    EXPECT_TRUE(db.settle());
    const std::lock_guard lock{mutex};
    return counts;
  }
};

TEST_F(live_causes, that_are_a_purge) {
  auto sessions =
      db.define(schema("sessions").key("id", integer()).expire_after(seconds{10})).value();
  for (int i = 0; i < 3; ++i)
    ASSERT_TRUE(sessions.insert({{"id", i}}).get());
  follow(sessions);
  clock.advance(seconds{10});
  EXPECT_THAT(told(), ElementsAre(3)) << "time alone makes no commit";
  EXPECT_EQ(*sessions.purge(), 3u);
  EXPECT_THAT(told(), ElementsAre(3, 0));
}

/// Nobody purges by hand, and the clock is the machine's.
TEST(live_causes_by_themselves, are_told_when_the_ttl_manager_purges) {
  auto own = store::start({.ttl_interval = std::chrono::milliseconds{2}}).value();
  auto sessions = own.define(schema("sessions").key("id", integer())).value();
  for (int i = 0; i < 3; ++i)
    ASSERT_TRUE(sessions.insert({{"id", i}}, {.expires_in = std::chrono::milliseconds{20}}).get());
  ASSERT_TRUE(own.define_query("count", {.bucket = "sessions", .what = query{}}));
  std::promise<void> gone;
  auto token = own.subscribe("count",
                             [&, all = false](const query_update& now) mutable {
                               if (now.as<query_list>().items.empty() && !std::exchange(all, true))
                                 gone.set_value();
                             })
                   .value();
  EXPECT_EQ(gone.get_future().wait_for(seconds{20}), std::future_status::ready);
}

TEST_F(live_causes, behind_a_deadline_show_no_ended_record_to_who_joins) {
  auto sessions =
      db.define(schema("sessions").key("id", integer()).expire_after(seconds{10})).value();
  auto others = db.define(schema("others").key("id", integer())).value();
  ASSERT_TRUE(sessions.insert({{"id", 1}}).get());
  follow(sessions);
  clock.advance(seconds{10});
  ASSERT_TRUE(others.insert({{"id", 1}}).get()); // a moment at which the record has ended
  std::vector<std::uint64_t> later;
  auto joins = db.subscribe("count", [&](const query_update& now) {
                   const std::lock_guard lock{mutex};
                   later.push_back(now.as<std::uint64_t>());
                 }).value();
  EXPECT_THAT(told(), ElementsAre(1, 0)) << "all members of a group agree";
  EXPECT_THAT(later, ElementsAre(0));
}

/// No commit lies between, so the others are told when the record is purged.
TEST_F(live_causes, show_no_ended_record_to_who_joins_when_nothing_else_happened) {
  auto sessions =
      db.define(schema("sessions").key("id", integer()).expire_after(seconds{10})).value();
  ASSERT_TRUE(sessions.insert({{"id", 1}}).get());
  follow(sessions);
  clock.advance(seconds{10});
  std::vector<std::uint64_t> later;
  auto joins = db.subscribe("count", [&](const query_update& now) {
                   const std::lock_guard lock{mutex};
                   later.push_back(now.as<std::uint64_t>());
                 }).value();
  EXPECT_THAT(told(), ElementsAre(1));
  EXPECT_THAT(later, ElementsAre(0));
  EXPECT_EQ(*sessions.purge(), 1u);
  EXPECT_THAT(told(), ElementsAre(1, 0));
  EXPECT_THAT(later, ElementsAre(0)) << "it is the same";
  ASSERT_TRUE(sessions.insert({{"id", 2}}).get());
  EXPECT_THAT(told(), ElementsAre(1, 0, 1));
  EXPECT_THAT(later, ElementsAre(0, 1));
}

TEST_F(live_causes, that_are_an_eviction) {
  auto recent = db.define(schema("recent").key("id", integer()).capacity(2)).value();
  ASSERT_TRUE(db.define_query("oldest", {.bucket = "recent", .what = query{}.limit(1)}));
  std::vector<std::int64_t> oldest;
  auto watch = db.subscribe("oldest", [&](const query_update& now) {
                   const std::lock_guard lock{mutex};
                   auto& items = now.as<query_list>().items;
                   oldest.push_back(items.empty() ? -1 : items[0].key().as_int());
                 }).value();
  follow(recent);
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(recent.insert({{"id", i}}).get());
    ASSERT_TRUE(db.settle());
  }
  EXPECT_THAT(told(), ElementsAre(0, 1, 2));
  EXPECT_THAT(oldest, ElementsAre(-1, 0, 1, 2));
}

TEST_F(live_causes, that_are_a_cascade_from_another_bucket) {
  auto users = db.define(schema("users").key("id", integer())).value();
  auto posts = db.define(schema("posts")
                             .key("id", integer())
                             .field("user", integer().references("users", on_delete::cascade)))
                   .value();
  ASSERT_TRUE(users.insert({{"id", 1}}).get());
  for (int i = 0; i < 5; ++i)
    ASSERT_TRUE(posts.insert({{"id", i}, {"user", 1}}).get());
  follow(posts);
  ASSERT_TRUE(users.erase(1).get());
  EXPECT_THAT(told(), ElementsAre(5, 0));
}

TEST_F(live_causes, that_are_a_clear_and_what_comes_behind_it) {
  auto notes = db.define(schema("notes").key("id", integer())).value();
  ASSERT_TRUE(notes.insert({{"id", 1}}).get());
  follow(notes);
  ASSERT_TRUE(notes.clear().get());
  EXPECT_THAT(told(), ElementsAre(1, 0));
  ASSERT_TRUE(notes.insert({{"id", 2}}).get());
  EXPECT_THAT(told(), ElementsAre(1, 0, 1));
}

} // namespace
} // namespace holdfast
