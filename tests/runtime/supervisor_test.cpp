// One test per group of OTP's supervisor_SUITE, on virtual time. Where a group runs over restart
// types or strategies, so does the test.

#include "supervised_actors.hpp"

namespace holdfast::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using enum restart_type;

const auto every_strategy =
    ::testing::Values(strategy::one_for_one, strategy::one_for_all, strategy::rest_for_one);
const auto every_restart_type = ::testing::Values(permanent, transient, temporary);

// -- sup_start, sup_start_map, faulty specs

class supervisor_start : public supervised {};

TEST_F(supervisor_start, starts_its_children_in_order) {
  auto started = supervisor::start(rt, {.children = {child("a"), child("b"), child("c")}});
  ASSERT_TRUE(started) << started.error().to_string();
  root = *started;
  EXPECT_THAT(order, ElementsAre("+a", "+b", "+c"));
  EXPECT_EQ(root->count_children().active, 3u);
}

TEST_F(supervisor_start, may_have_no_children) {
  start({});
  EXPECT_THAT(root->which_children(), IsEmpty());
  EXPECT_TRUE(root->running());
}

TEST_F(supervisor_start, stops_in_the_reverse_order) {
  start({.children = {child("a"), child("b"), child("c")}});
  stop();
  EXPECT_THAT(order, ElementsAre("-c", "-b", "-a"));
}

TEST_F(supervisor_start, rolls_back_when_a_child_fails_to_start) {
  failing_starts["c"] = 1;
  auto started = supervisor::start(rt, {.children = {child("a"), child("b"), child("c")}});
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error(), errc::start_failed);
  EXPECT_THAT(started.error().message(), HasSubstr("no luck today"));
  EXPECT_THAT(order, ElementsAre("+a", "+b", "-b", "-a"));
}

TEST_F(supervisor_start, takes_a_start_function_that_throws_for_a_failed_start) {
  auto bad = child("b");
  bad.start = [](start_context&) -> result<caf::actor> { throw std::runtime_error("thrown"); };
  auto started = supervisor::start(rt, {.children = {child("a"), bad}});
  ASSERT_FALSE(started);
  EXPECT_THAT(started.error().message(), HasSubstr("thrown"));
}

TEST_F(supervisor_start, keeps_the_spec_of_a_child_that_is_ignored) {
  auto none = child("b");
  none.start = [](start_context&) -> result<caf::actor> { return caf::actor{}; };
  auto gone = none;
  gone.id = "c";
  gone.restart = temporary;
  start({.children = {child("a"), none, gone}});
  EXPECT_EQ(state("b"), child_state::stopped);
  EXPECT_FALSE(knows("c")) << "a temporary child that is ignored is forgotten";
  EXPECT_EQ(root->count_children().active, 1u);
}

TEST_F(supervisor_start, refuses_faulty_specs) {
  auto with = [this](auto change) {
    supervisor_options options{.children = {child("a")}};
    change(options);
    return check_specs(options).has_value();
  };
  EXPECT_TRUE(with([](auto&) {}));
  EXPECT_FALSE(with([](auto& o) { o.name = ""; }));
  EXPECT_FALSE(with([](auto& o) { o.period = 0ms; }));
  EXPECT_FALSE(with([](auto& o) { o.kill_grace = -1ms; }));
  EXPECT_FALSE(with([](auto& o) { o.max_children = 0; }));
  EXPECT_FALSE(with([](auto& o) { o.strategy = strategy::simple_one_for_one; }));
  EXPECT_FALSE(with([](auto& o) { o.child_template = o.children[0]; }));
  EXPECT_FALSE(with([](auto& o) {
    o.strategy = strategy::one_for_all;
    o.parallel_stop = true;
  }));
  EXPECT_FALSE(with([](auto& o) { o.children[0].id = ""; }));
  EXPECT_FALSE(with([](auto& o) { o.children[0].start = nullptr; }));
  EXPECT_FALSE(with([](auto& o) { o.children.push_back(o.children[0]); }));
  EXPECT_FALSE(with([](auto& o) { o.children[0].init_timeout = 0ms; }));
  EXPECT_FALSE(with([](auto& o) { o.children[0].shutdown = shutdown_policy::timeout(-1ms); }));
  EXPECT_FALSE(with([](auto& o) { o.children[0].backoff = backoff_options{.jitter = 2}; }));
  EXPECT_FALSE(
      with([](auto& o) { o.children[0].backoff = backoff_options{.min = 2s, .max = 1s}; }));
  EXPECT_FALSE(with([](auto& o) { o.children[0].budget = child_budget{.period = 0ms}; }));
  EXPECT_FALSE(with([](auto& o) {
    o.strategy = strategy::rest_for_one;
    o.children[0].budget = child_budget{};
  }));
  EXPECT_FALSE(supervisor::start(rt, {.name = ""}));
}

