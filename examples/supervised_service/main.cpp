// A small service whose actors crash, loop and hang, and which goes on all the same.
//
//     service (rest_for_one)            names first: whoever comes after it depends on it
//     |-- names                         a name service
//     `-- workers (one_for_one)         independent of each other
//         |-- greeter                   a timer; asks the name service
//         |-- flaky                     crashes all the time: restarted with growing pauses
//         |-- hopeless                  crashes at once: quarantined, its siblings live on
//         `-- stuck                     hangs in a handler: killed, abandoned, replaced
//
// Nothing here has to do with the store: this is how to supervise actors of your own.

#include "../support/end_signals.hpp"
#include "actors.hpp"

#include <holdfast/runtime/supervisor.hpp>

#include <chrono>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <optional>
#include <semaphore>
#include <string>

namespace {

using namespace holdfast;
using namespace std::chrono_literals;
using namespace supervised_service;

constexpr auto usage = R"(usage: supervised_service [--seconds N] [--help]

Supervises a few actors that crash, loop and hang, and prints what happens. Runs until it gets
SIGINT or SIGTERM, or for N seconds; then it stops everything in order.
)";

/// The seconds to run, 0 for ever; nothing when the arguments make no sense.
std::optional<int> parse(int argc, char** argv) {
  if (argc == 1)
    return 0;
  if (argc == 3 && argv[1] == std::string{"--seconds"})
    if (auto n = std::atoi(argv[2]); n > 0)
      return n;
  return std::nullopt;
}

/// A child spec whose actor is spawned from a function.
template <class F, class... Args>
child_spec actor_child(std::string id, F behaviour, Args... args) {
  child_spec spec{.id = std::move(id)};
  spec.start = [=](start_context& context) -> result<caf::actor> {
    return context.system.spawn(behaviour, args...);
  };
  return spec;
}

/// The workers and what the supervisor should know about each.
std::vector<child_spec> workers(surroundings* around) {
  auto careful = actor_child("flaky", flaky);
  careful.backoff = backoff_options{.min = 50ms, .max = 2s, .jitter = 0.2};

  auto doomed = actor_child("hopeless", hopeless);
  doomed.budget = child_budget{.intensity = 3, .period = 10s, .exhausted = exhausted::quarantine};

  auto hanging = actor_child("stuck", stuck, around);
  hanging.shutdown = shutdown_policy::timeout(200ms);

  return {actor_child("greeter", greeter, around), careful, doomed, hanging};
}

child_spec names(surroundings* around) {
  child_spec spec{.id = "names"};
  spec.start = [around](start_context& context) -> result<caf::actor> {
    auto started = context.system.spawn(name_service);
    std::lock_guard lock{around->mutex};
    around->names = started;
    return started;
  };
  return spec;
}

void print(const char* when, const supervisor& root) {
  std::cout << "\n-- " << when << "\n" << to_string(root.tree()) << std::endl;
}

/// Replaces the actor that hangs. A request to end and a kill have no effect on it: it is cut off.
void replace_stuck(const supervisor& workers) {
  std::cout << "\nstopping the stuck one: ";
  auto stopped = workers.terminate_child("stuck").get();
  std::cout << (stopped ? "done, starting another: " : stopped.error().to_string());
  auto started = workers.restart_child("stuck").get();
  std::cout << (started ? "done" : started.error().to_string()) << std::endl;
}

/// Stops all of them, and tells how each ended, in the order in which they did.
result<child_info> stop_in_order(const supervisor& root) {
  std::binary_semaphore told_all{0};
  auto token = root.subscribe([&](const supervision_event& e) {
    std::cout << "   " << e.supervisor << ": " << to_string(e) << std::endl;
    if (e.what == supervision_event::kind::stopped && e.supervisor == root.name())
      told_all.release();
  });
  auto stopped = root.stop(5s).get(10s);
  if (stopped) // events come on a thread of their own
    (void)told_all.try_acquire_for(5s);
  return stopped;
}

int serve(const examples::end_signals& signals, int seconds) {
  surroundings around;
  int status = EXIT_SUCCESS;
  {
    runtime rt{{.name = "service", .threads = 4}};
    rt.log().redirect([](const log_entry& e) { std::clog << "   " << e.message << "\n"; },
                      log_level::warning);

    auto below = supervisor::nested(rt, {.name = "workers",
                                         .intensity = 20,
                                         .period = 5s,
                                         .children = workers(&around),
                                         .kill_grace = 200ms});
    auto root = supervisor::start(rt, {.name = "service",
                                       .strategy = strategy::rest_for_one,
                                       .intensity = 3,
                                       .children = {names(&around), below->spec}});
    if (!root) {
      std::cerr << root.error().to_string() << "\n";
      around.release();
      return EXIT_FAILURE;
    }
    print("started", *root);
    around.hang();
    auto ends = std::chrono::steady_clock::now() + std::chrono::seconds{seconds};
    auto over = [&] { return seconds != 0 && std::chrono::steady_clock::now() >= ends; };
    auto end = signals.wait(700ms);
    if (!end) {
      print("after some crashes", *root);
      replace_stuck(below->handle);
      print("with a new one in place of the stuck one", *root);
    }
    while (!end && !over())
      end = signals.wait(100ms);

    std::cout << (end ? "\nasked to end" : "\ntime is up") << ", stopping" << std::endl;
    auto stopped = stop_in_order(*root);
    print("stopped", *root);
    std::cout << around.greetings << " greetings, " << below->handle.counters().restarts
              << " restarts of workers; ";
    std::cout << (stopped ? "stopped in order" : stopped.error().to_string()) << std::endl;
    status = stopped ? EXIT_SUCCESS : EXIT_FAILURE;

    // The abandoned actor still sits in its handler. A runtime waits for all actors when it goes,
    // so this one is let out; where that is not possible, choose `stuck_policy::abort_process`.
    around.release();
  }
  return status;
}

} // namespace

int main(int argc, char** argv) {
  if (argc == 2 && argv[1] == std::string{"--help"}) {
    std::cout << usage;
    return EXIT_SUCCESS;
  }
  auto seconds = parse(argc, argv);
  if (!seconds) {
    std::cerr << usage;
    return EXIT_FAILURE;
  }
  const examples::end_signals signals; // before any thread exists
  return serve(signals, *seconds);
}
