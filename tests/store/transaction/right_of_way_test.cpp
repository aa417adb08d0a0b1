// Actors do not wait, so their writes do when a transaction has the right of way: they are kept,
// and reach their bucket when it has ended, in order.
#include "transaction_fixture.hpp"

#include <holdfast/runtime/caf.hpp>
#include <holdfast/runtime/via.hpp>

#include <atomic>
#include <functional>
#include <future>
#include <memory>
#include <thread>
#include <vector>

namespace holdfast::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::Each;
using ::testing::ElementsAre;

struct right_of_way_for_actors : ::testing::Test {
  manual_clock clock;
  runtime rt{{.stash_limit = 4, .clock = &clock}};
  store db = store::start({.ttl_interval = 5ms, .runtime = &rt}).value();
  bucket<> counts =
      db.define(schema("counts").key("id", integer()).field("n", integer()).field("sum", integer()))
          .value();

  void SetUp() override { ASSERT_TRUE(counts.insert({{"id", 1}, {"n", 0}, {"sum", 0}}).get()); }

  using answers = std::vector<std::future<result<record>>>;
  /// An actor begins a write of each of these numbers, one right after the other; returns when all
  /// are begun.
  answers write_in_an_actor(const std::vector<int>& numbers) {
    auto told = std::make_shared<std::vector<std::promise<result<record>>>>(numbers.size());
    answers out;
    for (auto& each : *told)
      out.push_back(each.get_future());
    std::promise<void> begun;
    rt.system().spawn([&, told](caf::event_based_actor* self) {
      quiet(self);
      for (std::size_t i = 0; i < numbers.size(); ++i)
        via(self, counts.update(1, {{"n", numbers[i]}}),
            [told, i](result<record> r) { (*told)[i].set_value(std::move(r)); });
      begun.set_value();
    });
    begun.get_future().wait();
    return out;
  }
  std::int64_t n() { return (*counts.get(1).get())["n"].as_int(); }

  /// A transaction over the counter that has the right of way when it calls `meanwhile`.
  result<void> overtaken(const std::function<void()>& meanwhile, int exclusive_retries = 1) {
    auto attempts = 0;
    auto done = db.transact(
        [&](transaction& tx) -> result<void> {
          auto mine = tx.in(counts);
          const auto now = (*mine.get(1).get())["n"].as_int();
          if (++attempts == 1) {
            EXPECT_TRUE(counts.update(1, {{"n", 100}}).get());
          } else {
            meanwhile();
          }
          return mine.update(1, {{"sum", now}}).get().map([](const record&) {});
        },
        {.retries = 0, .exclusive_retries = exclusive_retries});
    EXPECT_EQ(attempts, 2);
    return done;
  }
};

TEST_F(right_of_way_for_actors, keeps_their_writes_until_it_ends) {
  answers written;
  auto done = overtaken([&] {
    written = write_in_an_actor({1, 2, 3});
    EXPECT_EQ(n(), 100);
  });
  ASSERT_TRUE(done) << done.error().to_string();
  std::vector<std::int64_t> seen;
  std::vector<std::uint64_t> versions;
  for (auto& each : written) {
    auto stored = each.get();
    ASSERT_TRUE(stored) << stored.error().to_string();
    seen.push_back((*stored)["n"].as_int());
    versions.push_back(stored->version());
    EXPECT_EQ((*stored)["sum"], value_view{100}) << "the transaction came first";
  }
  EXPECT_THAT(seen, ElementsAre(1, 2, 3));
  EXPECT_THAT(versions, ElementsAre(4, 5, 6)) << "in the order in which they were begun";
}

TEST_F(right_of_way_for_actors, holds_up_what_comes_behind_them_no_longer) {
  answers written;
  ASSERT_TRUE(overtaken([&] { written = write_in_an_actor({1}); }));
  auto later = write_in_an_actor({2});
  EXPECT_EQ(written[0].get()->version(), 4u);
  EXPECT_EQ(later[0].get()->version(), 5u);
}

TEST_F(right_of_way_for_actors, refuses_more_writes_than_may_be_kept) {
  answers written;
  ASSERT_TRUE(overtaken([&] {
    written = write_in_an_actor({1, 2, 3, 4, 5});
    auto refused = written.back().get();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error(), errc::overloaded);
    EXPECT_EQ(refused.error().message(),
              "counts: 4 writes of actors already wait for a transaction");
    EXPECT_EQ(refused.error().where().bucket, "counts");
  }));
  for (std::size_t i = 0; i < 4; ++i)
    EXPECT_TRUE(written[i].get());
  EXPECT_EQ(n(), 4);
}

TEST_F(right_of_way_for_actors, is_lost_with_its_time_and_then_keeps_nothing) {
  auto done = overtaken([&] {
    auto written = write_in_an_actor({1});
    clock.advance(default_timeout);
    EXPECT_TRUE(written[0].get()) << "with a tick, though nobody else comes to write";
    auto later = write_in_an_actor({2});
    EXPECT_TRUE(later[0].get());
  });
  EXPECT_EQ(done.error(), errc::timeout);
  EXPECT_EQ(n(), 2);
}

TEST_F(right_of_way_for_actors, leaves_other_buckets_alone) {
  auto others = db.define(schema("others").key("id", integer())).value();
  ASSERT_TRUE(overtaken([&] {
    std::promise<result<record>> told;
    rt.system().spawn([&](caf::event_based_actor* self) {
      quiet(self);
      via(self, others.insert({{"id", 1}}),
          [&](result<record> r) { told.set_value(std::move(r)); });
    });
    EXPECT_TRUE(told.get_future().get());
  }));
}

TEST_F(right_of_way_for_actors, outlives_a_crash_of_the_bucket_that_they_write_to) {
  answers written;
  ASSERT_TRUE(overtaken([&] {
    written = write_in_an_actor({1, 2});
    ASSERT_TRUE(db.crash("counts"));
  }));
  for (auto& each : written)
    EXPECT_TRUE(each.get());
  EXPECT_EQ(n(), 2);
}

/// Writes to the counter for ever, one write right after the other.
struct busy_actor {
  std::atomic<std::uint64_t> written{0};
  std::atomic<bool> enough{false};
  std::promise<void> ended;

  void next(caf::event_based_actor* self, const bucket<>& counts) {
    via(self, counts.update(1, {{"n", 1}}), [this, self, &counts](const result<record>& r) {
      EXPECT_TRUE(r);
      ++written;
      if (enough)
        ended.set_value();
      else
        next(self, counts);
    });
  }
};

TEST_F(right_of_way_for_actors, lets_a_transaction_come_through_against_one_that_never_rests) {
  busy_actor other;
  rt.system().spawn([&](caf::event_based_actor* self) {
    quiet(self);
    other.next(self, counts);
  });
  constexpr int retries = 2;
  int attempts = 0;
  auto done = db.transact(
      [&](transaction& tx) -> result<void> {
        auto mine = tx.in(counts);
        const auto before = other.written.load();
        (void)mine.get(1).get();
        if (++attempts <= retries + 1)
          while (other.written < before + 2) // until it is certain that this attempt comes too late
            std::this_thread::yield();
        else
          for (int i = 0; i < 20'000; ++i)
            (void)mine.get(1).get();
        return mine.update(1, {{"sum", 7}}).get().map([](const record&) {});
      },
      {.retries = retries});
  other.enough = true;
  other.ended.get_future().wait();
  EXPECT_TRUE(done) << done.error().to_string();
  EXPECT_GT(attempts, retries + 1);
  EXPECT_EQ((*counts.get(1).get())["sum"], value_view{7});
}

} // namespace
} // namespace holdfast::testing
