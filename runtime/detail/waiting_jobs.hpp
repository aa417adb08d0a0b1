#pragma once

#include <holdfast/runtime/job.hpp>

#include <array>
#include <atomic>
#include <cstdint>

namespace holdfast::detail {

/// Where callers that found an actor busy show their jobs to whoever has the actor, who runs them
/// one after another: the actor's data stays in one core's cache, and nobody sends a message or
/// sleeps. The idea is that of flat combining (Hendler, Incze, Shavit, Tzafrir 2010).
///
/// A few places, each for a job whose caller looks on: it goes away only when the job was taken or
/// after taking it back itself, so a job that is shown is kept alive by its caller. Thread-safe.
class waiting_jobs {
public:
  /// A job that is shown for a scope.
  class shown;

  bool empty() const noexcept { return shown_.load(std::memory_order_relaxed) == 0; }

  /// Takes a job out, or null. Whoever does so must run it at once: its caller waits for that.
  ref<job> take() noexcept;

private:
  static constexpr std::size_t places = 7;

  /// One cache line: the count spares who has the actor a look at the places.
  alignas(64) std::atomic<std::uint32_t> shown_{0};
  std::uint32_t next_ = 0; ///< where the next `take` begins: for who has the actor
  std::array<std::atomic<job*>, places> jobs_{};
};

class waiting_jobs::shown {
public:
  /// Shows the job if there is a free place.
  shown(waiting_jobs& at, job& work) noexcept;
  shown(const shown&) = delete;
  shown& operator=(const shown&) = delete;
  /// Takes the job back; one that was taken has begun, or was cancelled, when this returns.
  ~shown();

private:
  waiting_jobs& at_;
  job& work_;
  std::atomic<job*>* place_ = nullptr;
};

} // namespace holdfast::detail
