#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace holdfast::detail {

/// Which of a store's two lines of commits.
enum class line_kind : std::uint8_t { memory, durable };
inline constexpr std::size_t line_count = 2;

/// No pin, as a seq.
inline constexpr std::uint64_t idle = ~std::uint64_t{0};

/// Small numbers for the threads of the process, given back when a thread ends.
class thread_index {
public:
  /// Threads that may use stores at a time. Not an option: tables of slots are arrays of this many
  /// pointers, which spares a read the look whether one has grown.
  static constexpr std::uint32_t limit = 1U << 16;

  /// The calling thread's number, or `limit` while it has none.
  static std::uint32_t current() noexcept { return mine_; }
  /// Gives the calling thread a number. Throws `std::bad_alloc`, also when all are taken.
  static std::uint32_t assign();
  /// One more than the highest number ever given.
  static std::uint32_t bound() noexcept { return bound_.load(std::memory_order_seq_cst); }

private:
  struct owner;
  static inline constinit thread_local std::uint32_t mine_ = limit;
  static inline std::atomic<std::uint32_t> bound_{0};
};

/// One padded slot per thread, with the seq that the thread reads at on each line.
///
/// Slots are written by their own thread only and read by the writers that want to free memory, and
/// by who asks for the number of reads: a thread counts its own, in the line of the cache that it
/// writes anyway.
class pin_table {
public:
  struct alignas(64) slot {
    std::atomic<std::uint64_t> seq[line_count]{{idle}, {idle}};
    std::uint32_t depth[line_count]{};   ///< of nested pins; the thread's own
    std::atomic<std::uint64_t> reads{0}; ///< on both lines
  };

  pin_table() = default;
  pin_table(const pin_table&) = delete;
  pin_table& operator=(const pin_table&) = delete;
  ~pin_table();

  /// The calling thread's slot. Throws `std::bad_alloc` at a thread's first call only.
  slot& mine() {
    const std::uint32_t i = thread_index::current();
    if (segment* s = segments_[i / segment_slots].load(std::memory_order_acquire)) [[likely]]
      return s->slots[i % segment_slots];
    return add_slot();
  }

  /// The oldest pin on a line, or `idle`.
  std::uint64_t oldest(line_kind line) const noexcept;
  /// What all threads have read, those included that have ended. O(threads).
  std::uint64_t reads() const noexcept;

private:
  static constexpr std::uint32_t segment_slots = 64;
  struct segment {
    slot slots[segment_slots];
  };
  slot& add_slot();
  template <class F>
  void each_slot(F&& f) const;

  /// One more than there can be, and never set: where a thread without a number looks.
  std::atomic<segment*> segments_[thread_index::limit / segment_slots + 1]{};
};

} // namespace holdfast::detail
