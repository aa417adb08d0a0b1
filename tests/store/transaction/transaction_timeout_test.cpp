// The time of a transaction bounds all of it: its function, its turns, and the wait for others.
#include "transaction_fixture.hpp"

#include <holdfast/runtime/fault.hpp>

#include <future>
#include <memory>
#include <optional>

namespace holdfast::testing {
namespace {

using namespace std::chrono_literals;

/// Keeps buckets busy with a write that does not go on before it is told to.
class busy_write {
public:
  explicit busy_write(std::function<result<record>()> write)
      : written_{std::async(std::launch::async, std::move(write))} {
    entered_.get_future().wait();
  }
  ~busy_write() {
    if (written_.valid())
      (void)finish();
  }
  result<record> finish() {
    leave_.set_value();
    return written_.get();
  }

private:
  std::promise<void> entered_, leave_;
  fault point_{"bucket.checked", 0, [this] {
                 entered_.set_value();
                 leave_.get_future().wait();
               }};
  std::future<result<record>> written_;
};

TEST_F(a_transaction, ends_without_a_trace_when_a_bucket_stays_busy) {
  const auto before = db.snapshot().memory_seq();
  auto pay = [&](transaction& tx) {
    EXPECT_TRUE(tx.in(accounts).update(1, {{"balance", 1}}).get());
    EXPECT_TRUE(tx.in(orders).insert({{"what", "x"}}).get());
  };
  busy_write slow{[&] { return orders.insert({{"what", "slow"}}).get(); }};
  const auto late = run(pay, {.timeout = 20ms});
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error(), errc::timeout);
  EXPECT_EQ(late.error().message(), "transaction: not committed within 20 ms; nothing happened");
  EXPECT_EQ(db.snapshot().memory_seq(), before);
  EXPECT_EQ(balance(1), 100);
  EXPECT_TRUE(accounts.update(2, {{"balance", 7}}).get()) << "the turn that it had is given back";
  ASSERT_TRUE(slow.finish());
  EXPECT_EQ(*orders.count().get(), 1u);
  ASSERT_TRUE(run(pay)) << "and that which it did not get is free";
  EXPECT_EQ(balance(1), 1);
}

TEST_F(a_transaction, ends_when_buckets_that_its_references_reach_stay_busy) {
  auto authors = std::move(*db.define(schema("authors").key("id", integer())));
  auto books = std::move(
      *db.define(schema("books")
                     .key("id", integer())
                     .field("author", integer().references("authors", on_delete::cascade))));
  ASSERT_TRUE(authors.insert({{"id", 1}}).get());
  busy_write slow{[&] { return authors.insert({{"id", 2}}).get(); }};
  const auto storing = run(
      [&](transaction& tx) {
        EXPECT_TRUE(tx.in(books).insert({{"id", 1}, {"author", 1}}).get());
      },
      {.timeout = 20ms});
  ASSERT_FALSE(storing);
  EXPECT_EQ(storing.error(), errc::timeout);
  const auto erasing = run(
      [&](transaction& tx) {
        EXPECT_EQ(tx.in(authors).erase(1).get().error(), errc::timeout)
            << "who refers to it cannot be known just then";
        EXPECT_EQ(tx.in(authors).all().get().error(), errc::timeout) << "nor what is there";
      },
      {.timeout = 20ms});
  ASSERT_FALSE(erasing);
  EXPECT_EQ(erasing.error(), errc::timeout) << "though there is nothing to commit";
  EXPECT_TRUE(authors.contains(1)) << "it was not erased";
  ASSERT_TRUE(slow.finish());
  EXPECT_EQ(*authors.count().get(), 2u);
  EXPECT_EQ(*books.count().get(), 0u);
}

/// One of a store whose clock the test owns.
struct a_timed_transaction : ::testing::Test {
  manual_clock clock;
  store db = start();
  bucket<> counts =
      std::move(*db.define(schema("counts").key("id", integer()).field("n", integer())));

