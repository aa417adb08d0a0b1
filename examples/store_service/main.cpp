// A small service of CAF actors with a store in it: a print shop.
//
//     store                             in memory, or durable with --data
//     |-- services: gateway, ...        answers requests of actors
//     `-- buckets: jobs
//     shop (rest_for_one)               the desk first: customers depend on it
//     |-- desk                          takes orders; asks the gateway by messages
//     `-- floor (one_for_one)
//         |-- printer                   a typed handle in an actor; crashes at every paper jam
//         |-- customer                  a timer; orders and asks after it
//         `-- reporter                  a timer; counts and averages
//
// Both trees stand on one runtime. What the actors know is in the store, so a crash of any of them
// costs nothing: a restarted printer goes on with the job that jammed.

#include "../support/end_signals.hpp"
#include "actors.hpp"

#include <holdfast/persistence/rocksdb.hpp>
#include <holdfast/runtime/supervisor.hpp>

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <string>
#include <string_view>

namespace {

using namespace holdfast;
using namespace std::chrono_literals;
using namespace store_service;

constexpr auto usage = R"(usage: store_service [--seconds N] [--data DIRECTORY] [--help]

Runs a print shop of CAF actors around a store, and crashes some of it. Runs until it gets SIGINT or
SIGTERM, or for N seconds; then it stops everything in order. Jobs are kept in memory, or in the
directory, where the next run goes on with them.
)";

struct arguments {
  int seconds = 0; ///< 0: for ever
  std::string data;
};

std::optional<arguments> parse(int argc, char** argv) {
  arguments out;
  for (int i = 1; i < argc; i += 2) {
    std::string_view name{argv[i]};
    if (i + 1 == argc)
      return std::nullopt;
    if (name == "--seconds")
      out.seconds = std::atoi(argv[i + 1]);
    else if (name == "--data")
      out.data = argv[i + 1];
    else
      return std::nullopt;
    if (name == "--seconds" && out.seconds <= 0)
      return std::nullopt;
  }
  return out;
}

template <class F>
child_spec actor_child(std::string id, F behaviour, surroundings* around) {
  child_spec spec{.id = std::move(id)};
  spec.start = [=](start_context& context) -> result<caf::actor> {
    return context.system.spawn(behaviour, around);
  };
  return spec;
}

child_spec desk_child(surroundings* around) {
  child_spec spec{.id = "desk"};
  spec.start = [around](start_context& context) -> result<caf::actor> {
    auto started = context.system.spawn(desk, around);
    std::lock_guard lock{around->mutex};
    around->desk = started;
    return started;
  };
  return spec;
}

/// Starts the shop's actors under a supervisor of their own, beside the store's.
result<supervisor> open_shop(runtime& rt, surroundings* around) {
  auto busy = actor_child("printer", printer, around);
  busy.backoff = backoff_options{.min = 10ms, .max = 200ms, .jitter = 0.2};
  auto floor = supervisor::nested(rt, {.name = "floor",
                                       .intensity = 100,
                                       .period = 5s,
                                       .children = {busy, actor_child("customer", customer, around),
                                                    actor_child("reporter", reporter, around)}});
  if (!floor)
    return fail(std::move(floor.error()));
  return supervisor::start(rt, {.name = "shop",
                                .strategy = strategy::rest_for_one,
                                .intensity = 3,
                                .children = {desk_child(around), floor->spec}});
}

void wait_for_the_end(const examples::end_signals& signals, int seconds, store& db) {
  auto end = signals.wait(700ms);
  if (!end) {
    std::cout << "crashing the bucket under everybody: ";
    auto crashed = db.crash("jobs");
    std::cout << (crashed ? "it is up again" : crashed.error().to_string()) << std::endl;
  }
  auto until = std::chrono::steady_clock::now() + std::chrono::seconds{seconds} - 700ms;
  while (!end && (seconds == 0 || std::chrono::steady_clock::now() < until))
    end = signals.wait(100ms);
  std::cout << (end ? "asked to end" : "time is up") << ", stopping" << std::endl;
}

void report(const surroundings& around, const supervisor& shop) {
  auto done = around.jobs.count(f<&print_job::state> == job_state::done).get();
  auto jammed = around.jobs.count(f<&print_job::attempts> > 1).get();
  std::cout << "\n"
            << to_string(shop.tree()) << "\n"
            << around.accepted << " jobs accepted, " << around.refused << " refused, "
            << around.looked_up << " looked up; " << done.value_or(0) << " printed, "
            << jammed.value_or(0) << " at the second attempt" << std::endl;
}

int failed(const error& why) {
  std::cerr << why.to_string() << "\n";
  return EXIT_FAILURE;
}

/// The order of ending: first those who use the store, then the store, then the ground they stand
/// on.
int serve(const examples::end_signals& signals, const arguments& args) {
  runtime rt{{.name = "print shop"}};
  rt.log().redirect([](const log_entry& e) { std::clog << "   " << e.message << "\n"; },
                    log_level::error);
  auto db = store::start(
      {.journal = args.data.empty() ? nullptr : rocksdb({.directory = args.data}), .runtime = &rt});
  if (!db)
    return failed(db.error());
  auto jobs = db->define<print_job>();
  if (!jobs)
    return failed(jobs.error());
  surroundings around{.db = *db, .jobs = *jobs, .mutex = {}, .desk = {}};
  auto shop = open_shop(rt, &around);
  if (!shop)
    return failed(shop.error());
  wait_for_the_end(signals, args.seconds, *db);
  auto closed = shop->stop(5s).get(10s);
  around.desk = nullptr; // no handle to an actor outlives the runtime
  report(around, *shop);
  auto stopped = db->stop();
  std::cout << (!closed    ? closed.error().to_string()
                : !stopped ? stopped.error().to_string()
                           : "stopped in order")
            << std::endl;
  return closed && stopped ? EXIT_SUCCESS : EXIT_FAILURE;
}

} // namespace

int main(int argc, char** argv) {
  if (argc == 2 && argv[1] == std::string{"--help"}) {
    std::cout << usage;
    return EXIT_SUCCESS;
  }
  auto args = parse(argc, argv);
  if (!args) {
    std::cerr << usage;
    return EXIT_FAILURE;
  }
  const examples::end_signals signals; // before any thread exists
  return serve(signals, *args);
}