TEST_F(supervisor_start, refuses_significant_children_that_can_never_count) {
  auto allowed = [this](enum auto_shutdown when, restart_type type) {
    auto spec = child("a", type);
    spec.significant = true;
    return check_specs({.auto_shutdown = when, .children = {spec}}).has_value();
  };
  EXPECT_TRUE(allowed(auto_shutdown::any_significant, transient));
  EXPECT_TRUE(allowed(auto_shutdown::all_significant, temporary));
  EXPECT_FALSE(allowed(auto_shutdown::any_significant, permanent));
  EXPECT_FALSE(allowed(auto_shutdown::never, transient));
}

// -- sup_stop: infinity, timeout, brutal_kill; and a child that does not listen

class supervisor_stop : public supervised {
protected:
  child_spec deaf_child(std::string id, shutdown_policy policy) {
    deaf[id] = 1;
    auto spec = child(std::move(id));
    spec.shutdown = policy;
    return spec;
  }
};

TEST_F(supervisor_stop, waits_without_limit_when_the_shutdown_is_infinity) {
  start({.children = {deaf_child("a", shutdown_policy::infinity())}});
  auto stopped = root->stop().as_future();
  pass(1000s);
  EXPECT_EQ(state("a"), child_state::stopping);
  end("a");
  EXPECT_TRUE(stopped.get());
  root.reset();
}

TEST_F(supervisor_stop, kills_a_deaf_child_after_its_timeout) {
  start({.children = {deaf_child("a", shutdown_policy::timeout(3s))}});
  auto stopped = root->terminate_child("a").as_future();
  pass(2999ms);
  EXPECT_EQ(living["a"], 1);
  pass(1ms);
  EXPECT_EQ(living["a"], 0);
  EXPECT_TRUE(stopped.get());
  EXPECT_EQ(count(kind::child_killed), 1u);
  EXPECT_EQ(root->counters().kills, 1u);
}

TEST_F(supervisor_stop, kills_at_once_when_the_shutdown_is_brutal) {
  start({.children = {deaf_child("a", shutdown_policy::brutal_kill())}});
  EXPECT_TRUE(root->terminate_child("a").as_future().valid());
  settle();
  EXPECT_EQ(living["a"], 0);
}

TEST_F(supervisor_stop, kills_what_is_left_at_its_deadline) {
  start({.children = {deaf_child("a", shutdown_policy::infinity()), child("b"),
                      deaf_child("c", shutdown_policy::infinity())}});
  auto stopped = root->stop(10s).as_future();
  pass(9999ms);
  EXPECT_EQ(living["a"] + living["c"], 2);
  pass(1ms);
  EXPECT_TRUE(stopped.get());
  root.reset();
}

TEST_F(supervisor_stop, is_idempotent_and_refuses_all_other_calls_afterwards) {
  start({.children = {child("a")}});
  EXPECT_TRUE(wait(root->stop()));
  EXPECT_TRUE(wait(root->stop()));
  EXPECT_EQ(wait(root->start_child(child("b"))).error(), errc::stopped);
  EXPECT_FALSE(root->running());
  root.reset();
}

TEST_F(supervisor_stop, counts_a_child_that_ends_before_its_turn_as_stopped) {
  auto early = child("a");
  early.address = make_ref<address>(rt, "a");
  start({.children = {early, deaf_child("b", shutdown_policy::infinity())}});
  auto stopped = root->stop().as_future();
  settle();
  crash("a");
  EXPECT_EQ(state("a"), child_state::stopped);
  EXPECT_EQ(early.address->state(), address_state::stopped) << "its jobs wait for nobody";
  end("b");
  EXPECT_TRUE(stopped.get());
  root.reset();
}

TEST_F(supervisor_stop, answers_a_start_that_it_interrupts) {
  start({});
  auto slow = child("a");
  slow.ready = readiness::announced;
  auto started = root->start_child(slow).as_future();
  settle();
  EXPECT_TRUE(wait(root->stop()));
  EXPECT_EQ(started.get().error(), errc::stopped);
  EXPECT_EQ(living["a"], 0);
  root.reset();
}

/// OTP's child_unlink: a child that cut all ties still ends with its supervisor.
TEST_F(supervisor_stop, needs_no_cooperation_of_the_child) {
  start({.children = {deaf_child("a", shutdown_policy::timeout(1s))}});
  stop();
  EXPECT_EQ(living["a"], 0);
}

TEST_F(supervisor_stop, takes_its_children_along_when_it_is_killed_itself) {
  auto inner = supervisor::nested(rt, {.name = "inner", .children = {child("x"), child("y")}});
  ASSERT_TRUE(inner);
  inner->spec.shutdown = shutdown_policy::brutal_kill();
  start({.children = {inner->spec}});
  EXPECT_TRUE(wait(root->terminate_child("inner")));
  EXPECT_EQ(living["x"] + living["y"], 0);
  EXPECT_EQ(wait(inner->handle.terminate_child("x")).error(), errc::unavailable);
}

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
