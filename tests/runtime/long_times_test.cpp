// Times of any length: those that one waits may be for ever, those of a supervisor have limits, and
// none overflows.
#include "supervised_actors.hpp"

#include <holdfast/runtime/time_limit.hpp>

#include <thread>

namespace holdfast::testing {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;
using ::testing::HasSubstr;

/// Is answered by another thread, a while after it was asked.
class slow_answer final : public operation<int> {
public:
  using operation<int>::operation;
  void start() override {
    answering_ = std::jthread{[this] {
      (void)never_.get_future().wait_for(20ms);
      complete(7);
    }};
  }
  void run() override {}

private:
  std::promise<void> never_;
  std::jthread answering_;
};

TEST(a_wait, may_be_for_ever) {
  runtime rt;
  auto answer =
      pending<int>{ref<operation<int>>{make_ref<slow_answer>(rt)}}.get(milliseconds::max());
  EXPECT_EQ(answer, 7) << "and not a timeout at once";
}

TEST(a_wait, may_be_over_for_ever) {
  EXPECT_LT(end_of_wait(milliseconds::min()), std::chrono::steady_clock::now());
  EXPECT_GT(end_of_wait(milliseconds::max()), std::chrono::steady_clock::now() + 24h * 365 * 99);
}

struct times_of_a_spec : supervised {
  std::string told(child_spec spec) {
    auto ok = check_specs({.name = "s", .children = {std::move(spec)}});
    if (ok)
      return "nothing";
    EXPECT_EQ(ok.error(), errc::invalid_argument);
    return ok.error().message();
  }
};

TEST_F(times_of_a_spec, are_refused_with_the_limit_when_they_make_no_sense) {
  const std::pair<std::function<void(child_spec&)>, const char*> table[] = {
      {[](auto& s) { s.init_timeout = 0ms; }, "init_timeout 0 ms is below the minimum 1 ms"},
      {[](auto& s) { s.init_timeout = -5ms; }, "init_timeout -5 ms is below the minimum 1 ms"},
      {[](auto& s) { s.init_timeout = milliseconds::max(); }, "above the maximum 3153600000000 ms"},
      {[](auto& s) { s.shutdown = shutdown_policy::timeout(-1ms); }, "shutdown -1 ms"},
      {[](auto& s) { s.shutdown = shutdown_policy::timeout(milliseconds::max()); },
       "shutdown 9223372036854775807 ms is above the maximum"},
      {[](auto& s) { s.backoff = backoff_options{.min = 0ms}; }, "backoff.min 0 ms"},
      {[](auto& s) { s.backoff = backoff_options{.min = 5ms, .max = 4ms}; },
       "backoff.max 4 ms is below the minimum 5 ms"},
      {[](auto& s) { s.backoff = backoff_options{.max = milliseconds::max()}; }, "backoff.max"},
      {[](auto& s) { s.backoff = backoff_options{.reset_after = milliseconds::max()}; },
       "backoff.reset_after"},
      {[](auto& s) { s.backoff = backoff_options{.jitter = 1.5}; },
       "backoff.jitter 1.500000 is not within 0 and 1"},
      {[](auto& s) { s.budget = child_budget{.period = 0ms}; }, "budget.period 0 ms"},
      {[](auto& s) { s.budget = child_budget{.period = milliseconds::max()}; }, "budget.period"},
      {[](auto& s) { s.budget = child_budget{.revive_after = -1ms}; }, "budget.revive_after -1 ms"},
  };
  for (auto& [change, what] : table) {
    auto spec = child("a");
    change(spec);
    EXPECT_THAT(told(spec), HasSubstr(what));
    EXPECT_THAT(told(spec), HasSubstr("child spec \"a\"")) << "the place";
  }
  auto kill_at_once = child("a");
  kill_at_once.shutdown = shutdown_policy::brutal_kill();
  EXPECT_EQ(told(kill_at_once), "nothing");
  EXPECT_THAT(check_specs({.name = "s", .period = 0ms}).error().message(),
              HasSubstr("supervisor \"s\": period 0 ms is below the minimum 1 ms"));
  EXPECT_THAT(check_specs({.name = "s", .kill_grace = milliseconds::max()}).error().message(),
              HasSubstr("kill_grace"));
}

TEST_F(times_of_a_spec, of_a_hundred_years_are_waited_for) {
  auto spec = child("a");
  spec.init_timeout = longest_time;
  spec.shutdown = shutdown_policy::timeout(longest_time);
  spec.backoff =
      backoff_options{.min = longest_time, .max = longest_time, .reset_after = longest_time};
  spec.budget = child_budget{.period = longest_time, .revive_after = longest_time};
  start({.period = longest_time, .children = {spec}, .kill_grace = longest_time});
  crash("a");
  pass(24h * 365 * 10);
  EXPECT_EQ(state("a"), child_state::restarting);
  EXPECT_TRUE(wait(root->stop(milliseconds::max())));
  root.reset();
}

} // namespace
} // namespace holdfast::testing
