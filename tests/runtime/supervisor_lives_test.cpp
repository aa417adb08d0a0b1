// Whoever finds a nested supervisor down waits for its next life, and not for one that cannot come.
#include "counted_requests.hpp"
#include "supervised_actors.hpp"

namespace holdfast::testing {
namespace {

using namespace std::chrono_literals;

struct lives_of_a_supervisor : supervised {
  nested_supervisor below = supervisor::nested(rt, {.name = "below"}).value();

  void crash_it() {
    auto answer = below.handle.crash().as_future();
    settle();
  }
};

TEST_F(lives_of_a_supervisor, are_counted_and_can_be_waited_for) {
  EXPECT_EQ(below.handle.lives(), 0u);
  start({.intensity = 5, .children = {below.spec}});
  EXPECT_EQ(below.handle.lives(), 1u);
  auto answer = below.handle.crash().as_future();
  EXPECT_TRUE(below.handle.wait_for_life_after(1, 1000s)) << "it runs the actors meanwhile";
  EXPECT_EQ(below.handle.lives(), 2u);
  EXPECT_TRUE(below.handle.wait_for_life_after(1, 0s)) << "that one has come";
}

TEST_F(lives_of_a_supervisor, are_not_waited_for_when_its_parent_has_given_up) {
  auto lowest = supervisor::nested(rt, {.name = "lowest"}).value();
  below = supervisor::nested(rt, {.name = "below", .children = {lowest.spec}}).value();
  start({.intensity = 0, .children = {below.spec}});
  crash_it();
  EXPECT_FALSE(root->running());
  EXPECT_FALSE(below.handle.wait_for_life_after(1, 1000s)) << "at once";
  EXPECT_FALSE(lowest.handle.wait_for_life_after(1, 1000s));
  root.reset();
}

/// A supervisor that another has below it, and one below that.
struct lives_of_a_forgotten_supervisor : lives_of_a_supervisor {
  nested_supervisor lowest = supervisor::nested(rt, {.name = "lowest"}).value();

  void SetUp() override { make_below(restart_type::permanent); }
  void make_below(restart_type restart) {
    supervisor_options options{.name = "below", .children = {lowest.spec}};
    below = supervisor::nested(rt, std::move(options), restart).value();
  }
  void expect_that_none_comes() {
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_FALSE(below.handle.wait_for_life_after(1, 60s));
    EXPECT_FALSE(lowest.handle.wait_for_life_after(1, 60s));
    EXPECT_LT(std::chrono::steady_clock::now() - begin, 60s) << "there was nothing to wait for";
  }
};

TEST_F(lives_of_a_forgotten_supervisor, are_not_waited_for_when_it_was_deleted) {
  start({.children = {below.spec}});
  ASSERT_TRUE(wait(root->terminate_child("below")));
  ASSERT_TRUE(wait(root->delete_child("below")));
  expect_that_none_comes();
}

TEST_F(lives_of_a_forgotten_supervisor, are_not_waited_for_when_it_was_temporary) {
  make_below(restart_type::temporary);
  start({.children = {below.spec}});
  crash_it();
  ASSERT_FALSE(knows("below"));
  expect_that_none_comes();
}

TEST_F(lives_of_a_forgotten_supervisor, are_not_waited_for_when_the_next_life_above_is_without_it) {
  auto middle = supervisor::nested(rt, {.name = "middle"}).value();
  start({.children = {middle.spec}});
  ASSERT_TRUE(wait(middle.handle.start_child(below.spec)));
  auto answer = middle.handle.crash().as_future();
  EXPECT_TRUE(middle.handle.wait_for_life_after(1, 1000s));
  settle();
  expect_that_none_comes();
}

TEST_F(lives_of_a_forgotten_supervisor, go_on_when_it_is_started_anew) {
  start({.intensity = 5, .children = {below.spec}});
  ASSERT_TRUE(wait(root->terminate_child("below")));
  ASSERT_TRUE(wait(root->delete_child("below")));
  ASSERT_TRUE(wait(root->start_child(below.spec)));
  EXPECT_TRUE(below.handle.wait_for_life_after(1, 1000s));
  crash_it();
  EXPECT_TRUE(below.handle.wait_for_life_after(2, 1000s));
  EXPECT_TRUE(lowest.handle.wait_for_life_after(2, 1000s));
}

/// On CAF's own scheduler, where a supervisor may have ended before whoever starts it has its
/// handle.
struct lives_on_many_threads : ::testing::Test {
  runtime rt{{.threads = 2}};
  nested_supervisor below = supervisor::nested(rt, {.name = "below"}).value();

