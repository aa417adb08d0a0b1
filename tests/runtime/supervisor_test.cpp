// How a supervisor starts and stops: one test per group of OTP's supervisor_SUITE, on virtual time.

#include "supervised_actors.hpp"

namespace holdfast::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using enum restart_type;

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

} // namespace
} // namespace holdfast::testing
