// Transactions beside crashes, drops, full memory and the end of the store.
#include "transaction_fixture.hpp"

#include <holdfast/runtime/fault.hpp>
#include <holdfast/store/detail/pool.hpp>
#include <holdfast/store/memory_journal.hpp>

#include <atomic>
#include <functional>
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

/// Buckets on both lines, of which one goes while a transaction runs.
struct a_transaction_beside_a_drop : ::testing::Test {
  store db = [] {
    store_options options;
    options.journal = memory_journal(std::make_shared<memory_disk>());
    return store::start(std::move(options)).value();
  }();
  bucket<> made(const std::string& name, bool persistent) {
    return db.define(schema(name).key("id", integer()).field("n", integer()).persistent(persistent))
        .value();
  }
  bucket<> in_memory = made("in_memory", false), on_disk = made("on_disk", true);
  bucket<> other = made("other", true);

  /// What it does with the bucket that is dropped; it always writes to the other one.
  void expect_dropped(const bucket<>& goes, const std::function<void(const bucket<>&)>& use,
                      bool comes_back = false) {
    int attempts = 0;
    auto done = db.transact([&](transaction& tx) -> result<void> {
      ++attempts;
      use(tx.in(goes));
      EXPECT_TRUE(tx.in(other).insert({{"id", 1}}).get());
      EXPECT_TRUE(db.drop(goes.name()));
      if (comes_back)
        (void)made(goes.name(), goes.name() == "on_disk");
      EXPECT_EQ(tx.in(goes).get(1).get().error(), errc::dropped);
      return {};
    });
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error(), errc::dropped) << done.error().to_string();
    EXPECT_EQ(done.error().where().bucket, goes.name());
    EXPECT_EQ(attempts, 1);
    EXPECT_EQ(*other.count().get(), 0U);
  }
};

TEST_F(a_transaction_beside_a_drop, ends_with_an_error_and_no_trace) {
  const auto reads = [](const bucket<>& b) { EXPECT_FALSE(b.get(1).get()); };
  const auto writes = [](const bucket<>& b) { EXPECT_TRUE(b.insert({{"id", 1}}).get()); };
  expect_dropped(in_memory, reads);
  expect_dropped(on_disk, writes);
  in_memory = made("in_memory", false), on_disk = made("on_disk", true);
  expect_dropped(in_memory, writes, true);
  expect_dropped(on_disk, reads, true);
  EXPECT_EQ(*db.bucket("in_memory")->count().get(), 0U) << "it has gone into the new one";
}

/// Whatever drops and commits come first, each transaction is told rightly whether it happened.
TEST_F(a_transaction_beside_a_drop, happens_wholly_or_not_at_all) {
  std::atomic<bool> enough{false};
  std::thread dropper{[&] {
    while (!enough) {
      EXPECT_TRUE(db.drop("in_memory"));
      (void)made("in_memory", false);
    }
  }};
  std::uint64_t happened = 0, ended = 0;
  for (std::int64_t id = 1; happened < 20 || ended < 20; ++id) {
    auto done = db.transact([&](transaction& tx) -> result<void> {
      auto mine = tx.bucket("in_memory");
      if (!mine)
        return fail(mine.error());
      (void)mine->contains(id);
      if (auto put = tx.in(other).insert({{"id", id}}).get(); !put)
        return fail(put.error());
      std::this_thread::yield();
      return mine->upsert({{"id", id}}).get().map([](const auto&) {});
    });
    ++(done ? happened : ended);
    EXPECT_EQ(other.contains(id), done.has_value());
    if (!done) {
      EXPECT_THAT(done.error().code(), ::testing::AnyOf(errc::dropped, errc::not_found))
          << done.error().to_string();
    }
  }
  enough = true;
  dropper.join();
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
