#pragma once

#include "tests/store/reactive/reactive_subscriber.hpp"

#include <holdfast/store/store.hpp>

#include <array>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace holdfast::testing {

/// Rebuilds a store from what it tells of its commits: a second store of plain buckets, without
/// deadlines, capacities and references, in which each change is done over, in order of seqs. So
/// every moment that the first one had can be looked at, whoever wrote meanwhile.
class reactive_replay {
public:
  /// Follows the events of `of`, whose buckets are to be given to `follow` next.
  explicit reactive_replay(store& of);
  reactive_replay(const reactive_replay&) = delete;
  reactive_replay& operator=(const reactive_replay&) = delete;

  /// The plain form of a bucket.
  void follow(const schema& plain, bool persistent);
  /// All are given, and nothing is written yet.
  void begin(const reactive_moment& at);

  /// Does over all up to that moment, whose last commits are of one change each; false if it is not
  /// told in time.
  bool advance(const reactive_moment& to, std::chrono::seconds within);
  /// Time has come to here while nobody wrote: hides what expires by then.
  void expire(timestamp by);
  /// Forgets all moments but the last one.
  void forget();

  /// The views of a moment: one, or more if time went by while it was the last one. None if there
  /// never was such a moment.
  std::vector<reactive_view> at(const reactive_moment& when) const;
  /// What a change was that could not be done over as it was told; empty if all could.
  const std::string& fault() const noexcept { return fault_; }
  std::size_t commits() const noexcept { return commits_; }

private:
  /// How the buckets of a line stood from a seq and a tick of the clock on.
  struct state {
    sequence from = 0;
    std::size_t tick = 0;
    snapshot seen;
  };
  using line_states = std::vector<state>;
  struct followed {
    schema definition;
    bucket<> plain;
    bool persistent = false;
    std::map<std::int64_t, timestamp> deadlines; ///< by key
  };

  void take(const change& c);
  void finish_commit();
  void apply(const change& c);
  result<void> replace(const followed& in, const record& after);
  static const state& state_of(const line_states& l, sequence seq, std::size_t tick);
  reactive_view view(const reactive_moment& when, std::size_t tick) const;
  line_states& line_of(bool persistent) { return lines_[persistent ? 1 : 0]; }

  store shadow_;
  std::map<std::string, followed> buckets_;
  std::array<line_states, 2> lines_;
  std::vector<reactive_moment> over_both_; ///< seqs of commits over both lines
  std::size_t tick_ = 0, commits_ = 0;
  std::string fault_;
  const change* last_ = nullptr; ///< of the commit that is being done over

  std::mutex mutex_;
  std::condition_variable came_;
  std::vector<change> waiting_;
  std::array<sequence, 2> told_{};
  subscription token_; ///< last, so that it ends first
};

} // namespace holdfast::testing
