#include <holdfast/runtime/executor.hpp>

#include <gmock/gmock.h>

#include <atomic>
#include <future>
#include <latch>
#include <numeric>
#include <stdexcept>
#include <vector>

namespace holdfast {
namespace {

TEST(an_executor, runs_tasks_in_order_on_one_thread) {
  std::vector<int> seen;
  {
    executor run;
    for (int i = 0; i < 1000; ++i)
      EXPECT_TRUE(run.post([&seen, i] { seen.push_back(i); }));
    run.stop();
    EXPECT_FALSE(run.post([] {}));
    EXPECT_EQ(run.threads(), 1u);
  }
  std::vector<int> expected(1000);
  std::iota(expected.begin(), expected.end(), 0);
  EXPECT_EQ(seen, expected);
}

/// Found by an audit: with one thread, a handler that blocked kept all others from being called.
TEST(an_executor, runs_other_tasks_while_some_block) {
  std::latch held{1};
  std::promise<void> done;
  executor run{1, 4}; // last, so that its threads end first
  for (int i = 0; i < 3; ++i)
    run.post([&] { held.wait(); });
  run.post([&] { done.set_value(); });
  done.get_future().wait();
  EXPECT_EQ(run.threads(), 4u);
  held.count_down();
}

TEST(an_executor, makes_no_more_threads_than_it_may) {
  std::atomic<int> finished{0};
  {
    std::latch both{2}, held{1};
    executor run{1, 2};
    for (int i = 0; i < 2; ++i)
      run.post([&] {
        both.count_down();
        held.wait();
        ++finished;
      });
    both.wait();
    run.post([&] { ++finished; });
    EXPECT_FALSE(run.offer([] {})) << "no thread is free";
    EXPECT_EQ(run.threads(), 2u);
    EXPECT_EQ(run.queued(), 1u);
    held.count_down();
  }
  EXPECT_EQ(finished, 3) << "what is queued runs before the end";
}

TEST(an_executor, has_a_thread_even_if_asked_for_none) {
  std::promise<void> done;
  executor run{0, 0};
  run.post([&] { done.set_value(); });
  done.get_future().wait();
}

TEST(an_executor, counts_tasks_that_throw) {
  executor run;
  run.post([] { throw std::runtime_error{"wrong"}; });
  run.post([] { throw 1; });
  run.stop();
  EXPECT_EQ(run.failures(), 2u);
}

} // namespace
} // namespace holdfast
