#pragma once

#include <holdfast/runtime/caf.hpp>

namespace holdfast::detail {

/// The execution unit with which a plain thread runs the one actor it has just sent to.
///
/// While armed for an actor it captures that actor's job instead of scheduling it; everything else
/// that the actor schedules meanwhile goes to the workers. Owned by the runtime, one per thread:
/// an actor keeps a pointer to the unit it last ran on.
class caller_unit final : public caf::execution_unit {
public:
  explicit caller_unit(caf::actor_system* system) : execution_unit{system} {}
  ~caller_unit() override;

  void exec_later(caf::resumable* what) override;

  void arm(caf::resumable* target) noexcept { armed_ = target; }
  /// Runs the captured actor, if any: at most `budget` messages, the rest goes to the workers.
  void run_captured(std::size_t budget);
  /// Runs an actor whose right to run this thread holds, with one reference already added.
  void run(caf::resumable* what, std::size_t budget);

private:
  caf::resumable* armed_ = nullptr;
  caf::resumable* captured_ = nullptr;
};

/// Marks the current thread as running an actor, for a scope.
class actor_scope {
public:
  actor_scope() noexcept { ++depth(); }
  actor_scope(const actor_scope&) = delete;
  actor_scope& operator=(const actor_scope&) = delete;
  ~actor_scope() { --depth(); }
  static int& depth() noexcept {
    static thread_local int value = 0;
    return value;
  }
};

} // namespace holdfast::detail
