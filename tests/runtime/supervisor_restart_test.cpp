// What a supervisor does when a child has ended: one test per group of OTP's supervisor_SUITE, on
// virtual time. Where a group runs over restart types or strategies, so does the test.

#include "supervised_actors.hpp"

namespace holdfast::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using enum restart_type;

const auto every_strategy =
    ::testing::Values(strategy::one_for_one, strategy::one_for_all, strategy::rest_for_one);
const auto every_restart_type = ::testing::Values(permanent, transient, temporary);

// -- {normal, shutdown, abnormal}_termination x {permanent, transient, temporary}

class supervisor_termination
    : public supervised,
      public ::testing::WithParamInterface<std::tuple<restart_type, exit_kind>> {};

TEST_P(supervisor_termination, restarts_by_otps_table) {
  auto [type, how] = GetParam();
  start({.children = {child("a", type), child("b")}});
  switch (how) {
  case exit_kind::normal:
    end("a");
    break;
  case exit_kind::shutdown:
    end("a", caf::exit_reason::user_shutdown);
    break;
  case exit_kind::killed:
    end("a", caf::exit_reason::kill);
    break;
  default:
    crash("a");
  }
  if (needs_restart(type, how)) {
    EXPECT_THAT(order, ElementsAre("-a", "+a"));
    EXPECT_EQ(root->child("a")->restarts, 1u);
  } else {
    EXPECT_THAT(order, ElementsAre("-a"));
    EXPECT_EQ(knows("a"), type != temporary);
    EXPECT_EQ(state("a"), child_state::stopped);
  }
  EXPECT_EQ(state("b"), child_state::up);
}

INSTANTIATE_TEST_SUITE_P(
    all, supervisor_termination,
    ::testing::Combine(every_restart_type,
                       ::testing::Values(exit_kind::normal, exit_kind::shutdown, exit_kind::killed,
                                         exit_kind::crashed)));

// -- restart_<strategy>, _escalation, _other_child_fails_restart

class supervisor_restart : public supervised, public ::testing::WithParamInterface<strategy> {};

TEST_P(supervisor_restart, restarts_those_that_the_strategy_says) {
  start({.strategy = GetParam(), .children = {child("a"), child("b"), child("c")}});
  crash("b");
  switch (GetParam()) {
  case strategy::one_for_one:
    EXPECT_THAT(order, ElementsAre("-b", "+b"));
    break;
  case strategy::rest_for_one:
    EXPECT_THAT(order, ElementsAre("-b", "-c", "+b", "+c"));
    break;
  default:
    EXPECT_THAT(order, ElementsAre("-b", "-c", "-a", "+a", "+b", "+c"));
  }
  EXPECT_EQ(root->child("b")->failures.back().cause.text, "boom");
  EXPECT_EQ(root->count_children().active, 3u);
}

TEST_P(supervisor_restart, escalates_when_the_intensity_is_exceeded) {
  start({.strategy = GetParam(), .intensity = 1, .children = {child("a"), child("b")}});
  crash("a");
  EXPECT_TRUE(root->running());
  crash("a");
  EXPECT_FALSE(root->running());
  EXPECT_EQ(living["a"] + living["b"], 0);
  EXPECT_EQ(count(kind::budget_exhausted), 1u);
  root.reset();
}

TEST_P(supervisor_restart, forgets_restarts_that_are_older_than_the_period) {
  start({.strategy = GetParam(), .intensity = 1, .period = 5s, .children = {child("a")}});
  for (int i = 0; i < 5; ++i) {
    crash("a");
    pass(5001ms);
  }
  EXPECT_TRUE(root->running());
}

TEST_P(supervisor_restart, retries_when_another_child_fails_to_restart) {
  start({.strategy = GetParam(), .intensity = 3, .children = {child("a"), child("b"), child("c")}});
  failing_starts["c"] = 1;
  crash("a");
  switch (GetParam()) {
  case strategy::one_for_one:
    EXPECT_THAT(order, ElementsAre("-a", "+a"));
    EXPECT_EQ(std::exchange(failing_starts["c"], 0), 1) << "it is nobody's business";
    break;
  case strategy::rest_for_one:
    EXPECT_THAT(order, ElementsAre("-a", "-c", "-b", "+a", "+b", "+c"));
    break;
  default: // the retry begins with those that had come up again
    EXPECT_THAT(order, ElementsAre("-a", "-c", "-b", "+a", "+b", "-b", "-a", "+a", "+b", "+c"));
  }
  EXPECT_EQ(failing_starts["c"], 0) << "its restart was not tried";
  EXPECT_EQ(root->count_children().active, 3u);
  EXPECT_EQ(root->child("c")->incarnation, GetParam() == strategy::one_for_one ? 1u : 3u);
}

/// The other half: the failure of that child counts as a crash does.
TEST_P(supervisor_restart, counts_the_failing_restart_of_another_child) {
  start({.strategy = GetParam(), .intensity = 1, .children = {child("a"), child("b")}});
  failing_starts["b"] = 1;
  crash("a");
  EXPECT_EQ(root->running(), GetParam() == strategy::one_for_one);
  if (GetParam() == strategy::one_for_one)
    return;
  EXPECT_EQ(failing_starts["b"], 0);
  EXPECT_EQ(living["a"] + living["b"], 0);
  root.reset();
}

