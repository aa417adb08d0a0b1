#pragma once

#include <holdfast/store/store.hpp>

#include <chrono>

namespace holdfast::testing {

/// For a store whose time the test moves. Nothing is purged by itself: what has ended stays until a
/// write needs its place or the test purges it.
inline store_options options_at(clock& time) {
  store_options out;
  out.runtime_settings.clock = &time;
  out.ttl_interval = std::chrono::milliseconds{0};
  return out;
}

} // namespace holdfast::testing
