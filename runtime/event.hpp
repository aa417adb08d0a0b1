#pragma once

namespace holdfast {

/// Base of whatever travels over an event bus. Immutable once published, shared by all subscribers.
struct event {
  event() = default;
  event(const event&) = default;
  event(event&&) = default;
  event& operator=(const event&) = default;
  event& operator=(event&&) = default;
  virtual ~event() = default;
};

} // namespace holdfast
