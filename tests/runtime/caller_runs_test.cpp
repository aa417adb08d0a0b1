// R1: a blocking call on an idle actor never waits for a thread switch: the calling thread runs the
// actor. On which thread a handler ran says whether that holds.

#include <holdfast/runtime/address.hpp>
#include <holdfast/runtime/caf.hpp>
#include <holdfast/runtime/detail/caller_unit.hpp>
#include <holdfast/runtime/pending.hpp>

#include <gmock/gmock.h>

#include <functional>
#include <future>
#include <latch>
#include <optional>
#include <thread>
#include <vector>

/// Asks an actor on which thread it runs.
struct where_are_you {
  std::promise<std::thread::id>* answer;
};
HOLDFAST_LOCAL_MESSAGE(where_are_you)

namespace holdfast::testing {
namespace {

using thread_ids = std::vector<std::thread::id>;

/// Says which thread runs it, and does something before.
class whereabouts final : public operation<std::thread::id> {
public:
  whereabouts(ref<address> to, std::function<void()> first)
      : operation{to->owner()}, to_{std::move(to)}, first_{std::move(first)} {}
  void start() override { to_->submit(ref<job>{this}); }
  void run() override {
    if (first_)
      first_();
    complete(std::this_thread::get_id());
  }

private:
  ref<address> to_;
  std::function<void()> first_;
};

caf::scheduled_actor& scheduled(const caf::actor& handle) {
  return dynamic_cast<caf::scheduled_actor&>(*caf::actor_cast<caf::abstract_actor*>(handle));
}
/// Returns when the actor has run its init and whatever mail it has.
void wait_until_idle(const caf::actor& handle) {
  while (!scheduled(handle).mailbox().blocked())
    std::this_thread::yield();
}

class caller_runs : public ::testing::Test {
protected:
  explicit caller_runs(bool on = true) : rt{{.threads = 2, .caller_runs = on}} {
    actor = rt.system().spawn([home = at](caf::event_based_actor* self) {
      quiet(self);
      home->publish(self);
    });
    wait_until_idle(actor);
  }
  ~caller_runs() override { caf::anon_send_exit(actor, caf::exit_reason::user_shutdown); }

  pending<std::thread::id> asked(std::function<void()> first = {}) {
    return pending<std::thread::id>{
        ref<operation<std::thread::id>>{make_ref<whereabouts>(at, std::move(first))}};
  }

  runtime rt;
  ref<address> at = make_ref<address>(rt, "here");
  caf::actor actor;
  const std::thread::id me = std::this_thread::get_id();
};

TEST_F(caller_runs, an_idle_actor_on_its_own_thread) {
  for (int i = 0; i < 1000; ++i)
    ASSERT_EQ(*asked().get(), me) << "request " << i;
}

TEST_F(caller_runs, an_idle_actor_before_an_unblocking_start_returns) {
  auto started = asked().as_future();
  ASSERT_EQ(started.wait_for(std::chrono::seconds{0}), std::future_status::ready);
  EXPECT_EQ(*started.get(), me);
}

TEST_F(caller_runs, an_actor_whoever_the_caller_is) {
  thread_ids callers(4), ran(4);
  for (std::size_t i = 0; i < callers.size(); ++i)
    std::jthread{[&, i] {
      callers[i] = std::this_thread::get_id();
      ran[i] = *asked().get();
    }}.join();
  EXPECT_EQ(ran, callers);
}

/// What comes while another caller runs the actor is run by that one: it has the actor's data.
TEST_F(caller_runs, no_actor_that_another_caller_is_running) {
  std::latch entered{1}, leave{1};
  std::optional<std::thread::id> first;
  std::jthread other{[&] {
    first = *asked([&] {
               entered.count_down();
               leave.wait();
             }).get();
  }};
  entered.wait();
  std::vector<std::future<result<std::thread::id>>> waiting;
  for (int i = 0; i < 5; ++i)
    waiting.push_back(asked().as_future());
  leave.count_down();
  other.join();
  for (auto& w : waiting)
    EXPECT_EQ(*w.get(), first);
  EXPECT_NE(first, me);
  wait_until_idle(actor);
  EXPECT_EQ(*asked().get(), me) << "it is idle again";
}

TEST_F(caller_runs, no_actor_that_a_worker_is_running) {
  std::latch entered{1}, leave{1};
  // A job that an actor submits is mail, and mail is run by workers.
  rt.system().spawn([&](caf::event_based_actor*) {
    ref<operation<std::thread::id>> hold = make_ref<whereabouts>(at, [&] {
      entered.count_down();
      leave.wait();
    });
    hold->start();
  });
  entered.wait();
  auto waiting = asked().as_future();
  leave.count_down();
  EXPECT_NE(*waiting.get(), me);
}

TEST_F(caller_runs, its_own_actor_and_leaves_to_workers_what_that_one_starts) {
  std::promise<std::thread::id> elsewhere;
  auto neighbour = rt.system().spawn([](caf::event_based_actor* self) -> caf::behavior {
    quiet(self);
    return {[](const where_are_you& m) { m.answer->set_value(std::this_thread::get_id()); }};
  });
  wait_until_idle(neighbour);
  EXPECT_EQ(*asked([&] { caf::anon_send(neighbour, where_are_you{&elsewhere}); }).get(), me);
  EXPECT_NE(elsewhere.get_future().get(), me);
  caf::anon_send_exit(neighbour, caf::exit_reason::user_shutdown);
}

/// The other way to run an actor: a message wakes it, and the unit of the thread that sent it
/// catches the wake-up.
TEST_F(caller_runs, an_actor_that_its_own_message_has_woken) {
  auto woken = rt.system().spawn([](caf::event_based_actor* self) -> caf::behavior {
    quiet(self);
    return {[](const where_are_you& m) { m.answer->set_value(std::this_thread::get_id()); }};
  });
  auto& unit = rt.unit();
  auto send = [&](std::promise<std::thread::id>& answer) {
    wait_until_idle(woken);
    scheduled(woken).enqueue(
        caf::make_mailbox_element(nullptr, caf::make_message_id(), {}, where_are_you{&answer}),
        &unit);
  };
  std::promise<std::thread::id> armed, disarmed;
  unit.arm(&scheduled(woken));
  send(armed);
  unit.run_captured(1);
  EXPECT_EQ(armed.get_future().get(), me);
  send(disarmed);
  EXPECT_NE(disarmed.get_future().get(), me) << "a wake-up that nobody wants goes to the workers";
  caf::anon_send_exit(woken, caf::exit_reason::user_shutdown);
}

class caller_runs_nothing : public caller_runs {
protected:
  caller_runs_nothing() : caller_runs{false} {}
};

TEST_F(caller_runs_nothing, when_it_is_told_so) {
  for (int i = 0; i < 100; ++i) {
    ASSERT_NE(*asked().get(), me);
    wait_until_idle(actor);
  }
}

} // namespace
} // namespace holdfast::testing
