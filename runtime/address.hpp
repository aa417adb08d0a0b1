#pragma once

#include <holdfast/runtime/error.hpp>
#include <holdfast/runtime/job.hpp>
#include <holdfast/runtime/ref.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace caf {
class event_based_actor;
class execution_unit;
} // namespace caf

namespace holdfast {

class runtime;

/// Where an actor stands, as its address knows it.
enum class address_state : std::uint8_t {
  starting, ///< not up yet: jobs wait
  up,
  restarting,  ///< crashed, a new incarnation is on its way: jobs wait
  quarantined, ///< crashed too often: jobs are refused with `unavailable` until revived
  stopped,     ///< gone for good: jobs are refused
};
std::string_view to_string(address_state s) noexcept;

/// The stable, logical address of a supervised actor: it survives restarts, so a handle that holds
/// an address never dies with an actor. Three parties use it:
///   - callers `submit` jobs;
///   - the actor calls `publish` when it is ready, from its own init;
///   - the supervisor says `starting`, `down`, `quarantined`, `stopped`.
/// Jobs submitted while the actor is down wait in a bounded stash and run on the next incarnation.
/// Past the runtime's `stash_limit` there, or its `mailbox_limit` in the mailbox of a busy actor,
/// jobs are refused with `overloaded`; what the system itself sends to the actor is exempt.
///
/// Thread-safe. Outlives its actors; must not outlive its runtime's last caller.
class address final : public ref_counted {
public:
  address(runtime& rt, std::string name);
  ~address() override;

  const std::string& name() const noexcept { return name_; }
  runtime& owner() const noexcept { return runtime_; }

  // -- for callers

  /// Hands a job to the actor. When the actor is idle and the runtime lets callers run actors, the
  /// job runs here and now, on this thread; when it is busy and has no mail, the caller waits for
  /// it to become idle, asleep and for about 1.5 ms at most; else the job is queued in the actor's
  /// mailbox or in the stash. A refusal is told through `job::reject`.
  void submit(ref<job> work);
  /// The same, but it does not run on this thread: while the actor is up, it is queued in its
  /// mailbox.
  void mail(ref<job> work);

  address_state state() const noexcept;
  /// Why jobs are refused: `unavailable` in quarantine, `stopped`. O(1), no lock while it is up.
  std::optional<error> refused() const;
  /// How often an incarnation has been published.
  std::uint64_t incarnations() const noexcept;
  /// Jobs in the stash and in the mailbox.
  std::size_t waiting() const;
  /// Why the last incarnation went down; empty if none did.
  std::string last_failure() const;

  // -- for the actor

  /// Makes `self` the receiver of jobs and its behaviour that of running them: call it as the last
  /// step of the actor's init. The state becomes `up` and the stash is handed over.
  void publish(caf::event_based_actor* self);

  // -- for the supervisor

  void starting();
  void down(error reason);
  void quarantined(error reason, std::chrono::milliseconds retry_after);
  void stopped(error reason);
  /// The actor of this id is stuck and was given up: it cannot publish any more, and jobs in its
  /// mailbox go to the next incarnation. What it is running just now cannot be stopped.
  void fence(std::uint64_t actor);

private:
  friend struct detail::incarnation;
  friend struct detail::job_message;

  /// A mailbox element was destroyed while its job was still queued: the actor died before it.
  void bounced(ref<job> work, detail::incarnation* from);
  void retract(detail::incarnation* dead, std::string_view why) noexcept;
  void leave(address_state to, error reason, std::chrono::milliseconds retry_after);
  void park(ref<job> work);
  void send(ref<job> work, detail::incarnation& life, caf::execution_unit* unit);
  error refusal() const;

  runtime& runtime_;
  const std::string name_;
  std::atomic<detail::incarnation*> current_{nullptr};
  std::atomic<std::size_t> mailed_{0}; ///< jobs in the mailboxes of its incarnations
  mutable std::mutex mutex_;
  address_state state_ = address_state::starting;
  std::uint64_t incarnations_ = 0;
  std::string failure_;
  std::string reason_;
  std::chrono::milliseconds retry_after_{0};
  std::deque<ref<job>> stash_;
  std::vector<std::uint64_t> fenced_;
  std::vector<std::unique_ptr<detail::incarnation>> all_; ///< the current one and those in grace
};

} // namespace holdfast
