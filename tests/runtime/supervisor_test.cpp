// One test per group of OTP's supervisor_SUITE, on virtual time. Where a group runs over all restart
// types or strategies, so does the test.

#include "supervised_actors.hpp"

namespace holdfast::testing {
namespace {

using ::testing::ElementsAre;
using enum restart_type;

class supervisor_start : public supervised {};

TEST_F(supervisor_start, starts_its_children_in_order) {
  auto started = supervisor::start(rt, {.children = {child("a"), child("b"), child("c")}});
  ASSERT_TRUE(started) << started.error().to_string();
  root = *started;
  EXPECT_THAT(order, ElementsAre("+a", "+b", "+c"));
  EXPECT_EQ(root->count_children().active, 3u);
}

TEST_F(supervisor_start, stops_them_in_the_reverse_order) {
  start({.children = {child("a"), child("b"), child("c")}});
  stop();
  EXPECT_THAT(order, ElementsAre("-c", "-b", "-a"));
}

TEST_F(supervisor_start, rolls_back_when_a_child_fails_to_start) {
  failing_starts["c"] = 1;
  auto started = supervisor::start(rt, {.children = {child("a"), child("b"), child("c")}});
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error(), errc::start_failed);
  EXPECT_THAT(started.error().message(), ::testing::HasSubstr("no luck today"));
  EXPECT_THAT(order, ElementsAre("+a", "+b", "-b", "-a"));
}

class supervisor_restart : public supervised {};

TEST_F(supervisor_restart, one_for_one_restarts_the_child_that_crashed) {
  start({.intensity = 5, .children = {child("a"), child("b"), child("c")}});
  crash("b");
  EXPECT_THAT(order, ElementsAre("-b", "+b"));
  EXPECT_EQ(incarnation("b"), 2u);
  EXPECT_EQ(root->child("b")->failures.back().cause.text, "boom");
}

TEST_F(supervisor_restart, ends_with_all_its_children_when_the_intensity_is_exceeded) {
  start({.intensity = 1, .children = {child("a"), child("b"), child("c")}});
  crash("b");
  EXPECT_TRUE(root->running());
  crash("b");
  EXPECT_FALSE(root->running());
  EXPECT_THAT(order, ElementsAre("-b", "+b", "-b", "-c", "-a"));
  EXPECT_EQ(count(kind::budget_exhausted), 1u);
  root.reset();
}

} // namespace
} // namespace holdfast::testing
