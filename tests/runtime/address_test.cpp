#include <holdfast/runtime/address.hpp>
#include <holdfast/runtime/caf.hpp>
#include <holdfast/runtime/event_bus.hpp>
#include <holdfast/runtime/pending.hpp>
#include <holdfast/runtime/supervisor.hpp>
#include <holdfast/runtime/via.hpp>

#include <gmock/gmock.h>

#include <latch>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

namespace holdfast {
namespace {

/// Adds to a plain integer that only the actor behind the address touches.
class add final : public operation<int> {
public:
  add(address& to, int& cell, int by) : operation{to.owner()}, to_{&to}, cell_{cell}, by_{by} {}
  void start() override { to_->submit(ref<job>{this}); }
  void run() override {
    if (by_ < 0)
      throw std::runtime_error{"negative"};
    cell_ += by_;
    complete(cell_);
  }

private:
  ref<address> to_;
  int& cell_;
  int by_;
};

/// Calls a function inside the actor.
class call final : public operation<int> {
public:
  call(address& to, std::function<void()> f) : operation{to.owner()}, to_{&to}, f_{std::move(f)} {}
  void start() override { to_->submit(ref<job>{this}); }
  void run() override {
    f_();
    complete(0);
  }

private:
  ref<address> to_;
  std::function<void()> f_;
};

caf::actor spawn_counter(runtime& rt, ref<address> at) {
  return rt.system().spawn([at](caf::event_based_actor* self) {
    quiet(self);
    at->publish(self);
  });
}

struct an_address : ::testing::TestWithParam<bool> {
  runtime rt{{.threads = 2, .caller_runs = GetParam(), .mailbox_limit = 5000, .stash_limit = 300}};
  ref<address> at = make_ref<address>(rt, "counter");
  int cell = 0;

  pending<int> adding(int by) { return pending<int>{ref<operation<int>>{new add(*at, cell, by)}}; }
  void end(const caf::actor& a) { caf::anon_send_exit(a, caf::exit_reason::user_shutdown); }
  /// Returns when the actor has let go of its last message, too.
  void end_and_wait(const caf::actor& a) {
    std::promise<void> ended;
    a->attach_functor([&ended] { ended.set_value(); });
    end(a);
    ended.get_future().wait();
  }
};

TEST_P(an_address, runs_a_job_on_its_actor) {
  auto actor = spawn_counter(rt, at);
  EXPECT_EQ(*adding(2).get(), 2);
  EXPECT_EQ(*adding(3).get(), 5);
  EXPECT_EQ(at->state(), address_state::up);
  end(actor);
}

TEST_P(an_address, keeps_jobs_that_come_before_the_actor) {
  auto early = adding(4).as_future();
  EXPECT_EQ(at->waiting(), 1u);
  auto actor = spawn_counter(rt, at);
  EXPECT_EQ(*early.get(), 4);
  end(actor);
}

TEST_P(an_address, fails_the_job_that_crashes_its_actor_and_serves_the_next_incarnation) {
  auto first = spawn_counter(rt, at);
  ASSERT_EQ(*adding(1).get(), 1);
  auto crashed = adding(-1).get();
  ASSERT_FALSE(crashed);
  EXPECT_EQ(crashed.error().code(), errc::bucket_crashed);
  EXPECT_THAT(crashed.error().message(), ::testing::HasSubstr("negative"));
  auto waiting = adding(1).as_future();
  auto second = spawn_counter(rt, at);
  EXPECT_EQ(*waiting.get(), 2);
  EXPECT_EQ(at->incarnations(), 2u);
  end(second);
}

TEST_P(an_address, refuses_when_stopped_and_when_quarantined) {
  at->quarantined(error{errc::unavailable, "negative"}, std::chrono::milliseconds{70});
  auto refused = adding(1).get();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), errc::unavailable);
  EXPECT_EQ(std::get<retry_hint>(refused.error().detail()).retry_after.count(), 70);
  at->stopped(error{errc::stopped, "shutdown"});
  EXPECT_EQ(adding(1).get().error().code(), errc::stopped);
}

TEST_P(an_address, refuses_past_the_limit_of_its_stash) {
  std::vector<std::future<result<int>>> kept;
  for (std::size_t i = 0; i < rt.options().stash_limit; ++i)
    kept.push_back(adding(1).as_future());
  EXPECT_EQ(adding(1).get().error().code(), errc::overloaded);
  at->stopped(error{errc::stopped, "shutdown"});
  for (auto& f : kept)
    EXPECT_EQ(f.get().error().code(), errc::stopped);
}

