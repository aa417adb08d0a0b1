#include "kill_cycle.hpp"

#include <gmock/gmock.h>

#include <cstdio>
#include <cstdlib>
#include <random>
#include <regex>

/// Kills a process that writes, at random moments, and compares what its successors find with what
/// it was promised. By environment: HOLDFAST_KILL_CYCLES cycles over all levels (100), and
/// HOLDFAST_KILL_SEED to run again what failed.
namespace holdfast::testing {
namespace {

constexpr const char* levels[] = {"sync", "group", "async", "mixed"};

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  auto* text = std::getenv(name);
  return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

std::uint64_t seed() {
  static const auto one = from_environment("HOLDFAST_KILL_SEED", std::random_device{}());
  return one;
}

std::string joined(const std::vector<std::string>& lines) {
  std::string out;
  for (auto& l : lines)
    out += "\n  " + l;
  return out;
}

struct a_killed_process : ::testing::TestWithParam<int> {};

TEST_P(a_killed_process, keeps_a_prefix_with_all_that_was_acknowledged_at_its_level) {
  auto wanted = from_environment("HOLDFAST_KILL_CYCLES", 100);
  auto progress = std::getenv("HOLDFAST_KILL_CYCLES") != nullptr;
  auto cycles = std::max<std::uint64_t>(1, (wanted + 3) / 4);
  kill_cycles kills{seed() + static_cast<std::uint64_t>(GetParam()), GetParam(), planted::nothing};
  for (std::uint64_t i = 0; i < cycles; ++i) {
    auto wrong = kills.next();
    ASSERT_TRUE(wrong.empty()) << "cycle " << i + 1 << " of " << cycles << joined(wrong)
                               << "\nagain: HOLDFAST_KILL_SEED=" << seed()
                               << " HOLDFAST_KILL_CYCLES=" << wanted
                               << " crash_tests --gtest_filter='*keeps_a_prefix*/"
                               << levels[GetParam()] << "'";
    if (progress && (i + 1) % 10 == 0)
      std::printf("%s: %llu of %llu cycles, %llu acknowledgements, seed %llu\n", levels[GetParam()],
                  static_cast<unsigned long long>(i + 1), static_cast<unsigned long long>(cycles),
                  static_cast<unsigned long long>(kills.acknowledged()),
                  static_cast<unsigned long long>(seed()));
  }
  EXPECT_GE(kills.least_acknowledged(), 1000U);
}

INSTANTIATE_TEST_SUITE_P(, a_killed_process, ::testing::Range(0, 4),
                         [](auto& param) { return std::string{levels[param.param]}; });

/// Whether a report comes from a child or a store that failed before anything was compared.
bool is_of_no_check(std::string_view report) {
  return report.starts_with("the child ended by itself") ||
         report.starts_with("the store does not open");
}

struct planted_bug {
  planted what;
  int level;
  const char* complaint; ///< a regular expression
  const char* name;
};

/// The checker is worth something: it finds bugs that are known to be there.
struct a_checker_of_kills : ::testing::TestWithParam<planted_bug> {};

TEST_P(a_checker_of_kills, finds_a_planted_bug) {
  kill_cycles kills{seed(), GetParam().level, GetParam().what};
  // What is said depends on the moment of the kill, but sooner or later it is what names the bug.
  const std::regex complaint{GetParam().complaint};
  std::string said;
  for (int i = 0; i < 20 && !std::regex_search(said, complaint); ++i)
    for (auto& wrong : kills.next()) {
      ASSERT_FALSE(is_of_no_check(wrong)) << wrong << "\nseed " << seed();
      said += "\n  " + wrong;
    }
  EXPECT_TRUE(std::regex_search(said, complaint))
      << "no " << GetParam().complaint << " in:" << said << "\nseed " << seed();
}

INSTANTIATE_TEST_SUITE_P(
    , a_checker_of_kills,
    ::testing::Values(
        planted_bug{planted::early_answer, 0, "was acknowledged at sync and is lost",
                    "early_answer"},
        planted_bug{planted::early_answer, 1, "had been acknowledged", "early_answer_out_of_order"},
        planted_bug{planted::lost_tail, 1, "was acknowledged at group and is lost", "lost_tail"},
        planted_bug{planted::lost_batch, 1, "no prefix", "lost_batch"},
        planted_bug{planted::torn_commit, 0, "no prefix", "torn_commit"},
        planted_bug{planted::torn_transfer, 0, "accounts: hold ", "torn_transfer"},
        planted_bug{planted::torn_transfer, 2, "accounts: hold ", "torn_transfer_async"},
        planted_bug{planted::lost_commit, 1,
                    "no prefix of its [0-9]+ steps [^\n]+\n    docs [^ ]+ "
                    "(of step [0-9]+ is missing|of step [0-9]+ should not be there|"
                    "is as step [0-9]+ left it)",
                    "lost_commit"},
        planted_bug{planted::late_lane, 1, " is lost: it is commit ", "late_lane"},
        planted_bug{planted::late_lane, 2, " is lost: it is commit ", "late_lane_async"},
        planted_bug{planted::lost_counter, 1, "was given before", "lost_counter"}),
    [](auto& param) { return std::string{param.param.name}; });

} // namespace
} // namespace holdfast::testing
