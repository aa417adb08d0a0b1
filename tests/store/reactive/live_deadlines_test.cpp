// Live queries over records that come to their deadlines before anything purges them.
#include "live_query_fixture.hpp"

#include "tests/store/reactive/held_runs.hpp"
#include "tests/support/options_at.hpp"

#include <holdfast/store/memory_journal.hpp>

#include <chrono>
#include <future>
#include <memory>
#include <thread>

namespace holdfast::testing {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;

/// Nothing is purged but by request, and time stands still.
struct a_live_count : ::testing::Test {
  manual_clock clock;

  result<store> start(std::unique_ptr<holdfast::journal> on = {}) {
    auto options = options_at(clock);
    options.journal = std::move(on);
    return store::start(std::move(options));
  }
};

/// Found by the histories: who had come when a record had ended was not told that another one took
/// its place, since that was no news to those who were there before.
TEST_F(a_live_count, is_told_to_who_came_meanwhile_though_it_is_what_others_have) {
  auto db = start().value();
  auto sessions = db.define(schema("sessions").key("id", integer())).value();
  ASSERT_TRUE(sessions.insert({{"id", 1}}, {.expires_in = seconds{1}}).get());
  ASSERT_TRUE(db.define_query("all", [&](query_context& in) { return in.in(sessions).count(); }));
  told<std::uint64_t> first, second;
  auto early = db.subscribe("all", first.here());
  ASSERT_TRUE(db.settle());
  clock.advance(seconds{2});
  auto late = db.subscribe("all", second.here());
  ASSERT_TRUE(db.settle());
  ASSERT_TRUE(sessions.insert({{"id", 1}}).get());
  ASSERT_TRUE(db.settle());
  EXPECT_THAT(first.values(), ElementsAre(1u));
  EXPECT_THAT(second.values(), ElementsAre(0u, 1u));
}

/// Found by the histories: who came when a record had ended had run the query at the moment of
/// which the others had been told already, and they were told of it again.
TEST_F(a_live_count, is_told_once_of_a_moment_though_who_comes_sees_it_otherwise) {
  auto db = start().value();
  auto sessions = db.define(schema("sessions").key("id", integer())).value();
  ASSERT_TRUE(sessions.insert({{"id", 1}}, {.expires_in = seconds{1}}).get());
  held_runs runs;
  ASSERT_TRUE(db.define_query("all", [&](query_context& in) {
    auto seen = in.in(sessions).count();
    runs.hold();
    return seen;
  }));
  told<std::uint64_t> first, second;
  auto early = db.subscribe("all", first.here());
  ASSERT_TRUE(db.settle());
  clock.advance(seconds{2});
  auto late = std::async(std::launch::async, [&] { return db.subscribe("all", second.here()); });
  runs.wait_for(2);
  ASSERT_TRUE(sessions.insert({{"id", 2}}).get());
  runs.wait_for(3); // for which the query manager runs it; who comes is there before it
  runs.let_end(2);
  auto token = late.get();
  while (second.values().empty()) // else the next value may take the place of the first
    std::this_thread::yield();
  runs.let_end(3);
  ASSERT_TRUE(db.settle());
  EXPECT_THAT(first.values(), ElementsAre(1u)) << "one has ended, another one has come";
  EXPECT_THAT(second.values(), ElementsAre(0u, 1u));
}

/// A run saw a record ended whose deadline was being moved: the disk had the change already, but
/// nobody saw it yet. To a count the two versions are the same.
TEST_F(a_live_count, is_run_again_for_a_deadline_that_was_moved_while_it_came) {
  auto disk = std::make_shared<memory_disk>();
  auto db = start(memory_journal(disk)).value();
  auto sessions = db.define(schema("sessions").key("id", integer()).field("n", integer())).value();
  ASSERT_TRUE(sessions.insert({{"id", 1}, {"n", 5}}, {.expires_in = seconds{1}}).get());
  ASSERT_TRUE(db.define_query(
      "some", [&](query_context& in) { return in.in(sessions).where("n"_f > 3).count(); }));
  disk->hold();
  auto moved = std::async(std::launch::async,
                          [&] { return sessions.touch(1, {.expires_in = seconds{60}}).get(); });
  disk->wait_until_held();
  clock.advance(seconds{2});
  told<std::uint64_t> seen;
  auto token = db.subscribe("some", seen.here());
  ASSERT_TRUE(db.settle());
  disk->release();
  ASSERT_TRUE(moved.get());
  ASSERT_TRUE(db.settle());
  EXPECT_THAT(seen.values(), ElementsAre(0u, 1u));
}

} // namespace
} // namespace holdfast::testing
