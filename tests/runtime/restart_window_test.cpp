#include <holdfast/runtime/backoff.hpp>
#include <holdfast/runtime/random.hpp>
#include <holdfast/runtime/restart_policy.hpp>
#include <holdfast/runtime/restart_window.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>

namespace holdfast {
namespace {

using namespace std::chrono_literals;

TEST(restart_window, tolerates_as_many_restarts_as_its_intensity) {
  restart_window window{{.intensity = 2, .period = 5s}};
  EXPECT_TRUE(window.add(0s));
  EXPECT_TRUE(window.add(1s));
  EXPECT_FALSE(window.add(2s));
}

TEST(restart_window, tolerates_none_when_the_intensity_is_zero) {
  restart_window window{{.intensity = 0, .period = 5s}};
  EXPECT_FALSE(window.add(0s));
}

TEST(restart_window, still_counts_a_restart_that_is_exactly_one_period_old) {
  restart_window window{{.intensity = 1, .period = 5s}};
  EXPECT_TRUE(window.add(0s));
  EXPECT_EQ(window.count(5s), 1u);
  EXPECT_EQ(window.count(5s + 1ns), 0u);
}

TEST(restart_window, counts_again_after_it_was_exceeded_and_time_went_by) {
  restart_window window{{.intensity = 1, .period = 1s}};
  EXPECT_TRUE(window.add(0s));
  EXPECT_FALSE(window.add(500ms));
  EXPECT_TRUE(window.add(3s));
}

TEST(restart_window, agrees_with_counting_by_hand) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    seeded_random random{seed};
    restart_budget budget{random.below(5), std::chrono::milliseconds{1 + random.below(50)}};
    restart_window window{budget};
    std::deque<std::chrono::nanoseconds> all;
    std::chrono::nanoseconds now{0};
    for (int i = 0; i < 100; ++i) {
      now += std::chrono::milliseconds{random.below(30)};
      all.push_back(now);
      auto recent = static_cast<std::size_t>(
          std::count_if(all.begin(), all.end(), [&](auto t) { return now - t <= budget.period; }));
      ASSERT_EQ(window.add(now), recent <= budget.intensity) << "seed " << seed;
    }
  }
}

TEST(backoff, doubles_up_to_its_longest_delay) {
  seeded_random random{1};
  backoff delays{{.min = 100ms, .max = 500ms, .jitter = 0}};
  EXPECT_EQ(delays.next(random), 100ms);
  EXPECT_EQ(delays.next(random), 200ms);
  EXPECT_EQ(delays.next(random), 400ms);
  EXPECT_EQ(delays.next(random), 500ms);
  EXPECT_EQ(delays.next(random), 500ms);
}

TEST(backoff, starts_over_after_the_child_stayed_up_long_enough) {
  seeded_random random{1};
  backoff delays{{.min = 100ms, .max = 500ms, .jitter = 0, .reset_after = 10s}};
  delays.next(random);
  delays.was_up_for(9s);
  EXPECT_EQ(delays.next(random), 200ms);
  delays.was_up_for(10s);
  EXPECT_EQ(delays.next(random), 100ms);
}

TEST(backoff, resets_after_half_of_the_sum_of_its_bounds_when_not_told) {
  seeded_random random{1};
  backoff delays{{.min = 100ms, .max = 300ms, .jitter = 0}};
  delays.next(random);
  delays.was_up_for(200ms);
  EXPECT_EQ(delays.next(random), 100ms);
}

TEST(backoff, spreads_its_delays_within_the_jitter) {
  seeded_random random{7};
  auto least = 1000ms * 1.0, most = 0ms * 1.0;
  for (int i = 0; i < 1000; ++i) {
    backoff delays{{.min = 100ms, .max = 100ms, .jitter = 0.2}};
    std::chrono::duration<double, std::milli> delay = delays.next(random);
    least = std::min(least, delay);
    most = std::max(most, delay);
  }
  EXPECT_GE(least, 80ms);
  EXPECT_LT(least, 85ms);
  EXPECT_LE(most, 120ms);
  EXPECT_GT(most, 115ms);
}

TEST(random_source, repeats_itself_for_the_same_seed) {
  seeded_random a{42}, b{42}, other{43};
  EXPECT_EQ(a.next(), b.next());
  EXPECT_EQ(a.next(), b.next());
  EXPECT_NE(a.next(), other.next());
}

TEST(random_source, keeps_to_its_bounds) {
  for (int i = 0; i < 1000; ++i) {
    auto f = system_random().fraction();
    EXPECT_TRUE(f >= 0 && f < 1);
    EXPECT_LT(system_random().below(7), 7u);
  }
  EXPECT_EQ(system_random().below(0), 0u);
}

TEST(needs_restart, follows_otps_table) {
  using enum exit_kind;
  for (auto kind : {normal, shutdown, killed, crashed, abandoned}) {
    EXPECT_TRUE(needs_restart(restart_type::permanent, kind));
    EXPECT_FALSE(needs_restart(restart_type::temporary, kind));
    EXPECT_EQ(needs_restart(restart_type::transient, kind), kind != normal && kind != shutdown);
  }
}

} // namespace
} // namespace holdfast
