// A runtime is stopped while callers ask: each request has exactly one answer, and nothing runs
// once `stop` has returned.

#include "counted_requests.hpp"

#include <holdfast/runtime/caf.hpp>
#include <holdfast/runtime/supervisor.hpp>

#include <gmock/gmock.h>

#include <array>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

namespace holdfast::testing {
namespace {

constexpr std::size_t askers = 3, rounds = 100;

/// How the end of the actors and that of the runtime follow each other.
enum class stop_order : std::uint8_t {
  one_after_the_other,
  at_once, ///< the supervisor's stop is on its way when the gate closes
};

struct stop_case {
  bool caller_runs;
  stop_order order;
};

class stopping : public ::testing::TestWithParam<stop_case> {
protected:
  /// One life of a runtime with two supervised actors and threads that ask them, to the end.
  class life {
  public:
    explicit life(bool caller_runs) : rt{{.threads = 2, .caller_runs = caller_runs}} {
      rt.log().redirect(nullptr, log_level::off);
      supervisor_options options{.name = "stopped"};
      for (auto& home : homes) {
        child_spec spec{.id = home->name(), .address = home};
        spec.start = [home](start_context& context) -> result<caf::actor> {
          return context.system.spawn([home](caf::event_based_actor* self) {
            quiet(self);
            home->publish(self);
          });
        };
        options.children.push_back(std::move(spec));
      }
      root = supervisor::start(rt, std::move(options)).value();
      for (std::size_t t = 0; t < askers; ++t)
        threads.emplace_back([this, t] { ask_on_and_on(t); });
    }

    /// Asks until refused, and a little longer.
    void ask_on_and_on(std::size_t first) {
      for (std::size_t n = first, refusals = 0; refusals < 20; ++n) {
        ++asked;
        auto answer = ask_counted(homes[n % homes.size()], counts);
        if (answer)
          continue;
        ++refusals;
        EXPECT_EQ(answer.error(), errc::stopped) << answer.error().to_string();
      }
    }

    void stop(stop_order order) {
      auto stopped = root->stop().as_future();
      if (order == stop_order::one_after_the_other) {
        EXPECT_TRUE(stopped.get());
      }
      rt.stop();
      counts.over = true;
      if (order == stop_order::at_once) {
        EXPECT_TRUE(stopped.get());
      }
      auto late = ask_counted(homes[0], after_all);
      ASSERT_FALSE(late);
      EXPECT_EQ(late.error(), errc::stopped);
      threads.clear();
    }

    request_tally counts, after_all; ///< outlive what is destroyed with the runtime
    runtime rt;
    std::array<ref<address>, 2> homes{make_ref<address>(rt, "a"), make_ref<address>(rt, "b")};
    std::optional<supervisor> root;
    std::atomic<std::uint64_t> asked{0};
    std::vector<std::jthread> threads;
  };
};

TEST_P(stopping, a_runtime_answers_those_who_ask_and_runs_nothing_afterwards) {
  for (std::size_t round = 0; round < rounds; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    life all{GetParam().caller_runs};
    while (all.counts.ran < 1 + round % 50 * 10)
      std::this_thread::yield();
    all.stop(GetParam().order);
    EXPECT_EQ(all.counts.late, 0u) << "ran when stop had returned";
    EXPECT_EQ(all.counts.answered_once, all.asked);
    EXPECT_EQ(all.counts.answered_otherwise, 0u);
    EXPECT_EQ(all.after_all.ran, 0u);
    EXPECT_EQ(all.after_all.answered_once, 1u);
    if (HasFailure())
      return;
  }
}

INSTANTIATE_TEST_SUITE_P(
    , stopping,
    ::testing::Values(stop_case{true, stop_order::one_after_the_other},
                      stop_case{true, stop_order::at_once},
                      stop_case{false, stop_order::one_after_the_other},
                      stop_case{false, stop_order::at_once}),
    [](auto& param) {
      return std::string{param.param.caller_runs ? "caller_runs" : "by_message"} +
             (param.param.order == stop_order::at_once ? "_at_once" : "_one_after_the_other");
    });

} // namespace
} // namespace holdfast::testing
