#pragma once

#ifdef __SANITIZE_THREAD__
extern "C" {
void __tsan_acquire(void* address);
void __tsan_release(void* address);
}
#endif

namespace holdfast::detail {

/// Tell the thread sanitizer, which sees nothing of what Debian's CAF does, that a mailbox carries
/// something from one thread to another. Nothing in other builds.
inline void before_mailing([[maybe_unused]] void* what) noexcept {
#ifdef __SANITIZE_THREAD__
  __tsan_release(what);
#endif
}
inline void mailed([[maybe_unused]] void* what) noexcept {
#ifdef __SANITIZE_THREAD__
  __tsan_acquire(what);
#endif
}

} // namespace holdfast::detail