TEST_P(supervisor_restart, counts_failing_restarts_against_the_intensity) {
  start({.strategy = GetParam(), .intensity = 3, .children = {child("a"), child("b")}});
  failing_starts["a"] = 10;
  crash("a");
  EXPECT_FALSE(root->running());
  EXPECT_EQ(failing_starts["a"], 7);
  EXPECT_EQ(living["b"], 0);
  root.reset();
}

TEST_P(supervisor_restart, starts_again_what_an_operator_had_stopped_with_its_group) {
  start({.strategy = GetParam(), .children = {child("a"), child("b")}});
  EXPECT_TRUE(wait(root->terminate_child("b")));
  crash("a");
  EXPECT_EQ(state("b"),
            GetParam() == strategy::one_for_one ? child_state::stopped : child_state::up);
}

/// OTP's temporary_bystander: it ends with its group and does not come back.
TEST_P(supervisor_restart, does_not_bring_a_temporary_bystander_back) {
  start({.strategy = GetParam(), .children = {child("a"), child("b", temporary)}});
  crash("a");
  EXPECT_EQ(state("a"), child_state::up);
  EXPECT_EQ(knows("b"), GetParam() == strategy::one_for_one);
}

TEST_P(supervisor_restart, waits_between_restarts_when_there_is_a_back_off) {
  auto spec = child("a");
  spec.backoff = backoff_options{.min = 1s, .max = 4s, .jitter = 0};
  start({.strategy = GetParam(), .intensity = 10, .children = {spec, child("b")}});
  for (auto delay : {1s, 2s, 4s, 4s}) {
    crash("a");
    EXPECT_EQ(state("a"), child_state::restarting);
    EXPECT_EQ(root->child("a")->retry_after, delay);
    pass(delay - 1ms);
    EXPECT_EQ(state("a"), child_state::restarting);
    pass(1ms);
    EXPECT_EQ(state("a"), child_state::up);
    EXPECT_EQ(state("b"), child_state::up);
  }
  pass(3s);
  crash("a");
  EXPECT_EQ(root->child("a")->retry_after, 1s) << "it had been up for (min + max) / 2";
  pass(1s);
}

INSTANTIATE_TEST_SUITE_P(strategies, supervisor_restart, every_strategy,
                         [](auto& param) { return std::string{to_string(param.param)}; });

/// OTP's hanging_restart_loop: calls are served while a child fails to restart again and again.
TEST_F(supervised, serves_calls_while_a_restart_keeps_failing) {
  auto spec = child("a");
  spec.backoff = backoff_options{.min = 1s, .max = 1s, .jitter = 0};
  start({.intensity = 1000, .children = {spec, child("b")}});
  failing_starts["a"] = 1'000'000;
  crash("a");
  pass(10s);
  EXPECT_EQ(state("a"), child_state::restarting);
  EXPECT_EQ(wait(root->restart_child("a")).error(), errc::conflict);
  EXPECT_EQ(wait(root->delete_child("a")).error(), errc::conflict);
  EXPECT_TRUE(wait(root->terminate_child("b")));
  EXPECT_TRUE(wait(root->terminate_child("a")));
  pass(10s);
  EXPECT_EQ(state("a"), child_state::stopped) << "terminating a child ends its retries";
  failing_starts["a"] = 0;
  EXPECT_TRUE(wait(root->restart_child("a")));
}

TEST_F(supervised, can_be_stopped_while_a_restart_keeps_failing) {
  start({.intensity = 1'000'000'000, .children = {child("a"), child("b")}});
  failing_starts["a"] = 1'000'000;
  caf::anon_send(caf::actor_cast<caf::actor>(actor["a"]), crash_now{"boom"});
  while (failing_starts["a"] > 999'900)
    ASSERT_TRUE(rt.run_one()) << "it gave up";
  auto stopped = root->stop().as_future();
  settle();
  EXPECT_GT(failing_starts["a"], 999'000) << "it went on trying";
  ASSERT_EQ(stopped.wait_for(0s), std::future_status::ready);
  EXPECT_TRUE(stopped.get());
  EXPECT_THAT(order, ElementsAre("-a", "-b"));
  EXPECT_FALSE(root->running());
  root.reset();
}

TEST_F(supervised, can_be_stopped_between_two_tries_of_a_restart) {
  auto spec = child("a");
  spec.backoff = backoff_options{.min = 1h, .max = 1h, .jitter = 0};
  start({.children = {spec, child("b")}});
  crash("a");
  ASSERT_EQ(state("a"), child_state::restarting);
  auto stopped = root->stop().as_future();
  settle();
  ASSERT_EQ(stopped.wait_for(0s), std::future_status::ready) << "it waits for the next try";
  EXPECT_TRUE(stopped.get());
  pass(2h);
  EXPECT_THAT(order, ElementsAre("-a", "-b")) << "nothing is started any more";
  root.reset();
}

} // namespace
} // namespace holdfast::testing
