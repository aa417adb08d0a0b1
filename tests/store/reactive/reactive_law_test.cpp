#include "tests/store/reactive/reactive_history.hpp"

#include <gmock/gmock.h>

#include <cstdlib>

namespace holdfast::testing {
namespace {

using ::testing::IsEmpty;

/// HOLDFAST_REACTIVE=1000000 makes every history that long.
std::size_t commits_of_history(std::size_t usual) {
  auto* asked = std::getenv("HOLDFAST_REACTIVE");
  return asked ? std::strtoull(asked, nullptr, 10) : usual;
}

void expect_true_to_its_word(reactive_options options) {
  options.commits = commits_of_history(options.commits);
  auto ran = run_reactive(options);
  EXPECT_THAT(ran.failures, IsEmpty()) << "seed " << options.seed;
  EXPECT_GE(ran.values, options.commits / 100) << "nothing was told";
}

TEST(a_subscription, tells_what_a_fresh_run_gives_at_each_seq) {
  for (std::uint64_t seed = 1; seed <= 12; ++seed)
    expect_true_to_its_word({.seed = seed});
}

/// Else the histories say little about them.
TEST(a_subscription, is_often_of_a_list_with_a_limit_that_is_kept_up) {
  std::size_t adjusted = 0, spent = 0;
  for (std::uint64_t seed = 1; seed <= 16; ++seed) {
    for (const auto& ran : {run_reactive({.seed = seed}), run_reactive_writers({.seed = seed})}) {
      EXPECT_THAT(ran.failures, IsEmpty()) << "seed " << seed;
      adjusted += ran.cut_adjusted;
      spent += ran.cut_spent;
    }
  }
  EXPECT_GT(adjusted, 30u);
  EXPECT_GT(spent, 5u);
}

TEST(a_subscription, tells_so_of_buckets_on_both_lines) {
  for (std::uint64_t seed = 101; seed <= 108; ++seed)
    expect_true_to_its_word({.seed = seed, .durable = true});
}

TEST(a_subscription, tells_so_while_definitions_change) {
  for (std::uint64_t seed = 201; seed <= 206; ++seed)
    expect_true_to_its_word({.seed = seed, .redefine = true});
}

TEST(a_subscription, tells_so_while_buckets_and_the_query_manager_crash) {
  for (std::uint64_t seed = 301; seed <= 306; ++seed)
    expect_true_to_its_word({.seed = seed, .durable = seed % 2 == 0, .crashes = true});
}

TEST(a_subscription, tells_so_on_schedules_of_the_seed) {
  for (std::uint64_t seed = 501; seed <= 530; ++seed)
    expect_true_to_its_word({.commits = 100, .seed = seed, .deterministic = true});
}

TEST(a_subscription, tells_so_to_many) {
  expect_true_to_its_word({.commits = 600, .queries = 200, .subscribers = 300, .seed = 401});
}

void expect_true_among_writers(reactive_options options) {
  options.commits = commits_of_history(options.commits);
  auto ran = run_reactive_writers(options);
  EXPECT_THAT(ran.failures, IsEmpty()) << "seed " << options.seed;
  EXPECT_GE(ran.values, options.commits / 100) << "nothing was told";
}

TEST(a_subscription, tells_so_while_several_write_and_records_end_by_themselves) {
  for (std::uint64_t seed = 601; seed <= 612; ++seed)
    expect_true_among_writers({.seed = seed});
}

TEST(a_subscription, tells_so_while_several_write_to_both_lines) {
  for (std::uint64_t seed = 701; seed <= 706; ++seed)
    expect_true_among_writers({.seed = seed, .durable = true});
}

TEST(a_subscription, tells_so_while_several_write_and_actors_crash) {
  for (std::uint64_t seed = 801; seed <= 806; ++seed)
    expect_true_among_writers({.seed = seed, .durable = seed % 2 == 0, .crashes = true});
}

struct a_planted_reactive_bug : ::testing::TestWithParam<reactive_bug> {};

TEST_P(a_planted_reactive_bug, is_found) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed)
    if (!run_reactive({.seed = seed, .bug = GetParam()}).failures.empty())
      return;
  FAIL() << "50 histories look right";
}

TEST_P(a_planted_reactive_bug, is_found_among_several_writers) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed)
    if (!run_reactive_writers({.seed = seed, .bug = GetParam()}).failures.empty())
      return;
  FAIL() << "50 histories look right";
}

INSTANTIATE_TEST_SUITE_P(all, a_planted_reactive_bug,
                         ::testing::Values(reactive_bug::unread, reactive_bug::torn,
                                           reactive_bug::lost, reactive_bug::backwards,
                                           reactive_bug::stale, reactive_bug::unfilled));

} // namespace
} // namespace holdfast::testing
