#include <holdfast/store/detail/asymmetric_fence.hpp>

#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace holdfast::detail {

namespace {

#ifndef __SANITIZE_THREAD__
long membarrier(int command) noexcept { return ::syscall(SYS_membarrier, command, 0, 0); }
#endif

void full_fence() noexcept {
#ifdef __SANITIZE_THREAD__
  // The sanitizer knows no fences; a read-modify-write is one on every machine it runs on.
  static std::atomic<int> dummy{0};
  dummy.fetch_add(1, std::memory_order_seq_cst);
#else
  std::atomic_thread_fence(std::memory_order_seq_cst);
#endif
}

} // namespace

bool asymmetric_fence::enrol() noexcept {
#ifdef __SANITIZE_THREAD__
  return false; // the sanitizer does not know the call
#else
  return membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) == 0;
#endif
}

bool asymmetric_fence::heavy() noexcept {
  full_fence();
#ifndef __SANITIZE_THREAD__
  // A process that was forked may have to enrol anew.
  if (offered())
    return membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED) == 0 ||
           (enrol() && membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED) == 0);
#endif
  return true;
}

} // namespace holdfast::detail
