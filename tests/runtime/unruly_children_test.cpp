// The invariants of the rules when starts and stops take their time, fail, or never come to an end,
// by random sequences of events on virtual time.

#include <holdfast/runtime/detail/supervision.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace holdfast::testing {
namespace {

using namespace std::chrono_literals;
using detail::child_key;
using detail::request_id;
using detail::steady;
using detail::supervision;

/// Plays actors that take their time: starts and stops are slow, fail, hang or never end.
class unruly_world {
public:
  unruly_world(supervisor_options options, random_source& r)
      : random{r}, budget{options.intensity, options.period}, rules{std::move(options), r} {}

  random_source& random;
  restart_budget budget;
  supervision rules;
  steady now{0};
  std::map<std::string, std::uint64_t> live;
  std::multimap<steady, std::function<void()>> later;
  std::map<request_id, int> answers;
  request_id asked = 0;
  std::vector<steady> restarts;
  std::vector<child_key> stopped_at_the_end;

  void take() {
    for (auto& a : rules.take_actions())
      std::visit([this](auto& act) { perform(act); }, a);
    while (restarts.size() < rules.counters().restarts)
      restarts.push_back(now);
  }

  /// Goes to the next moment at which something happens, at most to `until`.
  bool step(steady until) {
    take();
    auto next = until;
    if (auto due = rules.next_deadline())
      next = std::min(next, std::max(*due, now));
    if (!later.empty())
      next = std::min(next, std::max(later.begin()->first, now));
    now = next;
    if (!later.empty() && later.begin()->first <= now) {
      auto f = std::move(later.begin()->second);
      later.erase(later.begin());
      f();
    } else if (auto due = rules.next_deadline(); due && *due <= now) {
      rules.advance(now);
    } else {
      return false;
    }
    take();
    return true;
  }
  void run(steady until) {
    while (step(until)) {
    }
  }

  void exit_soon(child_key key, std::uint64_t incarnation, exit_kind why) {
    after([this, key, incarnation, why] {
      if (auto it = live.find(names_[key]); it != live.end() && it->second == incarnation)
        live.erase(it);
      rules.child_exited(now, key, incarnation, {why, "test"});
    });
  }

private:
  void after(std::function<void()> f) {
    later.emplace(now + std::chrono::milliseconds{random.below(40)}, std::move(f));
  }
  void perform(detail::start_action& a) {
    auto id = names_[a.key] = rules.spec(a.key)->id;
    auto luck = random.below(rules.up() ? 10 : 80);
    if (luck == 0) {
      after([this, a] {
        rules.child_start_failed(now, a.key, a.incarnation, {exit_kind::crashed, "no luck"});
      });
      return;
    }
    EXPECT_TRUE(live.emplace(id, a.incarnation).second) << "two live incarnations of " << id;
    if (luck == 1)
      return; // its init hangs
    if (luck == 2)
      return exit_soon(a.key, a.incarnation, exit_kind::crashed);
    after([this, a] { rules.child_ready(now, a.key, a.incarnation); });
  }
  void perform(detail::stop_action& a) {
    if (rules.stopping() && !a.kill)
      stopped_at_the_end.push_back(a.key);
    auto luck = random.below(10);
    if (luck < (a.kill ? 1 : 3))
      return; // deaf, or stuck
    exit_soon(a.key, a.incarnation, a.kill ? exit_kind::killed : exit_kind::shutdown);
  }
  void perform(detail::abandon_action& a) { live.erase(names_[a.key]); }
  void perform(detail::answer_action& a) { ++answers[a.request]; }
  template <class Other>
  void perform(Other&) {}

  std::map<child_key, std::string> names_;
};

/// Random events among unruly children, and what must hold in the end.
class riot {
public:
  riot(strategy how, std::uint64_t seed)
      : seed_{seed}, random_{seed}, how_{how}, plain_{seed % 2 == 0}, world_{options(), random_} {}

