#pragma once

#include <holdfast/runtime/time_limit.hpp>

#include <atomic>
#include <cstdint>

namespace holdfast::detail {

/// The right to edit a bucket: whoever has it is the one writer of the bucket's data.
///
/// An actor runs one job at a time, so a job that edits its own bucket finds the turn free. It is
/// there for commits over several buckets, whose job runs in one of them and takes the turns of the
/// others too, and for transactions, which commit on their own thread. Turns are taken in order of
/// bucket ids, by threads that run a job or a commit just then, and held for the length of it; so
/// no two wait for each other, and no turn is held by what itself waits for a thread.
///
/// Two atomic operations when it is free. Not recursive; may be given back by another thread.
class turn {
public:
  void take() noexcept {
    if (!try_take()) [[unlikely]]
      (void)wait(nullptr);
  }
  /// False if it was not free in time; then nothing is left of the attempt.
  [[nodiscard]] bool take(const time_limit& until) noexcept { return try_take() || wait(&until); }
  void give() noexcept {
    if (state_.exchange(free, std::memory_order_release) == awaited) [[unlikely]]
      wake();
  }

private:
  static constexpr std::uint32_t free = 0, taken = 1, awaited = 2;
  bool try_take() noexcept {
    std::uint32_t expected = free;
    return state_.compare_exchange_strong(expected, taken, std::memory_order_acquire);
  }
  bool wait(const time_limit* until) noexcept;
  void wake() noexcept;

  std::atomic<std::uint32_t> state_{free};
};

/// Has a turn for a scope.
class turn_guard {
public:
  explicit turn_guard(turn& t) noexcept : turn_{&t} { turn_->take(); }
  /// If it is free in time.
  turn_guard(turn& t, const time_limit& until) noexcept : turn_{t.take(until) ? &t : nullptr} {}
  turn_guard(const turn_guard&) = delete;
  turn_guard& operator=(const turn_guard&) = delete;
  ~turn_guard() {
    if (turn_)
      turn_->give();
  }
  explicit operator bool() const noexcept { return turn_ != nullptr; }

private:
  turn* turn_;
};

} // namespace holdfast::detail
