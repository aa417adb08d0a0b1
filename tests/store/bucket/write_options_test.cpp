// What writes say besides the values: deadlines and expected versions.
#include <holdfast/store/memory_journal.hpp>
#include <holdfast/store/store.hpp>
#include <holdfast/store/transaction.hpp>

#include <gmock/gmock.h>

#include <thread>
#include <vector>

namespace holdfast {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

struct write_option : ::testing::Test {
  manual_clock clock;
  std::shared_ptr<memory_disk> disk = std::make_shared<memory_disk>();
  store db = start();
  bucket<> tokens = *db.define(schema("tokens").key("id", integer()).field("n", integer()));

  store start() {
    store_options options;
    options.journal = memory_journal(disk);
    options.runtime_settings.clock = &clock;
    return std::move(*store::start(std::move(options)));
  }
  timestamp in(seconds s) const { return clock.now() + s; }
};

TEST_F(write_option, expires_in_and_at_give_a_deadline_that_updates_keep) {
  EXPECT_EQ(tokens.insert({{"id", 1}}, {.expires_in = seconds{5}}).get()->expires_at(),
            in(seconds{5}));
  EXPECT_EQ(tokens.insert({{"id", 2}}, {.expires_at = in(seconds{9})}).get()->expires_at(),
            in(seconds{9}));
  EXPECT_EQ(tokens.insert({{"id", 3}}).get()->expires_at(), std::nullopt);
  EXPECT_EQ(tokens.update(1, {{"n", 1}}).get()->expires_at(), in(seconds{5}));
  EXPECT_EQ(tokens.upsert({{"id", 1}, {"n", 2}}).get()->expires_at(), in(seconds{5}));
  EXPECT_EQ(tokens.update(1, {{"n", 3}}, {.expires_in = seconds{7}}).get()->expires_at(),
            in(seconds{7}));
  EXPECT_EQ(tokens.update(2, {{"n", 3}}, {.never_expires = true}).get()->expires_at(),
            std::nullopt);
  clock.advance(seconds{7});
  EXPECT_EQ(*tokens.count().get(), 2u);
}

TEST_F(write_option, touch_moves_the_deadline_alone) {
  ASSERT_TRUE(tokens.insert({{"id", 1}, {"n", 4}}).get());
  auto touched = tokens.touch(1, {.expires_in = seconds{3}}).get();
  ASSERT_TRUE(touched);
  EXPECT_EQ(touched->expires_at(), in(seconds{3}));
  EXPECT_EQ(touched->version(), 2u);
  EXPECT_EQ((*touched)["n"], value_view{4});
  EXPECT_EQ(tokens.touch(1).get().error().message(),
            "tokens: no deadline is given, and the bucket has none of its own");
  clock.advance(seconds{3});
  EXPECT_EQ(tokens.touch(1, {.expires_in = seconds{3}}).get().error().code(), errc::not_found);
}

TEST_F(write_option, that_makes_no_sense_is_refused_and_changes_nothing) {
  auto told = [&](const write_options& how) {
    auto e = tokens.insert({{"id", 1}}, how).get().error();
    EXPECT_EQ(e.code(), errc::invalid_argument);
    return e.message();
  };
  EXPECT_EQ(told({.expires_in = milliseconds{0}}),
            "tokens: expires_in 0 ms is below the minimum 1 ms");
  EXPECT_EQ(told({.expires_in = seconds{1}, .never_expires = true}),
            "tokens: 2 deadlines are given, more than 1");
  EXPECT_THAT(told({.expires_at = clock.now()}), ::testing::HasSubstr(" us has come at "));
  EXPECT_EQ(*tokens.count().get(), 0u);
  EXPECT_GT(*tokens.insert({{"id", 1}}, {.expires_in = milliseconds::max()}).get()->expires_at(),
            in(seconds{1}));
}

TEST_F(write_option, expected_version_lets_a_write_pass_only_over_that_version) {
  auto conflict = [](auto r, std::uint64_t expected, std::uint64_t actual) {
    ASSERT_FALSE(r);
    ASSERT_EQ(r.error().code(), errc::conflict) << r.error().to_string();
    auto& what = std::get<version_conflict>(r.error().detail());
    EXPECT_EQ(what.expected, expected);
    EXPECT_EQ(what.actual, actual);
  };
  conflict(tokens.insert({{"id", 1}}, {.expected_version = 3}).get(), 3, 0);
  conflict(tokens.upsert({{"id", 1}}, {.expected_version = 1}).get(), 1, 0);
  conflict(tokens.update(1, {{"n", 1}}, {.expected_version = 1}).get(), 1, 0);
  ASSERT_TRUE(tokens.upsert({{"id", 1}}, {.expected_version = 0}).get());
  conflict(tokens.insert({{"id", 1}}, {.expected_version = 0}).get(), 0, 1);
  conflict(tokens.upsert({{"id", 1}}, {.expected_version = 0}).get(), 0, 1);
  conflict(tokens.touch(1, {.expires_in = seconds{1}, .expected_version = 2}).get(), 2, 1);
  ASSERT_TRUE(tokens.update(1, {{"n", 1}}, {.expected_version = 1}).get());
  conflict(tokens.update(1, {{"n", 2}}, {.expected_version = 1}).get(), 1, 2);
  conflict(tokens.erase(1, {.expected_version = 1}).get(), 1, 2);
  EXPECT_EQ((*tokens.get(1).get())["n"], value_view{1});
  EXPECT_EQ(tokens.erase(1, {.never_expires = true}).get().error(), errc::invalid_argument);
  EXPECT_TRUE(tokens.erase(1, {.expected_version = 2}).get());
  conflict(tokens.erase(1, {.expected_version = 2}).get(), 2, 0);
}

TEST_F(write_option, counts_in_transactions_too) {
  ASSERT_TRUE(tokens.insert({{"id", 1}}).get());
  auto done = db.transact([&](transaction& tx) -> result<void> {
    auto mine = *tx.bucket("tokens");
    EXPECT_EQ(mine.update(1, {{"n", 1}}, {.expected_version = 4}).get().error().code(),
              errc::conflict);
    EXPECT_EQ(mine.erase(1, {.expected_version = 4}).get().error(), errc::conflict);
    EXPECT_TRUE(mine.touch(1, {.expires_in = seconds{2}}).get());
    EXPECT_TRUE(mine.insert({{"id", 2}}, {.expires_in = seconds{4}}).get());
    return {};
  });
  ASSERT_TRUE(done);
  EXPECT_EQ(tokens.get(1).get()->expires_at(), in(seconds{2}));
  EXPECT_EQ(tokens.get(2).get()->expires_at(), in(seconds{4}));
}

/// Of its own writes it sees the versions, too; however many these are, they are one more.
TEST_F(write_option, expected_version_is_that_which_the_transaction_sees) {
  ASSERT_TRUE(tokens.insert({{"id", 1}}).get());
  auto done = db.transact([&](transaction& tx) -> result<void> {
    auto mine = *tx.bucket("tokens");
    const auto refused = [](const auto& outcome, std::uint64_t actual) {
      ASSERT_FALSE(outcome);
      EXPECT_EQ(std::get<version_conflict>(outcome.error().detail()).actual, actual);
    };
    refused(mine.insert({{"id", 2}}, {.expected_version = 1}).get(), 0);
    refused(mine.upsert({{"id", 1}}, {.expected_version = 2}).get(), 1);
    refused(mine.touch(1, {.expires_in = seconds{1}, .expected_version = 2}).get(), 1);
    EXPECT_EQ(mine.update(1, {{"n", 1}}, {.expected_version = 1}).get()->version(), 2U);
    refused(mine.update(1, {{"n", 2}}, {.expected_version = 1}).get(), 2);
    EXPECT_TRUE(mine.update(1, {{"n", 2}}, {.expected_version = 2}).get());
    refused(mine.erase(1, {.expected_version = 3}).get(), 2);
    EXPECT_TRUE(mine.erase(1, {.expected_version = 2}).get());
    EXPECT_TRUE(mine.upsert({{"id", 1}, {"n", 7}}, {.expected_version = 0}).get());
    return {};
  });
  ASSERT_TRUE(done) << done.error().to_string();
  EXPECT_EQ((*tokens.get(1).get())["n"], value_view{7});
  EXPECT_FALSE(tokens.contains(2));
}

/// Nobody's write is lost under another one of the same version.
TEST_F(write_option, expected_version_is_won_by_one_of_those_who_race_for_it) {
  ASSERT_TRUE(tokens.insert({{"id", 1}, {"n", 0}}).get());
  constexpr int threads = 3, each = 500;
  std::vector<std::thread> all;
  for (int t = 0; t < threads; ++t)
    all.emplace_back([&] {
      for (int won = 0; won < each;) {
        const auto now = tokens.get(1).get().value();
        auto done =
            tokens.update(1, {{"n", now["n"].as_int() + 1}}, {.expected_version = now.version()})
                .get();
        if (!done) {
          ASSERT_EQ(done.error(), errc::conflict) << done.error().to_string();
        }
        won += done ? 1 : 0;
      }
    });
  for (auto& t : all)
    t.join();
  const auto end = tokens.get(1).get().value();
  EXPECT_EQ(end["n"], value_view{threads * each});
  EXPECT_EQ(end.version(), std::uint64_t{threads * each + 1});
}

TEST_F(write_option, deadlines_are_there_after_a_restart) {
  ASSERT_TRUE(tokens.insert({{"id", 1}}, {.expires_in = seconds{2}}).get());
  ASSERT_TRUE(tokens.insert({{"id", 2}}).get());
  ASSERT_TRUE(db.stop());
  db = start();
  tokens = *db.bucket("tokens");
  EXPECT_EQ(tokens.get(1).get()->expires_at(), in(seconds{2}));
  clock.advance(seconds{2});
  EXPECT_EQ(*tokens.count().get(), 1u);
  EXPECT_EQ(tokens.get(1).get().error().code(), errc::not_found);
}

} // namespace
} // namespace holdfast
