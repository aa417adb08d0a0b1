// The rules against a model of OTP's, by random sequences of events on virtual time, and their
// invariants when starts and stops take their time, fail, or never come to an end.

#include "supervision_model.hpp"

#include <holdfast/runtime/detail/supervision.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace holdfast::testing {
namespace {

using namespace std::chrono_literals;
using detail::child_key;
using detail::request_id;
using detail::steady;
using detail::supervision;

child_spec spec_of(const otp_model::kid& k) {
  return {.id = k.id, .restart = k.restart, .significant = k.significant};
}

/// Plays the actors: does at once what the rules say.
class obedient_world {
public:
  obedient_world(supervisor_options options, random_source& random)
      : rules{std::move(options), random} {}

  supervision rules;
  steady now{0};
  std::map<std::string, int> failing;
  std::map<std::string, std::uint64_t> live;
  std::vector<std::string> trace;
  std::map<request_id, int> answers;
  std::map<request_id, bool> succeeded;
  request_id last_request = 0;

  /// Runs until nothing is left to do without time going by.
  void settle() {
    for (;;) {
      for (auto& a : rules.take_actions())
        std::visit([this](auto& act) { perform(act); }, a);
      if (!events_.empty()) {
        auto next = std::move(events_.front());
        events_.pop_front();
        next();
      } else if (auto due = rules.next_deadline(); due && *due <= now) {
        rules.advance(now);
      } else {
        return;
      }
    }
  }

  void exited(const std::string& id, exit_kind why) {
    if (live.erase(id) == 0)
      return;
    trace.push_back("-" + id);
    rules.child_exited(now, *rules.key_of(id), rules.child(now, id)->incarnation, {why, "test"});
    settle();
  }

  template <class F>
  bool ask(F f) {
    auto id = ++last_request;
    f(id);
    settle();
    EXPECT_EQ(answers[id], 1) << "request " << id;
    return succeeded[id];
  }

private:
  void perform(detail::start_action& a) {
    auto id = rules.spec(a.key)->id;
    if (failing[id] > 0) {
      --failing[id];
      events_.push_back([this, a] {
        rules.child_start_failed(now, a.key, a.incarnation, {exit_kind::crashed, "no luck"});
      });
      return;
    }
    EXPECT_TRUE(live.emplace(id, a.incarnation).second) << "two live incarnations of " << id;
    trace.push_back("+" + id);
    events_.push_back([this, a] { rules.child_ready(now, a.key, a.incarnation); });
  }
  void perform(detail::stop_action& a) {
    auto id = rules.spec(a.key)->id;
    EXPECT_EQ(live.erase(id), 1u);
    trace.push_back("-" + id);
    events_.push_back([this, a] {
      rules.child_exited(now, a.key, a.incarnation, {exit_kind::shutdown, {}});
    });
  }
  void perform(detail::answer_action& a) {
    ++answers[a.request];
    succeeded[a.request] = a.answer.has_value();
  }
  template <class Other>
  void perform(Other&) {}

