// What a store tells about the actors and threads that serve it: what waits, what was missed, what
// was started again.
#include "gateway_fixture.hpp"

#include <atomic>
#include <latch>
#include <thread>

namespace holdfast {
namespace {

using holdfast_tests::guest;
using ::testing::AllOf;
using ::testing::HasSubstr;

/// A handler that waits until it may go on.
struct held_up {
  std::promise<void> entered;
  std::latch go_on{1};
  std::atomic<bool> first{true};

  void operator()() {
    if (!first.exchange(false))
      return;
    entered.set_value();
    go_on.wait();
  }
};

struct figures : ::testing::Test {
  store db = store::start({.name = "app"}).value();
  bucket<guest> guests = db.define<guest>().value();
  int next = 0;

  void SetUp() override { db.runtime_in_use().log().redirect(nullptr, log_level::off); }
  void add(int n) {
    for (int i = 0; i < n; ++i)
      ASSERT_TRUE(guests.insert({std::to_string(next++), 1}).get());
  }
  template <class Condition>
  store_stats stats_when(Condition holds) {
    auto s = db.stats();
    for (; !holds(s); s = db.stats())
      std::this_thread::yield();
    return s;
  }
  std::uint64_t restarts_of(std::string_view service) {
    for (auto& each : db.stats().services)
      if (each.name == service)
        return each.restarts;
    ADD_FAILURE() << "no service is named " << service;
    return 0;
  }
};

std::string line(std::string_view name, std::string_view labels, std::uint64_t figure) {
  return "\nholdfast_" + std::string{name} + "{store=\"app\"" + std::string{labels} + "} " +
         std::to_string(figure) + "\n";
}

TEST_F(figures, say_what_waits_for_subscribers_of_events_and_what_they_missed) {
  held_up slow;
  auto token = db.on("bucket.guests.*", [&](const change&) { slow(); }, {.limit = 2}).value();
  auto other =
      db.on("bucket.guests.*", [](const change&) { throw std::runtime_error{"no"}; }).value();
  add(1);
  slow.entered.get_future().wait();
  add(5);
  auto s = stats_when(
      [](auto& now) { return now.event_queues.dropped == 3 && now.event_queues.failures == 6; });
  EXPECT_EQ(s.event_queues.waiting, 2u);
  EXPECT_EQ(s.event_queues.longest, 2u);
  EXPECT_THAT(s.to_prometheus(),
              AllOf(HasSubstr(line("subscriber_waiting", ",of=\"events\"", 2)),
                    HasSubstr(line("subscriber_longest_queue", ",of=\"events\"", 2)),
                    HasSubstr(line("subscriber_dropped_total", ",of=\"events\"", 3)),
                    HasSubstr(line("subscriber_failures_total", ",of=\"events\"", 6)),
                    HasSubstr(line("subscriber_dropped_total", ",of=\"queries\"", 0))));
  slow.go_on.count_down();
  token.cancel();
  other.cancel();
  s = db.stats();
  EXPECT_EQ(s.event_queues.waiting, 0u);
  EXPECT_EQ(s.event_queues.dropped, 3u) << "a counter does not fall when a subscriber goes";
  EXPECT_EQ(s.event_queues.failures, 6u);
}

TEST_F(figures, say_what_waits_for_subscribers_of_queries_and_what_was_replaced) {
  ASSERT_TRUE(db.define_query("all", {.bucket = "guests", .aggregates = {aggregate::count()}}));
  held_up slow;
  auto token = db.subscribe("all", [&](const query_update&) { slow(); }).value();
  slow.entered.get_future().wait();
  add(1);
  (void)stats_when([](auto& now) { return now.query_queues.waiting == 1; });
  add(1);
  auto s = stats_when([](auto& now) { return now.query_queues.dropped == 1; });
  EXPECT_EQ(s.query_queues.waiting, 1u) << "the latest value alone";
  EXPECT_EQ(s.query_queues.longest, 1u);
  EXPECT_EQ(s.event_queues.dropped, 0u);
  EXPECT_THAT(s.to_prometheus(),
              AllOf(HasSubstr(line("subscriber_waiting", ",of=\"queries\"", 1)),
                    HasSubstr(line("subscriber_dropped_total", ",of=\"queries\"", 1))));
  slow.go_on.count_down();
}

TEST(callback_figures, say_how_many_callbacks_wait_for_a_thread) {
  held_up slow;
  std::promise<void> done;
  auto db = store::start({.name = "app",
                          .runtime_settings = {.callback_threads = 1, .most_callback_threads = 1}})
                .value();
  auto& callbacks = db.runtime_in_use().executor();
  ASSERT_TRUE(callbacks.post([&] { slow(); }));
  slow.entered.get_future().wait();
  ASSERT_TRUE(callbacks.post([] { throw std::runtime_error{"no"}; }));
  ASSERT_TRUE(callbacks.post([&] { done.set_value(); }));
  auto s = db.stats();
  EXPECT_EQ(s.callbacks_waiting, 2u);
  EXPECT_EQ(s.callback_threads, 1u);
  EXPECT_EQ(s.callback_failures, 0u);
  EXPECT_THAT(s.to_prometheus(), AllOf(HasSubstr(line("callbacks_waiting", "", 2)),
                                       HasSubstr(line("callback_threads", "", 1))));
  slow.go_on.count_down();
  done.get_future().wait();
  s = db.stats();
  EXPECT_EQ(s.callbacks_waiting, 0u);
  EXPECT_EQ(s.callback_failures, 1u);
}

TEST_F(figures, count_the_restarts_of_each_service) {
  for (auto* service : {"event_bus", "query_manager", "gateway", "ttl_manager"})
    EXPECT_EQ(restarts_of(service), 0u) << service;
  ASSERT_TRUE(db.crash_queries());
  EXPECT_EQ(restarts_of("query_manager"), 1u);
  EXPECT_EQ(restarts_of("event_bus"), 0u);
  auto text = db.stats().to_prometheus();
  EXPECT_THAT(text, HasSubstr(line("service_restarts_total", ",service=\"query_manager\"", 1)));
  EXPECT_THAT(text, HasSubstr(line("service_restarts_total", ",service=\"ttl_manager\"", 0)));
  EXPECT_THAT(db.stats().to_string(), HasSubstr("query_manager: 1 restarts"));
  ASSERT_TRUE(db.crash_supervisor("services"));
  for (auto* service : {"event_bus", "gateway", "ttl_manager"})
    EXPECT_EQ(restarts_of(service), 1u) << service;
  EXPECT_EQ(restarts_of("query_manager"), 2u);
}

using gateway_figures = testing::a_gateway;

TEST_P(gateway_figures, count_the_requests_that_wait_for_their_answers) {
  EXPECT_EQ(db.stats().gateway_requests, 0u);
  auto now = ask<store_stats>(describe_store{});
  ASSERT_TRUE(now);
  EXPECT_EQ(now->gateway_requests, 1u) << "this one";
  EXPECT_THAT(now->to_prometheus(), HasSubstr("holdfast_gateway_requests{store=\"store\"} 1\n"));
  EXPECT_EQ(db.stats().gateway_requests, 0u);
}

INSTANTIATE_TEST_SUITE_P(, gateway_figures, ::testing::Values(true),
                         [](auto&) { return "deterministic"; });

} // namespace
} // namespace holdfast
