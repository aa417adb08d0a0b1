// Transactions that number records get into each other's way at each number: they come through all
// the same, and leave no gaps.
#include <holdfast/store/memory_journal.hpp>
#include <holdfast/store/store.hpp>

#include <gmock/gmock.h>

#include <algorithm>
#include <atomic>
#include <barrier>
#include <thread>
#include <vector>

namespace holdfast::testing {
namespace {

constexpr int writers = 4;
constexpr std::int64_t per_writer = 150; ///< transactions of a writer
constexpr std::int64_t overtakings = 30;

/// In memory, and over a journal.
struct numbered_records : ::testing::TestWithParam<bool> {
  store db = start();
  bucket<> orders = std::move(*db.define(schema("orders")
                                             .key("no", integer().generated(autoincrement))
                                             .field("of", integer())
                                             .ordered()));
  std::atomic<std::int64_t> attempts{0};

  static store start() {
    store_options options;
    if (GetParam())
      options.journal = memory_journal();
    return std::move(*store::start(std::move(options)));
  }
  /// The transaction of a writer that takes `many` numbers and then fails if it is told to.
  result<std::int64_t> take(std::int64_t writer, int many, bool fails, transact_options how = {}) {
    return db.transact(
        [&](transaction& tx) -> result<std::int64_t> {
          ++attempts;
          std::int64_t last = 0;
          for (int i = 0; i < many; ++i) {
            auto added = tx.in(orders).insert({{"of", writer}}).get();
            if (!added)
              return fail(added.error());
            last = added->key().as_int();
          }
          for (int i = 0; i < 50; ++i)
            std::this_thread::yield(); // to those who take the same numbers
          if (fails)
            return fail(errc::cancelled, "no");
          return last;
        },
        how);
  }
  /// Runs `f(writer)` on all threads at once.
  template <class F>
  static void together(F&& f) {
    std::barrier begin{writers};
    std::vector<std::thread> all;
    for (int w = 0; w < writers; ++w)
      all.emplace_back([&, w] {
        begin.arrive_and_wait();
        f(w);
      });
    for (auto& one : all)
      one.join();
  }
  void expect_no_gaps(std::int64_t count) {
    auto found = orders.all().get().value();
    ASSERT_EQ(static_cast<std::int64_t>(found.size()), count);
    for (std::int64_t i = 0; i < count; ++i)
      ASSERT_EQ(found[static_cast<std::size_t>(i)].key(), value_view{i + 1});
  }
};

INSTANTIATE_TEST_SUITE_P(in_memory_and_over_a_journal, numbered_records, ::testing::Bool(),
                         [](auto& of) { return of.param ? "over_a_journal" : "in_memory"; });

TEST_P(numbered_records, of_many_transactions_at_once_have_no_gaps) {
  std::atomic<std::int64_t> records{0};
  together([&](int w) {
    for (std::int64_t i = 0; i < per_writer; ++i) {
      const auto many = static_cast<int>(i % 3) + 1;
      const auto fails = i % 5 == 4;
      auto done = take(w, many, fails, {.timeout = std::chrono::minutes{1}});
      EXPECT_EQ(!done, fails) << done.error().to_string();
      records += fails ? 0 : many;
    }
  });
  expect_no_gaps(records);
  EXPECT_GT(attempts, writers * per_writer) << "they did not meet";
}

TEST_P(numbered_records, come_through_against_plain_inserts_with_the_right_of_way_alone) {
  std::atomic<bool> enough{false};
  std::atomic<std::int64_t> plain{0};
  together([&](int w) {
    if (w > 0) {
      for (; !enough; ++plain)
        EXPECT_TRUE(orders.insert({{"of", w}}).get());
      return;
    }
    for (std::int64_t i = 0; i < overtakings; ++i) {
      int runs = 0;
      auto done = db.transact(
          [&](transaction& tx) -> result<void> {
            auto first = tx.in(orders).insert({{"of", w}}).get();
            if (++runs == 1) // until it is certain that its number is another's
              for (const auto before = plain.load(); plain < before + writers;)
                std::this_thread::yield();
            auto second = tx.in(orders).insert({{"of", w}}).get();
            if (!first || !second)
              return fail((first ? second : first).error());
            EXPECT_EQ(second->key().as_int(), first->key().as_int() + 1);
            return {};
          },
          {.retries = 0, .timeout = std::chrono::minutes{1}});
      EXPECT_TRUE(done) << done.error().to_string();
      EXPECT_GT(runs, 1);
    }
    enough = true;
  });
  expect_no_gaps(plain + 2 * overtakings);
}

TEST_P(numbered_records, do_not_conflict_when_their_numbers_are_given) {
  auto done = db.transact(
      [&](transaction& tx) -> result<void> {
        EXPECT_TRUE(tx.in(orders).insert({{"no", 100}}).get());
        EXPECT_TRUE(orders.insert({{"of", 1}}).get());
        return {};
      },
      {.retries = 0, .exclusive_retries = 0});
  EXPECT_TRUE(done) << done.error().to_string();
  EXPECT_EQ(orders.insert({{"of", 2}}).get()->key(), value_view{101});
}

/// Each on its thread: two of them ran at once.
TEST(numbers_of_a_default_function, are_drawn_one_at_a_time_in_transactions_too) {
  auto db = store::start().value();
  auto drawn =
      db.define(
            schema("drawn")
                .key("id", string().generated(uuid))
                .field("n", integer().unique().otherwise([next = 0]() mutable { return next++; })))
          .value();
  std::vector<std::thread> threads;
  std::atomic<int> failed{0};
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 300; ++i)
        failed += db.transact([&](transaction& tx) {
          return tx.in(drawn).insert(object{}).get().map([](auto&&) {});
        })
                      ? 0
                      : 1;
    });
  for (auto& t : threads)
    t.join();
  EXPECT_EQ(failed, 0);
  EXPECT_EQ(*drawn.count().get(), 1200u);
}

} // namespace
} // namespace holdfast::testing
