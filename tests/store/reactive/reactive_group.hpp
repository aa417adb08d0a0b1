#pragma once

#include "tests/store/reactive/reactive_history.hpp"

#include <holdfast/store/journal.hpp>

#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace holdfast::testing {

using reactive_moment = std::pair<sequence, sequence>; ///< in memory, durable

/// What all members of one group have been told, in the order in which their handlers were called.
///
/// It is held against two promises. Members that are told of the same moment are told the same. And
/// each is given a value before any is given a later one, though it may handle it later: when a
/// member has handled the value of some moment, each other one has been given those of the moments
/// before, and all that it may still handle of an earlier time is what it had taken from its queue
/// already.
/// Thread-safe.
class reactive_group {
public:
  struct entry {
    std::size_t member; ///< any number that is its own
    reactive_moment at;
    std::string text;
    bool initial; ///< given to one member alone
  };
  void add(entry e);
  /// How many values were told since the last check, if to several members.
  std::size_t shared() const;
  /// What is wrong with all that was added since the last time; all of it is handled. Of a moment
  /// that is `ambiguous`, which could be seen in several ways, members may be told different
  /// things.
  std::optional<std::string> check(const std::function<bool(const reactive_moment&)>& ambiguous);

private:
  mutable std::mutex mutex_;
  std::vector<entry> told_;
};

} // namespace holdfast::testing
