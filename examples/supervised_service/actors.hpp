#pragma once

#include <holdfast/runtime/caf.hpp>

#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <string>

namespace supervised_service {

/// Asks the name service for what a name stands for.
struct look_up {
  std::string name;
};
/// Its answer.
struct found {
  std::string value;
};
/// Sent by timers to their own actor, and to the one that is to get stuck.
struct tick {};

/// What the actors of this program share: where the name service is, and a latch for the stuck one.
///
/// The name service enters itself when it starts. Those who use it are started after it under a
/// `rest_for_one` supervisor, so they are restarted with it and always find the living one.
struct surroundings {
  std::mutex mutex;
  caf::actor names;
  std::condition_variable changed;
  bool let_go = false;
  std::atomic<int> greetings{0};
  caf::actor hanging; ///< the one to get stuck, until it is told to
  bool has_hung = false;

  /// Has the stuck actor enter the handler in which it hangs: once it is up, or it would not start.
  void hang();
  /// Lets the stuck actor out of its handler and forgets the name service, so that the runtime can
  /// go: no handle to an actor may outlive it.
  void release();
};

/// A table from names to values.
caf::behavior name_service(caf::event_based_actor* self);
/// Asks the name service for a greeting every 100 ms.
caf::behavior greeter(caf::event_based_actor* self, surroundings* around);
/// Works for a while and then throws, again and again.
caf::behavior flaky(caf::event_based_actor* self);
/// Throws as soon as it has something to do. (One that throws in its init would not start at all,
/// and then neither would the service.)
caf::behavior hopeless(caf::event_based_actor* self);
/// Gets stuck in a handler, the first one of them, when it is told to.
caf::behavior stuck(caf::event_based_actor* self, surroundings* around);

} // namespace supervised_service

HOLDFAST_LOCAL_MESSAGE(supervised_service::look_up)
HOLDFAST_LOCAL_MESSAGE(supervised_service::found)
HOLDFAST_LOCAL_MESSAGE(supervised_service::tick)
