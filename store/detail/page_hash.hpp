#pragma once

#include <holdfast/store/detail/retire.hpp>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <utility>

namespace holdfast::detail {

/// Slots of the primary hash: tag 16 | address of the row's newest block 48.
struct block_slots {
  static constexpr int payload_bits = 48;
  static constexpr std::uint32_t deepest = 32;
  static std::uint64_t tag(std::uint64_t hash) noexcept { return hash >> 48 << 48; }
  static std::uint64_t start(std::uint64_t hash) noexcept { return hash >> 32; }
  /// The bits that choose the page, at the top of the word.
  static std::uint64_t page_bits(std::uint64_t hash) noexcept { return hash << 32; }
  static std::uint64_t payload(const record_block* block) noexcept {
    return reinterpret_cast<std::uintptr_t>(block);
  }
  static record_block* block(std::uint64_t payload) noexcept {
    return reinterpret_cast<record_block*>(payload);
  }
  static std::uint64_t hash(std::uint64_t slot) noexcept { return block(slot << 16 >> 16)->hash; }
};

/// Slots of a unique index: tag 24 | row + 2. Page and start follow from the tag, so that a slot
/// stands for all values of the row with the same tag.
struct row_slots {
  static constexpr int payload_bits = 40;
  static constexpr std::uint32_t deepest = 24;
  static std::uint64_t tag(std::uint64_t hash) noexcept { return hash >> 40 << 40; }
  static std::uint64_t start(std::uint64_t hash) noexcept { return hash >> 40; }
  static std::uint64_t page_bits(std::uint64_t hash) noexcept { return tag(hash); }
  static std::uint64_t payload(std::uint64_t row) noexcept { return row + 2; }
  static std::uint64_t row(std::uint64_t payload) noexcept { return payload - 2; }
  static std::uint64_t hash(std::uint64_t slot) noexcept { return tag(slot); }
};

/// Extendible hash of pages that one writer edits in place, one release store per slot; readers are
/// lock-free while pinned. Several slots may share a hash.
///
/// A removed slot becomes a marker, so that readers probe on; a page full of markers is written
/// anew, and a page whose entries no bit divides (many rows of one key) doubles. A page never moves
/// a slot. Directory entries are page addresses with log2(capacity / 256) in the low four bits.
template <class Slots>
class page_hash {
public:
  static constexpr std::uint64_t least_capacity = 256;

  page_hash(pool& memory, limbo& retired) : memory_(memory), retired_(retired) {
    page* first = make_page(0, 0);
    try {
      directory* d = make_directory(0);
      d->pages()[0].store(reference(first), std::memory_order_relaxed);
      directory_.store(d, std::memory_order_release);
    } catch (...) {
      free_page(first);
      throw;
    }
  }
  page_hash(const page_hash&) = delete;
  page_hash& operator=(const page_hash&) = delete;
  ~page_hash();

  /// Calls `match(payload)` for the slots with the hash's tag until it returns true; whether it
  /// did.
  template <class Match>
  bool find(std::uint64_t hash, Match&& match) const {
    const directory* d = directory_.load(pinned_load);
    const std::uintptr_t ref = d->pages()[d->index(hash)].load(pinned_load);
    const auto* slots = page_of(ref)->slots();
    const std::uint64_t mask = (least_capacity << (ref & 15)) - 1;
    const std::uint64_t tag = Slots::tag(hash);
    for (std::uint64_t i = Slots::start(hash) & mask;; i = (i + 1) & mask) {
      const std::uint64_t e = slots[i].load(pinned_load);
      if (e == empty)
        return false;
      if ((e & ~payload_mask) == tag && e != removed && match(e & payload_mask))
        return true;
    }
  }

  bool contains(std::uint64_t hash, std::uint64_t payload) const {
    return find(hash, [&](std::uint64_t p) { return p == payload; });
  }

  /// Makes sure that the next `insert` of this hash allocates nothing. Throws `std::bad_alloc`.
  void reserve(std::uint64_t hash) {
    while (full(*page_of(reference_of(hash))))
      make_room(hash);
  }
  /// After `reserve(hash)` and nothing else.
  void insert(std::uint64_t hash, std::uint64_t payload) noexcept {
    put(*page_of(reference_of(hash)), hash, payload);
  }
  /// Exchanges the payload of a slot that is there.
  void replace(std::uint64_t hash, std::uint64_t from, std::uint64_t to) noexcept {
    if (auto* s = slot_of(hash, from))
      s->store(Slots::tag(hash) | to, std::memory_order_release);
  }
  /// Removes a slot, if it is there.
  void remove(std::uint64_t hash, std::uint64_t payload) noexcept;