TEST_P(an_address, refuses_past_the_limit_of_a_busy_actors_mailbox) {
  auto actor = spawn_counter(rt, at);
  ASSERT_TRUE(adding(1).get());
  std::latch entered{1}, leave{1};
  auto busy = rt.system().spawn([&](caf::event_based_actor*) {
    ref<operation<int>> hold{new call(*at, [&] {
      entered.count_down();
      leave.wait();
    })};
    hold->start();
  });
  entered.wait();
  std::vector<std::future<result<int>>> kept;
  for (std::size_t i = 0; i < rt.options().mailbox_limit; ++i)
    kept.push_back(adding(1).as_future());
  EXPECT_GE(at->waiting(), rt.options().mailbox_limit);
  auto refused = adding(1).get();
  leave.count_down();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), errc::overloaded);
  for (auto& f : kept)
    f.wait();
  EXPECT_TRUE(adding(1).get());
  end(actor);
}

TEST_P(an_address, gives_up_a_job_that_did_not_begin_in_time) {
  auto late = adding(1).get(std::chrono::milliseconds{1});
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code(), errc::timeout);
  auto actor = spawn_counter(rt, at);
  EXPECT_EQ(*adding(1).get(), 1) << "the cancelled job ran after all";
  end(actor);
}

TEST_P(an_address, keeps_its_actor_exclusive_under_many_callers) {
  auto actor = spawn_counter(rt, at);
  constexpr int threads = 4, each = 5000;
  std::vector<std::thread> callers;
  for (int t = 0; t < threads; ++t)
    callers.emplace_back([&] {
      for (int i = 0; i < each; ++i)
        ASSERT_TRUE(adding(1).get());
    });
  for (auto& t : callers)
    t.join();
  EXPECT_EQ(*adding(0).get(), threads * each);
  end(actor);
}

TEST_P(an_address, answers_each_job_once_while_its_actor_is_killed_and_replaced) {
  auto actor = spawn_counter(rt, at);
  constexpr int threads = 3, each = 3000;
  std::atomic<int> done{0}, answered{0};
  std::vector<std::thread> callers;
  for (int t = 0; t < threads; ++t)
    callers.emplace_back([&] {
      for (int i = 0; i < each; ++i) {
        done += adding(1).get().has_value();
        ++answered;
      }
    });
  while (answered < threads * each) {
    // As a supervisor does: the next one starts when the last one has ended.
    std::promise<void> ended;
    actor->attach_functor([&ended] { ended.set_value(); });
    caf::anon_send_exit(actor, caf::exit_reason::kill);
    ended.get_future().wait();
    auto before = at->incarnations();
    actor = spawn_counter(rt, at);
    while (at->incarnations() == before)
      std::this_thread::yield();
  }
  for (auto& t : callers)
    t.join();
  EXPECT_EQ(done, threads * each);
  EXPECT_EQ(cell, threads * each);
  end(actor);
}

TEST_P(an_address, continues_on_a_callback_thread_and_inside_an_actor) {
  auto actor = spawn_counter(rt, at);
  std::promise<std::pair<int, bool>> then;
  adding(1).then([&](result<int> r) { then.set_value({*r, runtime::inside_actor()}); });
  EXPECT_EQ(then.get_future().get(), (std::pair{1, false}));
  std::promise<int> inside;
  rt.system().spawn([&](caf::event_based_actor* self) {
    via(self, adding(5), [&inside, self](result<int> r) {
      inside.set_value(*r);
      self->quit();
    });
  });
  EXPECT_EQ(inside.get_future().get(), 6);
  end(actor);
}

TEST_P(an_address, refuses_a_blocking_wait_inside_an_actor) {
  auto actor = spawn_counter(rt, at);
  std::promise<bool> thrown;
  rt.system().spawn([&](caf::event_based_actor*) {
    try {
      (void)adding(1).get();
      thrown.set_value(false);
    } catch (const contract_violation&) {
      thrown.set_value(true);
    }
  });
  EXPECT_TRUE(thrown.get_future().get());
  end(actor);
}

TEST_P(an_address, keeps_each_callers_order_while_others_run_its_jobs) {
  auto actor = spawn_counter(rt, at);
  constexpr int threads = 6, rounds = 400;
  std::vector<int> next(threads, 0);
  std::atomic<int> out_of_order{0};
  std::vector<std::jthread> callers;
  for (int t = 0; t < threads; ++t)
    callers.emplace_back([&, t] {
      auto numbered = [&](int n) {
        return pending<int>{ref<operation<int>>{new call(*at, [&, t, n] {
          if (std::exchange(next[static_cast<std::size_t>(t)], n + 1) != n)
            ++out_of_order;
        })}};
      };
      // Some that nobody waits for, then one that must not overtake them.
      for (int n = 0; n < rounds * 4; n += 4) {
        std::vector<std::future<result<int>>> unwaited;
        for (int i = 0; i < 3; ++i)
          unwaited.push_back(numbered(n + i).as_future());
        EXPECT_TRUE(numbered(n + 3).get());
      }
    });
  callers.clear();
  EXPECT_EQ(out_of_order, 0);
  EXPECT_THAT(next, ::testing::Each(rounds * 4));
  end_and_wait(actor);
  EXPECT_EQ(at->waiting(), 0u);
}

