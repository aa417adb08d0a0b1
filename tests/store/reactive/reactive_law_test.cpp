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

reactive_history expect_true_to_its_word(reactive_options options) {
  options.commits = commits_of_history(options.commits);
  auto ran = run_reactive(options);
  EXPECT_THAT(ran.failures, IsEmpty()) << "seed " << options.seed;
  EXPECT_GE(ran.values, options.commits / 100) << "nothing was told";
  return ran;
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

/// The same of groups and of read filters.
TEST(a_subscription, often_shares_a_group_and_often_has_read_filters) {
  std::size_t values = 0, shared = 0, filtered = 0;
  for (std::uint64_t seed = 1; seed <= 4; ++seed)
    for (const auto& ran : {run_reactive({.seed = seed}), run_reactive_writers({.seed = seed})}) {
      values += ran.values;
      shared += ran.shared;
      filtered += ran.filtered;
    }
  EXPECT_GT(shared, values / 4);
  EXPECT_GT(filtered, values / 10);
}

TEST(a_subscription, tells_so_of_buckets_on_both_lines) {
  for (std::uint64_t seed = 101; seed <= 108; ++seed)
    expect_true_to_its_word({.seed = seed, .durable = true});
}

TEST(a_subscription, tells_so_while_definitions_change) {
  for (std::uint64_t seed = 201; seed <= 206; ++seed)
    expect_true_to_its_word({.seed = seed, .redefine = true});
}

TEST(a_subscription, tells_so_while_buckets_go_and_come_back) {
  std::size_t drops = 0;
  for (std::uint64_t seed = 901; seed <= 912; ++seed)
    drops += expect_true_to_its_word(
                 {.seed = seed, .durable = seed % 2 == 0, .redefine = true, .drops = true})
                 .drops;
  EXPECT_GT(drops, 12u);
}

TEST(a_subscription, tells_so_while_buckets_go_and_all_crashes) {
  for (std::uint64_t seed = 921; seed <= 928; ++seed)
    expect_true_to_its_word(
        {.seed = seed, .durable = seed % 2 == 0, .crashes = true, .drops = true});
}

TEST(a_subscription, tells_so_while_buckets_and_the_query_manager_crash) {
  for (std::uint64_t seed = 301; seed <= 306; ++seed)
    expect_true_to_its_word({.seed = seed, .durable = seed % 2 == 0, .crashes = true});
}

TEST(a_subscription, tells_so_on_schedules_of_the_seed) {
  for (std::uint64_t seed = 501; seed <= 530; ++seed)
    expect_true_to_its_word({.commits = 100, .seed = seed, .deterministic = true});
}

TEST(a_subscription, tells_so_on_schedules_with_crashes_and_drops) {
  std::size_t crashes = 0;
  for (std::uint64_t seed = 531; seed <= 570; ++seed)
    crashes += expect_true_to_its_word({.commits = 100,
                                        .seed = seed,
                                        .crashes = true,
                                        .redefine = true,
                                        .drops = seed % 2 == 0,
                                        .deterministic = true})
                   .crashes;
  EXPECT_GT(crashes, 40u);
}

TEST(a_subscription, tells_so_to_many) {
  expect_true_to_its_word({.commits = 600, .queries = 200, .subscribers = 300, .seed = 401});
}

reactive_history expect_true_among_writers(reactive_options options) {
  options.commits = commits_of_history(options.commits);
  auto ran = run_reactive_writers(options);
  EXPECT_THAT(ran.failures, IsEmpty()) << "seed " << options.seed;
  EXPECT_GE(ran.values, options.commits / 100) << "nothing was told";
  return ran;
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

TEST(a_subscription, tells_so_while_several_write_and_buckets_go_and_come_back) {
  std::size_t drops = 0;
  for (std::uint64_t seed = 941; seed <= 952; ++seed)
    drops += expect_true_among_writers(
                 {.seed = seed, .durable = seed % 3 == 0, .crashes = seed % 2 == 0, .drops = true})
                 .drops;
  EXPECT_GT(drops, 12u);
}

/// A kind of histories, in which a bug could hide from the checks.
struct history_kind {
  std::string name;
  reactive_options options;
  reactive_history (*run)(const reactive_options&) = run_reactive;
};
const std::vector<history_kind> history_kinds{
    {"plain", {}},
    {"on both lines", {.durable = true}},
    {"with definitions that change", {.redefine = true}},
    {"with crashes", {.crashes = true}},
    {"with drops", {.durable = true, .redefine = true, .drops = true}},
    {"with crashes and drops", {.crashes = true, .drops = true}},
    {"on a schedule", {.deterministic = true}},
    {"on a schedule with crashes and drops",
     {.crashes = true, .drops = true, .deterministic = true}},
    {"of several writers", {}, run_reactive_writers},
    {"of several writers on both lines", {.durable = true}, run_reactive_writers},
    {"of several writers with crashes", {.crashes = true}, run_reactive_writers},
    {"of several writers with drops", {.drops = true}, run_reactive_writers},
};

struct planted_bug {
  reactive_bug what;
  std::string found_as;         ///< part of what the check says that is made for it
  bool needs_deadlines = false; ///< which only histories of several writers have
  std::uint64_t histories = 60; ///< in which it must be found: many times what it takes
};
struct a_planted_reactive_bug : ::testing::TestWithParam<planted_bug> {
  static bool is_found_in(const history_kind& kind) {
    const auto says_so = ::testing::Contains(::testing::HasSubstr(GetParam().found_as));
    for (std::uint64_t seed = 1; seed <= GetParam().histories; ++seed) {
      auto options = kind.options;
      options.seed = seed;
      options.bug = GetParam().what;
      if (::testing::Matches(says_so)(kind.run(options).failures))
        return true;
    }
    return false;
  }
};

TEST_P(a_planted_reactive_bug, is_found_in_each_kind_of_history) {
  for (auto& kind : history_kinds)
    if (!GetParam().needs_deadlines || kind.run == run_reactive_writers) {
      EXPECT_TRUE(is_found_in(kind))
          << GetParam().histories << " histories " << kind.name << " look right";
    }
}

INSTANTIATE_TEST_SUITE_P(
    all, a_planted_reactive_bug,
    ::testing::Values(planted_bug{reactive_bug::unread, "was told last as"},
                      planted_bug{reactive_bug::torn, "where it is"},
                      planted_bug{reactive_bug::lost, "was told last as"},
                      planted_bug{reactive_bug::backwards, "the seqs do not increase"},
                      planted_bug{reactive_bug::stale, "where it is"},
                      planted_bug{reactive_bug::unfilled, "where it is"},
                      planted_bug{reactive_bug::unfiltered, "where it is"},
                      planted_bug{reactive_bug::lone, "and another member"},
                      planted_bug{reactive_bug::ahead, "behind another member"},
                      planted_bug{reactive_bug::unchanged, "to have changed in a list"},
                      planted_bug{reactive_bug::misplaced, "to have moved in a list"},
                      planted_bug{reactive_bug::unremoved, "to have left it"},
                      planted_bug{reactive_bug::left_out, "was told last as"},
                      planted_bug{reactive_bug::taken_twice, "where it is"},
                      planted_bug{reactive_bug::passed_over, "was told last as"},
                      planted_bug{reactive_bug::left_ended, "where it is", true, 120}));

} // namespace
} // namespace holdfast::testing
