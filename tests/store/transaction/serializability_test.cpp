// Random transactions from several threads must read and leave what a serial run does.
#include "history.hpp"

#include <gmock/gmock.h>

#include <cstdlib>

namespace holdfast::testing {
namespace {

/// HOLDFAST_TRANSACTIONS=250000 makes every history that long, per thread.
std::size_t length(std::size_t usual) {
  auto* asked = std::getenv("HOLDFAST_TRANSACTIONS");
  return asked ? std::strtoull(asked, nullptr, 10) : usual;
}

/// Also runs histories of other seeds until one had conflicts: whether free threads get into each
/// other's way is up to the machine.
void expect_serial(history_options options) {
  for (int tries = 1; tries <= 50; ++tries, options.seed += 1000) {
    auto ran = run_history(options);
    EXPECT_THAT(ran.failures, ::testing::IsEmpty());
    EXPECT_EQ(find_anomaly(ran).value_or(""), "") << "seed " << options.seed;
    EXPECT_THAT(find_cycle(ran), ::testing::IsEmpty());
    EXPECT_EQ(find_lost_money(ran).value_or(""), "") << "seed " << options.seed;
    EXPECT_EQ(find_broken_ring(ran).value_or(""), "") << "seed " << options.seed;
    if (ran.conflicts > 0)
      return;
    ASSERT_FALSE(options.interleaved) << "nothing was tried with seed " << options.seed;
  }
  FAIL() << "nothing was tried";
}

TEST(a_history, in_memory_is_that_of_a_serial_run) {
  expect_serial({.transactions = length(1500), .seed = 1});
}

TEST(a_history, over_a_journal_is_that_of_a_serial_run) {
  expect_serial({.transactions = length(400), .seed = 2, .persistent = true});
}

TEST(a_history, over_both_lines_is_that_of_a_serial_run) {
  expect_serial({.transactions = length(400), .seed = 4, .persistent = true, .both_lines = true});
}

TEST(a_history, over_both_lines_with_crashes_of_buckets_is_that_of_a_serial_run) {
  expect_serial({.transactions = length(200),
                 .seed = 5,
                 .persistent = true,
                 .both_lines = true,
                 .crashes = true});
}

TEST(a_history, with_crashes_of_buckets_is_that_of_a_serial_run) {
  expect_serial({.transactions = length(400), .seed = 3, .crashes = true});
}

TEST(a_history, of_interleaved_threads_is_that_of_a_serial_run) {
  for (std::uint64_t seed = 1; seed <= 6; ++seed)
    expect_serial({.transactions = 150, .seed = seed, .interleaved = true});
}

TEST(a_history, on_schedules_of_the_seed_is_that_of_a_serial_run) {
  for (std::uint64_t seed = 1; seed <= 12; ++seed)
    expect_serial({.transactions = 60,
                   .seed = seed,
                   .crashes = seed % 2 == 0,
                   .interleaved = true,
                   .deterministic = true});
}

/// Whoever read a record that has ended by the time of the commit runs again.
TEST(a_history, of_records_with_deadlines_is_that_of_a_serial_run) {
  for (std::uint64_t seed = 1; seed <= 6; ++seed)
    expect_serial(
        {.transactions = length(150), .seed = seed, .interleaved = true, .deadlines = true});
}

TEST(a_history, of_deadlines_over_a_journal_is_that_of_a_serial_run) {
  expect_serial({.transactions = length(100),
                 .seed = 7,
                 .persistent = true,
                 .interleaved = true,
                 .deadlines = true});
}

TEST(a_history, of_deadlines_on_schedules_of_the_seed_is_that_of_a_serial_run) {
  for (std::uint64_t seed = 1; seed <= 12; ++seed)
    expect_serial({.transactions = 60,
                   .seed = seed,
                   .crashes = seed % 2 == 0,
                   .interleaved = true,
                   .deterministic = true,
                   .deadlines = true});
}

TEST(a_cycle, of_two_that_did_not_see_each_other_is_found) {
  auto get = [](std::string list) {
    step s;
    s.gave = "1:0:null:\"" + list + "\":null";
    return s;
  };
  history ran;
  ran.all = {{.id = 1, .steps = {get("9,")}}, {.id = 2, .steps = {get("8,")}}};
  EXPECT_THAT(find_cycle(ran), ::testing::IsEmpty());
  ran.all.push_back({.id = 3, .steps = {get("9,2,"), get("8,1,")}}); // each appended what the other
  EXPECT_THAT(find_cycle(ran), ::testing::SizeIs(2));                // did not see
}

struct a_planted_bug : ::testing::TestWithParam<planted_bug> {};

TEST_P(a_planted_bug, is_found) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed)
    if (find_anomaly(run_history(
            {.transactions = 100, .seed = seed, .interleaved = true, .bug = GetParam()})))
      return;
  FAIL() << "20 histories look serial";
}

/// One thread has nothing in its way but the time.
TEST_P(a_planted_bug, is_found_by_deadlines_alone) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const history_options options{
        .threads = 1, .transactions = 200, .seed = seed, .interleaved = true, .deadlines = true};
    ASSERT_EQ(find_anomaly(run_history(options)).value_or(""), "");
    auto wrong = options;
    wrong.bug = GetParam();
    if (find_anomaly(run_history(wrong)))
      return;
  }
  FAIL() << "20 histories look serial";
}

/// Write skew. The bank holds even so: who changes a balance has read it, whatever else was not.
TEST(unread_keys, break_the_ring) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed)
    if (find_broken_ring(run_history({.transactions = 100,
                                      .seed = seed,
                                      .interleaved = true,
                                      .bug = planted_bug::unread_keys})))
      return;
  FAIL() << "20 rings are whole";
}

INSTANTIATE_TEST_SUITE_P(all, a_planted_bug,
                         ::testing::Values(planted_bug::unread_keys, planted_bug::unread_counts,
                                           planted_bug::unread_orders));

} // namespace
} // namespace holdfast::testing
