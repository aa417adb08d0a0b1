#pragma once

#include <holdfast/runtime/child_spec.hpp>
#include <holdfast/runtime/pending.hpp>
#include <holdfast/runtime/runtime.hpp>
#include <holdfast/runtime/subscription.hpp>
#include <holdfast/runtime/supervisor_event.hpp>
#include <holdfast/runtime/supervisor_tree.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace holdfast {

struct nested_supervisor;

/// A handle to a supervisor: an actor that starts other actors, watches them, and starts them again
/// when they crash, by OTP's rules (strategies, restart types, intensity, ordered stop) and a few
/// more (back-off, budgets per child with quarantine, stuck children, readiness).
///
/// A cheap value, thread-safe. It does not own the supervisor: call `stop` before the runtime goes.
/// The verbs are `pending`; inside actors use `then` or `via`, not `get`. They fail with `stopped`
/// once the supervisor stops, with `unavailable` while a nested one is down, and with `stopped`
/// from a plain thread once the runtime stops, whose gate lets nobody in any more.
/// The observers answer at once, from any thread, even while the supervisor is busy.
class supervisor {
public:
  /// Starts a supervisor and its children, in order, and waits until all are up. If one fails to
  /// start, those before it are stopped in reverse order and the error is `start_failed`.
  /// Not inside an actor: see `launch`.
  static result<supervisor> start(runtime& rt, supervisor_options options,
                                  std::chrono::milliseconds timeout = std::chrono::seconds{30});
  /// The same without waiting: `up` tells when its children are up.
  static result<supervisor> launch(runtime& rt, supervisor_options options);
  /// A supervisor as a child of another: its spec, and a handle that stays good over restarts.
  /// Its events reach the subscribers of its parents, too.
  static result<nested_supervisor> nested(runtime& rt, supervisor_options options,
                                          restart_type restart = restart_type::permanent);

  /// Done when all children of the options are up; fails with `start_failed`.
  pending<child_info> up() const;

  /// Starts a child and waits until it is up; if it fails to start, its spec is not kept.
  /// Errors: `invalid_argument`, `already_exists`, `overloaded` (max_children), `start_failed`.
  pending<child_info> start_child(child_spec spec) const;
  /// The same for a child made from the template.
  pending<child_info> start_dynamic(dynamic_child child) const;
  /// Stops a child; its spec is kept, but for temporary children and those of a template.
  pending<child_info> terminate_child(std::string id) const;
  /// Starts a stopped or quarantined child again. Errors: `not_found`, `conflict`, `start_failed`.
  pending<child_info> restart_child(std::string id) const;
  /// Forgets a stopped or quarantined child. Errors: `not_found`, `conflict`.
  pending<child_info> delete_child(std::string id) const;
  /// Starts a quarantined child again, with a fresh budget. Errors: `not_found`, `conflict`,
  /// `start_failed` (it stays in quarantine).
  pending<child_info> revive(std::string id) const;
  /// Stops all children in reverse order, then the supervisor. Those that are left when `deadline`
  /// has passed are killed, and abandoned `kill_grace` later. Idempotent: succeeds when it has
  /// ended already, too. Error: `stopped` from a plain thread while the runtime stops and the
  /// supervisor still runs; then this call has stopped nothing.
  pending<child_info> stop(std::optional<std::chrono::milliseconds> deadline = {}) const;

  /// Crashes the supervisor's actor as a bug in it would, for tests and demonstrations: its
  /// children are killed, and if it is nested, it is started again. Answers `stopped` when it has
  /// ended.
  pending<child_info> crash(std::string why = "crashed on purpose") const;

  // -- observers

  const std::string& name() const;
  /// False before the first start, and when it has ended.
  bool running() const;
  /// How often it was started; more than once only if it is nested.
  std::uint64_t lives() const;
  /// Waits until it has been started more than `n` times: to ask again when a verb found it down.
  /// False after `timeout`, and as soon as nobody will start it again: its supervisor has ended, or
  /// knows it no more. Blocks; not inside an actor.
  bool wait_for_life_after(std::uint64_t n, std::chrono::milliseconds timeout) const;
  /// All children in start order. O(children).
  std::vector<child_info> which_children() const;
  child_counts count_children() const;
  /// Error: `not_found`.
  result<child_info> child(const std::string& id) const;
  result<child_spec> spec(const std::string& id) const;
  supervisor_counters counters() const;
  /// This supervisor, its children, and theirs.
  supervisor_tree tree() const;

  /// Calls `handler` with every event of this supervisor and of those below it, in order, on a
  /// callback thread, until the token is destroyed. At most `limit` events wait; then the oldest
  /// are dropped. A slow or throwing handler harms nobody else.
  subscription subscribe(std::function<void(const supervision_event&)> handler,
                         std::size_t limit = 1024) const;

private:
  explicit supervisor(std::shared_ptr<detail::supervisor_core> core) : core_{std::move(core)} {}
  std::shared_ptr<detail::supervisor_core> core_;
};

struct nested_supervisor {
  child_spec spec;
  supervisor handle;
};

} // namespace holdfast
