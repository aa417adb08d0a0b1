// The machine's clock is set back while deadlines and commits go on: the store's time is not.
#include "tests/support/options_at.hpp"

#include <holdfast/store/detail/bucket_core.hpp>
#include <holdfast/store/store.hpp>

#include <gmock/gmock.h>

#include <future>

namespace holdfast::testing {
namespace {

using namespace std::chrono_literals;

/// A machine's clock, which may be set, beside the steady one, which goes on.
class settable_clock final : public clock {
public:
  timestamp now() const noexcept override { return timestamp{wall_.load()}; }
  std::chrono::nanoseconds steady() const noexcept override { return steady_.load(); }
  void pass(std::chrono::microseconds time) {
    wall_ = wall_.load() + time;
    steady_ = steady_.load() + time;
  }
  void set(std::chrono::microseconds by) { wall_ = wall_.load() + by; }

private:
  std::atomic<std::chrono::microseconds> wall_{std::chrono::hours{24 * 365 * 50}};
  std::atomic<std::chrono::nanoseconds> steady_{std::chrono::hours{100}};
};

struct the_time_of_a_store : ::testing::Test {
  settable_clock clock;
  store db = store::start(options_at(clock)).value();
  bucket<> things = db.define(schema("things").key("id", integer()).field("n", integer())).value();

  void insert(int id, std::chrono::milliseconds lasts) {
    ASSERT_TRUE(things.insert({{"id", id}}, {.expires_in = lasts}).get());
  }
  bool in_a_transaction(int id) {
    return db.transact([&](transaction& tx) -> result<bool> { return tx.in(things).contains(id); })
        .value();
  }
};

TEST_F(the_time_of_a_store, does_not_go_back_from_commit_to_commit) {
  std::vector<timestamp> told;
  std::promise<void> all;
  auto token = db.on("bucket.*.*", [&](const change& c) {
    told.push_back(c.at);
    if (told.size() == 3)
      all.set_value();
  });
  auto first = things.insert({{"id", 1}}).get().value();
  clock.set(-1h);
  auto second = things.update(1, {{"n", 2}}).get().value();
  EXPECT_GE(second.updated_at(), first.updated_at());
  clock.pass(1s);
  clock.set(-24h);
  auto third = things.update(1, {{"n", 3}}).get().value();
  EXPECT_EQ(third.updated_at() - second.updated_at(), 1s) << "it goes on at its pace";
  all.get_future().get();
  EXPECT_TRUE(std::ranges::is_sorted(told));
}

TEST_F(the_time_of_a_store, is_the_machine_s_again_when_that_has_caught_up) {
  insert(1, 1h);
  clock.set(-1h);
  clock.set(2h);
  EXPECT_EQ(things.insert({{"id", 2}}).get()->created_at(), clock.now());
  EXPECT_FALSE(things.contains(1)) << "a clock that is set forward is believed at once";
}

TEST_F(the_time_of_a_store, keeps_hidden_what_has_expired) {
  insert(1, 10s);
  clock.pass(11s);
  EXPECT_FALSE(things.contains(1));
  clock.set(-1h);
  EXPECT_FALSE(things.contains(1));
  EXPECT_FALSE(in_a_transaction(1));
  EXPECT_EQ(*things.count().get(), 0u);
  EXPECT_EQ(*things.at(db.snapshot()).count().get(), 0u);
  EXPECT_EQ(db.stats().records, 0u);
  EXPECT_EQ(*db.purge(), 1u) << "and it can be purged";
}

TEST_F(the_time_of_a_store, gives_records_the_life_that_they_are_meant_to_have) {
  insert(1, 1h);
  clock.set(-24h);
  insert(2, 10s);
  clock.pass(9s);
  EXPECT_TRUE(things.contains(2));
  EXPECT_TRUE(in_a_transaction(2));
  clock.pass(2s);
  EXPECT_FALSE(things.contains(2));
  EXPECT_FALSE(in_a_transaction(2));
  EXPECT_TRUE(things.contains(1));
  clock.pass(1h);
  EXPECT_FALSE(things.contains(1)) << "an hour of this world and not a day";
}

TEST_F(the_time_of_a_store, is_that_of_a_commit_when_it_gets_its_turn) {
  auto& core = things.core();
  const auto begin = clock.now();
  std::future<result<record>> written;
  {
    const detail::turn_guard held{core.turn()}; // as a transaction that commits
    written = std::async(std::launch::async, [&] { return things.insert({{"id", 1}}).get(); });
    EXPECT_EQ(written.wait_for(20ms), std::future_status::timeout) << "it waits";
    clock.pass(1h);
  }
  EXPECT_EQ(written.get()->created_at(), begin + 1h) << "others may have committed meanwhile";
}

TEST_F(the_time_of_a_store, goes_up_to_the_year_2262_and_beyond) {
  clock.set(std::chrono::years{1000});
  insert(1, 10s);
  EXPECT_EQ(things.get(1).get()->created_at(), clock.now());
  clock.pass(11s);
  EXPECT_FALSE(things.contains(1));
}

} // namespace
} // namespace holdfast::testing
