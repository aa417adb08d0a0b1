// Supervisors whose children come and go: administration, templates, significant children, budgets
// of their own, nested supervisors; on virtual time.

#include "supervised_actors.hpp"

namespace holdfast::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using enum restart_type;

// -- child_adm

class child_administration : public supervised {};

TEST_F(child_administration, starts_stops_restarts_and_deletes) {
  start({});
  EXPECT_TRUE(wait(root->start_child(child("a"))));
  EXPECT_EQ(wait(root->start_child(child("a"))).error(), errc::already_exists);
  EXPECT_EQ(wait(root->restart_child("a")).error(), errc::conflict);
  EXPECT_EQ(wait(root->delete_child("a")).error(), errc::conflict);
  EXPECT_TRUE(wait(root->terminate_child("a")));
  EXPECT_EQ(wait(root->start_child(child("a"))).error(), errc::already_exists);
  EXPECT_TRUE(wait(root->terminate_child("a"))) << "stopping what is stopped is no error";
  EXPECT_TRUE(wait(root->restart_child("a")));
  EXPECT_TRUE(wait(root->terminate_child("a")));
  EXPECT_TRUE(wait(root->delete_child("a")));
  EXPECT_EQ(wait(root->terminate_child("a")).error(), errc::not_found);
  EXPECT_EQ(wait(root->restart_child("a")).error(), errc::not_found);
  EXPECT_EQ(wait(root->delete_child("a")).error(), errc::not_found);
  EXPECT_THAT(order, ElementsAre("+a", "-a", "+a", "-a"));
}

TEST_F(child_administration, does_not_keep_a_child_that_failed_to_start) {
  start({});
  failing_starts["a"] = 1;
  EXPECT_EQ(wait(root->start_child(child("a"))).error(), errc::start_failed);
  EXPECT_FALSE(knows("a"));
  EXPECT_TRUE(wait(root->start_child(child("a"))));
}

TEST_F(child_administration, forgets_a_temporary_child_with_its_end) {
  start({.children = {child("a", temporary), child("b", temporary)}});
  end("a");
  EXPECT_TRUE(wait(root->terminate_child("b")));
  EXPECT_THAT(root->which_children(), IsEmpty());
}

/// What stands for OTP's code_change of a child spec: there is no code to be loaded, so the child
/// is replaced.
TEST_F(child_administration, changes_a_spec_by_replacing_the_child) {
  start({.children = {child("a"), child("b")}});
  auto changed = child("a", temporary);
  EXPECT_EQ(wait(root->start_child(changed)).error(), errc::already_exists);
  EXPECT_TRUE(wait(root->terminate_child("a")));
  EXPECT_TRUE(wait(root->delete_child("a")));
  auto faulty = changed;
  faulty.start = nullptr;
  EXPECT_EQ(wait(root->start_child(faulty)).error(), errc::invalid_argument);
  EXPECT_TRUE(wait(root->start_child(changed)));
  EXPECT_THAT(order, ElementsAre("-a", "+a")) << "its sibling notices nothing";
  EXPECT_EQ(root->spec("a")->restart, temporary);
  crash("a");
  EXPECT_FALSE(knows("a")) << "the former spec would restart it";
  EXPECT_EQ(state("b"), child_state::up);
}

TEST_F(child_administration, counts_its_children) {
  auto inner = supervisor::nested(rt, {.name = "inner"});
  ASSERT_TRUE(inner);
  start({.children = {child("a"), child("b"), inner->spec}});
  EXPECT_TRUE(wait(root->terminate_child("a")));
  auto n = root->count_children();
  EXPECT_EQ(n.specs, 3u);
  EXPECT_EQ(n.active, 2u);
  EXPECT_EQ(n.workers, 2u);
  EXPECT_EQ(n.supervisors, 1u);
  EXPECT_EQ(root->spec("a")->id, "a");
  EXPECT_EQ(root->spec("z").error(), errc::not_found);
}

TEST_F(child_administration, refuses_more_than_max_children) {
  start({.children = {child("a")}, .max_children = 2});
  EXPECT_TRUE(wait(root->start_child(child("b"))));
  EXPECT_EQ(wait(root->start_child(child("c"))).error(), errc::overloaded);
}

TEST_F(child_administration, kills_a_child_whose_init_takes_too_long) {
  start({});
  auto slow = child("a");
  slow.ready = readiness::announced; // and nobody ever announces it
  slow.init_timeout = 2s;
  auto started = root->start_child(slow).as_future();
  pass(1999ms);
  EXPECT_EQ(state("a"), child_state::starting);
  pass(1ms);
  auto answer = started.get();
  EXPECT_EQ(answer.error(), errc::start_failed);
  EXPECT_THAT(answer.error().message(), HasSubstr("init_timeout of 2000 ms"));
  EXPECT_EQ(living["a"], 0);
}