  store start() {
    store_options options;
    options.runtime_settings.clock = &clock;
    return std::move(*store::start(std::move(options)));
  }
  void SetUp() override { ASSERT_TRUE(counts.insert({{"id", 1}, {"n", 0}}).get()); }
  std::int64_t n() { return (*counts.get(1).get())["n"].as_int(); }
};

TEST_F(a_timed_transaction, does_nothing_when_its_function_takes_too_long) {
  const auto late = db.transact([&](transaction& tx) -> result<void> {
    EXPECT_TRUE(tx.in(counts).update(1, {{"n", 1}}).get());
    clock.advance(default_timeout);
    return {};
  });
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error(), errc::timeout);
  EXPECT_EQ(n(), 0);
}

TEST_F(a_timed_transaction, has_its_time_by_the_clock_of_the_store) {
  EXPECT_TRUE(db.transact(
      [&](transaction& tx) -> result<void> {
        EXPECT_TRUE(tx.in(counts).update(1, {{"n", 1}}).get());
        clock.advance(999'999us);
        return {};
      },
      {.timeout = 1s}));
  EXPECT_EQ(n(), 1);
}

TEST_F(a_timed_transaction, is_not_run_again_when_its_time_is_over) {
  int attempts = 0;
  const auto late = db.transact([&](transaction& tx) -> result<void> {
    ++attempts;
    auto mine = tx.in(counts);
    EXPECT_TRUE(mine.update(1, {{"n", 1}}).get());
    EXPECT_TRUE(counts.update(1, {{"n", 7}}).get());
    clock.advance(default_timeout);
    return {};
  });
  EXPECT_EQ(attempts, 1);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error(), errc::timeout);
  ASSERT_TRUE(late.error().cause());
  EXPECT_EQ(*late.error().cause(), errc::conflict) << "why it was to be run again";
  EXPECT_EQ(n(), 7);
}

TEST_F(a_timed_transaction,
       does_not_wait_for_a_bucket_when_its_time_was_over_before_the_machine_began) {
  std::optional<busy_write> slow;
  const auto late = db.transact([&](transaction& tx) -> result<void> {
    EXPECT_TRUE(tx.in(counts).update(1, {{"n", 1}}).get());
    slow.emplace([&] { return counts.insert({{"id", 2}, {"n", 0}}).get(); });
    clock.advance(24h * 365 * 10);
    return {};
  });
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error(), errc::timeout);
  EXPECT_FALSE(late.error().cause());
  EXPECT_TRUE(slow->finish());
  EXPECT_EQ(n(), 0);
}

TEST_F(a_timed_transaction, says_why_it_was_run_again_when_a_bucket_stays_busy_then) {
  int attempts = 0;
  std::optional<busy_write> slow;
  const auto late = db.transact([&](transaction& tx) -> result<void> {
    EXPECT_TRUE(tx.in(counts).update(1, {{"n", 1}}).get());
    if (++attempts == 1) {
      EXPECT_TRUE(counts.update(1, {{"n", 7}}).get());
    } else {
      slow.emplace([&] { return counts.insert({{"id", 2}, {"n", 0}}).get(); });
      clock.advance(default_timeout - 20ms); // what is left it waits for the bucket
    }
    return {};
  });
  EXPECT_EQ(attempts, 2);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error(), errc::timeout);
  ASSERT_TRUE(late.error().cause());
  EXPECT_EQ(*late.error().cause(), errc::conflict);
  EXPECT_TRUE(slow->finish());
  EXPECT_EQ(n(), 7);
}

