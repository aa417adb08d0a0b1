#pragma once

#include "print_job.hpp"

#include <holdfast/store/gateway.hpp>

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>

namespace store_service {

/// Orders a print; answered with `accepted`.
struct order {
  std::string customer;
  int pages = 0;
};
/// The job's number, or why it was refused.
struct accepted {
  holdfast::result<std::int64_t> id;
};
/// Asks for a job; answered with its record.
struct look_up {
  std::int64_t id = 0;
};
/// Sent by timers to their own actor.
struct tick {};
struct printed {
  std::int64_t id = 0;
};

/// What the actors of this program share. The store outlives them all; the desk enters itself when
/// it starts, before those who need it are started.
struct surroundings {
  const holdfast::store& db;
  holdfast::bucket<print_job> jobs;
  std::mutex mutex;
  caf::actor desk;
  std::atomic<int> accepted{0};
  std::atomic<int> refused{0};
  std::atomic<int> looked_up{0};

  caf::actor the_desk() {
    std::lock_guard lock{mutex};
    return desk;
  }
};

/// Takes orders and answers questions: all by messages to the store's gateway.
caf::behavior desk(caf::event_based_actor* self, surroundings* around);
/// Prints one job after the other; jams now and then, and crashes. Works with a typed handle.
caf::behavior printer(caf::event_based_actor* self, surroundings* around);
/// Orders something every 20 ms, now and then nonsense, and asks after what it ordered.
caf::behavior customer(caf::event_based_actor* self, surroundings* around);
/// Says every 500 ms how things stand.
caf::behavior reporter(caf::event_based_actor* self, surroundings* around);

} // namespace store_service

HOLDFAST_LOCAL_MESSAGE(store_service::order)
HOLDFAST_LOCAL_MESSAGE(store_service::accepted)
HOLDFAST_LOCAL_MESSAGE(store_service::look_up)
HOLDFAST_LOCAL_MESSAGE(store_service::tick)
HOLDFAST_LOCAL_MESSAGE(store_service::printed)
