#include <holdfast/store/detail/interval_tree.hpp>

#include <gmock/gmock.h>

#include <map>
#include <random>
#include <set>
#include <string>

namespace holdfast::detail {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::set<int> found(interval_tree<int>& in, value_view x) {
  std::set<int> out;
  in.each_with(x, [&](auto& over, int content) {
    EXPECT_TRUE(over.contains(x));
    EXPECT_TRUE(out.insert(content).second) << content << " twice";
  });
  return out;
}

TEST(an_interval_tree, finds_the_intervals_that_contain_a_value) {
  interval_tree<int> all;
  all[{1, 5}] = 1;
  all[{3, 4}] = 2;
  all[{5, 9}] = 3;
  all[{7, {}}] = 4;
  all[{{}, 2}] = 5;
  EXPECT_THAT(found(all, 1), ElementsAre(1, 5));
  EXPECT_THAT(found(all, 3), ElementsAre(1, 2));
  EXPECT_THAT(found(all, 5), ElementsAre(1, 3));
  EXPECT_THAT(found(all, 100), ElementsAre(4));
  EXPECT_THAT(found(all, {}), ElementsAre(5)) << "null is before all numbers";
  EXPECT_THAT(found(all, "text"), ElementsAre(4)) << "texts are behind them";
}

TEST(an_interval_tree, has_one_place_for_equal_intervals) {
  interval_tree<int> all;
  all[{1, 5}] = 1;
  auto& same = all[{1.0, 5}];
  EXPECT_EQ(same, 1);
  EXPECT_EQ(&same, &all[(value_interval{1, 5.0})]);
  EXPECT_THAT((all[{{}, {}}]), 0);
  EXPECT_NE((&all[{{}, 5}]), (&all[{1, {}}]));
}

TEST(an_interval_tree, of_values_that_are_the_wrong_way_round_is_empty) {
  interval_tree<int> all;
  all[{5, 1}] = 1;
  EXPECT_THAT(found(all, 3), IsEmpty());
}

TEST(an_interval_tree, leaves_out_an_end_that_is_open) {
  interval_tree<int> all;
  all[{.from = 3, .to = 5, .open_from = true}] = 1;
  all[{.from = 3, .to = 5, .open_to = true}] = 2;
  all[{.from = 3, .to = 5}] = 3;
  all[{.from = {}, .to = 3, .open_to = true}] = 4;
  all[{.from = value{}, .open_from = true}] = 5;
  EXPECT_THAT(found(all, 3), ElementsAre(2, 3, 5));
  EXPECT_THAT(found(all, 4), ElementsAre(1, 2, 3, 5));
  EXPECT_THAT(found(all, 5), ElementsAre(1, 3, 5));
  EXPECT_THAT(found(all, {}), ElementsAre(4)) << "null itself is left out";
}

/// Against looking at each interval.
TEST(an_interval_tree, is_right_about_intervals_at_random) {
  std::mt19937 random{11};
  auto some = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
  interval_tree<int> all;
  std::map<int, value_interval> model;
  auto end = [&](int from) -> std::optional<value> {
    return some(8) ? std::optional<value>{from} : std::nullopt;
  };
  for (int next = 1; next <= 3000; ++next) {
    const auto from = some(500);
    const value_interval over{end(from), end(from + some(next % 10 ? 20 : 400)), some(2) == 0,
                              some(2) == 0};
    if (auto& content = all[over]; content == 0) {
      content = next;
      model[next] = over;
    }
    if (next % 100 == 0) {
      auto gone = [&](int content) { return content % 3 == next / 100 % 3; };
      all.erase_if(gone);
      std::erase_if(model, [&](auto& each) { return gone(each.first); });
    }
    const value x = some(520) - 10;
    std::set<int> expected;
    for (auto& [content, interval] : model)
      if (interval.contains(x))
        expected.insert(content);
    ASSERT_EQ(found(all, x), expected) << x << " after " << next;
  }
  all.erase_if([](int) { return true; });
  EXPECT_TRUE(all.empty());
}

/// A tree that is a list would have this overflow the stack or last for minutes.
TEST(an_interval_tree, stays_balanced_when_intervals_come_in_order) {
  interval_tree<int> all;
  constexpr int count = 200'000;
  for (int i = 0; i < count; ++i)
    all[{i, i + 1}] = i;
  for (int i = 1; i < count; i += 1000)
    EXPECT_THAT(found(all, i), ElementsAre(i - 1, i));
}

} // namespace
} // namespace holdfast::detail
