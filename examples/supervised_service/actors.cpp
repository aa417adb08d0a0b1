// Ordinary CAF actors. None of them knows that it is supervised: none catches, retries or watches.

#include "actors.hpp"

#include <stdexcept>
#include <utility>

namespace supervised_service {

using namespace std::chrono_literals;

void surroundings::hang() {
  std::lock_guard lock{mutex};
  caf::anon_send(std::exchange(hanging, nullptr), tick{});
}

void surroundings::release() {
  {
    std::lock_guard lock{mutex};
    let_go = true;
    names = hanging = nullptr;
  }
  changed.notify_all();
}

caf::behavior name_service(caf::event_based_actor* self) {
  holdfast::quiet(self); // CAF's default handlers print to stdout
  std::map<std::string, std::string> names{{"greeting", "good day"}, {"host", "holdfast"}};
  return {[names = std::move(names)](const look_up& ask) -> caf::result<found> {
    auto it = names.find(ask.name);
    if (it == names.end())
      return caf::make_error(caf::sec::invalid_argument, "unknown name " + ask.name);
    return found{it->second};
  }};
}

caf::behavior greeter(caf::event_based_actor* self, surroundings* around) {
  holdfast::quiet(self);
  caf::actor names;
  {
    std::lock_guard lock{around->mutex};
    names = around->names;
  }
  self->send(self, tick{});
  return {[self, names, around](tick) {
    self->request(names, caf::infinite, look_up{"greeting"})
        .then([around](const found&) { ++around->greetings; }, [](const caf::error&) {});
    self->delayed_send(self, 100ms, tick{});
  }};
}

caf::behavior flaky(caf::event_based_actor* self) {
  holdfast::quiet(self);
  self->delayed_send(self, 150ms, tick{});
  return {[](tick) { throw std::runtime_error("division by cucumber"); }};
}

caf::behavior hopeless(caf::event_based_actor* self) {
  holdfast::quiet(self);
  self->delayed_send(self, 60ms, tick{});
  return {[](tick) { throw std::runtime_error("the configuration is nonsense"); }};
}

caf::behavior stuck(caf::event_based_actor* self, surroundings* around) {
  holdfast::quiet(self);
  {
    std::lock_guard lock{around->mutex};
    if (!std::exchange(around->has_hung, true))
      around->hanging = self;
  }
  return {[around](tick) {
    std::unique_lock lock{around->mutex};
    around->changed.wait(lock, [around] { return around->let_go; });
  }};
}

} // namespace supervised_service
