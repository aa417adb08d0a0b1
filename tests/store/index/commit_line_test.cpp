#include <holdfast/store/detail/commit_line.hpp>

#include <gmock/gmock.h>

#include <atomic>
#include <optional>
#include <thread>
#include <vector>

namespace holdfast::testing {
namespace {

using namespace detail;
using ::testing::ElementsAre;

std::uint64_t commit(commit_line& line) {
  const std::lock_guard guard(line);
  const auto seq = line.take_seq();
  line.publish(seq);
  return seq;
}

TEST(commit_line, gives_seqs_without_gaps_from_where_it_starts) {
  commit_lines lines;
  lines.durable.start_at(41);
  EXPECT_EQ(lines.durable.published(), 41U);
  EXPECT_EQ(commit(lines.durable), 42U);
  EXPECT_EQ(commit(lines.memory), 1U);
}

TEST(commit_line, holds_the_horizon_at_the_outermost_pin) {
  commit_lines lines;
  commit(lines.memory);
  commit_line::horizon h;
  {
    const pin_guard outer(lines.memory);
    commit(lines.memory);
    {
      const pin_guard nested(lines.memory);
      EXPECT_EQ(nested.seq(), 2U);
      lines.memory.look(h);
      EXPECT_EQ(h.pinned, 1U);
    }
    lines.memory.look(h);
    EXPECT_EQ(h.pinned, 1U);
    EXPECT_EQ(h.ended, 1U);
    lines.durable.look(h);
    EXPECT_EQ(h.pinned, idle);
  }
  lines.memory.look(h);
  EXPECT_EQ(h.pinned, idle);
  EXPECT_EQ(h.ended, 2U);
}

TEST(commit_line, lists_snapshots_in_order_and_once) {
  commit_lines lines;
  commit_line::horizon h;
  const snapshot_pair zero(lines);
  commit(lines.memory);
  std::optional<snapshot_pair> one(std::in_place, lines);
  const snapshot_pair copy(zero);
  std::optional<snapshot_pair> again(std::in_place, lines);
  commit(lines.memory);
  commit(lines.memory);
  std::optional<snapshot_pair> three(std::in_place, lines);
  lines.memory.look(h);
  EXPECT_THAT(h.snapshots, ElementsAre(0U, 1U, 3U));
  EXPECT_TRUE(h.needed(1, 2));
  EXPECT_FALSE(h.needed(2, 3));
  EXPECT_TRUE(h.needed(2, 4));
  EXPECT_FALSE(h.needed(4, 9));
  one.reset();
  three.reset();
  lines.memory.look(h);
  EXPECT_THAT(h.snapshots, ElementsAre(0U, 1U));
  again.reset();
  EXPECT_EQ(lines.memory.snapshots_dropped(), 3U);
  lines.memory.look(h);
  EXPECT_THAT(h.snapshots, ElementsAre(0U));
}

TEST(commit_line, shows_a_commit_over_both_lines_in_full_or_not_at_all) {
  commit_lines lines;
  std::atomic<bool> stop{false};
  std::thread reader([&] {
    do {
      const snapshot_pair s(lines);
      EXPECT_EQ(s.seq(line_kind::memory), s.seq(line_kind::durable));
    } while (!stop.load());
  });
  for (int i = 0; i < 50'000; ++i) {
    const std::lock_guard first(lines.memory);
    const std::lock_guard second(lines.durable);
    lines.memory.publish(lines.memory.take_seq());
    lines.durable.publish(lines.durable.take_seq());
  }
  stop = true;
  reader.join();
}

TEST(pins, reuse_the_numbers_of_ended_threads) {
  commit_lines lines;
  std::thread([&] { const pin_guard pin(lines.memory); }).join();
  const auto bound = thread_index::bound();
  for (int i = 0; i < 300; ++i)
    std::thread([&] { const pin_guard pin(lines.memory); }).join();
  EXPECT_EQ(thread_index::bound(), bound);
}

TEST(pins, serve_more_threads_than_a_segment_has_slots) {
  commit_lines lines;
  commit(lines.memory);
  constexpr int count = 150;
  std::atomic<int> pinned{0};
  std::atomic<bool> leave{false};
  std::vector<std::thread> threads;
  for (int i = 0; i < count; ++i)
    threads.emplace_back([&] {
      const pin_guard pin(lines.memory);
      ++pinned;
      leave.wait(false);
    });
  while (pinned.load() < count)
    std::this_thread::yield();
  commit(lines.memory);
  commit_line::horizon h;
  lines.memory.look(h);
  EXPECT_EQ(h.pinned, 1U);
  leave = true;
  leave.notify_all();
  for (auto& t : threads)
    t.join();
  lines.memory.look(h);
  EXPECT_EQ(h.pinned, idle);
}

} // namespace
} // namespace holdfast::testing
