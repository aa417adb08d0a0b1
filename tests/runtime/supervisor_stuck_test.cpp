// Actors that are stuck in a handler, on real threads: no request and no kill reaches them.

#include <holdfast/runtime/address.hpp>
#include <holdfast/runtime/supervisor.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

namespace holdfast {
namespace {

using namespace std::chrono_literals;

/// A job that waits for the test, or does nothing.
class step final : public operation<int> {
public:
  step(ref<address> to, std::shared_future<void> until, std::promise<void>* entered = nullptr)
      : operation<int>{to->owner()}, to_{std::move(to)}, until_{std::move(until)}, entered_{
                                                                                       entered} {}
  void start() override { to_->submit(ref<job>{this}); }
  void run() override {
    if (entered_)
      entered_->set_value();
    if (until_.valid())
      until_.wait();
    complete(1);
  }

private:
  ref<address> to_;
  std::shared_future<void> until_;
  std::promise<void>* entered_;
};

class stuck_child : public ::testing::Test {
protected:
  stuck_child() { rt.log().redirect(nullptr, log_level::off); }
  ~stuck_child() override {
    leave();
    EXPECT_TRUE(root->stop(10s).get(20s));
  }

  void leave() {
    if (!std::exchange(left, true))
      let_go.set_value();
  }

  /// Its init waits for `before`, if there is such a thing, and then publishes itself.
  child_spec child(std::shared_future<void> before = {}) {
    child_spec spec{.id = "a", .shutdown = shutdown_policy::timeout(1ms)};
    spec.start = [home = home, before](start_context& context) -> result<caf::actor> {
      return context.system.spawn([home, before](caf::event_based_actor* self) -> caf::behavior {
        quiet(self);
        if (before.valid())
          before.wait();
        home->publish(self);
        return {};
      });
    };
    spec.address = home;
    return spec;
  }

  pending<int> ask(std::shared_future<void> until, std::promise<void>* entered = nullptr) {
    return pending<int>{ref<operation<int>>{make_ref<step>(home, std::move(until), entered)}};
  }

  supervisor_options options(stuck_policy stuck = stuck_policy::abandon) {
    return {.name = "root", .kill_grace = 1ms, .stuck = stuck};
  }

  runtime rt{{.threads = 3, .caller_runs = false}};
  ref<address> home = make_ref<address>(rt, "a");
  std::promise<void> let_go;
  std::shared_future<void> released = let_go.get_future().share();
  bool left = false;
  std::optional<supervisor> root;
};

TEST_F(stuck_child, is_abandoned_fenced_and_replaced) {
  root = supervisor::start(rt, options()).value();
  ASSERT_TRUE(root->start_child(child()).get());
  std::promise<void> entered;
  auto stuck = ask(released, &entered).as_future();
  entered.get_future().wait();
  auto behind = ask({}).as_future();

  EXPECT_TRUE(root->terminate_child("a").get());
  EXPECT_EQ(root->counters().abandoned, 1u);
  EXPECT_EQ(home->state(), address_state::stopped);
  EXPECT_EQ(ask({}).get().error(), errc::stopped);

  EXPECT_TRUE(root->restart_child("a").get());
  EXPECT_TRUE(ask({}).get()) << "the next incarnation works while the last one is still stuck";
  leave();
  EXPECT_TRUE(stuck.get()) << "what was running is not taken back";
  EXPECT_TRUE(behind.get()) << "what was behind it runs on the next incarnation";
}

TEST_F(stuck_child, cannot_come_back_when_its_init_took_too_long) {
  root = supervisor::start(rt, options()).value();
  auto slow = child(released);
  slow.init_timeout = 1ms;
  EXPECT_EQ(root->start_child(slow).get().error(), errc::start_failed);
  EXPECT_EQ(root->counters().abandoned, 1u);
  EXPECT_TRUE(root->start_child(child()).get());
  EXPECT_EQ(home->incarnations(), 1u);
  leave();
  while (rt.system().registry().running() > 2) // it ends when its late `publish` is refused
    std::this_thread::yield();
  EXPECT_EQ(home->incarnations(), 1u);
  EXPECT_TRUE(ask({}).get());
}

TEST_F(stuck_child, ends_the_process_where_the_policy_says_so) {
  ::testing::FLAGS_gtest_death_test_style = "threadsafe";
  root = supervisor::start(rt, options()).value();
  EXPECT_EXIT(
      {
        runtime other;
        auto doomed = supervisor::start(other, options(stuck_policy::abort_process)).value();
        auto spec = child(released);
        spec.init_timeout = 1ms;
        (void)doomed.start_child(spec).get();
      },
      ::testing::KilledBySignal(SIGABRT), "stuck child: aborting");
}

} // namespace
} // namespace holdfast