  void play() {
    world_.rules.begin(world_.now);
    for (int i = 0; i < 80 && !world_.rules.finished(); ++i) {
      event(std::string(1, char('a' + random_.below(6))));
      world_.run(world_.now + std::chrono::milliseconds{random_.below(30)});
    }
    std::optional<steady> deadline;
    if (random_.below(2) == 0)
      deadline = world_.now + 25ms;
    world_.rules.stop(world_.now, ++world_.asked, deadline);
    world_.run(world_.now + 10s);
    expect_the_end();
    expect_order_and_budget();
  }

private:
  bool simple() const { return how_ == strategy::simple_one_for_one; }
  supervisor_options options() {
    supervisor_options out{.strategy = how_,
                           .intensity = 1 + random_.below(8),
                           .period = std::chrono::milliseconds{50 + random_.below(100)},
                           .kill_grace = 20ms};
    if (simple())
      out.child_template = child("t");
    for (int i = 0; !simple() && i < 4; ++i)
      out.children.push_back(child(std::string(1, char('a' + i))));
    return out;
  }
  child_spec child(std::string id) {
    child_spec spec{.id = std::move(id),
                    .restart = static_cast<restart_type>(random_.below(3)),
                    .shutdown = random_.below(4) == 0 ? shutdown_policy::brutal_kill()
                                                      : shutdown_policy::timeout(30ms),
                    .init_timeout = 60ms};
    if (!plain_ && random_.below(2) == 0)
      spec.backoff = backoff_options{.min = 5ms, .max = 50ms};
    if (!plain_ && random_.below(3) == 0 && (simple() || how_ == strategy::one_for_one))
      spec.budget = child_budget{
          .intensity = 2, .period = 100ms, .revive_after = random_.below(2) == 0 ? 0ms : 40ms};
    return spec;
  }

  void event(const std::string& id) {
    auto& rules = world_.rules;
    const auto now = world_.now;
    switch (random_.below(9)) {
    case 0:
      if (simple())
        return rules.start_child(now, ++world_.asked, dynamic_child{.id = id});
      return rules.start_child(now, ++world_.asked, child(id));
    case 1:
      return rules.terminate_child(now, ++world_.asked, id);
    case 2:
      return rules.restart_child(now, ++world_.asked, id);
    case 3:
      return rules.delete_child(now, ++world_.asked, id);
    case 4:
      return rules.revive(now, ++world_.asked, id);
    case 5:
      return rules.await_up(now, ++world_.asked);
    default:
      if (auto it = world_.live.find(id); it != world_.live.end())
        if (auto key = rules.key_of(id))
          world_.exit_soon(*key, it->second, static_cast<exit_kind>(random_.below(4)));
    }
  }

  /// All has stopped, and every request got one answer.
  void expect_the_end() {
    auto& rules = world_.rules;
    ASSERT_TRUE(rules.finished()) << "seed " << seed_;
    EXPECT_FALSE(rules.next_deadline() && *rules.next_deadline() < world_.now);
    EXPECT_TRUE(world_.live.empty()) << "seed " << seed_;
    for (auto& left : rules.children(world_.now))
      EXPECT_EQ(left.state, child_state::stopped) << "seed " << seed_ << ", child " << left.id;
    for (request_id id = 1; id <= world_.asked; ++id)
      ASSERT_EQ(world_.answers[id], 1) << "seed " << seed_ << ", request " << id;
  }
  void expect_order_and_budget() {
    auto& last = world_.stopped_at_the_end;
    if (!simple()) {
      EXPECT_TRUE(std::is_sorted(last.rbegin(), last.rend())) << "seed " << seed_;
    }
    if (!plain_ || !(simple() || how_ == strategy::one_for_one))
      return;
    const auto& at = world_.restarts;
    const auto& budget = world_.budget;
    for (std::size_t i = budget.intensity; i < at.size(); ++i)
      EXPECT_GT(at[i] - at[i - budget.intensity], budget.period)
          << "more than " << budget.intensity << " restarts in a period, seed " << seed_;
  }

  const std::uint64_t seed_;
  seeded_random random_;
  const strategy how_;
  const bool plain_; ///< no delays, no budgets but the supervisor's
  unruly_world world_;
};

class unruly_children : public ::testing::TestWithParam<strategy> {};

TEST_P(unruly_children, break_no_invariant) {
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    riot{GetParam(), seed}.play();
    if (HasFailure())
      return;
  }
}

INSTANTIATE_TEST_SUITE_P(strategies, unruly_children,
                         ::testing::Values(strategy::one_for_one, strategy::one_for_all,
                                           strategy::rest_for_one, strategy::simple_one_for_one),
                         [](auto& param) { return std::string{to_string(param.param)}; });

} // namespace
} // namespace holdfast::testing