  std::deque<std::function<void()>> events_;
};

/// What can be compared: id and whether there is an actor.
std::vector<std::string> picture(obedient_world& w) {
  std::vector<std::string> out;
  for (auto& c : w.rules.children(w.now))
    out.push_back(c.id + (w.live.count(c.id) ? " live" : " none"));
  return w.rules.finished() ? std::vector<std::string>{} : out;
}
std::vector<std::string> picture(otp_model& m) {
  std::vector<std::string> out;
  for (auto& k : m.kids)
    out.push_back(k.id + (k.state == otp_model::kid::pid::live ? " live" : " none"));
  return m.ended ? std::vector<std::string>{} : out;
}

otp_model::kid random_kid(std::string id, bool may_be_significant, random_source& random) {
  otp_model::kid k{std::move(id), static_cast<restart_type>(random.below(3))};
  k.significant =
      may_be_significant && k.restart != restart_type::permanent && random.below(3) == 0;
  return k;
}

class against_the_model : public ::testing::TestWithParam<strategy> {};

void play(strategy how, std::uint64_t seed) {
  seeded_random random{seed};
  otp_model model;
  model.how = how;
  model.budget = {random.below(4), std::chrono::milliseconds{1000 + random.below(3000)}};
  model.auto_shutdown = static_cast<auto_shutdown>(random.below(3));
  auto may_be_significant = model.auto_shutdown != auto_shutdown::never;
  supervisor_options options{.strategy = how,
                             .intensity = model.budget.intensity,
                             .period = model.budget.period,
                             .auto_shutdown = model.auto_shutdown};
  auto simple = how == strategy::simple_one_for_one;
  auto pattern = random_kid("t", may_be_significant, random);
  if (simple)
    options.child_template = spec_of(pattern);
  for (std::uint64_t i = 0; !simple && i < random.below(6); ++i) {
    model.kids.push_back(random_kid(std::string(1, char('a' + i)), may_be_significant, random));
    options.children.push_back(spec_of(model.kids.back()));
  }
  obedient_world world{options, random};
  if (random.below(8) == 0)
    model.failing["b"] = world.failing["b"] = 1;
  model.begin();
  world.rules.begin(world.now);
  world.settle();

  for (int step = 0; step < 60; ++step) {
    std::string id(1, char('a' + random.below(8)));
    std::string did;
    auto before = std::ssize(world.trace);
    switch (random.below(10)) {
    case 0: {
      auto k = simple ? pattern : random_kid(id, may_be_significant, random);
      k.id = id;
      did = "start " + id;
      auto ours = world.ask([&](request_id r) {
        if (simple)
          world.rules.start_child(world.now, r, dynamic_child{.id = id});
        else
          world.rules.start_child(world.now, r, spec_of(k));
      });
      EXPECT_EQ(ours, model.start_child(k));
      break;
    }
    case 1:
      did = "terminate " + id;
      EXPECT_EQ(world.ask([&](request_id r) { world.rules.terminate_child(world.now, r, id); }),
                model.terminate_child(id));
      break;
    case 2:
      did = "restart " + id;
      EXPECT_EQ(world.ask([&](request_id r) { world.rules.restart_child(world.now, r, id); }),
                model.restart_child(id));
      break;
    case 3:
      did = "delete " + id;
      EXPECT_EQ(world.ask([&](request_id r) { world.rules.delete_child(world.now, r, id); }),
                model.delete_child(id));
      break;
    case 4: {
      auto times = static_cast<int>(1 + random.below(3));
      did = "fail " + id + " " + std::to_string(times) + " times";
      model.failing[id] = world.failing[id] = times;
      break;
    }
    case 5:
    case 6: {
      auto by = std::chrono::milliseconds{random.below(4000)};
      did = "wait " + std::to_string(by.count());
      world.now += by;
      world.settle();
      break;
    }
    default: {
      auto why = static_cast<exit_kind>(random.below(4));
      did = "exit " + id + " " + std::string{to_string(why)};
      world.exited(id, why);
      model.exited(id, why, world.now);
    }
    }
    if (simple && model.ended) { // stopped in parallel: the order is nobody's business
      std::sort(world.trace.begin() + before, world.trace.end());
      std::sort(model.trace.begin() + before, model.trace.end());
    }
    ASSERT_EQ(world.trace, model.trace) << "seed " << seed << ", step " << step << ": " << did;
    ASSERT_EQ(picture(world), picture(model))
        << "seed " << seed << ", step " << step << ": " << did;
    ASSERT_EQ(world.rules.finished(), model.ended) << "seed " << seed << ", step " << step;
    if (model.ended)
      return;
  }
  EXPECT_TRUE(world.ask([&](request_id r) { world.rules.stop(world.now, r, {}); }));
  auto before = std::ssize(model.trace);
  model.shut_down();
  if (simple) {
    std::sort(world.trace.begin() + before, world.trace.end());
    std::sort(model.trace.begin() + before, model.trace.end());
  }
  EXPECT_EQ(world.trace, model.trace) << "seed " << seed;
  EXPECT_TRUE(world.live.empty());
}

TEST_P(against_the_model, does_what_otp_does) {
  for (std::uint64_t seed = 0; seed < 3000; ++seed) {
    play(GetParam(), seed);
    if (HasFailure())
      return;
  }
}

INSTANTIATE_TEST_SUITE_P(strategies, against_the_model,
                         ::testing::Values(strategy::one_for_one, strategy::one_for_all,
                                           strategy::rest_for_one, strategy::simple_one_for_one),
                         [](auto& param) { return std::string{to_string(param.param)}; });

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

void play_unruly(strategy how, std::uint64_t seed) {
  seeded_random random{seed};
  supervisor_options options{.strategy = how,
                             .intensity = 1 + random.below(8),
                             .period = std::chrono::milliseconds{50 + random.below(100)},
                             .kill_grace = 20ms};
  auto simple = how == strategy::simple_one_for_one;
  auto plain = seed % 2 == 0; ///< no delays, no budgets but the supervisor's
  auto make = [&](std::string id) {
    child_spec spec{.id = std::move(id),
                    .restart = static_cast<restart_type>(random.below(3)),
                    .shutdown = random.below(4) == 0 ? shutdown_policy::brutal_kill()
                                                     : shutdown_policy::timeout(30ms),
                    .init_timeout = 60ms};
    if (!plain && random.below(2) == 0)
      spec.backoff = backoff_options{.min = 5ms, .max = 50ms};
    if (!plain && random.below(3) == 0 && (simple || how == strategy::one_for_one))
      spec.budget = child_budget{
          .intensity = 2, .period = 100ms, .revive_after = random.below(2) == 0 ? 0ms : 40ms};
    return spec;
  };
  if (simple)
    options.child_template = make("t");
  for (int i = 0; !simple && i < 4; ++i)
    options.children.push_back(make(std::string(1, char('a' + i))));
  unruly_world world{options, random};
  world.rules.begin(world.now);
  for (int i = 0; i < 80 && !world.rules.finished(); ++i) {
    std::string id(1, char('a' + random.below(6)));
    switch (random.below(9)) {
    case 0:
      if (simple)
        world.rules.start_child(world.now, ++world.asked, dynamic_child{.id = id});
      else
        world.rules.start_child(world.now, ++world.asked, make(id));
      break;
    case 1:
      world.rules.terminate_child(world.now, ++world.asked, id);
      break;
    case 2:
      world.rules.restart_child(world.now, ++world.asked, id);
      break;
    case 3:
      world.rules.delete_child(world.now, ++world.asked, id);
      break;
    case 4:
      world.rules.revive(world.now, ++world.asked, id);
      break;
    case 5:
      world.rules.await_up(world.now, ++world.asked);
      break;
    default:
      if (auto it = world.live.find(id); it != world.live.end())
        if (auto key = world.rules.key_of(id))
          world.exit_soon(*key, it->second, static_cast<exit_kind>(random.below(4)));
    }
    world.run(world.now + std::chrono::milliseconds{random.below(30)});
  }
  std::optional<steady> deadline;
  if (random.below(2) == 0)
    deadline = world.now + 25ms;
  world.rules.stop(world.now, ++world.asked, deadline);
  world.run(world.now + 10s);

  ASSERT_TRUE(world.rules.finished()) << "seed " << seed;
  EXPECT_FALSE(world.rules.next_deadline() && *world.rules.next_deadline() < world.now);
  EXPECT_TRUE(world.live.empty()) << "seed " << seed;
  for (auto& left : world.rules.children(world.now))
    EXPECT_EQ(left.state, child_state::stopped) << "seed " << seed << ", child " << left.id;
  for (request_id id = 1; id <= world.asked; ++id)
    ASSERT_EQ(world.answers[id], 1) << "seed " << seed << ", request " << id;
  if (!simple) {
    EXPECT_TRUE(std::is_sorted(world.stopped_at_the_end.rbegin(), world.stopped_at_the_end.rend()))
        << "seed " << seed;
  }
  auto one_at_a_time = simple || how == strategy::one_for_one;
  for (std::size_t i = world.budget.intensity; plain && one_at_a_time && i < world.restarts.size();
       ++i)
    EXPECT_GT(world.restarts[i] - world.restarts[i - world.budget.intensity], world.budget.period)
        << "more than " << world.budget.intensity << " restarts in a period, seed " << seed;
}

class unruly_children : public ::testing::TestWithParam<strategy> {};

TEST_P(unruly_children, break_no_invariant) {
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    play_unruly(GetParam(), seed);
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
