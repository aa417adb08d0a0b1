// Supervisors whose children come and go: administration, templates; on virtual time.

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

} // namespace
} // namespace holdfast::testing
