#pragma once

#include <holdfast/runtime/random.hpp>

#include <atomic>
#include <cstdint>

namespace holdfast::detail {

/// Where generated fields come from: one for each bucket, used by the bucket's thread only (but for
/// `counter`).
///
/// The autoincrement counter moves in two steps, so that a failed insert leaves no trace:
/// completing a draft proposes the counter's next state, and `accept` makes it so once the insert
/// has been applied.
class generator {
public:
  static constexpr std::size_t uuid_size = 36;
  static constexpr std::size_t cuid_size = 33;

  explicit generator(random_source& random = system_random()) noexcept : random_(&random) {}

  /// The greatest autoincrement value of an accepted insert; 0 at first.
  /// From any thread.
  std::int64_t counter() const noexcept { return counter_.load(std::memory_order_relaxed); }
  /// Sets the counter: after a restore, or to undo accepted inserts.
  void restore(std::int64_t counter) noexcept {
    proposed_ = counter;
    accept();
  }
  /// What the counter becomes if the draft completed last is applied.
  std::int64_t proposed() const noexcept { return proposed_; }
  void accept() noexcept { counter_.store(proposed_, std::memory_order_relaxed); }

  /// Begins an operation, of one draft or of many: what the one before proposed is forgotten.
  void begin() noexcept { proposed_ = counter(); }
  /// Proposes the next number; false if there is none above the counter.
  bool next(std::int64_t& number) noexcept;
  /// Proposes a counter that is not below a number given by the user.
  void explicit_number(std::int64_t number) noexcept {
    if (number > proposed_)
      proposed_ = number;
  }

  /// A random (version 4) UUID, `uuid_size` characters in lower case.
  void write_uuid(char* out) noexcept;
  /// `c` and 32 hexadecimal digits: 12 of the time in milliseconds, then 20 random ones, so that
  /// later ones sort behind earlier ones.
  void write_cuid(char* out, std::int64_t now_ms) noexcept;

private:
  random_source* random_;
  std::atomic<std::int64_t> counter_{0};
  std::int64_t proposed_ = 0;
};

} // namespace holdfast::detail
