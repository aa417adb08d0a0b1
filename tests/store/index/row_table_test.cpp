// Rows come and go at both ends of the directory.
#include "blocks.hpp"

#include <holdfast/store/detail/commit_line.hpp>

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace holdfast::testing {
namespace {

using namespace detail;

class row_table_driver {
public:
  explicit row_table_driver(std::uint64_t seed) : random_(seed) {}
  ~row_table_driver() {
    for (auto& [row, block] : model_)
      memory_.free(block, block->bytes);
  }

  std::uint64_t below(std::uint64_t n) { return random_() % n; }
  void add(std::uint64_t row) {
    if (model_.contains(row))
      return;
    record_block* b = make_block(memory_, {std::int64_t{1}});
    b->row = row;
    rows_.reserve(row);
    rows_.add(row, b);
    rows_.appears(row, 1);
    model_.emplace(row, b);
    next_ = std::max(next_, row + 1);
  }
  void remove(std::uint64_t row) {
    auto at = model_.find(row);
    if (at == model_.end())
      return;
    retired_.reserve(1);
    rows_.disappears(row, 1);
    rows_.remove(row, next_);
    memory_.free(at->second, at->second->bytes);
    model_.erase(at);
  }
  void check() {
    const row_table::window window(rows_);
    std::uint64_t row = rows_.next_row(0, next_);
    for (auto& [expected, block] : model_) {
      ASSERT_EQ(row, expected);
      ASSERT_EQ(rows_.head(row), block);
      ASSERT_EQ(window.head(row), block);
      row = rows_.next_row(row + 1, next_);
    }
    ASSERT_EQ(row, next_);
    for (int i = 0; i < 100; ++i) {
      const auto from = below(next_ + 2 * row_table::chunk_rows);
      auto at = model_.lower_bound(from);
      ASSERT_EQ(rows_.next_row(from, next_), at == model_.end() ? next_ : at->first);
      // Backwards no row that is there may be passed by.
      const auto back = rows_.skip_back(from);
      ASSERT_LE(back, from);
      ASSERT_EQ(at, model_.lower_bound(back)) << from;
      ASSERT_EQ(rows_.head(from) != nullptr, model_.contains(from));
    }
    if (!model_.empty()) {
      ASSERT_LE(rows_.first_row(), model_.begin()->first);
    }
  }

  std::mt19937_64 random_;
  commit_lines lines_;
  pool memory_;
  limbo retired_{lines_.memory, memory_};
  row_table rows_{memory_, retired_};
  std::uint64_t next_ = 0;
  std::map<std::uint64_t, record_block*> model_;
};

class row_tables : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(row_tables, agree_with_a_map) {
  row_table_driver d(GetParam());
  // What a restore adds comes in any order, from the middle to both sides.
  for (int i = 0; i < 400; ++i)
    d.add(1'000'000 + d.below(200'000));
  d.check();
  std::uint64_t oldest = 1'000'000;
  for (int round = 0; round < 40 && !HasFatalFailure(); ++round) {
    for (auto n = d.below(3000); n > 0; --n)
      d.add(d.next_ + (d.below(4) == 0 ? d.below(500) : 0));
    oldest += d.below(20'000);
    while (!d.model_.empty() && d.model_.begin()->first < oldest)
      d.remove(d.model_.begin()->first);
    for (auto n = d.below(500); n > 0; --n)
      d.remove(oldest + d.below(d.next_));
    d.check();
    oldest = std::min(oldest, d.next_);
  }
}

INSTANTIATE_TEST_SUITE_P(seeds, row_tables, ::testing::Range<std::uint64_t>(0, 10));

TEST(row_table, begins_with_the_oldest_row_that_is_there) {
  row_table_driver d(1);
  for (std::uint64_t row = 0; row < 300'000; ++row) {
    d.add(row);
    if (row >= 100)
      d.remove(row - 100);
  }
  d.check();
  const auto used = d.memory_.bytes_in_use();
  for (std::uint64_t row = 300'000; row < 1'000'000; ++row) {
    d.add(row);
    d.remove(row - 100);
    if (row % 1000 == 0)
      d.retired_.drain(~std::uint64_t{0}, 1000);
  }
  d.check();
  EXPECT_GT(d.rows_.first_row(), 900'000U);
  EXPECT_LE(d.memory_.bytes_in_use(), used + 10'000U);
}

} // namespace
} // namespace holdfast::testing
