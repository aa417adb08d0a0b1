#include <holdfast/runtime/event_bus.hpp>
#include <holdfast/runtime/supervisor.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

namespace holdfast {
namespace {

using ::testing::ElementsAre;

struct numbered final : event {
  explicit numbered(int n) : number{n} {}
  int number;
};
struct other final : event {};

topic about(std::string_view text) { return topic::parse(text).value(); }
topic_pattern pattern(std::string_view text) { return topic_pattern::parse(text).value(); }

/// A bus on real threads: its handlers run on the executor.
class event_bus_test : public ::testing::Test {
protected:
  event_bus_test() {
    rt.log().redirect(nullptr, log_level::off);
    root = supervisor::start(rt, {.intensity = 1000, .children = {bus.spec()}}).value();
  }
  ~event_bus_test() override { EXPECT_TRUE(root->stop().get()); }

  void publish(std::string_view where, int n) {
    ASSERT_TRUE(bus.publish(about(where), std::make_shared<numbered>(n)));
  }
  /// Returns when everything published before has gone through the bus and its handlers. These take
  /// turns on one thread, a batch of 64 events each: so as many turns as 128 events need.
  void flush() {
    for (int turns = 0; turns < 2; ++turns) {
      std::promise<void> done;
      auto token = bus.subscribe(pattern("flush"), [&](auto&, auto&) { done.set_value(); });
      publish("flush", 0);
      done.get_future().wait();
    }
  }

