#pragma once

#include <holdfast/runtime/caf.hpp>
#include <holdfast/runtime/supervisor.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <future>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

/// Messages that tell a test's actor what to do.
struct crash_now {
  std::string why;
};
struct quit_now {
  caf::exit_reason reason = caf::exit_reason::normal;
};
struct hang_now {
  std::shared_ptr<std::promise<void>> entered, leave;
};
HOLDFAST_LOCAL_MESSAGE(crash_now)
HOLDFAST_LOCAL_MESSAGE(quit_now)
HOLDFAST_LOCAL_MESSAGE(hang_now)

namespace holdfast::testing {

/// A supervisor and its children on CAF's deterministic scheduler: one thread, virtual time.
class supervised : public ::testing::Test {
protected:
  using kind = supervision_event::kind;

  supervised() { rt.log().redirect(nullptr, log_level::off); }
  ~supervised() override {
    if (root)
      stop();
    for (auto& [id, left] : ignoring)
      caf::anon_send_exit(left, caf::exit_reason::kill);
    settle();
    EXPECT_EQ(rt.system().registry().running(), 0u) << "an actor was left behind";
  }

  /// A child that does what it is told. Its handle is in `actor` while it lives.
  child_spec child(std::string id, restart_type restart = restart_type::permanent) {
    child_spec spec{.id = id, .restart = restart};
    spec.start = [this](start_context& context) -> result<caf::actor> { return spawn(context); };
    return spec;
  }

  result<caf::actor> spawn(start_context& context) {
    auto& id = context.id;
    if (auto& failing = failing_starts[id]; failing > 0) {
      --failing;
      return fail(errc::io, "no luck today");
    }
    order.push_back("+" + id);
    auto handle = context.system.spawn([this, id](caf::event_based_actor* self) -> caf::behavior {
      quiet(self);
      self->attach_functor([this, id](const caf::error&) {
        order.push_back("-" + id);
        --living[id];
      });
      if (++living[id] > 1)
        ADD_FAILURE() << "two live incarnations of " << id;
      if (deaf.count(id) != 0)
        self->set_exit_handler([](caf::exit_msg&) {});
      return {[](const crash_now& c) { throw std::runtime_error(c.why); },
              [self](const quit_now& q) { self->quit(q.reason); }};
    });
    actor[id] = caf::actor_cast<caf::actor_addr>(handle);
    return handle;
  }

  /// Starts the supervisor; its children are up when this returns.
  void start(supervisor_options options) {
    options.on_event = [this](const supervision_event& e) { events.push_back(e); };
    auto started = supervisor::start(rt, std::move(options));
    ASSERT_TRUE(started) << started.error().to_string();
    root = *started;
    order.clear();
    events.clear();
  }

  void stop() {
    EXPECT_TRUE(wait(root->stop(std::chrono::seconds{1000})));
    settle();
    root.reset();
  }

  /// Runs what is ready; virtual time stands still.
  void settle() {
    while (rt.run_one()) {
    }
  }
  void pass(std::chrono::nanoseconds time) {
    settle();
    dynamic_cast<caf::scheduler::test_coordinator&>(rt.system().scheduler()).advance_time(time);
    settle();
  }
  /// Gets an answer, letting as much virtual time pass as it takes, at most 1000 s.
  result<child_info> wait(pending<child_info> p) {
    auto future = std::move(p).as_future();
    settle();
    for (int i = 0;
         i < 10'000 && future.wait_for(std::chrono::seconds{0}) != std::future_status::ready; ++i)
      pass(std::chrono::milliseconds{100});
    if (future.wait_for(std::chrono::seconds{0}) != std::future_status::ready)
      return fail(errc::timeout, "no answer in 1000 s of virtual time");
    return future.get();
  }

  template <class Message>
  void tell(const std::string& id, Message m) {
    if (auto to = caf::actor_cast<caf::actor>(actor[id]))
      caf::anon_send(to, std::move(m));
    settle();
  }
  void crash(const std::string& id) { tell(id, crash_now{"boom"}); }
  void end(const std::string& id, caf::exit_reason reason = caf::exit_reason::normal) {
    tell(id, quit_now{reason});
  }

  child_state state(const std::string& id) {
    auto info = root->child(id);
    return info ? info->state : child_state::stopped;
  }
  std::uint64_t incarnation(const std::string& id) {
    auto info = root->child(id);
    return info ? info->incarnation : 0;
  }
  bool knows(const std::string& id) { return root->child(id).has_value(); }
  std::size_t count(kind k) {
    return static_cast<std::size_t>(
        std::count_if(events.begin(), events.end(), [&](auto& e) { return e.what == k; }));
  }

  runtime rt{{.name = "test", .deterministic = true}};
  std::optional<supervisor> root;
  std::map<std::string, caf::actor_addr> actor;
  std::map<std::string, int> living;
  std::map<std::string, int> failing_starts; ///< how many of the next starts fail
  std::map<std::string, int> deaf;           ///< these ignore requests to end
  std::map<std::string, caf::actor> ignoring;
  std::vector<std::string> order; ///< "+a": a was started, "-a": a has ended
  std::vector<supervision_event> events;
};

} // namespace holdfast::testing
