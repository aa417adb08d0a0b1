// Memory runs out at every single allocation that a write does inside its bucket.
#include "fault_bench.hpp"

#include <holdfast/runtime/fault.hpp>
#include <holdfast/store/detail/pool.hpp>

#include <gmock/gmock.h>

#ifndef NDEBUG

namespace holdfast::testing {
namespace {

using ::testing::IsEmpty;

struct exhausted_memory : ::testing::TestWithParam<bench_mode> {};

/// One write for which every allocation from the k-th on fails, from the moment at which the bucket
/// takes it up to the one at which it is sealed or refused.
std::pair<counted_write, bucket_model> start_starving(fault_bench& bench, write_kind kind,
                                                      std::uint64_t k) {
  fault begin{"bucket.started", 0, [k] { detail::pool::set_fuse(k); }};
  fault end_published{"bucket.published", 0, [] { detail::pool::set_fuse(0); }};
  fault end_queued{"bucket.queued", 0, [] { detail::pool::set_fuse(0); }};
  auto started = bench.start(kind, [] { detail::pool::set_fuse(0); });
  (void)started.first.wait();
  return started;
}

TEST_P(exhausted_memory, fails_the_write_and_changes_nothing) {
  fault_bench bench{GetParam()};
  {
    fault nowhere{"nowhere"}; // the table of fault points allocates when one is passed first
    for (auto kind : all_write_kinds) {
      auto [write, after] = bench.start(kind);
      ASSERT_FALSE(write.wait());
      ASSERT_THAT(bench.go_on_with(after), IsEmpty());
    }
  }
  auto failures = 0;
  for (int round = 0; round < 12; ++round)
    for (auto kind : all_write_kinds)
      for (std::uint64_t k = 1;; ++k) {
        SCOPED_TRACE(std::string{to_string(kind)} + " without allocation " + std::to_string(k));
        auto before = bench.model();
        auto [write, after] = start_starving(bench, kind, k);
        auto failed = write.wait();
        if (failed) {
          EXPECT_EQ(failed->code(), errc::out_of_memory) << failed->to_string();
        }
        EXPECT_EQ(write.answers(), 1);
        EXPECT_THAT(bench.go_on_with(failed ? before : after), IsEmpty());
        if (HasFailure())
          return;
        if (!failed)
          break;
        ++failures;
      }
  EXPECT_GT(failures, 100);
  EXPECT_EQ(bench.db().stats().buckets.at(0).restarts, 0U) << "no actor crashes for it";
  EXPECT_THAT(bench.reopen(true), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(, exhausted_memory,
                         ::testing::Values(bench_mode{false, durability::none, true},
                                           bench_mode{false, durability::none, false},
                                           bench_mode{true, durability::sync, true},
                                           bench_mode{true, durability::async, false}),
                         [](auto& param) { return to_string(param.param); });

} // namespace
} // namespace holdfast::testing

#endif
