#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace holdfast {

/// Counts the plain threads that are inside the runtime, so that a shutdown can wait for them, and
/// so that what they may still hold a pointer to is freed only when they have left (a grace
/// period).
///
/// Entering costs one uncontended atomic add: the count is spread over padded cells by thread.
/// Thread-safe.
class gate {
public:
  static constexpr std::size_t cells = 64;

  /// Enters; false when the gate is closed. Nestable.
  bool enter() noexcept {
    auto& mine = cells_[cell_of_this_thread()].inside;
    mine.fetch_add(1, std::memory_order_seq_cst);
    if (!closed_.load(std::memory_order_seq_cst)) [[likely]]
      return true;
    mine.fetch_sub(1, std::memory_order_release);
    return false;
  }
  void leave() noexcept {
    cells_[cell_of_this_thread()].inside.fetch_sub(1, std::memory_order_release);
  }

  /// Lets nobody in any more and waits until all have left. Must not be called from inside.
  void close() noexcept;
  bool closed() const noexcept { return closed_.load(std::memory_order_seq_cst); }

  /// Collects, over several looks, the proof that everybody who was inside when it was made has
  /// left.
  class grace_period {
  public:
    /// True once each cell has been seen empty; stays true.
    bool over(const gate& of) noexcept;

  private:
    std::uint64_t seen_empty_ = 0;
  };

  /// Enters for a scope.
  class pass {
  public:
    explicit pass(gate& g) noexcept : gate_{g.enter() ? &g : nullptr} {}
    pass(const pass&) = delete;
    pass& operator=(const pass&) = delete;
    ~pass() {
      if (gate_)
        gate_->leave();
    }
    explicit operator bool() const noexcept { return gate_ != nullptr; }

  private:
    gate* gate_;
  };

private:
  static std::size_t cell_of_this_thread() noexcept;

  struct alignas(64) cell {
    std::atomic<std::int64_t> inside{0};
  };
  std::array<cell, cells> cells_;
  std::atomic<bool> closed_{false};
};

inline std::size_t gate::cell_of_this_thread() noexcept {
  static std::atomic<std::size_t> next{0};
  static thread_local const std::size_t mine = next.fetch_add(1, std::memory_order_relaxed) % cells;
  return mine;
}

} // namespace holdfast
