#pragma once

#include <holdfast/runtime/clock.hpp>
#include <holdfast/runtime/executor.hpp>
#include <holdfast/runtime/gate.hpp>
#include <holdfast/runtime/log.hpp>
#include <holdfast/runtime/random.hpp>
#include <holdfast/runtime/result.hpp>

#include <functional>
#include <memory>
#include <string>

namespace caf {
class actor_system;
class actor_system_config;
} // namespace caf

namespace holdfast {

namespace detail {
class caller_unit;
}

/// How a runtime is made. All have defaults that fit a service.
struct runtime_options {
  std::string name = "holdfast";
  /// CAF worker threads; 0: one per core. Ignored when the actor system is the user's.
  unsigned threads = 0;
  /// Threads for users' callbacks, one at least; and how many there may be when callbacks block.
  unsigned callback_threads = 1;
  unsigned most_callback_threads = 64;
  /// Lets a blocking caller run an idle actor itself, instead of waking a worker (about 60 ns
  /// instead of 3 to 50 us). Off under `deterministic`.
  bool caller_runs = true;
  /// Jobs that may wait in the mailbox of a busy actor, and for one that is being restarted; past
  /// either, `overloaded`.
  std::size_t mailbox_limit = 65'536;
  std::size_t stash_limit = 4096;
  /// CAF's testing scheduler: one thread, virtual time, jobs run only when asked to. For tests.
  bool deterministic = false;
  /// Where the time comes from; null: the machine's clock. Must outlive the runtime.
  ///
  /// It decides: the time that commits, records, deadlines and logs have, whether the time of a
  /// transaction or of its right of way is over. It measures: restores, and the intervals of
  /// statistics. Threads that sleep - for an answer, a busy bucket, room, the disk; the writer for
  /// company - do so in the machine's time, at most for what is left by this clock: a test that
  /// stops it does not stop them. What actors do after a while (restarts, back-off, revival, the
  /// purge) follows the actor system's clock, which is virtual under `deterministic`.
  class clock* clock = nullptr;
  /// Where random numbers come from, for the identifiers of records and the jitter of back-offs;
  /// null: the machine's, which costs no thread anything of another. Must outlive the runtime.
  random_source* random = nullptr;
};

/// The ground that actors stand on: an actor system (its own, or the user's), the gate that callers
/// pass, the executor for callbacks, the clock, chance. Create one per process, or one per store.
///
/// Thread-safe but for construction and `stop`. Stop order: the gate closes and callers leave, then
/// actors end, then the callbacks that are queued run, then the system goes.
class runtime {
public:
  explicit runtime(runtime_options options = {});
  /// Stands on an actor system of the user's, which must outlive the runtime, and whose
  /// configuration went through `prepare` before. It goes on when the runtime has stopped.
  runtime(caf::actor_system& theirs, runtime_options options);
  /// Sets what a runtime needs of an actor system: idle workers that sleep at once (else a wake-up
  /// costs 56 us instead of 8), fair turns, and a mark on its threads, so that a blocking wait
  /// inside any of its actors is refused instead of hanging.
  static void prepare(caf::actor_system_config& config);
  runtime(const runtime&) = delete;
  runtime& operator=(const runtime&) = delete;
  ~runtime();

  /// Ends what runs: closes the gate, waits for callers and actors to leave, runs the callbacks
  /// that are queued. Supervisors are stopped before. Of a user's system it waits for the actors
  /// that supervisors started and those behind addresses. Afterwards jobs are refused with
  /// `stopped`.
  /// Idempotent; not from an actor or a callback. The destructor does it too.
  void stop();

  /// Not after `stop`.
  caf::actor_system& system() noexcept;
  class clock& clock() const noexcept {
    return *clock_;
  }
  random_source& random() const noexcept { return *random_; }
  class gate& gate() noexcept {
    return gate_;
  }
  class executor& executor() noexcept {
    return executor_;
  }
  /// The hook through which everything on this runtime logs; redirect it to a log of your own.
  logger& log() noexcept { return log_; }
  const runtime_options& options() const noexcept { return options_; }
  bool caller_runs() const noexcept { return options_.caller_runs; }

  /// Under the deterministic scheduler, runs one job of the actors; false when there is none (then
  /// virtual time must advance). Always false otherwise.
  bool run_one();

  /// True on a thread that is running an actor just now: there, nothing may block.
  static bool inside_actor() noexcept;

  /// Counts an actor as this runtime's until the last copy goes, so that `stop` waits for it. Null
  /// on a system of our own, whose end waits for all actors.
  std::shared_ptr<void> presence();

  /// The execution unit with which this thread runs actors; lives as long as the runtime.
  detail::caller_unit& unit();

private:
  struct system_state;
  runtime_options options_;
  class clock* clock_;
  random_source* random_;
  logger log_{*clock_};
  class gate gate_;
  std::unique_ptr<system_state> state_;
  class executor executor_;
};

} // namespace holdfast
