#include <holdfast/store/detail/pins.hpp>

#include <algorithm>
#include <functional>
#include <mutex>
#include <new>
#include <vector>

namespace holdfast::detail {

namespace {

struct free_numbers {
  std::mutex mutex;
  std::vector<std::uint32_t> heap; ///< smallest first; capacity for all numbers ever given
};

/// Never destroyed: threads may end after the statics of the program.
free_numbers& numbers() {
  static auto& all = *new free_numbers;
  return all;
}

} // namespace

/// Gives the number back when its thread ends.
struct thread_index::owner {
  ~owner() {
    auto& all = numbers();
    const std::lock_guard lock(all.mutex);
    all.heap.push_back(mine_);
    std::push_heap(all.heap.begin(), all.heap.end(), std::greater<>{});
    mine_ = limit;
  }
};

std::uint32_t thread_index::assign() {
  auto& all = numbers();
  {
    const std::lock_guard lock(all.mutex);
    if (!all.heap.empty()) {
      std::pop_heap(all.heap.begin(), all.heap.end(), std::greater<>{});
      mine_ = all.heap.back();
      all.heap.pop_back();
    } else {
      const std::uint32_t next = bound_.load(std::memory_order_relaxed);
      if (next == limit)
        throw std::bad_alloc();
      all.heap.reserve(std::size_t{next} + 1);
      bound_.store(next + 1, std::memory_order_seq_cst);
      mine_ = next;
    }
  }
  thread_local owner returns_it;
  static_cast<void>(returns_it);
  return mine_;
}

pin_table::~pin_table() {
  for (auto& s : segments_)
    delete s.load(std::memory_order_relaxed);
}

pin_table::slot& pin_table::add_slot() {
  std::uint32_t i = thread_index::current();
  if (i == thread_index::limit)
    i = thread_index::assign();
  auto& at = segments_[i / segment_slots];
  segment* found = at.load(std::memory_order_acquire);
  if (found == nullptr) {
    auto* fresh = new segment;
    if (at.compare_exchange_strong(found, fresh, std::memory_order_seq_cst))
      found = fresh;
    else
      delete fresh;
  }
  return found->slots[i % segment_slots];
}

/// Calls `f` with the slots of all numbers that were ever given.
template <class F>
void pin_table::each_slot(F&& f) const {
  const std::uint32_t bound = thread_index::bound();
  for (std::uint32_t first = 0; first < bound; first += segment_slots) {
    const segment* s = segments_[first / segment_slots].load(std::memory_order_seq_cst);
    if (s == nullptr)
      continue;
    const std::uint32_t n = std::min(segment_slots, bound - first);
    for (std::uint32_t i = 0; i < n; ++i)
      f(s->slots[i]);
  }
}

std::uint64_t pin_table::oldest(line_kind line) const noexcept {
  std::uint64_t least = idle;
  each_slot([&](const slot& s) {
    const auto& seq = s.seq[static_cast<std::size_t>(line)];
    least = std::min(least, seq.load(std::memory_order_seq_cst));
  });
  return least;
}

std::uint64_t pin_table::reads() const noexcept {
  std::uint64_t sum = 0;
  each_slot([&](const slot& s) { sum += s.reads.load(std::memory_order_relaxed); });
  return sum;
}

} // namespace holdfast::detail
