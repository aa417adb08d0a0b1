// Transactions beside crashes, drops, full memory and the end of the store.
#include "transaction_fixture.hpp"

#include <holdfast/runtime/fault.hpp>
#include <holdfast/store/detail/pool.hpp>
#include <holdfast/store/memory_journal.hpp>

#include <atomic>
#include <mutex>
#include <thread>

namespace holdfast::testing {
namespace {

TEST_F(a_transaction, is_one_commit_of_events_with_their_cause) {
  std::mutex guard;
  std::vector<std::string> seen;
  auto token = db.on("bucket.**", [&](const change& c) {
    std::lock_guard lock{guard};
    seen.push_back(c.to_string());
  });
  ASSERT_TRUE(token);
  ASSERT_TRUE(run([&](transaction& tx) {
    ASSERT_TRUE(tx.in(accounts).update(1, {{"balance", 1}}).get());
    ASSERT_TRUE(tx.in(accounts).update(1, {{"balance", 2}}).get());
    ASSERT_TRUE(tx.in(orders).insert({{"what", "x"}}).get());
    ASSERT_TRUE(tx.in(accounts).erase(2).get());
  }));
  ASSERT_TRUE(db.stop());
  EXPECT_THAT(seen, ::testing::ElementsAre("accounts.updated 1 at 4 (transaction)",
                                           "accounts.erased 2 at 4 (transaction)",
                                           "orders.inserted 1 at 4 (transaction)"));
}

TEST_F(a_transaction, ends_with_an_error_when_a_bucket_is_dropped_meanwhile) {
  auto done = run([&](transaction& tx) {
    ASSERT_TRUE(tx.in(accounts).update(1, {{"balance", 1}}).get());
    ASSERT_TRUE(tx.in(orders).insert({{"what", "x"}}).get());
    ASSERT_TRUE(db.drop("accounts"));
    EXPECT_EQ(tx.in(accounts).get(1).get().error(), errc::dropped);
  });
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error(), errc::dropped);
  EXPECT_EQ(*orders.count().get(), 0u);
}

TEST_F(a_transaction, does_not_care_for_the_crash_of_a_bucket_before_its_commit) {
  ASSERT_TRUE(run([&](transaction& tx) {
    ASSERT_TRUE(tx.in(accounts).update(1, {{"balance", 1}}).get());
    ASSERT_TRUE(db.crash("accounts"));
    EXPECT_EQ((*tx.in(accounts).get(1).get())["balance"], value_view{1});
  }));
  EXPECT_EQ(balance(1), 1);
}

TEST_F(a_transaction, leaves_no_trace_when_its_commit_crashes_anywhere) {
  ASSERT_TRUE(orders.insert({{"what", "first"}}).get());
  for (auto* point : {"bucket.inserted", "bucket.replaced", "bucket.erased", "bucket.sealing",
                      "data.row_added", "data.key_added", "data.unique_added", "data.index_changed",
                      "data.version_ended", "data.row_replaced", "data.key_replaced"}) {
    const auto before = db.snapshot().memory_seq();
    holdfast::testing::fault strike{point};
    auto done = run([&](transaction& tx) {
      auto mine = tx.in(accounts);
      ASSERT_TRUE(mine.update(1, {{"balance", 1}, {"owner", "new"}}).get());
      ASSERT_TRUE(mine.erase(2).get());
      ASSERT_TRUE(mine.insert({{"id", 9}, {"owner", "b"}, {"balance", 1}}).get());
      ASSERT_TRUE(tx.in(orders).insert({{"what", "second"}}).get());
    });
    EXPECT_TRUE(strike.struck()) << point;
    ASSERT_FALSE(done) << point;
    EXPECT_EQ(done.error(), errc::bucket_crashed) << point;
    EXPECT_EQ(db.snapshot().memory_seq(), before) << point;
    EXPECT_EQ(*accounts.everything().sum("balance").get(), value{300}) << point;
    EXPECT_EQ(accounts.find_one("owner"_f == "b").get()->key(), value_view{1}) << point;
    EXPECT_FALSE(accounts.find_one("owner"_f == "new").get()) << point;
  }
  EXPECT_EQ(orders.insert({{"what", "second"}}).get()->key(), value_view{2});
  ASSERT_TRUE(accounts.insert({{"id", 9}, {"balance", 1}}).get());
}

#ifndef NDEBUG
TEST_F(a_transaction, leaves_no_trace_when_its_commit_runs_out_of_memory) {
  std::uint64_t failures = 0;
  for (std::uint64_t n = 1;; ++n) {
    auto done = run([&](transaction& tx) {
      auto mine = tx.in(accounts);
      ASSERT_TRUE(mine.update(1, {{"balance", 1}, {"owner", "new"}}).get());
      ASSERT_TRUE(mine.erase(2).get());
      ASSERT_TRUE(mine.insert({{"id", 9}, {"owner", "b"}, {"balance", 1}}).get());
      detail::pool::set_fuse(n);
    });
    detail::pool::set_fuse(0);
    if (done)
      break;
    ++failures;
    EXPECT_EQ(done.error(), errc::out_of_memory) << n;
    EXPECT_EQ(*accounts.everything().sum("balance").get(), value{300}) << n;
    EXPECT_EQ(accounts.find_one("owner"_f == "b").get()->key(), value_view{1}) << n;
  }
  EXPECT_GT(failures, 3u);
  EXPECT_EQ(accounts.find_one("owner"_f == "b").get()->key(), value_view{9});
}
#endif

TEST(a_transaction_with_persistent_buckets, is_acknowledged_or_not_there_when_the_store_stops) {
  auto disk = std::make_shared<memory_disk>();
  auto start = [&] {
    store_options options;
    options.journal = memory_journal(disk);
    return std::move(*store::start(std::move(options)));
  };
  auto db = start();
  auto counts = std::move(*db.define(schema("counts").key("id", integer()).field("n", integer())));
  ASSERT_TRUE(counts.insert({{"id", 1}, {"n", 0}}).get());
  std::atomic<std::int64_t> done{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 2; ++t)
    threads.emplace_back([&] {
      for (;;) {
        auto added = db.transact([&](transaction& tx) -> result<void> {
          auto mine = tx.in(counts);
          auto now = mine.get(1).get();
          if (!now)
            return fail(now.error());
          return mine.update(1, {{"n", (*now)["n"].as_int() + 1}}).get().map([](auto&&) {});
        });
        if (!added) {
          EXPECT_EQ(added.error(), errc::stopped) << added.error().to_string();
          return;
        }
        ++done;
      }
    });
  while (done < 20)
    std::this_thread::yield();
  ASSERT_TRUE(db.stop());
  for (auto& t : threads)
    t.join();
  auto again = start();
  EXPECT_EQ((*again.bucket("counts")->get(1).get())["n"], value_view{done.load()});
}

} // namespace
} // namespace holdfast::testing
