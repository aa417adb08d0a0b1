#pragma once

#include <holdfast/store/detail/commit_line.hpp>
#include <holdfast/store/detail/pool.hpp>
#include <holdfast/store/detail/record_block.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace holdfast::detail {

/// A queue that allocates only in `reserve`.
template <class T>
class ring {
public:
  bool empty() const noexcept { return size_ == 0; }
  std::size_t size() const noexcept { return size_; }
  T& front() noexcept { return items_[head_]; }
  T& back() noexcept { return (*this)[size_ - 1]; }
  T& operator[](std::size_t i) noexcept { return items_[(head_ + i) & (capacity_ - 1)]; }

  /// Room for `n` more. Throws `std::bad_alloc`.
  void reserve(std::size_t n) {
    if (size_ + n > capacity_) [[unlikely]]
      resize(std::bit_ceil(size_ + n));
  }
  /// There is room.
  void push(const T& item) noexcept { items_[(head_ + size_++) & (capacity_ - 1)] = item; }
  /// In front of all. There is room.
  void push_front(const T& item) noexcept {
    head_ = (head_ - 1) & (capacity_ - 1);
    ++size_;
    front() = item;
  }
  void pop() noexcept {
    head_ = (head_ + 1) & (capacity_ - 1);
    --size_;
  }
  void pop_back() noexcept { --size_; }
  /// Gives memory back when little of it is used, keeping room for `n` more. Throws
  /// `std::bad_alloc`.
  void trim(std::size_t n) {
    const std::size_t wanted = std::bit_ceil(size_ + n + 16);
    if (wanted * 8 <= capacity_)
      resize(wanted);
  }

private:
  void resize(std::size_t capacity) {
    auto fresh = std::make_unique<T[]>(capacity);
    for (std::size_t i = 0; i < size_; ++i)
      fresh[i] = (*this)[i];
    items_ = std::move(fresh);
    head_ = 0;
    capacity_ = capacity;
  }

  std::unique_ptr<T[]> items_;
  std::size_t capacity_ = 0;
  std::size_t head_ = 0;
  std::size_t size_ = 0;
};

/// Drops the bucket's reference to a block; frees it unless handles keep it.
inline void drop_block(pool& memory, record_block* block) noexcept {
  // After the count is dropped a handle on another thread may free the block at any time.
  const std::size_t bytes = block->bytes;
  // Nobody can reach the block but through the handles there are, so a count of 1 stays 1.
  if (block->refs.load(std::memory_order_acquire) == 1 ||
      block->refs.fetch_sub(1, std::memory_order_acq_rel) == 1)
    memory.free(block, bytes);
  else
    memory.handed_off(block, bytes);
}

/// What has been unlinked and waits until no pin is left that may have seen the link.
class limbo {
public:
  limbo(commit_line& line, pool& memory) noexcept : line_(line), memory_(memory) {}

  /// Room for `n` more besides what is pledged. Throws `std::bad_alloc`.
  void reserve(std::size_t n) { waiting_.reserve(n + pledged_); }
  /// Keeps room for `n` more that a rollback may need. Throws `std::bad_alloc`.
  void pledge(std::size_t n) {
    waiting_.reserve(n + pledged_);
    pledged_ += n;
  }
  void end_pledges() noexcept { pledged_ = 0; }
  /// Memory without references, unlinked just now. There is room.
  void add(void* p, std::size_t bytes) noexcept {
    waiting_.push({p, line_.published() + 1, bytes, false});
  }
  /// A record, unlinked just now. There is room.
  void add(record_block* block) noexcept {
    waiting_.push({block, line_.published() + 1, block->bytes, true});
  }
  /// Frees at most `budget` of what no pin reaches; how many those were.
  std::size_t drain(std::uint64_t oldest_pin, std::size_t budget) noexcept {
    std::size_t n = 0;
    for (; n < budget && !waiting_.empty() && waiting_.front().tag <= oldest_pin; ++n) {
      release(waiting_.front());
      waiting_.pop();
    }
    return n;
  }
  void trim(std::size_t n) { waiting_.trim(n); }
  std::size_t size() const noexcept { return waiting_.size(); }

private:
  struct item {
    void* p;
    std::uint64_t tag; ///< freed when no pin is below
    std::size_t bytes;
    bool is_block;
  };
  void release(const item& i) noexcept {
    if (i.is_block)
      drop_block(memory_, static_cast<record_block*>(i.p));
    else
      memory_.free(i.p, i.bytes);
  }

  commit_line& line_;
  pool& memory_;
  ring<item> waiting_;
  std::size_t pledged_ = 0;
};

} // namespace holdfast::detail
