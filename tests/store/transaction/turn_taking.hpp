#pragma once

#include <condition_variable>
#include <cstdint>
#include <iterator>
#include <mutex>
#include <random>
#include <set>

namespace holdfast::testing {

/// Lets one of several threads run at a time. Which one goes on is drawn at each `pass`, so that a
/// seed stands for one interleaving.
class turn_taking {
public:
  turn_taking(unsigned threads, std::uint64_t seed) : random_{seed} {
    for (unsigned t = 0; t < threads; ++t)
      here_.insert(here_.end(), t);
  }

  /// Begins with the first turn of the thread.
  void enter(unsigned thread) {
    std::unique_lock lock{mutex_};
    wait(lock, thread);
  }
  /// Lets any of the threads go on, and returns at this one's next turn.
  void pass(unsigned thread) {
    std::unique_lock lock{mutex_};
    choose();
    wait(lock, thread);
  }
  /// The thread takes no further turn.
  void leave(unsigned thread) {
    std::unique_lock lock{mutex_};
    here_.erase(thread);
    choose();
  }
  /// A random number for who has the turn.
  std::uint64_t draw() { return random_(); }

private:
  void wait(std::unique_lock<std::mutex>& lock, unsigned thread) {
    changed_.wait(lock, [&] { return turn_ == thread; });
  }
  void choose() {
    if (here_.empty())
      return;
    turn_ = *std::next(here_.begin(), static_cast<std::ptrdiff_t>(random_() % here_.size()));
    changed_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::set<unsigned> here_;
  unsigned turn_ = 0;
  std::mt19937_64 random_;
};

} // namespace holdfast::testing
