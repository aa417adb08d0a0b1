#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <utility>
#include <vector>

namespace holdfast::detail {

/// The memory of one bucket: records, hash pages, tree nodes, row chunks.
///
/// One thread at a time owns the pool and calls its members; `free_remote` may be called by any
/// thread. Blocks are cut from chunks that are aligned to their size, so a block finds its pool by
/// a mask. Blocks above `largest_small` bytes come from malloc with a header in front.
///
/// A record may outlive its bucket, for handles refer to it. `handed_off` counts the blocks that
/// only handles keep; when the pool is destroyed, the chunks without such blocks go at once and the
/// last `free_remote` frees the rest.
class pool {
  struct core;

public:
  static constexpr std::size_t chunk_bytes = std::size_t{1} << 16;
  static constexpr std::size_t class_step = 16;
  static constexpr std::size_t class_count = 161;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  /// Sanitizers see every block.
  static constexpr std::size_t largest_small = 0;
#else
  static constexpr std::size_t largest_small = (class_count - 1) * class_step;
#endif

  pool();
  pool(pool&& other) noexcept : core_(std::exchange(other.core_, nullptr)) {}
  pool& operator=(pool&& other) noexcept {
    std::swap(core_, other.core_);
    return *this;
  }
  ~pool();

  /// At least `bytes` bytes aligned to 16. Throws `std::bad_alloc`.
  [[nodiscard]] void* allocate(std::size_t bytes) {
    burn_fuse();
    core& c = *core_;
    if (bytes <= largest_small) [[likely]] {
      const std::size_t k = class_of(bytes);
      if (free_block* b = c.free[k]) {
        c.free[k] = b->next;
        c.in_use += k * class_step;
        return b;
      }
      return allocate_slow(k);
    }
    return allocate_big(bytes);
  }

  /// Takes back what `allocate(bytes)` returned, to this pool or to one it adopted.
  void free(void* p, std::size_t bytes) noexcept {
    if (bytes <= largest_small) [[likely]]
      push_free(p, class_of(bytes));
    else
      free_big(p);
  }

  /// Takes back a block on any thread; the owner reuses it at its next shortage or `collect()`.
  static void free_remote(void* p, std::size_t bytes) noexcept;

  /// The owner no longer refers to this block, but handles do: the last of them calls
  /// `free_remote`.
  void handed_off(void* p, std::size_t bytes) noexcept;

  /// Takes over the blocks of a pool whose blocks no other thread uses yet.
  void adopt(pool&& other);

  /// Keeps `object` alive as long as any block of the pool. Repeated calls with one object are
  /// cheap.
  void keep(std::shared_ptr<const void> object);

  /// Makes what other threads gave back available again.
  void collect() noexcept;

  /// Bytes of the blocks in use, rounded to their size classes; blocks given back by other threads
  /// count until they are collected.
  std::size_t bytes_in_use() const noexcept { return core_->in_use; }

  /// Bytes taken from the system.
  std::size_t bytes_reserved() const noexcept { return core_->reserved; }
  /// Those of them that are mapped, past malloc.
  std::size_t bytes_mapped() const noexcept { return core_->mapped; }

#ifndef NDEBUG
  /// Tests: from the n-th allocation of this thread on, counted from 1, all throw; 0 ends that.
  static void set_fuse(std::uint64_t n) noexcept { fuse_ = n; }
  /// What is left of it; 1 once allocations throw.
  static std::uint64_t fuse() noexcept { return fuse_; }
#endif

  /// Counts an allocation of this thread and throws when the fuse says so. Nothing in a release.
  static void burn_fuse() {
#ifndef NDEBUG
    if (fuse_ == 1)
      throw std::bad_alloc();
    if (fuse_ != 0)
      --fuse_;
#endif
  }

private:
  struct free_block {
    free_block* next;
    std::size_t bytes; ///< set on the list of remote frees only
  };
  struct chunk {
    core* owner;
    std::size_t held; ///< blocks that only handles keep
  };
  struct big_block {
    core* owner;
    big_block* next;
    big_block* prev;
    std::size_t bytes;
  };
  struct slab {
    char* memory;
    std::size_t bytes;
  };
  struct core {
    std::array<free_block*, class_count> free{};
    char* cursor = nullptr;
    char* limit = nullptr;
    char* slab_cursor = nullptr;
    char* slab_limit = nullptr;
    std::size_t in_use = 0;
    std::size_t reserved = 0;
    std::size_t mapped = 0;
    std::size_t held = 0;
    big_block* bigs = nullptr;
    std::vector<slab> slabs;
    std::vector<std::shared_ptr<const void>> kept;
    alignas(64) std::atomic<free_block*> remote{nullptr};
    std::atomic<std::int64_t> outstanding{0}; ///< of an orphaned pool
  };
  static_assert(sizeof(big_block) % 16 == 0 && sizeof(chunk) % 16 == 0);

  static std::size_t class_of(std::size_t bytes) noexcept {
    return bytes == 0 ? 1 : (bytes + class_step - 1) / class_step;
  }
  static chunk* chunk_of(void* p) noexcept;
  static big_block* big_of(void* p) noexcept;
  static core* core_of(void* p, std::size_t bytes) noexcept;
  static char* cut_end(const core& c, const slab& s) noexcept;
  static void destroy(core* c) noexcept;
  void push_free(void* p, std::size_t k) noexcept {
    auto* b = static_cast<free_block*>(p);
    b->next = core_->free[k];
    core_->free[k] = b;
    core_->in_use -= k * class_step;
  }
  void* allocate_slow(std::size_t k);
  void* allocate_big(std::size_t bytes);
  void free_big(void* p) noexcept;
  void next_chunk();
  void drop_unheld() noexcept;

  core* core_;
#ifndef NDEBUG
  static inline thread_local std::uint64_t fuse_ = 0;
#endif
};

} // namespace holdfast::detail
