#pragma once

#include "tests/store/reactive/reactive_history.hpp"

#include <holdfast/store/live_query.hpp>

#include <optional>
#include <string>

namespace holdfast::testing {

/// What is wrong with what a subscriber is told to have become of a list: with what was removed,
/// added, changed and moved since the list that it was given before; nothing if all is right.
std::optional<std::string> wrong_changes(const query_update& now, reactive_bug bug);

/// The times of the records of a list, which the replay of a history has otherwise, and why a run
/// failed: what looks the same may differ in these.
std::string unseen_of(const query_update& now);

} // namespace holdfast::testing