  void SetUp() override { rt.log().redirect(nullptr, log_level::off); }
  /// Another thread does it, and is about to when this returns.
  std::future<bool> wait_for_life_after(std::uint64_t n) {
    std::promise<void> waits;
    auto waiting = waits.get_future();
    auto came = std::async(std::launch::async, [this, n, waits = std::move(waits)]() mutable {
      waits.set_value();
      return below.handle.wait_for_life_after(n, std::chrono::milliseconds::max());
    });
    waiting.wait();
    return came;
  }
};

TEST_F(lives_on_many_threads, are_not_waited_for_when_the_first_has_ended_at_once) {
  child_spec broken{.id = "broken"};
  broken.start = [](start_context&) -> result<caf::actor> { return fail(errc::io, "no luck"); };
  for (int i = 0; i < 2000; ++i) {
    auto nested = supervisor::nested(rt, {.name = "below"}).value();
    auto root = supervisor::launch(rt, {.children = {broken, nested.spec}}).value();
    const auto begin = std::chrono::steady_clock::now();
    ASSERT_FALSE(root.wait_for_life_after(1, 60s));
    ASSERT_FALSE(nested.handle.wait_for_life_after(0, 60s));
    ASSERT_LT(std::chrono::steady_clock::now() - begin, 60s) << "at round " << i;
    ASSERT_FALSE(root.running());
  }
}

TEST_F(lives_on_many_threads, can_be_waited_for_without_end) {
  auto came = wait_for_life_after(0);
  auto root = supervisor::start(rt, {.children = {below.spec}});
  ASSERT_TRUE(root);
  EXPECT_TRUE(came.get());
  EXPECT_TRUE(root->stop().get());
}

TEST_F(lives_on_many_threads, go_on_under_another_when_one_above_forgets_them) {
  auto other = supervisor::nested(rt, {.name = "other", .intensity = 5}).value();
  auto root = supervisor::start(rt, {.children = {below.spec, other.spec}}).value();
  ASSERT_TRUE(root.terminate_child("below").get());
  ASSERT_TRUE(other.handle.start_child(below.spec).get());
  ASSERT_TRUE(root.delete_child("below").get());
  ASSERT_TRUE(root.up().get()) << "it has done all that the deletion brings";
  auto came = wait_for_life_after(below.handle.lives());
  (void)below.handle.crash().get();
  EXPECT_TRUE(came.get());
  EXPECT_TRUE(root.stop().get());
}

/// What waits for the next actor behind an address, when there will be none.
struct mail_for_a_lost_child : lives_of_a_supervisor {
  ref<address> home = make_ref<address>(rt, "home");
  request_tally tally;

  child_spec at_home() {
    child_spec spec{.id = "home", .address = home};
    spec.start = [home = home](start_context& context) -> result<caf::actor> {
      return context.system.spawn([home](caf::event_based_actor* self) {
        quiet(self);
        home->publish(self);
      });
    };
    return spec;
  }
  std::future<result<int>> ask() {
    auto request = make_ref<counted_request>(home, tally);
    auto answer = pending<int>{ref<operation<int>>{std::move(request)}}.as_future();
    settle();
    return answer;
  }
  static bool is_there(const std::future<result<int>>& answer) {
    return answer.wait_for(0s) == std::future_status::ready;
  }
};

TEST_F(mail_for_a_lost_child, is_refused_when_its_supervisor_is_stopped_between_two_lives) {
  below = supervisor::nested(rt, {.name = "below", .children = {at_home()}}).value();
  below.spec.backoff = backoff_options{.min = 100s, .max = 100s};
  start({.intensity = 5, .children = {below.spec}});
  ASSERT_TRUE(ask().get());
  crash_it();
  auto waits = ask();
  ASSERT_FALSE(is_there(waits)) << "for the next life";
  stop();
  ASSERT_TRUE(is_there(waits));
  EXPECT_EQ(waits.get().error(), errc::stopped);
  auto late = ask();
  ASSERT_TRUE(is_there(late));
  EXPECT_EQ(late.get().error(), errc::stopped);
}

TEST_F(mail_for_a_lost_child, is_refused_when_its_supervisor_crashed_and_has_no_parent) {
  start({.children = {at_home()}});
  ASSERT_TRUE(ask().get());
  auto answer = root->crash().as_future();
  settle();
  auto late = ask();
  ASSERT_TRUE(is_there(late));
  EXPECT_EQ(late.get().error(), errc::stopped);
  root.reset();
}

TEST_F(mail_for_a_lost_child, is_served_when_another_supervisor_takes_the_address_over) {
  start({.children = {at_home()}});
  auto answer = root->crash().as_future();
  settle();
  start({.children = {at_home()}});
  settle();
  auto served = ask();
  ASSERT_TRUE(is_there(served));
  EXPECT_TRUE(served.get());
}

} // namespace
} // namespace holdfast::testing
