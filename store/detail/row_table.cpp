#include <holdfast/store/detail/row_table.hpp>

#include <algorithm>
#include <memory>
#include <new>

namespace holdfast::detail {

namespace {

constexpr std::uint64_t least_capacity = 16;

} // namespace

row_table::row_table(pool& memory, limbo& retired) : memory_(memory), retired_(retired) {
  directory_.store(make_directory(0, least_capacity), std::memory_order_release);
}

row_table::~row_table() {
  directory* d = directory_.load(std::memory_order_relaxed);
  for (std::uint64_t i = 0; i < d->capacity; ++i)
    if (chunk* c = d->chunks()[i].load(std::memory_order_relaxed))
      memory_.free(c, sizeof(chunk));
  memory_.free(d, directory_bytes(d->capacity));
}

row_table::directory* row_table::make_directory(std::uint64_t first, std::uint64_t capacity) {
  auto* d = new (memory_.allocate(directory_bytes(capacity))) directory{capacity, first};
  std::uninitialized_default_construct_n(d->tallies(), capacity);
  std::uninitialized_value_construct_n(d->chunks(), capacity);
  return d;
}

std::uint64_t row_table::next_row(std::uint64_t row, std::uint64_t bound) const noexcept {
  while (row < bound) {
    const chunk* c = chunk_of(row);
    const std::uint64_t end = std::min(bound, (row / chunk_rows + 1) * chunk_rows);
    if (c == nullptr) {
      row = std::max(end, first_row());
      continue;
    }
    for (; row < end; ++row)
      if (c->heads[row % chunk_rows].load(pinned_load) != nullptr)
        return row;
  }
  return bound;
}

std::optional<std::uint64_t> row_table::visible_in_chunk(std::uint64_t row,
                                                         std::uint64_t seq) const noexcept {
  const directory* d = directory_.load(pinned_load);
  const std::uint64_t k = d->place_of(row);
  if (k >= d->capacity)
    return 0;
  const tally& of = d->tallies()[k];
  const std::uint64_t visible = of.visible.load(std::memory_order_acquire);
  if (of.changed.load(std::memory_order_acquire) > seq)
    return std::nullopt;
  return visible;
}

std::uint64_t row_table::skip_chunks(std::uint64_t row, std::uint64_t bound, std::uint64_t seq,
                                     std::uint64_t& count) const noexcept {
  const directory* d = directory_.load(pinned_load);
  for (; count > 0 && row < bound; row += chunk_rows) {
    const std::uint64_t k = d->place_of(row);
    if (k >= d->capacity)
      continue;
    const tally& of = d->tallies()[k];
    const std::uint64_t visible = of.visible.load(std::memory_order_acquire);
    if (visible > count || of.changed.load(std::memory_order_acquire) > seq)
      break;
    count -= visible;
  }
  return std::min(row, bound);
}

std::uint64_t row_table::taken_rows(std::uint64_t row, std::uint64_t end) const noexcept {
  const chunk* c = chunk_of(row);
  std::uint64_t taken = 0;
  for (; c != nullptr && row < end; ++row)
    taken += c->heads[row % chunk_rows].load(pinned_load) != nullptr ? 1 : 0;
  return taken;
}

void row_table::recount(std::uint64_t seq) noexcept {
  directory* d = directory_.load(std::memory_order_relaxed);
  for (std::uint64_t k = 0; k < d->capacity; ++k) {
    if (d->tallies()[k].changed.load(std::memory_order_relaxed) <= seq)
      continue;
    std::uint64_t live = 0;
    if (chunk* c = d->chunks()[k].load(std::memory_order_relaxed))
      for (auto& head : c->heads) {
        const record_block* b = head.load(std::memory_order_relaxed);
        live += b != nullptr && b->death.load(std::memory_order_relaxed) == never ? 1 : 0;
      }
    // Nobody relies on it before the next change: a reader may hold the number that was taken back.
    d->tallies()[k].set(never, live);
  }
}

/// With room for as many chunks again on the side on which it lacked a place, so that the moves
/// cost O(1) per chunk.
row_table::directory* row_table::move_directory(std::uint64_t chunk_number) {
  directory* d = directory_.load(std::memory_order_relaxed);
  std::uint64_t first = chunk_number, last = chunk_number;
  for (std::uint64_t i = 0; i < d->capacity; ++i)
    if (d->chunks()[i].load(std::memory_order_relaxed) != nullptr) {
      first = std::min(first, d->first + i);
      last = std::max(last, d->first + i);
    }
  const std::uint64_t capacity = std::max(least_capacity, 2 * (last + 1 - first));
  if (chunk_number < d->first)
    first = last + 1 - std::min(last + 1, capacity);
  retired_.reserve(1);
  directory* fresh = make_directory(first, capacity);
  for (std::uint64_t i = 0; i < d->capacity; ++i)
    if (chunk* c = d->chunks()[i].load(std::memory_order_relaxed)) {
      const std::uint64_t k = d->first + i - first;
      fresh->chunks()[k].store(c, std::memory_order_relaxed);
      fresh->tallies()[k].set(d->tallies()[i].changed.load(std::memory_order_relaxed),
                              d->tallies()[i].visible.load(std::memory_order_relaxed));
    }
  directory_.store(fresh, std::memory_order_release);
  retired_.add(d, directory_bytes(d->capacity));
  return fresh;
}

void row_table::reserve(std::uint64_t row) {
  directory* d = directory_.load(std::memory_order_relaxed);
  if (d->place_of(row) >= d->capacity)
    d = move_directory(row / chunk_rows);
  const std::uint64_t k = d->place_of(row);
  if (d->chunks()[k].load(std::memory_order_relaxed) != nullptr)
    return;
  retired_.reserve(1);
  auto* c = static_cast<chunk*>(memory_.allocate(sizeof(chunk)));
  c->live = 0;
  std::uninitialized_value_construct_n(c->heads, chunk_rows);
  d->chunks()[k].store(c, std::memory_order_release);
  // The chunk before could not go while it was the newest.
  if (k > 0 && chunk_of(row - chunk_rows) != nullptr && chunk_of(row - chunk_rows)->live == 0)
    drop_chunk_of(row - chunk_rows);
}

void row_table::drop_chunk_of(std::uint64_t row) noexcept {
  directory* d = directory_.load(std::memory_order_relaxed);
  auto& at = d->chunks()[d->place_of(row)];
  chunk* c = at.load(std::memory_order_relaxed);
  at.store(nullptr, std::memory_order_release);
  retired_.add(c, sizeof(chunk));
}

void row_table::add(std::uint64_t row, record_block* block) noexcept {
  chunk* c = chunk_of(row);
  ++c->live;
  c->heads[row % chunk_rows].store(block, std::memory_order_release);
}

void row_table::remove(std::uint64_t row, std::uint64_t next) noexcept {
  chunk* c = chunk_of(row);
  c->heads[row % chunk_rows].store(nullptr, std::memory_order_release);
  if (--c->live == 0 && row / chunk_rows < next / chunk_rows)
    drop_chunk_of(row);
}

} // namespace holdfast::detail
