#include "driver.hpp"

namespace holdfast::testing {
namespace {

using namespace detail;

/// A bucket of a durable line: what is sealed is published later, or never.
struct late_driver : driver {
  using driver::driver;

  /// Seals a random operation, or rolls it back.
  void operation_behind_a_disk() {
    edits();
    if (below(8) == 0) {
      data_.rollback();
      open_ = unpublished_.empty() ? sealed_ : unpublished_.back();
      return;
    }
    data_.prepare_seal();
    {
      const std::lock_guard lock(lines_.memory);
      data_.seal_at(lines_.memory.take_seq());
    }
    data_.settle();
    unpublished_.push_back(open_);
  }
  void publish(std::size_t n) {
    for (; n > 0 && !unpublished_.empty(); --n) {
      const std::lock_guard lock(lines_.memory);
      lines_.memory.publish(lines_.memory.published() + 1);
      sealed_ = std::move(unpublished_.front());
      unpublished_.erase(unpublished_.begin());
    }
  }
  /// What a reopened store does: so many of the unpublished commits turn out to be on disk.
  void rewind(std::size_t taken) {
    const auto seq = lines_.memory.published() + taken;
    data_.rewind(seq);
    if (taken > 0)
      sealed_ = unpublished_[taken - 1];
    unpublished_.clear();
    open_ = sealed_;
    const std::lock_guard lock(lines_.memory);
    lines_.memory.rewind(seq);
  }

  std::vector<model> unpublished_;
};

class sealed_sequences : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(sealed_sequences, that_are_taken_back_leave_exactly_what_was_before_them) {
  late_driver d(GetParam());
  for (int i = 0; i < 1200 && !::testing::Test::HasFatalFailure(); ++i) {
    d.operation_behind_a_disk();
    if (d.below(3) == 0)
      d.publish(d.below(4));
    if (d.below(20) == 0)
      d.take_snapshot();
    if (d.held_.size() > 6 || d.below(40) == 0)
      d.drop_snapshot();
    if (d.below(50) == 0)
      d.data_.reclaim();
    if (d.below(15) == 0) {
      d.rewind(d.below(d.unpublished_.size() + 1));
      ASSERT_EQ(d.data_.live_count(), d.sealed_.rows.size());
      d.check_now();
      d.check_snapshots();
      for (std::size_t index = 1; index < d.data_.layout().indexes.size(); ++index)
        ASSERT_EQ(d.data_.index_bytes(index), subtree_bytes(d.data_.open_tree(index)));
    }
  }
  d.publish(d.unpublished_.size());
  d.check_now();
  d.check_snapshots();
}

TEST_P(sealed_sequences, that_are_taken_back_leave_no_garbage_behind) {
  late_driver d(GetParam() + 1000);
  std::size_t before = 0;
  for (int round = 0; round < 4; ++round) {
    for (int i = 0; i < 300; ++i) {
      d.operation_behind_a_disk();
      if (d.below(10) == 0)
        d.publish(3);
      if (d.below(20) == 0)
        d.rewind(d.below(d.unpublished_.size() + 1));
    }
    d.publish(d.unpublished_.size());
    d.data_.clear();
    d.data_.seal();
    d.data_.seal();
    d.data_.reclaim();
    d.open_.clear();
    d.sealed_.clear();
    EXPECT_EQ(d.data_.waiting(), 0U);
    const auto in_use = d.data_.memory().bytes_in_use();
    if (round > 0) {
      EXPECT_LE(in_use, before + 8400) << "round " << round;
    }
    before = in_use;
  }
}

INSTANTIATE_TEST_SUITE_P(seeds, sealed_sequences, ::testing::Range<std::uint64_t>(1, 9));

} // namespace
} // namespace holdfast::testing
