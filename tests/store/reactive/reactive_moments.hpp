#pragma once

#include "tests/store/reactive/reactive_subscriber.hpp"

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace holdfast::testing {

/// The moments that a store has had since the last check, with a snapshot of each, and what queries
/// give at them.
///
/// A bucket that is dropped answers no more, whatever the moment; and that a bucket comes, or is
/// forgotten behind its drop, is no commit. So before such a thing `note` keeps what there was to
/// be seen: a run that is under way just then may give the one or the other.
class reactive_moments {
public:
  /// The buckets that there are now, as a snapshot sees them.
  using seen_by = std::function<reactive_view(const snapshot&)>;

  explicit reactive_moments(seen_by view) : view_{std::move(view)} {}

  void remember(const snapshot& now);
  /// Of the moment that was remembered last.
  const snapshot& newest() const { return seen_.rbegin()->second.at; }
  reactive_moment newest_moment() const { return seen_.rbegin()->first; }
  std::string outcome_now(const reactive_subscriber& s) const;

  /// Buckets are about to come or go: these subscribers may be told how it looks until then, at the
  /// moments that are remembered.
  void note(const reactive_subscribers& all);
  /// What may be seen at the moment before the newest may be at the newest, too, since no commit
  /// that changed anything is between them.
  void extend();
  /// All but the newest.
  void forget();

  reactive_past past() const;

private:
  struct moment {
    snapshot at;
    std::map<std::string, std::vector<std::string>> noted = {}; ///< by group
  };
  std::string outcome(const reactive_subscriber& s, const snapshot& at) const;

  seen_by view_;
  std::map<reactive_moment, moment> seen_;
};

} // namespace holdfast::testing
