// Callers on real threads while a supervisor replaces the actors under them: every request is
// answered exactly once, whatever happens to the actor it was meant for.

#include <holdfast/runtime/address.hpp>
#include <holdfast/runtime/supervisor.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <thread>

namespace holdfast {
namespace {

using namespace std::chrono_literals;

constexpr int callers = 8;
constexpr int actors = 4;

/// 20,000, or 1,000,000 with HOLDFAST_FULL=1.
int requests_per_caller() {
  auto* full = std::getenv("HOLDFAST_FULL");
  return full && *full == '1' ? 1'000'000 : 20'000;
}

struct tally {
  std::atomic<std::uint64_t> ran{0}, refused{0}, answered_once{0}, answered_otherwise{0};
};

/// Counts its own answers.
class counted final : public operation<int> {
public:
  counted(ref<address> to, tally& t) : operation<int>{to->owner()}, to_{std::move(to)}, tally_{t} {}
  ~counted() override { ++(answers_ == 1 ? tally_.answered_once : tally_.answered_otherwise); }

  void start() override { to_->submit(ref<job>{this}); }
  void run() override {
    ++answers_;
    ++tally_.ran;
    complete(1);
  }
  void reject(error why) noexcept override {
    ++answers_;
    ++tally_.refused;
    complete(fail(std::move(why)));
  }

private:
  ref<address> to_;
  tally& tally_;
  std::atomic<int> answers_{0};
};

/// Crashes the actor that runs it, as a bug in a handler does.
class bug final : public job {
public:
  void run() override { throw std::runtime_error("planted"); }
  void reject(error) noexcept override {}
};

class supervised_stress : public ::testing::TestWithParam<bool> {
protected:
  supervised_stress() {
    rt.log().redirect(nullptr, log_level::off);
    supervisor_options options{.name = "stress"};
    for (int i = 0; i < actors; ++i) {
      auto home = make_ref<address>(rt, "a" + std::to_string(i));
      homes.push_back(home);
      child_spec spec{.id = home->name()};
      spec.start = [home, this, i](start_context& context) -> result<caf::actor> {
        auto started = context.system.spawn([home](caf::event_based_actor* self) -> caf::behavior {
          quiet(self);
          home->publish(self);
          return {};
        });
        std::lock_guard lock{mutex};
        living[i] = caf::actor_cast<caf::actor_addr>(started);
        return started;
      };
      spec.budget = child_budget{.intensity = 1'000'000'000};
      spec.address = home;
      options.children.push_back(std::move(spec));
    }
    root = supervisor::start(rt, std::move(options)).value();
  }

  /// Every ms ends one of the actors, by a kill or by a crash, until told to end.
  void destroy() {
    std::unique_lock lock{mutex};
    for (int n = 0; !over; ++n) {
      auto victim = static_cast<std::size_t>(n % actors);
      auto actor = caf::actor_cast<caf::actor>(living[victim]);
      lock.unlock();
      if (n % 3 == 0)
        homes[victim]->submit(make_ref<bug>());
      else if (actor)
        caf::anon_send_exit(actor, caf::exit_reason::kill);
      actor = nullptr;
      lock.lock();
      changed.wait_for(lock, 1ms, [this] { return over; });
    }
  }
  void end_destruction() {
    {
      std::lock_guard lock{mutex};
      over = true;
    }
    changed.notify_all();
  }

  std::uint64_t replaced() const {
    std::uint64_t n = 0;
    for (auto& child : root->which_children())
      n += child.restarts;
    return n;
  }

  tally counts; ///< outlives the operations that are destroyed with the runtime
  runtime rt{{.threads = 2, .caller_runs = GetParam()}};
  std::vector<ref<address>> homes;
  std::mutex mutex;
  std::condition_variable changed;
  std::array<caf::actor_addr, actors> living;
  bool over = false;
  std::optional<supervisor> root;
};

TEST_P(supervised_stress, answers_every_request_exactly_once) {
  const auto each = requests_per_caller();
  std::thread destroyer{[this] { destroy(); }};
  std::vector<std::thread> threads;
  std::atomic<int> unexpected{0};
  for (int t = 0; t < callers; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < each; ++i) {
        auto home = homes[static_cast<std::size_t>(t + i) % homes.size()];
        auto answer = pending<int>{ref<operation<int>>{make_ref<counted>(home, counts)}}.get(60s);
        if (!answer && answer.error() != errc::bucket_crashed)
          ++unexpected;
      }
    });
  for (auto& thread : threads)
    thread.join();
  end_destruction();
  destroyer.join();
  EXPECT_TRUE(root->stop(10s).get(20s));
  EXPECT_EQ(unexpected, 0) << "a request was refused, or had no answer in 60 s";
  EXPECT_GT(replaced(), 0u);
  EXPECT_EQ(counts.answered_once, static_cast<std::uint64_t>(callers) * each);
  EXPECT_EQ(counts.answered_otherwise, 0u);
  EXPECT_EQ(counts.ran + counts.refused, static_cast<std::uint64_t>(callers) * each);
}

TEST_P(supervised_stress, stops_cleanly_in_the_middle_of_it) {
  std::thread destroyer{[this] { destroy(); }};
  std::vector<std::thread> threads;
  std::atomic<std::uint64_t> asked{0};
  for (int t = 0; t < callers; ++t)
    threads.emplace_back([&, t] {
      for (std::size_t i = static_cast<std::size_t>(t);; ++i) {
        ++asked;
        auto home = homes[i % homes.size()];
        auto answer = pending<int>{ref<operation<int>>{make_ref<counted>(home, counts)}}.get(60s);
        if (!answer && answer.error() != errc::bucket_crashed) {
          EXPECT_EQ(answer.error(), errc::stopped) << answer.error().to_string();
          return;
        }
      }
    });
  while (asked < 5'000)
    std::this_thread::yield();
  EXPECT_TRUE(root->stop(10s).get(20s));
  for (auto& thread : threads)
    thread.join();
  end_destruction();
  destroyer.join();
  EXPECT_EQ(counts.answered_once, asked);
  EXPECT_EQ(counts.answered_otherwise, 0u);
}

INSTANTIATE_TEST_SUITE_P(callers, supervised_stress, ::testing::Values(true, false),
                         [](auto& param) {
                           return param.param ? "run_actors_themselves" : "send_messages";
                         });

} // namespace
} // namespace holdfast