TEST_F(child_administration, believes_a_child_that_announces_its_failure) {
  start({});
  auto spec = child("a");
  spec.ready = readiness::announced;
  spec.start = [this](start_context& context) {
    context.announce(fail(errc::corrupt, "page 7 is damaged"));
    return spawn(context);
  };
  auto answer = wait(root->start_child(spec));
  EXPECT_EQ(answer.error(), errc::start_failed);
  EXPECT_THAT(answer.error().message(), HasSubstr("page 7 is damaged"));
  EXPECT_EQ(living["a"], 0);
}

TEST_F(child_administration, takes_a_throwing_init_for_a_failed_start) {
  start({});
  auto spec = child("a");
  spec.start = [](start_context& context) -> result<caf::actor> {
    return context.system.spawn([](caf::event_based_actor* self) -> caf::behavior {
      quiet(self);
      throw std::runtime_error("bad init");
    });
  };
  EXPECT_THAT(wait(root->start_child(spec)).error().message(), HasSubstr("bad init"));
}

// -- simple_one_for_one

class dynamic_children : public supervised {
protected:
  supervisor_options from_template(restart_type type) {
    return {.strategy = strategy::simple_one_for_one, .child_template = child("t", type)};
  }
};

TEST_F(dynamic_children, are_made_from_the_template_with_an_argument_of_their_own) {
  auto options = from_template(permanent);
  std::string given;
  options.child_template->start = [&](start_context& context) {
    given = std::any_cast<std::string>(context.argument);
    return spawn(context);
  };
  start(options);
  EXPECT_EQ(wait(root->start_dynamic({.argument = std::string{"one"}}))->id, "t-1");
  EXPECT_EQ(given, "one");
  EXPECT_EQ(wait(root->start_dynamic({.id = "x", .argument = std::string{"two"}}))->id, "x");
  crash("t-1");
  EXPECT_EQ(given, "one") << "a restart gets the argument of the start";
  EXPECT_EQ(root->count_children().active, 2u);
}

TEST_F(dynamic_children, restart_alone_and_escalate_together) {
  start(from_template(permanent));
  wait(root->start_dynamic({.id = "x"}));
  wait(root->start_dynamic({.id = "y"}));
  crash("x");
  EXPECT_THAT(order, ElementsAre("+x", "+y", "-x", "+x"));
  crash("x");
  EXPECT_FALSE(root->running());
  EXPECT_EQ(living["x"] + living["y"], 0);
  root.reset();
}

TEST_F(dynamic_children, are_retried_when_a_restart_fails) {
  auto options = from_template(permanent);
  options.intensity = 3;
  start(options);
  wait(root->start_dynamic({.id = "x"}));
  failing_starts["x"] = 2;
  crash("x");
  EXPECT_EQ(state("x"), child_state::up);
}

TEST_F(dynamic_children, are_forgotten_when_they_end_for_good) {
  start(from_template(transient));
  wait(root->start_dynamic({.id = "x"}));
  wait(root->start_dynamic({.id = "y"}));
  end("x");
  EXPECT_TRUE(wait(root->terminate_child("y")));
  EXPECT_THAT(root->which_children(), IsEmpty());
  EXPECT_EQ(wait(root->start_child(child("z"))).error(), errc::invalid_argument);
}

TEST_F(dynamic_children, stop_together_under_one_deadline) {
  auto options = from_template(permanent);
  options.child_template->shutdown = shutdown_policy::timeout(2s);
  start(options);
  for (int i = 0; i < 10; ++i) {
    auto id = "x" + std::to_string(i);
    deaf[id] = 1;
    wait(root->start_dynamic({.id = id}));
  }
  auto stopped = root->stop().as_future();
  pass(1999ms);
  EXPECT_EQ(root->count_children().active, 10u);
  pass(1ms);
  EXPECT_TRUE(stopped.get());
  root.reset();
}

/// OTP's scale_many_temporary_children.
TEST_F(dynamic_children, may_be_many) {
  start(from_template(temporary));
  constexpr int many = 2000;
  for (int i = 0; i < many; ++i)
    std::move(root->start_dynamic({})).on_completion([](auto) {});
  settle();
  EXPECT_EQ(root->count_children().active, std::size_t{many});
  for (int i = 1; i <= many; i += 2)
    caf::anon_send(caf::actor_cast<caf::actor>(actor["t-" + std::to_string(i)]), quit_now{});
  settle();
  EXPECT_EQ(root->count_children().specs, std::size_t{many / 2});
}

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

// -- tree

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
