#include <holdfast/runtime/detail/doorbell.hpp>
#include <holdfast/runtime/executor.hpp>
#include <holdfast/runtime/runtime.hpp>

#include <gmock/gmock.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <stdexcept>
#include <thread>
#include <vector>

namespace holdfast {
namespace {

using ::testing::ElementsAre;

/// Keeps a thread of an executor busy until it is let go.
struct busy {
  std::promise<void> begun, end;
  std::function<void()> task() {
    return [this] {
      begun.set_value();
      end.get_future().wait();
    };
  }
};

/// Offers a task until a thread is there for it, as it is soon after each task.
void offer_until_taken(executor& run, const executor::task& t) {
  while (!run.offer(t))
    std::this_thread::yield();
}

TEST(an_executor, takes_an_offer_only_with_a_free_thread) {
  executor run{2};
  busy first, second;
  offer_until_taken(run, first.task());
  first.begun.get_future().wait();
  offer_until_taken(run, second.task());
  second.begun.get_future().wait();
  EXPECT_FALSE(run.offer([] {}));
  first.end.set_value();
  std::promise<void> third;
  offer_until_taken(run, [&] { third.set_value(); });
  third.get_future().wait();
  second.end.set_value();
  run.stop();
  EXPECT_FALSE(run.offer([] {}));
}

TEST(an_executor, keeps_what_was_posted_in_order_around_offers) {
  executor run{1};
  std::vector<int> order;
  std::promise<void> last;
  offer_until_taken(run, [&] {
    EXPECT_FALSE(run.offer([] {})); // its only thread is this one
    for (int i = 1; i <= 3; ++i)
      run.post([&order, i] { order.push_back(i); });
    run.post([&] { last.set_value(); });
    order.push_back(0);
  });
  last.get_future().wait();
  EXPECT_THAT(order, ElementsAre(0, 1, 2, 3));
}

/// Notes on which thread it was rung; throws when told to.
struct ringer {
  runtime& rt;
  std::shared_ptr<detail::doorbell> bell = std::make_shared<detail::doorbell>(rt);
  std::atomic<int> rings{0};
  std::atomic<std::thread::id> last{};
  std::atomic<bool> crash{false};

  caf::actor spawn() {
    auto actor = rt.system().spawn([this](caf::event_based_actor* self) -> caf::behavior {
      quiet(self);
      return {[this](const detail::rung&) {
        last = std::this_thread::get_id();
        ++rings;
        if (crash.exchange(false))
          throw std::runtime_error{"rung to death"};
      }};
    });
    bell->give_to(actor);
    return actor;
  }
  void wait_for(int n) const {
    while (rings < n)
      std::this_thread::yield();
  }
  /// Rings until that thread has answered one.
  void ring_until_on(std::thread::id thread) {
    while (last.load() != thread) {
      const int before = rings;
      bell->ring();
      wait_for(before + 1);
    }
  }
};

/// Returns when the actor can hear nothing more: what it rings at may go then.
void end(const caf::actor& a) {
  auto ended = std::make_shared<std::promise<void>>();
  a->attach_functor([ended] { ended->set_value(); });
  caf::anon_send_exit(a, caf::exit_reason::user_shutdown);
  ended->get_future().wait();
}

TEST(a_doorbell, is_heard_on_an_idle_callback_thread) {
  runtime rt;
  std::promise<std::thread::id> callbacks;
  rt.executor().post([&] { callbacks.set_value(std::this_thread::get_id()); });
  ringer r{rt};
  auto actor = r.spawn();
  r.ring_until_on(callbacks.get_future().get());
  end(actor);
}

TEST(a_doorbell, is_heard_while_a_callback_blocks) {
  runtime rt;
  ringer r{rt};
  auto actor = r.spawn();
  r.wait_for(1);
  busy callback;
  rt.executor().post(callback.task());
  callback.begun.get_future().wait();
  for (int n = 1; n <= 100; ++n) {
    const int before = r.rings;
    r.bell->ring();
    r.wait_for(before + 1);
  }
  callback.end.set_value();
  end(actor);
}

TEST(a_doorbell, is_heard_on_workers_alone_if_callers_run_nothing) {
  runtime rt{{.caller_runs = false}};
  std::promise<std::thread::id> callbacks;
  rt.executor().post([&] { callbacks.set_value(std::this_thread::get_id()); });
  const auto never = callbacks.get_future().get();
  ringer r{rt};
  auto actor = r.spawn();
  for (int n = 1; n <= 100; ++n) {
    r.bell->ring();
    r.wait_for(n);
    EXPECT_NE(r.last.load(), never);
  }
  end(actor);
}

TEST(a_doorbell, serves_the_actor_after_one_that_crashed) {
  runtime rt;
  ringer r{rt};
  r.bell->ring(); // nobody hears it
  auto actor = r.spawn();
  r.wait_for(1); // the one of being given it
  for (int life = 1; life <= 20; ++life) {
    std::promise<void> ended;
    actor->attach_functor([&ended] { ended.set_value(); });
    r.crash = true;
    r.bell->ring();
    ended.get_future().wait();
    while (r.bell->owner())
      std::this_thread::yield();
    r.bell->ring();
    const int before = r.rings;
    actor = r.spawn();
    r.wait_for(before + 1);
    EXPECT_EQ(r.bell->owners(), static_cast<std::uint64_t>(life) + 1);
  }
  EXPECT_TRUE(r.bell->wait_for_owner_after(20, std::chrono::milliseconds{0}));
  EXPECT_FALSE(r.bell->wait_for_owner_after(21, std::chrono::milliseconds{1}));
  end(actor);
}

} // namespace
} // namespace holdfast
