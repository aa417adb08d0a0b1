#include "driver.hpp"

#include <holdfast/runtime/fault.hpp>

#include <optional>

namespace holdfast::testing {
namespace {

using namespace detail;

class bucket_sequences : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(bucket_sequences, agree_with_a_model_at_every_held_snapshot) {
  driver d(GetParam());
  for (int i = 0; i < 1500 && !::testing::Test::HasFatalFailure(); ++i) {
    d.operation();
    if (d.below(20) == 0)
      d.take_snapshot();
    if (d.held_.size() > 6 || d.below(40) == 0)
      d.drop_snapshot();
    if (d.below(50) == 0)
      d.data_.reclaim();
    if (i % 25 == 0) {
      d.check_now();
      d.check_snapshots();
    }
  }
  d.check_now();
  d.check_snapshots();
}

TEST_P(bucket_sequences, leave_no_garbage_behind) {
  driver d(GetParam() + 1000);
  d.data_.seal();
  const auto empty = [&] {
    d.data_.clear();
    d.data_.seal();
    d.data_.seal();
    d.data_.reclaim();
    EXPECT_EQ(d.data_.waiting(), 0U);
    return d.data_.memory().bytes_in_use();
  };
  std::size_t before = 0;
  for (int round = 0; round < 4; ++round) {
    for (int i = 0; i < 500; ++i) {
      d.operation();
      if (d.below(20) == 0)
        d.take_snapshot();
      if (d.below(20) == 0)
        d.drop_snapshot();
    }
    d.held_.clear();
    d.open_.clear();
    d.sealed_.clear();
    const auto in_use = empty();
    if (round > 0) {
      EXPECT_LE(in_use, before + 8400) << "round " << round;
    }
    before = in_use;
  }
}

TEST_P(bucket_sequences, survive_many_rows_of_few_keys_under_a_pin) {
  driver d(GetParam() + 2000, 3);
  {
    const pin_guard pin(d.lines_.memory);
    for (int i = 0; i < 3000 && !::testing::Test::HasFatalFailure(); ++i)
      d.operation();
    d.check_now();
  }
  for (int i = 0; i < 100; ++i)
    d.operation();
  d.check_now();
}

INSTANTIATE_TEST_SUITE_P(seeds, bucket_sequences, ::testing::Range<std::uint64_t>(0, 8));

TEST(bucket_data, survives_thousands_of_keys_and_page_splits) {
  driver d(7, 10'000);
  d.most_edits_ = 60;
  d.one_clear_in_ = 1'000'000;
  for (int i = 0; i < 200 && !::testing::Test::HasFatalFailure(); ++i)
    d.operation();
  EXPECT_GT(d.data_.live_count(), 2'000U); // else they were erased too soon
  d.check_now();
}

TEST(bucket_data, holds_little_for_one_old_snapshot_under_300000_updates_of_1000_keys) {
  commit_lines lines;
  bucket_data data(lines.memory, five_slots());
  const auto record = [](std::int64_t i, double x) {
    return cells{"key-number-" + std::to_string(i), cell{}, "text", std::int64_t{1}, x};
  };
  for (std::int64_t i = 0; i < 1000; ++i) {
    data.insert(make_block(data.memory(), record(i, 1)));
    data.seal();
  }
  const std::size_t before = data.memory().bytes_in_use();
  const snapshot_pair held(lines);
  std::size_t most = 0;
  for (int i = 0; i < 300'000; ++i) {
    const cells c = record(i % 1000, i);
    const std::string_view key = std::get<std::string>(c[0]);
    data.replace(data.find_head(key, hash_of(key)), make_block(data.memory(), c));
    data.seal();
    most = std::max(most, data.memory().bytes_in_use());
  }
  EXPECT_LE(most - before, 1'000'000U);
  const pin_guard pin(lines.memory);
  const read_view view(data, held.seq(line_kind::memory));
  EXPECT_EQ(view.for_each(0, [](const record_block& b) { return b.slots()[4].real == 1; }), 1000U);
}

TEST(bucket_data, keeps_handles_alive_after_its_end) {
  commit_lines lines;
  std::vector<handle> handles;
  {
    bucket_data data(lines.memory, five_slots());
    for (std::int64_t i = 0; i < 1000; ++i) {
      const cells c{"key" + std::to_string(i), cell{}, cell{}, i, cell{}};
      data.insert(make_block(data.memory(), c));
      data.seal();
      const std::string_view key = std::get<std::string>(c[0]);
      handles.emplace_back(data.get(key, hash_of(key)));
      if (i % 2 == 0)
        data.erase(data.find_head(key, hash_of(key)));
      data.seal();
    }
  }
  for (std::int64_t i = 0; i < 1000; ++i)
    EXPECT_EQ(handles[static_cast<std::size_t>(i)]->slots()[3].integer, i);
}

TEST(bucket_data, loads_blocks_of_other_pools_in_any_order) {
  commit_lines lines;
  bucket_data data(lines.memory, five_slots());
  driver d(3, 5000);
  model m;
  std::vector<record_block*> blocks;
  std::vector<pool> pools(3);
  for (std::size_t i = 0; i < 5000; ++i) {
    m.next_row += d.below(700);
    cells c = d.record(d.keys_[i]);
    c[1] = d.uniques_[i];
    record_block* b = make_block(pools[i % 3], c);
    b->row = m.next_row;
    blocks.push_back(b);
    m.insert(c);
  }
  std::shuffle(blocks.begin(), blocks.end(), d.random_);
  for (auto& p : pools)
    data.memory().adopt(std::move(p));
  data.load(blocks, 17);
  lines.memory.start_at(17);
  EXPECT_EQ(data.next_row(), m.next_row);
  {
    const pin_guard pin(lines.memory);
    expect_equal(read_view(data, pin.seq()), m, d.keys_, d.uniques_);
  }
  data.erase(data.find_head(std::string_view(d.keys_[9]), hash_of(std::string_view(d.keys_[9]))));
  EXPECT_EQ(data.seal(), 18U);
  m.erase(d.keys_[9]);
  const pin_guard pin(lines.memory);
  expect_equal(read_view(data, pin.seq()), m, d.keys_, d.uniques_);
}

/// A reader may have loaded what is unlinked behind the look, and pins it.
TEST(a_bucket, frees_nothing_that_it_unlinked_behind_its_look_at_the_pins) {
  driver d(7, 3000);
  for (auto& key : d.keys_)
    d.data_.insert(make_block(d.data_.memory(), d.record(key)));
  d.data_.seal();
  d.data_.reclaim();
  ASSERT_EQ(d.data_.waiting(), 0U);
  std::optional<pin_guard> reader;
  std::size_t ended = 0;
  {
    fault strike{"limbo.looked", 0, [&] {
                   reader.emplace(d.lines_.memory);
                   ended = d.data_.waiting();
                 }};
    d.data_.clear();
    d.data_.seal();
    d.data_.reclaim();
    ASSERT_TRUE(strike.struck());
  }
  EXPECT_GT(ended, 600U) << "more than one step's worth";
  EXPECT_GE(d.data_.waiting(), d.keys_.size()) << "each record was unlinked behind it";
  reader.reset();
  d.data_.reclaim();
  EXPECT_EQ(d.data_.waiting(), 0U);
}

struct waiting {
  std::size_t most = 0;
  std::size_t most_at_once = 0; ///< that one commit let go
};

/// What waits to be freed while one record after the other is replaced in a bucket of so many.
waiting while_replacing(std::size_t records) {
  driver d(11, records);
  const auto block = [&](const std::string& key) {
    auto values = d.record(key);
    values[1] = {}; // no unique value: some would meet
    return make_block(d.data_.memory(), values);
  };
  for (auto& key : d.keys_)
    d.data_.insert(block(key));
  d.data_.seal();
  d.data_.reclaim();
  waiting out;
  for (int commit = 0; commit < 3'000; ++commit) {
    const auto before = d.data_.waiting();
    const auto& key = d.keys_[d.below(records)];
    const std::string_view text{key};
    d.data_.replace(d.data_.find_head(text, detail::hash_of(text)), block(key));
    d.data_.seal();
    out.most = std::max(out.most, d.data_.waiting());
    if (d.data_.waiting() < before)
      out.most_at_once = std::max(out.most_at_once, before - d.data_.waiting());
  }
  return out;
}

/// To look for it interrupts all threads: a large bucket does so less often.
TEST(a_bucket, lets_as_much_garbage_wait_as_is_little_beside_its_records) {
  const auto small = while_replacing(50).most, large = while_replacing(20'000).most;
  EXPECT_GT(small, 0U);
  EXPECT_LE(small, 3 * (2 * 64 + 100)) << "what has ended, and twice what was unlinked before";
  EXPECT_GT(large, small);
  EXPECT_LE(large, 3 * (2 * 20'000 / 128 + 100));
}

/// Else who happens to commit when it is due waits for all of it.
TEST(a_bucket, frees_a_little_with_each_commit) {
  const auto freed = while_replacing(20'000).most_at_once;
  EXPECT_GT(freed, 0U);
  EXPECT_LE(freed, 150U) << "of 312 that have ended at each look";
}

} // namespace
} // namespace holdfast::testing
