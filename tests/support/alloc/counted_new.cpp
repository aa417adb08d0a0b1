// Not inlined into the tests: the compiler would take free for a mismatch.
#include <holdfast/store/detail/pool.hpp>

#include <cstdlib>
#include <new>

#ifndef NDEBUG

// All containers of this binary take part in failing allocations, besides the pools.
void* operator new(std::size_t bytes) {
  holdfast::detail::pool::burn_fuse();
  if (void* p = std::malloc(bytes == 0 ? 1 : bytes))
    return p;
  throw std::bad_alloc();
}
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
  return std::malloc(bytes == 0 ? 1 : bytes);
}
void operator delete(void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }

#endif
