// The rules against a model of OTP's, by random sequences of events on virtual time.

#include "supervision_model.hpp"

#include <holdfast/runtime/detail/supervision.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>

namespace holdfast::testing {
namespace {

using namespace std::chrono_literals;
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

/// The rules and the model side by side, through the same random events.
class contest {
public:
  contest(strategy how, std::uint64_t seed) : seed_{seed}, random_{seed}, how_{how} {
    model_.how = how;
    model_.budget = {random_.below(4), std::chrono::milliseconds{1000 + random_.below(3000)}};
    model_.auto_shutdown = static_cast<auto_shutdown>(random_.below(3));
    pattern_ = kid("t");
    world_.emplace(options(), random_);
    if (random_.below(8) == 0)
      model_.failing["b"] = world_->failing["b"] = 1;
  }

  void play() {
    model_.begin();
    world_->rules.begin(world_->now);
    world_->settle();
    for (int step = 0; step < 60 && !model_.ended; ++step) {
      const auto before = std::ssize(world_->trace);
      const auto did = event(std::string(1, char('a' + random_.below(8))));
      if (simple() && model_.ended)
        in_any_order(before);
      expect_equal("step " + std::to_string(step) + ": " + did);
      if (::testing::Test::HasFailure())
        return;
    }
    if (!model_.ended)
      stop();
  }

private:
  bool simple() const { return how_ == strategy::simple_one_for_one; }
  otp_model::kid kid(std::string id) {
    return random_kid(std::move(id), model_.auto_shutdown != auto_shutdown::never, random_);
  }
  supervisor_options options() {
    supervisor_options out{.strategy = how_,
                           .intensity = model_.budget.intensity,
                           .period = model_.budget.period,
                           .auto_shutdown = model_.auto_shutdown};
    if (simple())
      out.child_template = spec_of(pattern_);
    for (std::uint64_t i = 0; !simple() && i < random_.below(6); ++i) {
      model_.kids.push_back(kid(std::string(1, char('a' + i))));
      out.children.push_back(spec_of(model_.kids.back()));
    }
    return out;
  }

  /// What happens next, to that child if to any; says what it was.
  std::string event(const std::string& id) {
    switch (random_.below(10)) {
    case 0:
      start(id);
      return "start " + id;
    case 1:
      EXPECT_EQ(ask(&supervision::terminate_child, id), model_.terminate_child(id));
      return "terminate " + id;
    case 2:
      EXPECT_EQ(ask(&supervision::restart_child, id), model_.restart_child(id));
      return "restart " + id;
    case 3:
      EXPECT_EQ(ask(&supervision::delete_child, id), model_.delete_child(id));
      return "delete " + id;
    case 4: {
      auto times = static_cast<int>(1 + random_.below(3));
      model_.failing[id] = world_->failing[id] = times;
      return "fail " + id + " " + std::to_string(times) + " times";
    }
    case 5:
    case 6: {
      auto by = std::chrono::milliseconds{random_.below(4000)};
      world_->now += by;
      world_->settle();
      return "wait " + std::to_string(by.count());
    }
    default: {
      auto why = static_cast<exit_kind>(random_.below(4));
      world_->exited(id, why);
      model_.exited(id, why, world_->now);
      return "exit " + id + " " + std::string{to_string(why)};
    }
    }
  }
  void start(const std::string& id) {
    auto k = simple() ? pattern_ : kid(id);
    k.id = id;
    auto ours = world_->ask([&](request_id r) {
      if (simple())
        world_->rules.start_child(world_->now, r, dynamic_child{.id = id});
      else
        world_->rules.start_child(world_->now, r, spec_of(k));
    });
    EXPECT_EQ(ours, model_.start_child(k));
  }
  template <class Verb>
  bool ask(Verb verb, const std::string& id) {
    return world_->ask([&](request_id r) { (world_->rules.*verb)(world_->now, r, id); });
  }
  void stop() {
    EXPECT_TRUE(world_->ask([&](request_id r) { world_->rules.stop(world_->now, r, {}); }));
    const auto before = std::ssize(model_.trace);
    model_.shut_down();
    if (simple())
      in_any_order(before);
    EXPECT_EQ(world_->trace, model_.trace) << "seed " << seed_;
    EXPECT_TRUE(world_->live.empty());
  }

  /// Children that are stopped in parallel: the order is nobody's business.
  void in_any_order(std::ptrdiff_t from) {
    std::sort(world_->trace.begin() + from, world_->trace.end());
    std::sort(model_.trace.begin() + from, model_.trace.end());
  }
  void expect_equal(const std::string& when) {
    EXPECT_EQ(world_->trace, model_.trace) << "seed " << seed_ << ", " << when;
    EXPECT_EQ(picture(*world_), picture(model_)) << "seed " << seed_ << ", " << when;
    EXPECT_EQ(world_->rules.finished(), model_.ended) << "seed " << seed_ << ", " << when;
  }

  const std::uint64_t seed_;
  seeded_random random_;
  const strategy how_;
  otp_model model_;
  otp_model::kid pattern_; ///< of the children of a template
  std::optional<obedient_world> world_;
};

TEST_P(against_the_model, does_what_otp_does) {
  for (std::uint64_t seed = 0; seed < 3000; ++seed) {
    contest{GetParam(), seed}.play();
    if (HasFailure())
      return;
  }
}

INSTANTIATE_TEST_SUITE_P(strategies, against_the_model,
                         ::testing::Values(strategy::one_for_one, strategy::one_for_all,
                                           strategy::rest_for_one, strategy::simple_one_for_one),
                         [](auto& param) { return std::string{to_string(param.param)}; });

} // namespace
} // namespace holdfast::testing
