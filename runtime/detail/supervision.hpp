#pragma once

#include <holdfast/runtime/child_spec.hpp>
#include <holdfast/runtime/detail/child_work.hpp>
#include <holdfast/runtime/detail/supervision_action.hpp>
#include <holdfast/runtime/random.hpp>
#include <holdfast/runtime/supervisor_event.hpp>

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

namespace holdfast::detail {

using steady = std::chrono::nanoseconds;

/// OTP's rules as a state machine: events in, actions out, no actor, no clock, no thread.
///
/// Works like OTP's supervisor process: one piece of work after the other. A piece of work (a
/// start, a stop, the restart of a group) takes several events; what comes meanwhile waits its
/// turn. Where children do not depend on each other (`one_for_one`, `simple_one_for_one`) that
/// holds per child, so that one slow start delays nobody else.
///
/// Invariants
///   (1) a child is started only when its last incarnation has ended or was abandoned;
///   (2) every request is answered exactly once, at the latest when the supervisor finishes;
///   (3) events of an earlier incarnation change nothing.
class supervision {
public:
  supervision(supervisor_options options, random_source& random);

  // -- events; `now` never goes back

  /// Starts the children of the options. Called once, first.
  void begin(steady now);
  void start_child(steady now, request_id request, child_spec spec);
  void start_child(steady now, request_id request, dynamic_child child);
  void terminate_child(steady now, request_id request, std::string id);
  void restart_child(steady now, request_id request, std::string id);
  void delete_child(steady now, request_id request, std::string id);
  void revive(steady now, request_id request, std::string id);
  /// Stops all children in order; those left at the deadline are killed.
  void stop(steady now, request_id request, std::optional<steady> deadline);
  /// Answered when all children of the options are up, or the supervisor has finished before.
  void await_up(steady now, request_id request);

  void child_ready(steady now, child_key key, std::uint64_t incarnation);
  void child_ignored(steady now, child_key key, std::uint64_t incarnation);
  /// There is no actor, or it said so itself (then it is stopped).
  void child_start_failed(steady now, child_key key, std::uint64_t incarnation, exit_cause cause,
                          bool has_actor = false);
  void child_exited(steady now, child_key key, std::uint64_t incarnation, exit_cause cause);
  /// Handles what is due. What becomes due by that is left to the next call.
  void advance(steady now);
  /// When `advance` has something to do; none: never.
  std::optional<steady> next_deadline() const;

  /// The actions since the last call.
  std::vector<action> take_actions() { return std::exchange(actions_, {}); }

  // -- observers

  const supervisor_options& options() const { return options_; }
  const supervisor_counters& counters() const { return counters_; }
  bool up() const { return up_ && !stopping_; }
  bool stopping() const { return stopping_; }
  bool finished() const { return finished_; }
  /// Why, if it has finished.
  const exit_cause& finish_cause() const { return finish_cause_; }
  child_counts count() const;
  std::vector<child_info> children(steady now) const;
  std::optional<child_info> child(steady now, const std::string& id) const;
  std::optional<child_key> key_of(const std::string& id) const;
  const child_spec* spec(child_key key) const;
  const std::any* argument(child_key key) const;
  /// Calls `f(key, state, info)` for each child in start order.
  template <class F>
  void visit(steady now, F f) const {
    for (auto& [key, e] : entries_)
      f(key, info(e, now));
  }

private:
  enum class purpose : std::uint8_t { none, start, restart, revive, automatic, terminate };
  enum class timer_kind : std::uint8_t { init, stop, retry, revive };
  using timer_id = std::pair<steady, std::uint64_t>;

  struct entry {
    child_key key = 0;
    std::shared_ptr<const child_spec> spec;
    std::any argument;
    child_state state = child_state::stopped;
    std::uint64_t incarnation = 0;
    std::uint64_t restarts = 0;
    std::deque<child_failure> failures;
    steady up_since{0};
    backoff delays;
    restart_window window;
    /// The piece of work that has this child, and who waits for it.
    purpose why = purpose::none;
    request_id request = 0;
    exit_cause exit;                        ///< while `down`
    std::optional<exit_cause> failed_start; ///< while `stopping` because its start failed
    bool killed = false;                    ///< while `stopping`: the kill was sent
    bool charged = false;                   ///< while `restarting`: the next try is paid for
    std::optional<timer_id> timer;
    timer_kind timer_for{};
  };

