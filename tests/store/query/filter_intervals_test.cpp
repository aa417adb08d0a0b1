#include "query_fixture.hpp"
#include "random_data.hpp"

#include <holdfast/store/detail/filter_intervals.hpp>

#include <algorithm>
#include <map>
#include <string>

// What a live query is found by must lead to it from every value that it matches.

namespace holdfast::testing {
namespace {

using detail::intervals_of;

std::string name_of(const filter& leaf) {
  return (leaf.negated() ? "not " : "") + std::string{to_string(leaf.op())};
}

TEST(intervals_of_a_comparison, hold_what_matches_and_of_a_field_nothing_else) {
  random_data random{7};
  reference_bucket model{false};
  test_bucket bucket{random_data::fields(false, false)};
  for (std::int64_t i = 0; i < 80; ++i) {
    model.entries.push_back({random.record("k" + std::to_string(i), i), 0});
    bucket.insert(model.entries.back().fields);
  }
  std::map<std::string, int> known;
  for (int i = 0; i < 4000; ++i) {
    auto which = random.comparison(model);
    if (random.chance(50))
      which = !which;
    bucket.read([&](const detail::reader& r) {
      auto bound = detail::matcher::bind(which, r.layout());
      if (!bound)
        return;
      auto& leaf = bound->nodes()[0];
      const auto over = intervals_of(leaf);
      if (over.empty())
        return;
      ++known[name_of(which)];
      r.each_row(0, [&](const detail::record_block& block) {
        auto x = detail::field_of(block, leaf.field);
        const bool in = std::ranges::any_of(over, [&](auto& each) { return each.contains(x); });
        const bool matches = detail::holds(leaf, x);
        EXPECT_TRUE(in || !matches) << which.to_string() << " of " << x.to_string();
        if (leaf.field.path.empty()) {
          EXPECT_EQ(in, matches) << which.to_string() << " of " << x.to_string();
        }
        return true;
      });
    });
  }
  for (auto* name : {"==", "!=", "<", "<=", ">", ">=", "in", "between", "starts_with"}) {
    EXPECT_GT(known[name], 20) << name;
    EXPECT_GT(known["not " + std::string{name}], 20) << name;
  }
  EXPECT_GT(known["exists"], 20);
  EXPECT_EQ(known["contains"], 0);
  EXPECT_EQ(known["not ends_with"], 0);
}

} // namespace
} // namespace holdfast::testing
