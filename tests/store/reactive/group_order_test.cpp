// What the members of a group, who share one evaluation, may expect of each other: a value is given
// to all of them before a later one is given to any. Handlers run each in its own time, and a value
// that waits for a slow one is replaced by the next: the order is that of giving, not of handling.
#include "live_query_fixture.hpp"

#include <algorithm>
#include <atomic>
#include <functional>
#include <map>

namespace holdfast::testing {
namespace {

struct a_live_group : live_query {
  told<std::uint64_t> quick_saw, slow_saw;
  std::atomic<std::uint64_t> quick_count{0};
  std::atomic<bool> slow_began{false}, slow_may_go{false};
  subscription quick, slow;

  void SetUp() override {
    live_query::SetUp();
    define_adults();
    quick = join([this, keep = quick_saw.here()](const query_update& now) {
      keep(now);
      ++quick_count;
      quick_count.notify_all();
    });
    slow = join([this, keep = slow_saw.here()](const query_update& now) {
      keep(now);
      slow_began = true;
      slow_began.notify_all();
      slow_may_go.wait(false);
    });
    slow_began.wait(false);
    quick_count.wait(0);
  }
  void TearDown() override { let_go(); }

  subscription join(std::function<void(const query_update&)> call) {
    return db.subscribe("adults", {{"least", 18}}, std::move(call)).value();
  }
  void let_go() {
    slow_may_go = true;
    slow_may_go.notify_all();
  }
  /// A commit that changes the value, and that the quick one has handled.
  void add_adult(int id) {
    const auto before = quick_count.load();
    add(id, "user", 50);
    quick_count.wait(before);
  }
};

TEST_F(a_live_group, gives_each_member_a_value_before_any_gets_a_later_one) {
  for (int id = 11; id <= 13; ++id)
    add_adult(id); // while the slow one is at the first value
  EXPECT_THAT(quick_saw.values(), ::testing::ElementsAre(2, 3, 4, 5));
  EXPECT_THAT(slow_saw.values(), ::testing::ElementsAre(2));
  let_go();
  settle();
  const auto quick_seqs = quick_saw.seqs(), slow_seqs = slow_saw.seqs();
  // The quick one had handled the last, so the slow one had been given the last but one.
  ASSERT_GE(slow_seqs.size(), 2U);
  EXPECT_GE(slow_seqs[1], quick_seqs[2]);
  EXPECT_EQ(slow_seqs.back(), quick_seqs.back());
  EXPECT_EQ(slow_saw.values().back(), 5U);
  EXPECT_LE(slow_seqs.size(), 3U) << "what waited was replaced";
  EXPECT_TRUE(std::ranges::adjacent_find(slow_seqs, std::greater_equal<>{}) == slow_seqs.end())
      << "they increase";
}

TEST_F(a_live_group, agrees_on_the_value_of_each_seq) {
  for (int id = 11; id <= 13; ++id)
    add_adult(id);
  let_go();
  for (int id = 14; id <= 33; ++id)
    add_adult(id);
  settle();
  std::map<std::pair<sequence, sequence>, std::uint64_t> by_seq;
  const auto seqs = quick_saw.seqs();
  const auto values = quick_saw.values();
  for (std::size_t i = 0; i < seqs.size(); ++i)
    by_seq.emplace(seqs[i], values[i]);
  const auto slow_seqs = slow_saw.seqs();
  const auto slow_values = slow_saw.values();
  for (std::size_t i = 0; i < slow_seqs.size(); ++i) {
    auto same = by_seq.find(slow_seqs[i]);
    ASSERT_NE(same, by_seq.end());
    EXPECT_EQ(same->second, slow_values[i]);
  }
  EXPECT_EQ(slow_seqs.back(), seqs.back());
}

} // namespace
} // namespace holdfast::testing
