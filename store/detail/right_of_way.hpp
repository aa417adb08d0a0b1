#pragma once

#include <holdfast/runtime/address.hpp>
#include <holdfast/runtime/time_limit.hpp>
#include <holdfast/store/detail/journal_keys.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

namespace holdfast::detail {

/// Lets one transaction of a store at a time, which others have overtaken again and again, run once
/// more while the commits of others to its buckets wait.
///
/// It is about fairness only: whether a commit is right is found out under the turns, whoever had
/// the right of way. So it may end with its time whatever its owner does, and it does not hold up
/// who is past the gate already. Threads wait; the writes of actors, which must not, are kept and
/// sent on later. Thread-safe.
class right_of_way {
public:
  /// What is to become of a write that begins inside an actor.
  enum class passage : std::uint8_t {
    free,
    later, ///< it is kept, and sent to its bucket when the right of way has ended
    full,  ///< as many as may be are kept already
  };

  /// Has the right of way for a scope, on the thread that made it.
  class holder {
  public:
    /// Waits behind those who asked before, at most until then; `has_it` tells whether it was in
    /// time.
    holder(right_of_way& of, const time_limit& until);
    holder(const holder&) = delete;
    holder& operator=(const holder&) = delete;
    ~holder();

    bool has_it() const noexcept { return has_it_; }
    /// From here on commits to this bucket wait, too. Only when it has it.
    void cover(bucket_id b);

  private:
    right_of_way& of_;
    bool has_it_ = false;
  };

  /// Whether anybody has it: one load.
  bool taken() const noexcept { return taken_.load(std::memory_order_acquire); }
  /// Before a commit to a bucket: waits until whoever has the right of way there has ended. Commits
  /// to a bucket with references wait for every other's, since they may reach further. False if
  /// that takes longer than until then.
  bool wait(bucket_id b, bool linked, std::chrono::steady_clock::time_point until);
  /// The same for a write inside an actor, `work` for the actor at `to`; `limit`: how many may be
  /// kept. What is kept reaches its buckets in the order in which it came, and before what comes
  /// later. Throws `std::bad_alloc`.
  passage pass(bucket_id b, bool linked, const ref<job>& work, address& to, std::size_t limit);
  /// Sends on what is kept for one that has outlasted its time: nothing else may come to do so.
  void release_late() noexcept;

private:
  struct kept {
    ref<job> work;
    ref<address> to;
  };

  bool concerns(bucket_id b, bool linked) const;
  void send_kept(std::unique_lock<std::mutex>& lock) noexcept;

  std::atomic<bool> taken_{false};
  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t next_ticket_ = 0;
  std::uint64_t served_ = 0;
  std::vector<std::uint64_t> given_up_; ///< tickets whose owners no longer wait
  std::thread::id owner_;
  std::optional<time_limit> ends_;
  std::vector<bucket_id> covered_;
  std::vector<kept> kept_;
  bool sending_ = false; ///< somebody sends on what is kept, also what comes meanwhile
  const error out_of_memory_{errc::out_of_memory, "store: an allocation failed"};
};

} // namespace holdfast::detail
