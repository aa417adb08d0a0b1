#include <holdfast/runtime/fault.hpp>

#include <gtest/gtest.h>

#include <new>

namespace holdfast::testing {
namespace {

TEST(a_bug_point, goes_wrong_where_a_fault_strikes_and_nowhere_else) {
  EXPECT_FALSE(bug_point("test.here"));
  const fault strike{"test.here", 1};
  EXPECT_FALSE(bug_point("test.elsewhere"));
  EXPECT_FALSE(bug_point("test.here")) << "passed once";
  EXPECT_TRUE(bug_point("test.here"));
  EXPECT_TRUE(strike.struck());
  EXPECT_FALSE(bug_point("test.here")) << "a fault strikes once";
}

TEST(a_bug_point, runs_the_action_of_a_fault_that_has_one_as_often_as_it_strikes) {
  int ran = 0;
  const fault strike{"test.here", 0, [&] { ++ran; }, 2};
  EXPECT_TRUE(bug_point("test.here"));
  EXPECT_TRUE(bug_point("test.here"));
  EXPECT_FALSE(bug_point("test.here"));
  EXPECT_EQ(ran, 2);
}

TEST(a_bug_point, lets_through_what_else_an_action_throws) {
  const fault strike{"test.here", 0, [] { throw std::bad_alloc{}; }};
  EXPECT_THROW((void)bug_point("test.here"), std::bad_alloc);
}

} // namespace
} // namespace holdfast::testing
