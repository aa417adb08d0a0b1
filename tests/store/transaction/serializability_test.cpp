// Random transactions from several threads must read and leave what a serial run does.
#include "history.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

namespace holdfast::testing {
namespace {

/// HOLDFAST_TRANSACTIONS=250000 makes every history that long, per thread.
std::size_t length(std::size_t usual) {
  auto* asked = std::getenv("HOLDFAST_TRANSACTIONS");
  return asked ? std::strtoull(asked, nullptr, 10) : usual;
}

/// Calls `f` with seeds for histories of so many transactions: as many as the usual ones, or so
/// that all together are as long as was asked for.
template <class F>
void for_seeds(std::uint64_t usual, std::size_t transactions, F&& f) {
  const auto seeds = length(usual * transactions) / transactions;
  for (std::uint64_t seed = 1; seed <= std::max<std::uint64_t>(seeds, 1); ++seed)
    if (f(seed); ::testing::Test::HasFailure())
      return;
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

TEST(a_history, over_a_journal_with_crashes_is_that_of_a_serial_run) {
  expect_serial({.transactions = length(300), .seed = 6, .persistent = true, .crashes = true});
}

TEST(a_history, with_other_definitions_meanwhile_is_that_of_a_serial_run) {
  for (bool crashes : {false, true})
    expect_serial(
        {.transactions = length(400), .seed = 8, .crashes = crashes, .redefinitions = true});
  expect_serial({.transactions = length(300),
                 .seed = 9,
                 .persistent = true,
                 .both_lines = true,
                 .redefinitions = true});
}

TEST(a_history, of_interleaved_threads_is_that_of_a_serial_run) {
  for_seeds(6, 150, [](auto seed) {
    expect_serial({.transactions = 150, .seed = seed, .interleaved = true});
  });
}

TEST(a_history, of_interleaved_threads_over_both_lines_is_that_of_a_serial_run) {
  for_seeds(6, 100, [](auto seed) {
    expect_serial({.transactions = 100,
                   .seed = seed,
                   .persistent = true,
                   .both_lines = true,
                   .crashes = seed % 2 == 0,
                   .interleaved = true});
  });
}

TEST(a_history, of_interleaved_threads_with_other_definitions_is_that_of_a_serial_run) {
  for_seeds(6, 100, [](auto seed) {
    expect_serial({.transactions = 100,
                   .seed = seed,
                   .crashes = seed % 2 == 0,
                   .redefinitions = true,
                   .interleaved = true});
  });
}

TEST(a_history, on_schedules_of_the_seed_is_that_of_a_serial_run) {
  for_seeds(12, 60, [](auto seed) {
    expect_serial({.transactions = 60,
                   .seed = seed,
                   .crashes = seed % 2 == 0,
                   .redefinitions = seed % 3 == 0,
                   .interleaved = true,
                   .deterministic = true});
  });
}

/// Whoever read a record that has ended by the time of the commit runs again.
TEST(a_history, of_records_with_deadlines_is_that_of_a_serial_run) {
  for_seeds(6, 150, [](auto seed) {
    expect_serial({.transactions = 150, .seed = seed, .interleaved = true, .deadlines = true});
  });
}

TEST(a_history, of_deadlines_over_a_journal_is_that_of_a_serial_run) {
  expect_serial({.transactions = length(100),
                 .seed = 7,
                 .persistent = true,
                 .interleaved = true,
                 .deadlines = true});
}

TEST(a_history, of_deadlines_on_schedules_of_the_seed_is_that_of_a_serial_run) {
  for_seeds(12, 60, [](auto seed) {
    expect_serial({.transactions = 60,
                   .seed = seed,
                   .crashes = seed % 2 == 0,
                   .interleaved = true,
                   .deterministic = true,
                   .deadlines = true});
  });
}

/// What the histories are about happens in them.
TEST(a_history, of_unique_values_has_swaps_and_refusals) {
  std::size_t refused = 0, swapped = 0;
  const auto ran = run_history({.transactions = 600, .seed = 1, .interleaved = true});
  for (auto& t : ran.all) {
    auto gives_tag = [](auto& s) {
      return s.kind == step::what::set_tag && s.gave == "ok" && !s.text.empty();
    };
    refused += t.refused;
    swapped += t.wrote() && std::ranges::count_if(t.steps, gives_tag) == 2;
  }
  EXPECT_GE(refused, 20U);
  EXPECT_GE(swapped, 5U);
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

/// A bug, and in what histories it is looked for.
struct bug_in_place {
  planted_bug bug;
  const char* place;
  history_options options;
};

std::string name_of(planted_bug bug) {
  static constexpr const char* names[] = {"none",           "unread_keys",       "unread_counts",
                                          "unread_orders",  "unchecked_buckets", "shared_values",
                                          "left_referrers", "surviving_edits"};
  return names[static_cast<std::size_t>(bug)];
}

std::vector<bug_in_place> bugs_in_all_places() {
  const std::pair<const char*, history_options> places[] = {
      {"in_memory", {}},
      {"with_crashes", {.crashes = true}},
      {"over_a_journal", {.persistent = true}},
      {"over_a_journal_with_crashes", {.persistent = true, .crashes = true}},
      {"over_both_lines", {.persistent = true, .both_lines = true}},
      {"over_both_lines_with_crashes", {.persistent = true, .both_lines = true, .crashes = true}},
      {"with_other_definitions", {.redefinitions = true}},
      {"with_deadlines", {.deadlines = true}},
      {"on_schedules", {.deterministic = true}},
      {"on_schedules_with_crashes", {.crashes = true, .deterministic = true}},
  };
  std::vector<bug_in_place> out;
  for (auto bug : {planted_bug::unread_keys, planted_bug::unread_counts, planted_bug::unread_orders,
                   planted_bug::unchecked_buckets, planted_bug::shared_values,
                   planted_bug::left_referrers, planted_bug::surviving_edits})
    for (auto& [place, options] : places) {
      if (bug == planted_bug::surviving_edits && !options.crashes)
        continue;
      if (bug == planted_bug::left_referrers && options.both_lines)
        continue; // no references there
      out.push_back({bug, place, options});
      out.back().options.transactions = 100;
      out.back().options.interleaved = true;
      out.back().options.bug = bug;
    }
  return out;
}

struct a_planted_bug : ::testing::TestWithParam<bug_in_place> {};

TEST_P(a_planted_bug, is_found) {
  auto options = GetParam().options;
  for (options.seed = 1; options.seed <= 20; ++options.seed)
    if (find_anomaly(run_history(options)))
      return;
  FAIL() << "20 histories look serial";
}

INSTANTIATE_TEST_SUITE_P(all, a_planted_bug, ::testing::ValuesIn(bugs_in_all_places()),
                         [](auto& of) { return name_of(of.param.bug) + "_" + of.param.place; });

struct an_unread_step : ::testing::TestWithParam<planted_bug> {};

/// One thread has nothing in its way but the time.
TEST_P(an_unread_step, is_found_by_deadlines_alone) {
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

INSTANTIATE_TEST_SUITE_P(all, an_unread_step,
                         ::testing::Values(planted_bug::unread_keys, planted_bug::unread_counts,
                                           planted_bug::unread_orders));

} // namespace
} // namespace holdfast::testing
