// Callers on real threads while a supervisor replaces the actors under them: every request is
// answered exactly once, whatever happens to the actor it was meant for.

//
// By environment: HOLDFAST_REQUESTS requests of each caller (20,000), or HOLDFAST_FULL=1 for the
// 1,000,000 that a release has to pass.

#include "counted_requests.hpp"

#include <holdfast/runtime/supervisor.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <string_view>
#include <thread>

namespace holdfast::testing {
namespace {

using namespace std::chrono_literals;

constexpr int callers = 8;
constexpr int actors = 4;
/// A thousand a second are one per 100 to 2,000 requests, by the speed of machine and callers. Only
/// while the thread that ends the actors sleeps there are so many to one.
constexpr std::uint64_t most_requests_per_replacement = 20'000;

std::uint64_t requests_per_caller() {
  if (auto* asked = std::getenv("HOLDFAST_REQUESTS"))
    return std::max<std::uint64_t>(1, std::strtoull(asked, nullptr, 10));
  auto* full = std::getenv("HOLDFAST_FULL");
  return full && std::string_view{full} == "1" ? 1'000'000 : 20'000;
}

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
    auto due = std::chrono::steady_clock::now();
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
      due += 1ms; // a crash waits its turn among the callers; what that takes is caught up with
      changed.wait_until(lock, due, [this] { return over; });
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

  request_tally counts; ///< outlives the operations that are destroyed with the runtime
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
  const auto began = std::chrono::steady_clock::now();
  std::thread destroyer{[this] { destroy(); }};
  std::vector<std::thread> threads;
  std::atomic<int> unexpected{0};
  for (std::size_t t = 0; t < callers; ++t)
    threads.emplace_back([&, t] {
      for (std::uint64_t i = 0; i < each; ++i) {
        auto answer = ask_counted(homes[(t + i) % homes.size()], counts);
        if (!answer && answer.error() != errc::bucket_crashed)
          ++unexpected;
      }
    });
  for (auto& thread : threads)
    thread.join();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  end_destruction();
  destroyer.join();
  EXPECT_TRUE(root->stop(10s).get(20s));
  const auto total = callers * each;
  RecordProperty("requests", std::to_string(total));
  RecordProperty("replacements", std::to_string(replaced()));
  RecordProperty("replacements_per_second",
                 std::to_string(static_cast<double>(replaced()) / took.count()));
  EXPECT_EQ(unexpected, 0) << "a request was refused, or had no answer in 60 s";
  EXPECT_GE(replaced(), std::max<std::uint64_t>(1, total / most_requests_per_replacement))
      << "too few actors were replaced for " << total << " requests";
  EXPECT_EQ(counts.answered_once, total);
  EXPECT_EQ(counts.answered_otherwise, 0u);
  EXPECT_EQ(counts.ran + counts.refused, total);
}

TEST_P(supervised_stress, stops_cleanly_in_the_middle_of_it) {
  std::thread destroyer{[this] { destroy(); }};
  std::vector<std::thread> threads;
  std::atomic<std::uint64_t> asked{0};
  for (std::size_t t = 0; t < callers; ++t)
    threads.emplace_back([&, t] {
      for (std::size_t i = t;; ++i) {
        ++asked;
        auto answer = ask_counted(homes[i % homes.size()], counts);
        if (!answer && answer.error() != errc::bucket_crashed) {
          EXPECT_EQ(answer.error(), errc::stopped) << answer.error().to_string();
          return;
        }
      }
    });
  while (asked < 5'000 || replaced() < 10)
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
} // namespace holdfast::testing
