#include <holdfast/runtime/runtime.hpp>

#include <holdfast/runtime/caf.hpp>
#include <holdfast/runtime/detail/caller_unit.hpp>
#include <holdfast/runtime/detail/logger_scope.hpp>

#include <condition_variable>
#include <mutex>
#include <unordered_map>
#include <vector>

namespace holdfast {

namespace detail {

/// How many actors of this runtime there are on a user's system.
struct living_actors {
  std::mutex mutex;
  std::condition_variable left;
  std::size_t count = 0;

  void wait_for_all() {
    std::unique_lock lock{mutex};
    left.wait(lock, [this] { return count == 0; });
  }
};

} // namespace detail

struct runtime::system_state {
  caf::actor_system_config config;
  std::unique_ptr<caf::actor_system> own;
  caf::actor_system* used = nullptr;
  std::uint64_t id = 0;
  bool stopped = false;
  std::mutex mutex;
  std::vector<std::unique_ptr<detail::caller_unit>> units;
  std::shared_ptr<detail::living_actors> living; // null: our own system knows
};

namespace {

/// Marks the threads of our own actor system: whatever runs there is an actor.
class worker_mark final : public caf::thread_hook {
public:
  void init(caf::actor_system&) override {}
  void thread_started() override { ++detail::actor_scope::depth(); }
  void thread_terminates() override { --detail::actor_scope::depth(); }
};

std::uint64_t next_runtime_id() {
  static std::atomic<std::uint64_t> last{0};
  return ++last;
}

} // namespace

runtime::runtime(runtime_options options)
    : options_{std::move(options)}, clock_{options_.clock ? options_.clock : &system_clock()},
      random_{options_.random ? options_.random : &system_random()},
      state_{std::make_unique<system_state>()}, executor_{options_.callback_threads,
                                                          options_.most_callback_threads} {
  auto& config = state_->config;
  if (options_.deterministic) {
    config.set("scheduler.policy", caf::atom("testing"));
    options_.caller_runs = false;
  } else {
    prepare(config);
    if (options_.threads != 0)
      config.set("scheduler.max-threads", options_.threads);
  }
  const detail::logger_scope no_logger;
  state_->own = std::make_unique<caf::actor_system>(config);
  state_->used = state_->own.get();
  state_->id = next_runtime_id();
}

runtime::runtime(caf::actor_system& theirs, runtime_options options)
    : options_{std::move(options)}, clock_{options_.clock ? options_.clock : &system_clock()},
      random_{options_.random ? options_.random : &system_random()},
      state_{std::make_unique<system_state>()}, executor_{options_.callback_threads,
                                                          options_.most_callback_threads} {
  state_->used = &theirs;
  state_->living = std::make_shared<detail::living_actors>();
  state_->id = next_runtime_id();
  if (dynamic_cast<caf::scheduler::test_coordinator*>(&theirs.scheduler())) {
    options_.deterministic = true;
    options_.caller_runs = false;
  }
}

runtime::~runtime() { stop(); }

void runtime::prepare(caf::actor_system_config& config) {
  config.set("work-stealing.moderate-poll-attempts", 0);
  config.set("scheduler.max-throughput", 256);
  config.add_thread_hook<worker_mark>();
}

void runtime::stop() {
  if (std::exchange(state_->stopped, true))
    return;
  gate_.close();
  if (options_.deterministic)
    while (run_one()) {
    }
  // Waits until every actor has ended: supervisors are stopped before their runtime.
  state_->own.reset();
  if (state_->living && !options_.deterministic)
    state_->living->wait_for_all();
  executor_.stop();
}

caf::actor_system& runtime::system() noexcept { return *state_->used; }

std::shared_ptr<void> runtime::presence() {
  auto& living = state_->living;
  if (!living)
    return nullptr;
  {
    std::lock_guard lock{living->mutex};
    ++living->count;
  }
  return {nullptr, [living](void*) {
            std::lock_guard lock{living->mutex};
            --living->count;
            living->left.notify_all();
          }};
}

bool runtime::run_one() {
  if (!options_.deterministic)
    return false;
  auto& scheduler = dynamic_cast<caf::scheduler::test_coordinator&>(system().scheduler());
  return scheduler.try_run_once();
}

bool runtime::inside_actor() noexcept { return detail::actor_scope::depth() != 0; }

detail::caller_unit& runtime::unit() {
  struct cached {
    std::uint64_t id = 0;
    detail::caller_unit* unit = nullptr;
  };
  static thread_local cached last;
  if (last.id == state_->id) [[likely]]
    return *last.unit;
  static thread_local std::unordered_map<std::uint64_t, detail::caller_unit*> mine;
  auto& unit = mine[state_->id];
  if (!unit) {
    std::lock_guard lock{state_->mutex};
    unit = state_->units.emplace_back(std::make_unique<detail::caller_unit>(&system())).get();
  }
  last = {state_->id, unit};
  return *unit;
}

} // namespace holdfast
