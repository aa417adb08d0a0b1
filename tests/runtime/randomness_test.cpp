#include "supervised_actors.hpp"

#include <chrono>
#include <vector>

namespace holdfast {
namespace {

using namespace std::chrono_literals;

/// How long a supervisor waits before each restart of a child that soon ends again.
std::vector<std::chrono::milliseconds> delays(std::uint64_t seed) {
  seeded_random random{seed};
  runtime rt{{.name = "test", .deterministic = true, .random = &random}};
  std::vector<std::chrono::milliseconds> out;
  auto ends = [](start_context& context) -> result<caf::actor> {
    return context.system.spawn([](caf::event_based_actor* self) -> caf::behavior {
      quiet(self);
      self->delayed_send(self, 1ms, quit_now{});
      return {[self](const quit_now& q) { self->quit(q.reason); }};
    });
  };
  rt.log().redirect(nullptr, log_level::off);
  auto root = supervisor::launch(
      rt, {.intensity = 100,
           .children = {{.id = "a",
                         .start = ends,
                         .backoff = backoff_options{.min = 1s, .max = 64s, .jitter = 0.5}}},
           .on_event = [&](const supervision_event& e) {
             if (e.what == supervision_event::kind::child_restarting)
               out.push_back(e.delay);
           }});
  auto settle = [&] {
    while (rt.run_one()) {
    }
  };
  settle();
  for (int i = 0; i < 5; ++i) {
    dynamic_cast<caf::scheduler::test_coordinator&>(rt.system().scheduler()).advance_time(100s);
    settle();
  }
  auto stopped = root.value().stop().as_future();
  settle();
  return out;
}

TEST(supervisors_of_a_runtime, draw_the_jitter_of_their_delays_from_its_randomness) {
  const auto first = delays(7);
  ASSERT_GE(first.size(), 3u);
  EXPECT_EQ(delays(7), first);
  EXPECT_NE(delays(8), first);
}

} // namespace
} // namespace holdfast