TEST_F(a_timed_transaction, that_only_reads_ends_with_its_time_too) {
  const auto late = db.transact([&](transaction& tx) -> result<std::int64_t> {
    auto seen = tx.in(counts).get(1).get();
    EXPECT_TRUE(seen);
    clock.advance(default_timeout);
    return (*seen)["n"].as_int();
  });
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error(), errc::timeout);
  EXPECT_TRUE(db.transact(
      [&](transaction& tx) -> result<void> {
        clock.advance(999'999us);
        EXPECT_TRUE(tx.in(counts).contains(1));
        return {};
      },
      {.timeout = 1s}));
}

/// A function that goes on reading finds out by itself.
TEST_F(a_timed_transaction, answers_nothing_when_its_time_is_over) {
  int reads = 0;
  const auto late = db.transact(
      [&](transaction& tx) -> result<void> {
        for (;; ++reads) {
          if (auto seen = tx.in(counts).get(1).get(); !seen)
            return fail(seen.error());
          clock.advance(1ms);
        }
      },
      {.timeout = 10ms});
  EXPECT_GE(reads, 10);
  EXPECT_LE(reads, 10 + 16);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error(), errc::timeout);

  const auto each = db.transact([&](transaction& tx) -> result<void> {
    auto mine = tx.in(counts);
    clock.advance(default_timeout);
    for (auto& failed :
         {mine.all().get().error(), mine.get(1).get().error(), mine.count().get().error(),
          mine.visit(1, [](const record_view&) {}).error(),
          mine.everything().page_of(1).get().error(), mine.everything().sum("n").get().error(),
          mine.everything().group_by({"n"}, {}).get().error(),
          mine.everything().visit([](const record_view&) {}).error(), mine.purge().error(),
          mine.insert({{"id", 9}}).get().error(), mine.update(1, {{"n", 1}}).get().error(),
          mine.upsert({{"id", 9}}).get().error(), mine.erase(1).get().error(),
          mine.insert_many({object{{"id", 9}}}).get().error(),
          mine.update_many({}, {{"n", 9}}).get().error(), mine.erase_many({}).get().error(),
          mine.clear().get().error()})
      EXPECT_EQ(failed, errc::timeout) << failed.to_string();
    EXPECT_FALSE(mine.contains(1)) << "which has no error to give";
    return {};
  });
  ASSERT_FALSE(each);
  EXPECT_EQ(each.error(), errc::timeout);
  EXPECT_EQ(*counts.count().get(), 1u);
}

TEST_F(a_timed_transaction, says_why_it_was_run_again_when_its_function_finds_out) {
  int attempts = 0;
  const auto late = db.transact([&](transaction& tx) -> result<void> {
    auto mine = tx.in(counts);
    if (++attempts == 1) {
      EXPECT_TRUE(mine.update(1, {{"n", 1}}).get());
      EXPECT_TRUE(counts.update(1, {{"n", 7}}).get());
      return {};
    }
    clock.advance(default_timeout);
    return mine.all().get().map([](const records&) {});
  });
  EXPECT_EQ(attempts, 2);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error(), errc::timeout);
  ASSERT_TRUE(late.error().cause());
  EXPECT_EQ(*late.error().cause(), errc::conflict);
}

TEST_F(a_timed_transaction, loses_the_right_of_way_when_its_time_is_over) {
  int attempts = 0;
  auto done = db.transact(
      [&](transaction& tx) -> result<void> {
        auto mine = tx.in(counts);
        EXPECT_TRUE(mine.update(1, {{"n", 1}}).get());
        if (++attempts == 1) {
          EXPECT_TRUE(counts.update(1, {{"n", 2}}).get());
        } else {
          clock.advance(default_timeout);
          auto other = std::async(std::launch::async, [&] {
            return counts.update(1, {{"n", 3}}).get();
          });
          EXPECT_TRUE(other.get()) << "it waits for nobody any more";
        }
        return {};
      },
      {.retries = 0, .exclusive_retries = 1});
  EXPECT_EQ(attempts, 2);
  EXPECT_FALSE(done);
  EXPECT_EQ(n(), 3);
}

} // namespace
} // namespace holdfast::testing