TEST_P(an_address, hands_on_what_waits_when_a_job_of_another_caller_crashes_it) {
  auto actor = spawn_counter(rt, at);
  constexpr int threads = 4, rounds = 100;
  std::atomic<int> done{0}, crashed{0}, other{0};
  std::latch gone{threads};
  std::vector<std::jthread> callers;
  for (int t = 0; t < threads; ++t)
    callers.emplace_back([&, t] {
      for (int n = 0; n < rounds; ++n) {
        auto answer = adding(t == 0 && n % 10 == 9 ? -1 : 1).get(std::chrono::minutes{1});
        if (answer)
          ++done;
        else
          ++(answer.error().code() == errc::bucket_crashed ? crashed : other);
      }
      gone.count_down();
    });
  // The supervisor's part.
  while (!gone.try_wait()) {
    const auto before = at->incarnations();
    if (at->state() == address_state::restarting)
      for (actor = spawn_counter(rt, at); at->incarnations() == before;)
        std::this_thread::yield();
    std::this_thread::yield();
  }
  callers.clear();
  EXPECT_EQ(crashed, rounds / 10);
  EXPECT_EQ(done, threads * rounds - rounds / 10);
  EXPECT_EQ(other, 0);
  EXPECT_EQ(cell, done);
  end(actor);
}

/// What the user does with a system of theirs.
int doubled_by_an_actor(caf::actor_system& system, int x) {
  std::promise<int> answer;
  system.spawn([&](caf::event_based_actor* self) {
    answer.set_value(2 * x);
    self->quit();
  });
  return answer.get_future().get();
}

TEST_P(an_address, is_served_on_the_users_own_system_which_goes_on_without_the_runtime) {
  caf::actor_system_config config;
  runtime::prepare(config);
  config.set("scheduler.max-threads", 2);
  caf::actor_system system{config};
  struct told : event {};
  for (int life = 1; life <= 3; ++life) {
    runtime theirs{system, {.caller_runs = GetParam()}};
    auto to = make_ref<address>(theirs, "counter");
    event_bus bus{theirs};
    child_spec counter{.id = "counter", .address = to};
    counter.start = [to](start_context& context) -> result<caf::actor> {
      return context.system.spawn([to](caf::event_based_actor* self) {
        quiet(self);
        to->publish(self);
      });
    };
    auto inner = supervisor::nested(theirs, {.name = "inner", .children = {counter}});
    auto root = supervisor::start(theirs, {.children = {bus.spec(), inner->spec}});
    ASSERT_TRUE(root) << root.error().to_string();
    std::promise<void> heard;
    auto token = bus.subscribe(*topic_pattern::parse("a.*"),
                               [&](const topic&, const event&) { heard.set_value(); });
    ASSERT_TRUE(bus.publish(*topic::parse("a.b"), std::make_shared<told>()));
    heard.get_future().get();
    int sum = 0;
    auto adding_to = [&](int by) {
      return pending<int>{ref<operation<int>>{new add(*to, sum, by)}};
    };
    EXPECT_EQ(*adding_to(2).get(), 2);
    EXPECT_EQ(adding_to(-1).get().error(), errc::bucket_crashed);
    EXPECT_EQ(*adding_to(3).get(), 5) << "restarted";
    std::promise<bool> refused;
    system.spawn([&](caf::event_based_actor* self) {
      self->quit();
      try {
        (void)adding_to(1).get();
        refused.set_value(false);
      } catch (const contract_violation&) {
        refused.set_value(true);
      }
    });
    EXPECT_TRUE(refused.get_future().get()) << "a blocking wait inside an actor of the user's";
    ASSERT_TRUE(root->stop().get());
    theirs.stop();
    EXPECT_EQ(adding_to(1).get().error(), errc::stopped);
    EXPECT_EQ(doubled_by_an_actor(system, life), 2 * life);
  }
  system.await_all_actors_done();
}

INSTANTIATE_TEST_SUITE_P(, an_address, ::testing::Bool(),
                         [](auto& param) { return param.param ? "caller_runs" : "by_message"; });

} // namespace
} // namespace holdfast
