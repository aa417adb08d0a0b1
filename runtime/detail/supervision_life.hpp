#pragma once

#include <holdfast/runtime/caf.hpp>
#include <holdfast/runtime/detail/subscriber_queue.hpp>
#include <holdfast/runtime/detail/supervision.hpp>
#include <holdfast/runtime/pending.hpp>
#include <holdfast/runtime/runtime.hpp>

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

namespace holdfast::detail {

/// A child whose supervisor has crashed.
struct orphan {
  caf::actor_addr at;
  ref<holdfast::address> address; ///< may be null
};

/// One life of a supervisor: its rules and the actors it holds. The supervisor's actor is the only
/// one that changes it; anybody may look at it under the mutex.
struct supervisor_life {
  supervisor_life(supervisor_options options, random_source& random)
      : rules{std::move(options), random} {}

  /// What is left when the actor ended: children that nobody watches any more, if it was killed,
  /// and callers that wait. The children are killed, as links do it in OTP. Idempotent.
  void clear_up();
  /// No life follows: the addresses of the children refuse what waits there for another one, and
  /// what comes. Nothing is left to do when it was stopped in order. Idempotent.
  void close_addresses();
  /// The children that `clear_up` killed. They may not have ended yet.
  std::vector<orphan> take_orphans();
  /// The supervisors among its children, also among those that it has not begun with.
  std::vector<std::shared_ptr<supervisor_core>> nested() const;

  mutable std::mutex mutex;
  supervision rules;
  std::unordered_map<child_key, caf::actor> children; ///< strong: an actor lives by its handles
  std::unordered_map<request_id, ref<operation<child_info>>> requests;
  std::vector<orphan> orphans;
  bool ended = false;
  bool closed = false; ///< by `close_addresses`
};

/// What a supervisor's handles share; outlives the lives of a nested supervisor.
struct supervisor_core {
  supervisor_core(runtime& r, supervisor_options o) : rt{r}, options{std::move(o)} {}

  runtime& rt;
  const supervisor_options options;
  bool nested = false; ///< there may be another life after this one

  mutable std::mutex mutex;
  std::condition_variable changed; ///< another life, or that none will come
  std::uint64_t lives = 0;
  bool over = false; ///< no life comes after this one
  caf::actor actor;  ///< of the current life; null when there is none
  std::shared_ptr<supervisor_life> life;
  std::weak_ptr<supervisor_core> parent;
  std::vector<std::weak_ptr<subscriber_queue>> subscribers;

  std::shared_ptr<supervisor_life> current() const {
    std::lock_guard lock{mutex};
    return life;
  }
  void begun(const std::shared_ptr<supervisor_life>& next, caf::actor by);
  void ended(const std::shared_ptr<supervisor_life>& which);
  /// Of one that nobody starts again, and with it of those below: it is over, or one above has
  /// forgotten its spec; then nothing happens if another has started it since.
  void end_for_good(const supervisor_core* forgotten_by = nullptr);
  /// Gives the event to the subscribers here and above.
  void publish(const std::shared_ptr<const supervision_event>& e);
};

/// A call on its way to the supervisor. Answered with `stopped` if it never arrives.
struct supervisor_call {
  using function = std::function<void(supervision&, steady now, request_id)>;

  supervisor_call(ref<operation<child_info>> o, function f)
      : op{std::move(o)}, apply{std::move(f)} {}
  supervisor_call(const supervisor_call&) = delete;
  supervisor_call& operator=(const supervisor_call&) = delete;
  ~supervisor_call();

  ref<operation<child_info>> op; ///< null once it is the supervisor's
  function apply;
};

struct call_message {
  std::shared_ptr<supervisor_call> call;
};

/// Starts a life of the supervisor. `announce` (may be empty) learns when all children are up. What
/// the last life left behind ends first. Error: `invalid_argument`, of `further_children`.
result<caf::actor> spawn_supervisor(const std::shared_ptr<supervisor_core>& core,
                                    std::function<void(result<void>)> announce);

} // namespace holdfast::detail

HOLDFAST_LOCAL_MESSAGE(holdfast::detail::call_message)
