#include <holdfast/store/detail/page_hash.hpp>

namespace holdfast::detail {

template <class Slots>
auto page_hash<Slots>::make_page(std::uint32_t depth, std::uint32_t scale) -> page* {
  void* memory = memory_.allocate(page_bytes(scale));
  count(page_bytes(scale));
  auto* p = new (memory) page{depth, 0, scale, 0};
  std::memset(static_cast<void*>(p->slots()), 0, page_bytes(scale) - sizeof(page));
  return p;
}

template <class Slots>
auto page_hash<Slots>::make_directory(std::uint64_t depth) -> directory* {
  void* memory = memory_.allocate(directory_bytes(depth));
  count(directory_bytes(depth));
  return new (memory) directory{depth, 0};
}

template <class Slots>
void page_hash<Slots>::put(page& p, std::uint64_t hash, std::uint64_t payload) noexcept {
  const std::uint64_t mask = p.capacity() - 1;
  std::uint64_t i = Slots::start(hash) & mask;
  for (;; i = (i + 1) & mask) {
    const std::uint64_t e = p.slots()[i].load(std::memory_order_relaxed);
    if (e == empty)
      ++p.used;
    if (!is_entry(e))
      break;
  }
  p.slots()[i].store(Slots::tag(hash) | payload, std::memory_order_release);
}

template <class Slots>
auto page_hash<Slots>::slot_of(std::uint64_t hash, std::uint64_t payload) noexcept
    -> std::atomic<std::uint64_t>* {
  page& p = *page_of(reference_of(hash));
  const std::uint64_t mask = p.capacity() - 1;
  const std::uint64_t wanted = Slots::tag(hash) | payload;
  for (std::uint64_t i = Slots::start(hash) & mask;; i = (i + 1) & mask) {
    const std::uint64_t e = p.slots()[i].load(std::memory_order_relaxed);
    if (e == wanted)
      return &p.slots()[i];
    if (e == empty)
      return nullptr;
  }
}

template <class Slots>
void page_hash<Slots>::remove(std::uint64_t hash, std::uint64_t payload) noexcept {
  std::atomic<std::uint64_t>* s = slot_of(hash, payload);
  if (s == nullptr)
    return;
  s->store(removed, std::memory_order_release);
  // Nothing lies behind an empty slot, so markers in front of one are not needed.
  page& p = *page_of(reference_of(hash));
  const std::uint64_t mask = p.capacity() - 1;
  auto i = static_cast<std::uint64_t>(s - p.slots());
  if (p.slots()[(i + 1) & mask].load(std::memory_order_relaxed) != empty)
    return;
  for (; p.slots()[i].load(std::memory_order_relaxed) == removed; i = (i - 1) & mask) {
    p.slots()[i].store(empty, std::memory_order_release);
    --p.used;
  }
}

/// No reader is left: everything goes at once.
template <class Slots>
page_hash<Slots>::~page_hash() {
  directory* d = directory_.load(std::memory_order_relaxed);
  const std::uint64_t n = std::uint64_t{1} << d->depth;
  for (std::uint64_t i = 0; i < n;) {
    page* p = page_of(d->pages()[i].load(std::memory_order_relaxed));
    i += std::uint64_t{1} << (d->depth - p->depth);
    free_page(p);
  }
  free_now(d, directory_bytes(d->depth));
}

template <class Slots>
void page_hash<Slots>::make_room(std::uint64_t hash) {
  page* p = page_of(reference_of(hash));
  std::uint64_t zeros = 0, ones = 0;
  if constexpr (Slots::payload_bits == 48)
    for (std::uint64_t i = 0; i < p->capacity(); ++i)
      if (const std::uint64_t e = p->slots()[i].load(std::memory_order_relaxed); is_entry(e))
        __builtin_prefetch(&Slots::block(e & payload_mask)->hash);
  for (std::uint64_t i = 0; i < p->capacity(); ++i)
    if (const std::uint64_t e = p->slots()[i].load(std::memory_order_relaxed); is_entry(e))
      ++(p->depth < Slots::deepest && bit(Slots::hash(e), p->depth) ? ones : zeros);
  retired_.reserve(2);
  if (zeros + ones <= p->capacity() / 2)
    rewrite(p, hash, p->scale);
  else if (std::min(zeros, ones) > (zeros + ones) / 16)
    split(p, hash, zeros, ones);
  else
    rewrite(p, hash, p->scale + 1);
}

template <class Slots>
void page_hash<Slots>::rewrite(page* p, std::uint64_t hash, std::uint32_t scale) {
  page* fresh = make_page(p->depth, scale);
  for (std::uint64_t i = 0; i < p->capacity(); ++i)
    if (const std::uint64_t e = p->slots()[i].load(std::memory_order_relaxed); is_entry(e))
      put(*fresh, Slots::hash(e), e & payload_mask);
  install(fresh, hash);
  retire(p, page_bytes(p->scale));
}

template <class Slots>
void page_hash<Slots>::split(page* p, std::uint64_t hash, std::uint64_t zeros, std::uint64_t ones) {
  if (directory_.load(std::memory_order_relaxed)->depth == p->depth)
    grow_directory();
  const auto scale_for = [&](std::uint64_t n) {
    std::uint32_t scale = 0;
    while (n > (least_capacity << scale) / 3 * 2)
      ++scale;
    return scale;
  };
  page* a = make_page(p->depth + 1, scale_for(zeros));
  page* b = nullptr;
  try {
    b = make_page(p->depth + 1, scale_for(ones));
  } catch (...) {
    free_page(a);
    throw;
  }
  for (std::uint64_t i = 0; i < p->capacity(); ++i) {
    const std::uint64_t e = p->slots()[i].load(std::memory_order_relaxed);
    if (!is_entry(e))
      continue;
    const std::uint64_t h = Slots::hash(e);
    put(bit(h, p->depth) ? *b : *a, h, e & payload_mask);
  }
  directory& d = *directory_.load(std::memory_order_relaxed);
  const std::uint64_t width = std::uint64_t{1} << (d.depth - p->depth);
  const std::uint64_t first = d.index(hash) & ~(width - 1);
  for (std::uint64_t i = 0; i < width; ++i)
    d.pages()[first + i].store(reference(i < width / 2 ? a : b), std::memory_order_release);
  retire(p, page_bytes(p->scale));
}

template <class Slots>
void page_hash<Slots>::grow_directory() {
  directory* old = directory_.load(std::memory_order_relaxed);
  directory* fresh = make_directory(old->depth + 1);
  for (std::uint64_t i = 0; i < std::uint64_t{1} << old->depth; ++i) {
    const std::uintptr_t ref = old->pages()[i].load(std::memory_order_relaxed);
    fresh->pages()[2 * i].store(ref, std::memory_order_relaxed);
    fresh->pages()[2 * i + 1].store(ref, std::memory_order_relaxed);
  }
  directory_.store(fresh, std::memory_order_release);
  retire(old, directory_bytes(old->depth));
}

/// Puts a page in the place of the one with the same depth.
template <class Slots>
void page_hash<Slots>::install(page* p, std::uint64_t hash) noexcept {
  directory& d = *directory_.load(std::memory_order_relaxed);
  const std::uint64_t width = std::uint64_t{1} << (d.depth - p->depth);
  const std::uint64_t first = d.index(hash) & ~(width - 1);
  for (std::uint64_t i = 0; i < width; ++i)
    d.pages()[first + i].store(reference(p), std::memory_order_release);
}

template <class Slots>
void page_hash<Slots>::presize(std::uint64_t n) {
  std::uint32_t depth = 0;
  while (n >> depth > least_capacity / 8 * 5)
    ++depth;
  if (depth == 0)
    return;
  page* old = page_of(reference_of(0));
  directory* old_directory = directory_.load(std::memory_order_relaxed);
  directory* d = make_directory(depth);
  std::uint64_t made = 0;
  try {
    for (; made < std::uint64_t{1} << depth; ++made)
      d->pages()[made].store(reference(make_page(depth, 0)), std::memory_order_relaxed);
  } catch (...) {
    while (made-- > 0)
      free_page(page_of(d->pages()[made].load(std::memory_order_relaxed)));
    free_now(d, directory_bytes(depth));
    throw;
  }
  directory_.store(d, std::memory_order_release);
  free_page(old);
  free_now(old_directory, directory_bytes(0));
}

template class page_hash<block_slots>;
template class page_hash<row_slots>;

} // namespace holdfast::detail
