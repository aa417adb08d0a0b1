#pragma once

#include "tests/store/reactive/reactive_history.hpp"
#include "tests/store/reactive/reactive_queries.hpp"

#include <holdfast/runtime/fault.hpp>

#include <optional>

namespace holdfast::testing {

/// The faults of a history: crashes in the middle of the query manager's steps, and a bug of the
/// store, which is planted again whenever it has struck.
class reactive_faults {
public:
  /// At a point of chance, in place of the one before.
  void crash_somewhere(reactive_random& random);
  void let_crash_be() { crash_.reset(); }
  /// Does nothing for a bug that is not one of the store.
  void plant(reactive_bug bug, reactive_random& random);

private:
  std::optional<fault> crash_, bug_;
};

} // namespace holdfast::testing
