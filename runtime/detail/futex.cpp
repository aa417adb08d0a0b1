#include <holdfast/runtime/detail/futex.hpp>

#include <cerrno>
#include <climits>
#include <ctime>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace holdfast::detail {

bool futex_wait(const std::atomic<std::uint32_t>& word, std::uint32_t seen,
                std::chrono::steady_clock::time_point deadline) noexcept {
  using namespace std::chrono;
  if (deadline.time_since_epoch() <= nanoseconds{0})
    return false; // before the machine began: the kernel takes no such time
  timespec until{};
  timespec* limit = nullptr;
  if (deadline != steady_clock::time_point::max()) {
    auto at = deadline.time_since_epoch();
    until.tv_sec = duration_cast<seconds>(at).count();
    until.tv_nsec = duration_cast<nanoseconds>(at % seconds{1}).count();
    limit = &until;
  }
  // WAIT_BITSET takes an absolute time of CLOCK_MONOTONIC, which is what steady_clock reads.
  auto rc = ::syscall(SYS_futex, &word, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, seen, limit,
                      nullptr, FUTEX_BITSET_MATCH_ANY);
  return !(rc == -1 && errno == ETIMEDOUT);
}

void futex_wake_all(const std::atomic<std::uint32_t>& word) noexcept {
  ::syscall(SYS_futex, &word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, INT_MAX, nullptr, nullptr, 0);
}

} // namespace holdfast::detail
