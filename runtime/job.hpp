#pragma once

#include <holdfast/runtime/error.hpp>
#include <holdfast/runtime/ref.hpp>

#include <atomic>
#include <cstdint>

namespace holdfast {

class address;

namespace detail {
struct incarnation;
struct job_message;
} // namespace detail

/// A unit of work for the actor behind an `address`. It runs at most once, inside the actor's
/// exclusivity; exactly one of these happens to a submitted job:
///   - `run` is called and returns;
///   - `run` is called and throws: the actor crashes, and `reject` is called;
///   - `cancel` succeeds before it began;
///   - `reject` is called without `run`: the actor is gone for good, or a limit was reached.
/// A job whose actor died before the job began is handed to the next incarnation.
class job : public ref_counted {
public:
  job() noexcept;
  ~job() override;

  /// Does the work. An exception crashes the actor, as in any of its handlers.
  virtual void run() = 0;
  /// Learns that the work did not happen, and why.
  virtual void reject(error why) noexcept = 0;

  /// Takes the job back if it has not begun; then nobody will call it any more. Thread-safe.
  bool cancel() noexcept { return leave_queue(phase::cancelled); }
  /// Whether it has neither begun nor been taken back.
  bool waits() const noexcept { return phase_.load(std::memory_order_acquire) == phase::queued; }
  bool began() const noexcept { return phase_.load(std::memory_order_acquire) == phase::running; }

private:
  friend class address;
  friend struct detail::incarnation;
  friend struct detail::job_message;

  enum class phase : std::uint8_t { queued, running, cancelled };
  bool leave_queue(phase to) noexcept {
    auto expected = phase::queued;
    return phase_.compare_exchange_strong(expected, to, std::memory_order_acq_rel);
  }
  bool begin() noexcept { return leave_queue(phase::running); }

  std::atomic<phase> phase_{phase::queued};
  std::atomic<std::uint32_t> messages_{0}; ///< mailbox elements that speak of it
  ref<address> to_;                        ///< set while such elements exist
  detail::incarnation* receiver_ = nullptr;
};

} // namespace holdfast