  /// A piece of work over several children.
  enum class phase : std::uint8_t { none, bring_up, group_stop, group_start, stop_all };

  // supervision_work.cpp: who may work when
  bool group_strategy() const {
    return options_.strategy == strategy::one_for_all ||
           options_.strategy == strategy::rest_for_one;
  }
  bool dynamic() const { return options_.strategy == strategy::simple_one_for_one; }
  bool busy(const std::string& id) const;
  bool exclusive() const;
  void submit(child_work w);
  void drain();
  void run(child_work& w);
  void run_start(child_work& w);
  void run_terminate(child_work& w, entry& e);
  void run_restart(child_work& w, entry& e);
  void run_remove(child_work& w, entry& e);
  void release(entry& e);
  void answer(request_id request, result<child_info> a);

  // supervision_entries.cpp: the children that are known
  entry* find(const std::string& id);
  entry* find(child_key key);
  entry* find(child_key key, std::uint64_t incarnation);
  entry& add(std::shared_ptr<const child_spec> spec, std::any argument);
  void remove(entry& e);
  child_info info(const entry& e, steady now) const;
  child_info own_info() const;

  // supervision_child.cpp: one child
  void begin_start(entry& e, purpose why, request_id request);
  void begin_stop(entry& e);
  void finish_terminated(entry& e, request_id request);
  void settled_up(entry& e);
  void settled_ignored(entry& e);
  void settled_failed(entry& e, exit_cause cause);
  void settled_stopped(entry& e, exit_cause cause);
  void init_expired(entry& e);
  void stop_expired(entry& e);
  void arm(entry& e, timer_kind kind, steady at);
  void disarm(entry& e);
  void note_failure(entry& e, const exit_cause& cause);
  void say(supervision_event::kind what, const entry* e, exit_cause cause = {},
           std::chrono::nanoseconds delay = {});
  void mark(const entry& e, address_state state, exit_cause cause = {},
            std::chrono::milliseconds retry_after = {});
  void set_state(entry& e, child_state s);
  static bool alive(child_state s) {
    return s == child_state::starting || s == child_state::up || s == child_state::stopping;
  }

  // supervision_group.cpp: what follows from an end, and several children at once
  void decide(entry& e);
  bool charge(entry& e);
  void escalate(entry& e);
  void restart_now(entry& e, steady delay);
  void retry(entry& e);
  steady delay_of(entry& e);
  void schedule_retry(entry& e, steady delay, bool charged);
  void quarantine(entry& e);
  void check_auto_shutdown(const std::string& id, bool significant);
  void restart_group(entry& trigger);
  void advance_group();
  bool group_waits_for(const entry& e);
  void end_group();
  void stop_all(exit_cause cause);
  void refuse_waiting();
  void advance_stop_all();
  void kill_all();

  supervisor_options options_;
  random_source* random_;
  steady now_{0};
  std::vector<action> actions_;
  supervisor_counters counters_;
  restart_window window_;

  std::map<child_key, entry> entries_; ///< in start order
  std::unordered_map<std::string, child_key> ids_;
  child_key last_key_ = 0;
  std::uint64_t made_up_ids_ = 0;
  std::map<timer_id, child_key> timers_;
  std::uint64_t last_timer_ = 0;

  std::size_t busy_ = 0; ///< children that a piece of work has
  std::size_t live_ = 0; ///< children that have an actor
  child_work_queue queue_;

  phase phase_ = phase::none;
  std::vector<child_key> to_stop_;   ///< the next one at the end
  std::vector<child_key> to_start_;  ///< the next one at the end
  std::optional<child_key> current_; ///< the child the group waits for
  child_key trigger_ = 0;            ///< whose end made the group restart
  steady group_delay_{0};            ///< between the group's stop and its start

  bool up_ = false;
  bool stopping_ = false;
  bool finished_ = false;
  exit_cause finish_cause_;
  std::optional<steady> deadline_;
  std::vector<request_id> stop_requests_;
  std::vector<request_id> up_requests_;
};

} // namespace holdfast::detail
