#pragma once

#include <holdfast/runtime/caf.hpp>
#include <holdfast/runtime/detail/supervision_life.hpp>

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

namespace holdfast::detail {

struct announce_message {
  child_key key;
  std::uint64_t incarnation;
  std::shared_ptr<const result<void>> said;
};
struct wake_up_message {};
/// The orphans had their time.
struct begin_message {};

/// Turns messages into events of the rules, and the rules' actions into messages.
class supervisor_actor final : public caf::event_based_actor {
public:
  supervisor_actor(caf::actor_config& config, std::shared_ptr<supervisor_core> core,
                   std::shared_ptr<supervisor_life> life, std::vector<orphan> orphans,
                   std::function<void(result<void>)> announce)
      : caf::event_based_actor{config}, core_{std::move(core)}, life_{std::move(life)},
        orphans_{std::move(orphans)}, announce_{std::move(announce)} {}

  const char* name() const override { return "holdfast.supervisor"; }
  caf::behavior make_behavior() override;
  void on_exit() override;

private:
  struct watched {
    child_key key;
    std::uint64_t incarnation;
  };

  steady now() { return clock().now().time_since_epoch(); }
  std::string component() const { return "supervisor " + core_->options.name; }

  // supervision_actor.cpp: messages become events
  void begin();
  bool orphan_down(const caf::actor_addr& who);
  void arm();
  void call(supervisor_call& c);
  void announced(const announce_message& m);
  void child_down(const caf::down_msg& m);

  /// Gives the rules an event, then does what they say until they say nothing more.
  template <class F>
  void apply(F event) {
    std::vector<action> actions;
    {
      std::lock_guard lock{life_->mutex};
      event(life_->rules);
      actions = life_->rules.take_actions();
    }
    while (!actions.empty()) {
      for (auto& a : actions)
        std::visit([this](auto& act) { this->perform(act); }, a);
      std::lock_guard lock{life_->mutex};
      actions = life_->rules.take_actions();
    }
    arm();
  }

  // supervision_perform.cpp: actions become messages. Between `take_actions` and the next event
  // nobody but us changes the rules, so specs can be used without the lock.
  void perform(start_action& a);
  void perform(stop_action& a);
  void perform(abandon_action& a);
  void perform(mark_action& a);
  void perform(answer_action& a);
  void perform(event_action& a);
  void perform(forget_action& a);
  void perform(ready_action& a);
  void perform(finish_action& a);
  void probe(const caf::actor& child, const start_action& a);
  caf::actor handle_of(child_key key);

  std::shared_ptr<supervisor_core> core_;
  std::shared_ptr<supervisor_life> life_;
  std::vector<orphan> orphans_; ///< of the life before; while there are any, nothing is begun
  std::vector<std::shared_ptr<supervisor_call>> early_;
  bool begun_ = false;
  std::function<void(result<void>)> announce_;
  std::unordered_map<caf::actor_addr, watched> by_address_;
  std::optional<steady> woken_at_;
  request_id last_request_ = 0;
};

} // namespace holdfast::detail

HOLDFAST_LOCAL_MESSAGE(holdfast::detail::announce_message)
HOLDFAST_LOCAL_MESSAGE(holdfast::detail::wake_up_message)
HOLDFAST_LOCAL_MESSAGE(holdfast::detail::begin_message)
