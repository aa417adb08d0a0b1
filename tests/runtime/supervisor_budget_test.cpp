// Children whose end means more, or less, than that of others: significant ones, and those with a
// budget of their own; on virtual time.

#include "supervised_actors.hpp"

namespace holdfast::testing {
namespace {

using namespace std::chrono_literals;
using enum restart_type;

// -- significant children

class significant_children : public supervised {
protected:
  child_spec significant(std::string id, restart_type type = transient) {
    auto spec = child(std::move(id), type);
    spec.significant = true;
    return spec;
  }
};

TEST_F(significant_children, end_their_supervisor_when_any_of_them_ends) {
  start({.auto_shutdown = auto_shutdown::any_significant,
         .children = {child("a", transient), significant("b"), significant("c")}});
  end("a");
  EXPECT_TRUE(root->running());
  end("c");
  EXPECT_FALSE(root->running());
  EXPECT_EQ(count(kind::auto_shutdown), 1u);
  root.reset();
}

TEST_F(significant_children, end_their_supervisor_when_all_of_them_have_ended) {
  start({.auto_shutdown = auto_shutdown::all_significant,
         .children = {child("a"), significant("b"), significant("c", temporary)}});
  crash("b");
  end("b");
  EXPECT_TRUE(root->running()) << "c still runs";
  crash("c");
  EXPECT_FALSE(root->running());
  root.reset();
}

TEST_F(significant_children, do_not_end_it_when_an_operator_stops_them) {
  start({.auto_shutdown = auto_shutdown::any_significant, .children = {significant("b")}});
  EXPECT_TRUE(wait(root->terminate_child("b")));
  EXPECT_TRUE(root->running());
}

// -- a budget of a child's own

class child_with_a_budget : public supervised {
protected:
  child_spec looping(std::string id, child_budget budget) {
    auto spec = child(std::move(id));
    spec.budget = budget;
    return spec;
  }
};

TEST_F(child_with_a_budget, is_quarantined_while_its_siblings_live_on) {
  start({.intensity = 0, .children = {looping("a", {.intensity = 2, .period = 10s}), child("b")}});
  for (int i = 0; i < 3; ++i)
    crash("a");
  EXPECT_EQ(state("a"), child_state::quarantined);
  EXPECT_EQ(state("b"), child_state::up);
  EXPECT_EQ(root->counters().quarantines, 1u);
  pass(1000s);
  EXPECT_EQ(state("a"), child_state::quarantined) << "only an operator brings it back";
  EXPECT_TRUE(wait(root->revive("a")));
  EXPECT_EQ(state("a"), child_state::up);
  EXPECT_EQ(wait(root->revive("a")).error(), errc::conflict);
  crash("a");
  EXPECT_EQ(state("a"), child_state::up) << "with a fresh budget";
}

TEST_F(child_with_a_budget, gets_another_try_when_told_so) {
  start({.children = {looping("a", {.intensity = 0, .revive_after = 30s})}});
  crash("a");
  EXPECT_EQ(state("a"), child_state::quarantined);
  EXPECT_EQ(root->child("a")->retry_after, 30s);
  failing_starts["a"] = 1;
  pass(30s);
  EXPECT_EQ(state("a"), child_state::quarantined) << "the try failed";
  pass(30s);
  EXPECT_EQ(state("a"), child_state::up);
}

TEST_F(child_with_a_budget, escalates_when_told_so) {
  start(
      {.intensity = 100,
       .children = {looping("a", {.intensity = 1, .exhausted = exhausted::escalate}), child("b")}});
  crash("a");
  crash("a");
  EXPECT_FALSE(root->running());
  root.reset();
}

TEST_F(child_with_a_budget, keeps_the_last_failures) {
  start({.children = {looping("a", {.intensity = 100})}, .failures_kept = 3});
  for (int i = 0; i < 5; ++i)
    tell("a", crash_now{"crash " + std::to_string(i)});
  auto failures = root->child("a")->failures;
  ASSERT_EQ(failures.size(), 3u);
  EXPECT_EQ(failures[0].cause.text, "crash 2");
  EXPECT_EQ(failures[2].cause.text, "crash 4");
  EXPECT_EQ(failures[2].incarnation, 5u);
}

TEST_F(child_with_a_budget, has_its_address_told_where_it_stands) {
  auto home = make_ref<address>(rt, "a");
  auto spec = looping("a", {.intensity = 1});
  spec.address = home;
  spec.start = [home](start_context& context) -> result<caf::actor> {
    return context.system.spawn([home](caf::event_based_actor* self) -> caf::behavior {
      quiet(self);
      home->publish(self);
      return {};
    });
  };
  start({.children = {spec}});
  EXPECT_EQ(home->state(), address_state::up);
  EXPECT_TRUE(wait(root->terminate_child("a")));
  EXPECT_EQ(home->state(), address_state::stopped);
}

} // namespace
} // namespace holdfast::testing
