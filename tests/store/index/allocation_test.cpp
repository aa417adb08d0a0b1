// Every allocation of an operation may fail: the bucket then is what it was.
#include "driver.hpp"

#include <new>

#ifndef NDEBUG

namespace holdfast::testing {
namespace {

/// One operation in which all allocations from the k-th on fail; whether it went through.
bool survives(driver& d, std::uint64_t k) {
  bool done = false;
  d.fuse_ = k;
  try {
    d.sealed_operation();
    done = true;
  } catch (const std::bad_alloc&) {
    // Without any memory to be had.
    const fuse_guard counted(d.fuse_);
    d.data_.rollback();
  }
  d.fuse_ = 0;
  d.open_ = d.sealed_;
  return done;
}

class failing_allocation : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(failing_allocation, leaves_the_bucket_as_it_was_for_every_k) {
  driver d(GetParam(), 400);
  std::uint64_t failures = 0;
  for (int i = 0; i < 150 && !HasFatalFailure(); ++i) {
    if (i % 30 == 3)
      d.take_snapshot();
    const auto before = d.random_;
    for (std::uint64_t k = 1; !HasFatalFailure(); ++k, ++failures) {
      d.random_ = before;
      if (survives(d, k))
        break;
      d.check_now();
    }
    d.check_now();
    // Further on without faults, to grow the bucket.
    for (int n = 0; n < 10; ++n)
      d.operation();
  }
  d.check_snapshots();
  EXPECT_GT(failures, 1000U);
}

TEST_P(failing_allocation, loses_no_memory) {
  driver d(GetParam() + 50, 100);
  const auto emptied = [&] {
    d.data_.clear();
    d.data_.seal();
    d.data_.seal();
    d.data_.reclaim();
    d.open_.clear();
    d.sealed_.clear();
    return d.data_.memory().bytes_in_use();
  };
  for (int i = 0; i < 300; ++i)
    d.operation();
  const auto before = emptied();
  for (int i = 0; i < 200; ++i) {
    const auto start = d.random_;
    for (std::uint64_t k = 1;; ++k) {
      d.random_ = start;
      if (survives(d, k))
        break;
    }
  }
  EXPECT_LE(emptied(), before + 8400);
}

INSTANTIATE_TEST_SUITE_P(seeds, failing_allocation, ::testing::Range<std::uint64_t>(0, 3));

} // namespace
} // namespace holdfast::testing

#endif
