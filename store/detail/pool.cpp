#include <holdfast/store/detail/pool.hpp>

#include <holdfast/store/detail/record_block.hpp>
#include <holdfast/store/detail/release.hpp>

#include <algorithm>
#include <cstdlib>

#include <sys/mman.h>

namespace holdfast::detail {

namespace {

/// What the remote list of a pool without an owner holds.
constexpr std::uintptr_t orphaned = 1;

constexpr std::size_t first_slab = pool::chunk_bytes;
constexpr std::size_t largest_slab = std::size_t{1} << 21;

/// A slab of the largest size is mapped as one huge page, where the system gives them: a look-up of
/// a random record misses the TLB once less, and that is a fifth of its time.
char* take_slab(std::size_t bytes) {
  if (bytes != largest_slab) {
    auto* memory = static_cast<char*>(std::aligned_alloc(pool::chunk_bytes, bytes));
    if (memory == nullptr)
      throw std::bad_alloc();
    return memory;
  }
  void* mapped = ::mmap(nullptr, 2 * bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapped == MAP_FAILED)
    throw std::bad_alloc();
  auto* first = static_cast<char*>(mapped);
  auto lead = (bytes - reinterpret_cast<std::uintptr_t>(first) % bytes) % bytes;
  if (lead != 0)
    ::munmap(first, lead);
  ::munmap(first + lead + bytes, bytes - lead);
  ::madvise(first + lead, bytes, MADV_HUGEPAGE);
  return first + lead;
}

void give_back(char* memory, std::size_t bytes) noexcept {
  if (bytes == largest_slab)
    ::munmap(memory, bytes);
  else
    std::free(memory);
}

} // namespace

void release_block(record_block* block) noexcept { pool::free_remote(block, block->bytes); }

pool::pool() : core_(new core) {}

pool::chunk* pool::chunk_of(void* p) noexcept {
  return reinterpret_cast<chunk*>(reinterpret_cast<std::uintptr_t>(p) & ~(chunk_bytes - 1));
}

/// Behind the last chunk of a slab that has a header.
char* pool::cut_end(const core& c, const slab& s) noexcept {
  char* end = s.memory + s.bytes;
  return end == c.slab_limit ? c.slab_cursor : end;
}

pool::big_block* pool::big_of(void* p) noexcept { return static_cast<big_block*>(p) - 1; }

pool::core* pool::core_of(void* p, std::size_t bytes) noexcept {
  return bytes <= largest_small ? chunk_of(p)->owner : big_of(p)->owner;
}

void* pool::allocate_slow(std::size_t k) {
  core& c = *core_;
  if (c.remote.load(std::memory_order_relaxed) != nullptr)
    collect();
  const std::size_t bytes = k * class_step;
  if (free_block* b = c.free[k]) {
    c.free[k] = b->next;
    c.in_use += bytes;
    return b;
  }
  if (static_cast<std::size_t>(c.limit - c.cursor) < bytes)
    next_chunk();
  void* p = c.cursor;
  c.cursor += bytes;
  c.in_use += bytes;
  return p;
}

/// Slabs double in size up to 2 MB: a small bucket stays small, and an aligned allocation wastes
/// little of a large one.
void pool::next_chunk() {
  core& c = *core_;
  if (c.slab_cursor == c.slab_limit) {
    const std::size_t bytes = std::clamp(c.reserved & ~(chunk_bytes - 1), first_slab, largest_slab);
    c.slabs.reserve(c.slabs.size() + 1);
    auto* memory = take_slab(bytes);
    c.mapped += bytes == largest_slab ? bytes : 0;
    c.slabs.push_back({memory, bytes});
    c.reserved += bytes;
    c.slab_cursor = memory;
    c.slab_limit = memory + bytes;
  }
  if (const auto rest = static_cast<std::size_t>(c.limit - c.cursor); rest >= class_step) {
    push_free(c.cursor, rest / class_step);
    c.in_use += rest / class_step * class_step;
  }
  c.cursor = c.slab_cursor;
  c.slab_cursor += chunk_bytes;
  c.limit = c.slab_cursor;
  new (c.cursor) chunk{&c, 0};
  c.cursor += sizeof(chunk);
}

void* pool::allocate_big(std::size_t bytes) {
  core& c = *core_;
  if (c.remote.load(std::memory_order_relaxed) != nullptr)
    collect();
  void* memory = std::malloc(sizeof(big_block) + bytes);
  if (memory == nullptr)
    throw std::bad_alloc();
  auto* b = new (memory) big_block{&c, c.bigs, nullptr, bytes};
  if (c.bigs != nullptr)
    c.bigs->prev = b;
  c.bigs = b;
  c.in_use += sizeof(big_block) + bytes;
  c.reserved += sizeof(big_block) + bytes;
  return b + 1;
}

void pool::free_big(void* p) noexcept {
  core& c = *core_;
  big_block* b = big_of(p);
  (b->prev != nullptr ? b->prev->next : c.bigs) = b->next;
  if (b->next != nullptr)
    b->next->prev = b->prev;
  c.in_use -= sizeof(big_block) + b->bytes;
  c.reserved -= sizeof(big_block) + b->bytes;
  std::free(b);
}

void pool::free_remote(void* p, std::size_t bytes) noexcept {
  core* c = core_of(p, bytes);
  auto* b = static_cast<free_block*>(p);
  b->bytes = bytes;
  free_block* head = c->remote.load(std::memory_order_acquire);
  do {
    if (reinterpret_cast<std::uintptr_t>(head) == orphaned) {
      if (c->outstanding.fetch_sub(1, std::memory_order_acq_rel) == 1)
        destroy(c);
      return;
    }
    b->next = head;
  } while (!c->remote.compare_exchange_weak(head, b, std::memory_order_acq_rel,
                                            std::memory_order_acquire));
}

void pool::handed_off(void* p, std::size_t bytes) noexcept {
  ++core_->held;
  if (bytes <= largest_small)
    ++chunk_of(p)->held;
}

void pool::collect() noexcept {
  free_block* b = core_->remote.exchange(nullptr, std::memory_order_acquire);
  while (b != nullptr) {
    free_block* next = b->next;
    const std::size_t bytes = b->bytes;
    --core_->held;
    if (bytes <= largest_small)
      --chunk_of(b)->held;
    free(b, bytes);
    b = next;
  }
}

void pool::adopt(pool&& other) {
  other.collect();
  core& to = *core_;
  core& from = *other.core_;
  to.slabs.reserve(to.slabs.size() + from.slabs.size());
  to.kept.reserve(to.kept.size() + from.kept.size());
  for (const slab& s : from.slabs) {
    for (char* at = s.memory; at != cut_end(from, s); at += chunk_bytes)
      reinterpret_cast<chunk*>(at)->owner = &to;
    to.slabs.push_back(s);
    to.mapped += s.bytes == largest_slab ? s.bytes : 0;
  }
  for (auto& object : from.kept)
    keep(std::move(object));
  for (std::size_t k = 1; k < class_count; ++k) {
    while (free_block* b = from.free[k]) {
      from.free[k] = b->next;
      b->next = to.free[k];
      to.free[k] = b;
    }
  }
  while (big_block* b = from.bigs) {
    from.bigs = b->next;
    b->owner = &to;
    b->prev = nullptr;
    b->next = to.bigs;
    if (to.bigs != nullptr)
      to.bigs->prev = b;
    to.bigs = b;
  }
  // Cut on from whichever slab has more chunks left; the rest of the other one stays unused.
  if (from.slab_limit - from.slab_cursor > to.slab_limit - to.slab_cursor) {
    std::swap(to.slab_cursor, from.slab_cursor);
    std::swap(to.slab_limit, from.slab_limit);
  }
  for (; from.slab_cursor != from.slab_limit; from.slab_cursor += chunk_bytes)
    new (from.slab_cursor) chunk{&to, 0};
  to.in_use += std::exchange(from.in_use, 0);
  to.reserved += std::exchange(from.reserved, 0);
  to.held += std::exchange(from.held, 0);
  from.slabs.clear();
  from.mapped = 0;
  delete std::exchange(other.core_, nullptr);
}

void pool::keep(std::shared_ptr<const void> object) {
  auto& kept = core_->kept;
  // Nearly always the layout kept last.
  if (std::find(kept.rbegin(), kept.rend(), object) == kept.rend())
    kept.push_back(std::move(object));
}

void pool::destroy(core* c) noexcept {
  for (const slab& s : c->slabs)
    give_back(s.memory, s.bytes);
  while (big_block* b = c->bigs) {
    c->bigs = b->next;
    std::free(b);
  }
  delete c;
}

/// Gives back the slabs in which no handle keeps a block.
void pool::drop_unheld() noexcept {
  core& c = *core_;
  std::erase_if(c.slabs, [&](const slab& s) {
    for (char* at = s.memory; at != cut_end(c, s); at += chunk_bytes)
      if (reinterpret_cast<chunk*>(at)->held != 0)
        return false;
    give_back(s.memory, s.bytes);
    return true;
  });
}

pool::~pool() {
  if (core_ == nullptr)
    return;
  collect();
  core& c = *core_;
  if (c.held == 0) {
    destroy(core_);
    return;
  }
  drop_unheld();
  auto* mark = reinterpret_cast<free_block*>(orphaned);
  std::int64_t rest = static_cast<std::int64_t>(c.held);
  for (free_block* b = c.remote.exchange(mark, std::memory_order_acq_rel); b != nullptr;
       b = b->next)
    --rest;
  // Handles that go from here on subtract from `outstanding`, and whoever reaches 0 is the last.
  if (c.outstanding.fetch_add(rest, std::memory_order_acq_rel) + rest == 0)
    destroy(core_);
}

} // namespace holdfast::detail
