// Supervisors under supervisors, on virtual time.

#include "supervised_actors.hpp"

namespace holdfast::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class supervisor_trees : public supervised {};

TEST_F(supervisor_trees, escalate_to_the_parent_which_restarts_the_branch) {
  auto inner = supervisor::nested(rt, {.name = "inner", .children = {child("x"), child("y")}});
  ASSERT_TRUE(inner);
  start({.name = "root", .children = {child("a"), inner->spec}});
  crash("x");
  EXPECT_EQ(incarnation("inner"), 1u);
  crash("x");
  EXPECT_EQ(incarnation("inner"), 2u);
  EXPECT_EQ(state("inner"), child_state::up);
  EXPECT_TRUE(inner->handle.running()) << "the handle outlives the restart";
  EXPECT_EQ(inner->handle.count_children().active, 2u);
  EXPECT_EQ(living["x"] + living["y"], 2);
}

TEST_F(supervisor_trees, start_a_crashed_branch_with_what_was_added_once_its_children_have_ended) {
  std::vector<child_spec> added;
  auto inner = supervisor::nested(
      rt, {.name = "inner", .children = {child("x")}, .further_children = [&] { return added; }});
  ASSERT_TRUE(inner);
  start({.name = "root", .children = {inner->spec}});
  added.push_back(child("y"));
  EXPECT_TRUE(wait(inner->handle.start_child(added.back())));
  order.clear();
  EXPECT_EQ(wait(inner->handle.crash()).error(), errc::stopped);
  settle();
  ASSERT_EQ(order.size(), 4u);
  EXPECT_THAT((std::vector<std::string>{order.begin(), order.begin() + 2}),
              ::testing::UnorderedElementsAre("-x", "-y"));
  EXPECT_THAT((std::vector<std::string>{order.begin() + 2, order.end()}), ElementsAre("+x", "+y"));
  EXPECT_EQ(incarnation("inner"), 2u);
  EXPECT_EQ(inner->handle.count_children().active, 2u);
}

/// What stands for OTP's code_change of a supervisor's flags.
TEST_F(supervisor_trees, change_the_options_of_a_branch_by_replacing_it) {
  auto branch = [this](strategy how, std::size_t intensity) {
    auto inner = supervisor::nested(rt, {.name = "inner",
                                         .strategy = how,
                                         .intensity = intensity,
                                         .children = {child("x"), child("y")}});
    return inner.value().spec;
  };
  start({.name = "root", .children = {child("a"), branch(strategy::one_for_one, 0)}});
  EXPECT_TRUE(wait(root->terminate_child("inner")));
  EXPECT_TRUE(wait(root->delete_child("inner")));
  EXPECT_TRUE(wait(root->start_child(branch(strategy::one_for_all, 1))));
  EXPECT_THAT(order, ElementsAre("-y", "-x", "+x", "+y")) << "its sibling notices nothing";
  order.clear();
  crash("x");
  EXPECT_THAT(order, ElementsAre("-x", "-y", "+x", "+y"));
  EXPECT_EQ(incarnation("inner"), 1u) << "one restart is allowed by what it has become";
}

TEST_F(supervisor_trees, fail_to_start_with_further_children_that_contradict_the_others) {
  auto inner =
      supervisor::nested(rt, {.name = "inner", .children = {child("x")}, .further_children = [&] {
                                return std::vector<child_spec>{child("x")};
                              }});
  ASSERT_TRUE(inner);
  auto started = supervisor::start(rt, {.children = {inner->spec}});
  ASSERT_FALSE(started);
  EXPECT_THAT(started.error().message(), HasSubstr("two children have the id \"x\""));
}

TEST_F(supervisor_trees, start_and_stop_in_order_over_all_levels) {
  auto inner = supervisor::nested(rt, {.name = "inner", .children = {child("x"), child("y")}});
  ASSERT_TRUE(inner);
  auto started =
      supervisor::start(rt, {.name = "root", .children = {child("a"), inner->spec, child("b")}});
  ASSERT_TRUE(started);
  root = *started;
  EXPECT_THAT(order, ElementsAre("+a", "+x", "+y", "+b"));
  order.clear();
  stop();
  EXPECT_THAT(order, ElementsAre("-b", "-y", "-x", "-a"));
}

TEST_F(supervisor_trees, fail_to_start_when_a_branch_does) {
  failing_starts["y"] = 1;
  auto inner = supervisor::nested(rt, {.name = "inner", .children = {child("x"), child("y")}});
  ASSERT_TRUE(inner);
  auto started = supervisor::start(rt, {.children = {child("a"), inner->spec}});
  ASSERT_FALSE(started);
  EXPECT_THAT(started.error().message(), HasSubstr("no luck today"));
  EXPECT_THAT(order, ElementsAre("+a", "+x", "-x", "-a"));
}

TEST_F(supervisor_trees, can_be_looked_at) {
  auto inner = supervisor::nested(rt, {.name = "inner",
                                       .strategy = strategy::one_for_all,
                                       .intensity = 5,
                                       .children = {child("x"), child("y")}});
  ASSERT_TRUE(inner);
  start({.name = "root", .children = {child("a"), inner->spec, child("b")}});
  crash("y");
  EXPECT_TRUE(wait(root->terminate_child("b")));
  EXPECT_EQ(to_string(root->tree()), "root (one_for_one) up\n"
                                     "|-- a up\n"
                                     "|-- inner (one_for_all) up\n"
                                     "|   |-- x up, incarnation 2, 1 restart\n"
                                     "|   `-- y up, incarnation 2, 1 restart, "
                                     "last failure: crashed: boom\n"
                                     "`-- b stopped\n");
}

TEST_F(supervisor_trees, tell_their_events_to_subscribers_at_the_root) {
  auto inner = supervisor::nested(rt, {.name = "inner", .children = {child("x")}});
  ASSERT_TRUE(inner);
  start({.name = "root", .children = {inner->spec}});
  std::promise<std::string> heard;
  auto token = root->subscribe([&](const supervision_event& e) {
    if (e.what == kind::child_terminated)
      heard.set_value(e.supervisor + "/" + e.child);
  });
  crash("x");
  EXPECT_EQ(heard.get_future().get(), "inner/x");
}

} // namespace
} // namespace holdfast::testing
