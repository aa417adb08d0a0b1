// Whoever finds a nested supervisor down waits for its next life, and not for one that cannot come.
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

/// On CAF's own scheduler, where a supervisor may have ended before whoever starts it has its
/// handle.
struct lives_on_many_threads : ::testing::Test {
  runtime rt{{.threads = 2}};
  nested_supervisor below = supervisor::nested(rt, {.name = "below"}).value();

  void SetUp() override { rt.log().redirect(nullptr, log_level::off); }
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
  std::promise<void> waits;
  auto came = std::async(std::launch::async, [&] {
    waits.set_value();
    return below.handle.wait_for_life_after(0, std::chrono::milliseconds::max());
  });
  waits.get_future().wait();
  auto root = supervisor::start(rt, {.children = {below.spec}});
  ASSERT_TRUE(root);
  EXPECT_TRUE(came.get());
  EXPECT_TRUE(root->stop().get());
}

} // namespace
} // namespace holdfast::testing