  /// Sizes an empty hash for `n` entries. Before readers come. Throws `std::bad_alloc`.
  void presize(std::uint64_t n);

  /// Of its pages and its directory. For any thread.
  std::size_t bytes() const noexcept { return bytes_.load(std::memory_order_relaxed); }

private:
  static constexpr std::uint64_t empty = 0;
  static constexpr std::uint64_t removed =
      1; ///< no payload: rows count from 2, and it is no address
  static constexpr std::uint64_t payload_mask = (std::uint64_t{1} << Slots::payload_bits) - 1;

  struct page {
    std::uint32_t depth;
    std::uint32_t used; ///< entries and markers
    std::uint32_t scale;
    std::uint32_t pad;
    std::uint64_t capacity() const noexcept { return least_capacity << scale; }
    std::atomic<std::uint64_t>* slots() noexcept {
      return reinterpret_cast<std::atomic<std::uint64_t>*>(this + 1);
    }
    const std::atomic<std::uint64_t>* slots() const noexcept {
      return reinterpret_cast<const std::atomic<std::uint64_t>*>(this + 1);
    }
  };
  struct directory {
    std::uint64_t depth;
    std::uint64_t pad;
    std::uint64_t index(std::uint64_t hash) const noexcept {
      return depth == 0 ? 0 : Slots::page_bits(hash) >> (64 - depth);
    }
    std::atomic<std::uintptr_t>* pages() noexcept {
      return reinterpret_cast<std::atomic<std::uintptr_t>*>(this + 1);
    }
    const std::atomic<std::uintptr_t>* pages() const noexcept {
      return reinterpret_cast<const std::atomic<std::uintptr_t>*>(this + 1);
    }
  };

  static page* page_of(std::uintptr_t ref) noexcept {
    return reinterpret_cast<page*>(ref & ~std::uintptr_t{15});
  }
  static std::uintptr_t reference(page* p) noexcept {
    return reinterpret_cast<std::uintptr_t>(p) | p->scale;
  }
  static std::size_t page_bytes(std::uint64_t scale) noexcept {
    return sizeof(page) + (least_capacity << scale) * sizeof(std::uint64_t);
  }
  static std::size_t directory_bytes(std::uint64_t depth) noexcept {
    return sizeof(directory) + (std::size_t{1} << depth) * sizeof(std::uintptr_t);
  }
  static bool full(const page& p) noexcept { return p.used >= p.capacity() / 4 * 3; }
  static bool is_entry(std::uint64_t e) noexcept { return e != empty && e != removed; }
  static bool bit(std::uint64_t hash, std::uint32_t depth) noexcept {
    return (Slots::page_bits(hash) >> (63 - depth) & 1) != 0;
  }
  static void put(page& p, std::uint64_t hash, std::uint64_t payload) noexcept;

  page* make_page(std::uint32_t depth, std::uint32_t scale);
  directory* make_directory(std::uint64_t depth);
  void free_page(page* p) noexcept { free_now(p, page_bytes(p->scale)); }
  void free_now(void* p, std::size_t bytes) noexcept {
    count(-bytes);
    memory_.free(p, bytes);
  }
  void retire(void* p, std::size_t bytes) noexcept {
    count(-bytes);
    retired_.add(p, bytes);
  }
  /// Only the writer counts. What is subtracted wraps around.
  void count(std::size_t bytes) noexcept {
    bytes_.store(bytes_.load(std::memory_order_relaxed) + bytes, std::memory_order_relaxed);
  }
  std::uintptr_t reference_of(std::uint64_t hash) const noexcept {
    const directory* d = directory_.load(std::memory_order_relaxed);
    return d->pages()[d->index(hash)].load(std::memory_order_relaxed);
  }
  std::atomic<std::uint64_t>* slot_of(std::uint64_t hash, std::uint64_t payload) noexcept;
  void make_room(std::uint64_t hash);
  void rewrite(page* p, std::uint64_t hash, std::uint32_t scale);
  void split(page* p, std::uint64_t hash, std::uint64_t zeros, std::uint64_t ones);
  void grow_directory();
  void install(page* p, std::uint64_t hash) noexcept;

  pool& memory_;
  limbo& retired_;
  std::atomic<directory*> directory_{nullptr};
  std::atomic<std::size_t> bytes_{0};
};

extern template class page_hash<block_slots>;
extern template class page_hash<row_slots>;

} // namespace holdfast::detail
