#pragma once

#include <holdfast/runtime/address.hpp>
#include <holdfast/runtime/backoff.hpp>
#include <holdfast/runtime/caf.hpp>
#include <holdfast/runtime/random.hpp>
#include <holdfast/runtime/ref.hpp>
#include <holdfast/runtime/restart_policy.hpp>
#include <holdfast/runtime/restart_window.hpp>
#include <holdfast/runtime/result.hpp>
#include <holdfast/runtime/supervisor_event.hpp>

#include <any>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace holdfast {

namespace detail {
struct supervisor_core;
} // namespace detail

/// What a child's start function is given. Valid during the call only, but for copies of
/// `announce`.
struct start_context {
  caf::actor_system& system;
  const std::string& id;
  /// 1 for the first start of this child, and one more each time.
  std::uint64_t incarnation;
  /// What was given to `supervisor::start_dynamic` for a child made from a template; else empty.
  const std::any& argument;
  /// Says that the child is up, or that it never will be; for children whose readiness is
  /// `announced`. May be copied into the actor, called from any thread; counts once.
  std::function<void(result<void>)> announce;
  /// The supervisor that starts the child; for nested supervisors.
  std::shared_ptr<detail::supervisor_core> parent{};
};

/// Spawns the actor in `context.system`, without links, and returns its handle; a null handle means
/// *ignore*: there is nothing to run, and that is no failure. Runs in the supervisor's actor, so it
/// must not block. What it throws is a failed start.
using child_start = std::function<result<caf::actor>(start_context&)>;

/// When a started child counts as up.
enum class readiness : std::uint8_t {
  initialized, ///< when its init has run and it handles messages
  announced,   ///< when it, or somebody for it, calls `start_context::announce`
};

/// What happens when a child used up its own budget.
enum class exhausted : std::uint8_t {
  quarantine, ///< it stays down, its address answers `unavailable`; its siblings live on
  escalate,   ///< as when the supervisor's own budget is used up
};

/// A budget of one child's own. Its restarts are charged to it *instead of* to its supervisor.
struct child_budget {
  std::size_t intensity = 5;
  std::chrono::milliseconds period{10'000};
  enum exhausted exhausted = holdfast::exhausted::quarantine;
  /// One more try after this long in quarantine; zero: only `supervisor::revive` brings it back.
  std::chrono::milliseconds revive_after{0};
};

/// How one child is started, restarted and stopped. OTP's child spec and a few things more; the
/// defaults are OTP's.
struct child_spec {
  std::string id{};
  child_start start{};
  restart_type restart = restart_type::permanent;
  shutdown_policy shutdown{};
  child_type type = child_type::worker;
  /// Its end counts for the supervisor's `auto_shutdown`.
  bool significant = false;
  readiness ready = readiness::initialized;
  /// A child that is not up after this long is killed: its start has failed.
  std::chrono::milliseconds init_timeout{5000};
  /// How long to wait before restarts; absent: restart at once, as OTP does.
  std::optional<backoff_options> backoff{};
  /// Absent: restarts are charged to the supervisor's budget, as in OTP.
  std::optional<child_budget> budget{};
  /// Told by the supervisor where its actor stands. May be null.
  ref<holdfast::address> address{};
  /// Set by `supervisor::nested`, so that the tree can be seen.
  std::shared_ptr<detail::supervisor_core> nested{};
};

/// A child made at run time from the template of a `simple_one_for_one` supervisor.
struct dynamic_child {
  std::string id{}; ///< empty: made up from the template's id and a number
  std::any argument{};
  ref<holdfast::address> address{};
};

/// How a supervisor treats its children. The defaults are OTP's: one restart in five seconds.
struct supervisor_options {
  std::string name = "supervisor";
  enum strategy strategy = holdfast::strategy::one_for_one;
  std::size_t intensity = 1;
  std::chrono::milliseconds period{5000};
  enum auto_shutdown auto_shutdown = holdfast::auto_shutdown::never;
  /// Started in this order, stopped in the reverse order.
  std::vector<child_spec> children{};
  /// More children, that follow those: asked in the actor that starts the supervisor, each time it
  /// is started. So the crash of a nested supervisor need not lose what was added at run time.
  /// Must not block; not with a template.
  std::function<std::vector<child_spec>()> further_children{};
  /// What `simple_one_for_one` makes its children from.
  std::optional<child_spec> child_template{};
  /// `start_child` beyond it is refused with `overloaded`.
  std::size_t max_children = 1'000'000;
  /// Stop all children at the same time; only `one_for_one`, and always so with a template.
  bool parallel_stop = false;
  /// How long a killed child may take to end before it counts as stuck.
  std::chrono::milliseconds kill_grace{1000};
  stuck_policy stuck = stuck_policy::abandon;
  /// How many of its last failures are kept per child.
  std::size_t failures_kept = 8;
  /// Called in the supervisor's actor with every event, in order; must be short. What it throws is
  /// dropped. See `supervisor::subscribe` for handlers that may take their time.
  std::function<void(const supervision_event&)> on_event{};
  /// For the jitter of back-offs; null: the runtime's. Must outlive the supervisor.
  random_source* random = nullptr;
};

/// Refuses what contradicts itself (`invalid_argument`): a missing id or start function, a
/// significant child that is permanent or whose supervisor never shuts down by itself, a quarantine
/// where siblings depend on each other, a time that is negative, zero where that makes no sense, or
/// above `longest_time` (100 years, in runtime/time_limit.hpp).
result<void> check_spec(const child_spec& spec, const supervisor_options& of);

/// `check_spec` of all children, and of the options themselves: duplicate ids, a template where the
/// strategy has none or the other way round.
result<void> check_specs(const supervisor_options& options);

} // namespace holdfast