  runtime rt{{.threads = 2}};
  event_bus bus{rt};
  std::optional<supervisor> root;
};

TEST_F(event_bus_test, delivers_in_order_to_all_whose_pattern_matches) {
  std::vector<int> users, all, none;
  auto a = bus.subscribe<numbered>(pattern("bucket.users.*"),
                                   [&](auto&, auto& e) { users.push_back(e.number); });
  auto b = bus.subscribe<numbered>(pattern("bucket.**"),
                                   [&](auto&, auto& e) { all.push_back(e.number); });
  auto c = bus.subscribe<other>(pattern("**"), [&](auto&, auto&) { none.push_back(0); });
  for (int i = 0; i < 100; ++i)
    publish(i % 2 == 0 ? "bucket.users.inserted" : "bucket.roles.inserted", i);
  flush();
  ASSERT_EQ(users.size(), 50u);
  ASSERT_EQ(all.size(), 100u);
  EXPECT_TRUE(std::is_sorted(all.begin(), all.end()));
  EXPECT_TRUE(std::is_sorted(users.begin(), users.end()));
  EXPECT_TRUE(none.empty());
}

TEST_F(event_bus_test, ends_a_subscription_with_its_token) {
  int heard = 0;
  {
    auto token = bus.subscribe(pattern("a"), [&](auto&, auto&) { ++heard; });
    publish("a", 1);
    flush();
    EXPECT_EQ(bus.subscribers(), 1u);
  }
  EXPECT_EQ(bus.subscribers(), 0u);
  publish("a", 2);
  flush();
  EXPECT_EQ(heard, 1);
}

TEST_F(event_bus_test, is_not_harmed_by_a_handler_that_throws) {
  int heard = 0;
  auto bad = bus.subscribe(pattern("a"), [](auto&, auto&) { throw std::runtime_error("no"); });
  auto good = bus.subscribe(pattern("a"), [&](auto&, auto&) { ++heard; });
  for (int i = 0; i < 10; ++i)
    publish("a", i);
  flush();
  EXPECT_EQ(heard, 10);
  EXPECT_EQ(bad.failures(), 10u);
  EXPECT_TRUE(bad.active());
}

TEST_F(event_bus_test, allows_a_handler_to_end_its_own_subscription) {
  int heard = 0;
  subscription token;
  token = bus.subscribe(pattern("a"), [&](auto&, auto&) {
    ++heard;
    token.cancel();
  });
  publish("a", 1);
  publish("a", 2);
  flush();
  EXPECT_EQ(heard, 1);
}

/// Blocks the only callback thread, so that queues fill up.
class slow_subscriber : public event_bus_test, public ::testing::WithParamInterface<overflow> {};

TEST_P(slow_subscriber, loses_events_by_its_own_policy_and_nobody_elses) {
  std::promise<void> entered, leave;
  std::vector<int> heard;
  auto token = bus.subscribe<numbered>(
      pattern("a"),
      [&](auto&, auto& e) {
        heard.push_back(e.number);
        if (e.number == 0) {
          entered.set_value();
          leave.get_future().wait();
        }
      },
      {.limit = 3, .overflow = GetParam(), .on_gap = [&](std::uint64_t missed) {
         heard.push_back(-static_cast<int>(missed));
       }});
  publish("a", 0);
  entered.get_future().wait();
  auto before = bus.counters().delivered + bus.counters().unheard;
  for (int i = 1; i <= 5; ++i)
    publish("a", i);
  publish("nobody", 6);
  while (bus.counters().unheard == 0) // the bus itself is not held up
    std::this_thread::yield();
  EXPECT_GT(bus.counters().delivered + bus.counters().unheard, before);
  leave.set_value();
  flush();
  switch (GetParam()) {
  case overflow::drop_oldest:
    EXPECT_THAT(heard, ElementsAre(0, -2, 3, 4, 5));
    EXPECT_EQ(token.dropped(), 2u);
    break;
  case overflow::drop_newest:
    publish("a", 7);
    flush();
    EXPECT_THAT(heard, ElementsAre(0, 1, 2, 3, -2, 7));
    EXPECT_EQ(token.dropped(), 2u);
    break;
  case overflow::disconnect:
    EXPECT_THAT(heard, ElementsAre(0, 1, 2, 3));
    EXPECT_EQ(token.dropped(), 1u);
    EXPECT_FALSE(token.active());
    EXPECT_EQ(bus.subscribers(), 0u);
    break;
  }
}

INSTANTIATE_TEST_SUITE_P(policies, slow_subscriber,
                         ::testing::Values(overflow::drop_oldest, overflow::drop_newest,
                                           overflow::disconnect));

TEST_F(event_bus_test, delivers_into_an_actor_in_the_actors_own_time) {
  std::promise<std::vector<int>> done;
  std::vector<int> heard;
  auto reader = rt.system().spawn([&](caf::event_based_actor* self) -> caf::behavior {
    quiet(self);
    return {[&](const event_mail& mail) {
      mail.take([&](const topic&, const event& e) {
        heard.push_back(dynamic_cast<const numbered&>(e).number);
        if (heard.size() == 200)
          done.set_value(heard);
      });
    }};
  });
  auto token = bus.subscribe(pattern("a.*"), reader);
  for (int i = 0; i < 200; ++i)
    publish("a.b", i);
  auto all = done.get_future().get();
  EXPECT_TRUE(std::is_sorted(all.begin(), all.end()));
  caf::anon_send_exit(reader, caf::exit_reason::kill);
}

TEST_F(event_bus_test, keeps_its_subscriptions_over_a_restart) {
  int heard = 0;
  auto token = bus.subscribe(pattern("a"), [&](auto&, auto&) { ++heard; });
  EXPECT_TRUE(root->terminate_child("event_bus").get());
  EXPECT_EQ(root->child("event_bus")->state, child_state::stopped);
  EXPECT_TRUE(root->restart_child("event_bus").get());
  publish("a", 1);
  flush();
  EXPECT_EQ(heard, 1);
}

TEST_F(event_bus_test, refuses_events_while_it_is_down) {
  EXPECT_TRUE(root->stop().get());
  for (;;) { // its actor is gone soon after
    auto said = bus.publish(about("a"), std::make_shared<numbered>(1));
    if (!said) {
      EXPECT_EQ(said.error(), errc::unavailable);
      break;
    }
    std::this_thread::yield();
  }
  EXPECT_EQ(bus.counters().refused, 1u);
}

TEST(event_bus_limits, refuses_more_events_than_its_limit) {
  runtime rt{{.deterministic = true}};
  event_bus bus{rt, {.limit = 3}};
  auto root = supervisor::start(rt, {.children = {bus.spec()}}).value();
  for (int i = 0; i < 3; ++i)
    EXPECT_TRUE(bus.publish(about("a"), std::make_shared<numbered>(i)));
  EXPECT_EQ(bus.publish(about("a"), std::make_shared<numbered>(3)).error(), errc::overloaded);
  while (rt.run_one()) {
  }
  EXPECT_TRUE(bus.publish(about("a"), std::make_shared<numbered>(4)));
  EXPECT_TRUE(root.stop().get());
}

} // namespace
} // namespace holdfast
