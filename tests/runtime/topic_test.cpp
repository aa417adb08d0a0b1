#include <holdfast/runtime/random.hpp>
#include <holdfast/runtime/topic_tree.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace holdfast {
namespace {

topic about(std::string_view text) { return topic::parse(text).value(); }
topic_pattern pattern(std::string_view text) { return topic_pattern::parse(text).value(); }

TEST(topic, is_made_of_segments) {
  EXPECT_THAT(about("bucket.users.inserted").segments(),
              ::testing::ElementsAre("bucket", "users", "inserted"));
  EXPECT_EQ(topic::of({"bucket", "users"}).value(), about("bucket.users"));
}

TEST(topic, refuses_empty_segments_and_wildcards) {
  for (auto bad : {"", ".", "a.", ".a", "a..b", "*", "a.*", "a*b", "**"})
    EXPECT_FALSE(topic::parse(bad)) << bad;
  EXPECT_FALSE(topic::of({}));
  EXPECT_FALSE(topic::of({"bucket", "my.users"}));
  EXPECT_EQ(topic::of({"a", ""}).error(), errc::invalid_argument);
}

TEST(topic_pattern, allows_two_stars_only_at_the_end) {
  for (auto good : {"a", "*", "**", "a.*", "*.a", "a.**", "*.*.**"})
    EXPECT_TRUE(topic_pattern::parse(good)) << good;
  for (auto bad : {"", "a.", "**.a", "a*", "a.b*", "***", "a..**"})
    EXPECT_FALSE(topic_pattern::parse(bad)) << bad;
}

/// `count` segments of one byte each.
std::string path_of(std::size_t count) {
  std::string out = "a";
  for (std::size_t i = 1; i < count; ++i)
    out += ".a";
  return out;
}

TEST(topic, has_so_many_segments_and_bytes_and_no_more) {
  const auto most = path_of(max_topic_segments), longest = std::string(max_topic_bytes, 'a');
  EXPECT_TRUE(topic::parse(most));
  EXPECT_TRUE(topic_pattern::parse(most));
  EXPECT_TRUE(topic::parse(longest));
  EXPECT_TRUE(topic_pattern::parse(longest));
  EXPECT_EQ(topic::parse(most + ".a").error().message(),
            "topic: 65 segments are above the limit 64");
  EXPECT_EQ(topic_pattern::parse(most + ".**").error().message(),
            "topic pattern: 65 segments are above the limit 64");
  EXPECT_EQ(topic::parse(longest + "a").error().message(),
            "topic: 4097 bytes are above the limit 4096");
  EXPECT_EQ(topic_pattern::parse(longest + "a").error().message(),
            "topic pattern: 4097 bytes are above the limit 4096");
  EXPECT_EQ(topic::of({longest, "a"}).error(), errc::invalid_argument);
  // Trees of patterns are walked by recursion.
  EXPECT_FALSE(topic_pattern::parse(path_of(1'000'000)));
}

struct match_case {
  std::string_view pattern;
  std::string_view topic;
  bool matches;
};

class topic_matching : public ::testing::TestWithParam<match_case> {};

TEST_P(topic_matching, follows_the_rules) {
  auto& c = GetParam();
  EXPECT_EQ(pattern(c.pattern).matches(about(c.topic)), c.matches) << c.pattern << " " << c.topic;
}

INSTANTIATE_TEST_SUITE_P(
    all, topic_matching,
    ::testing::Values(match_case{"a.b", "a.b", true}, match_case{"a.b", "a.c", false},
                      match_case{"a.b", "a", false}, match_case{"a.b", "a.b.c", false},
                      match_case{"a.*", "a.b", true}, match_case{"a.*", "a", false},
                      match_case{"a.*", "a.b.c", false}, match_case{"*.b", "a.b", true},
                      match_case{"*", "a", true}, match_case{"*", "a.b", false},
                      match_case{"**", "a", true}, match_case{"**", "a.b.c", true},
                      match_case{"a.**", "a", true}, match_case{"a.**", "a.b.c", true},
                      match_case{"a.**", "b", false}, match_case{"a.*.**", "a", false},
                      match_case{"a.*.**", "a.b", true}));

std::string random_path(random_source& random, bool wild) {
  static constexpr std::string_view names[] = {"a", "b", "c"};
  std::string out;
  auto length = 1 + random.below(4);
  for (std::uint64_t i = 0; i < length; ++i) {
    std::string segment{names[random.below(3)]};
    if (wild && random.below(3) == 0)
      segment = i + 1 == length && random.below(2) == 0 ? "**" : "*";
    out += (i == 0 ? "" : ".") + segment;
  }
  return out;
}

TEST(topic_tree, finds_what_trying_every_pattern_finds) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    seeded_random random{seed};
    topic_tree<int> tree;
    std::vector<std::pair<topic_pattern, int>> all;
    for (int i = 0; i < 200; ++i) {
      if (!all.empty() && random.below(3) == 0) {
        auto victim = all.begin() + static_cast<std::ptrdiff_t>(random.below(all.size()));
        ASSERT_TRUE(tree.erase(victim->first, victim->second));
        ASSERT_FALSE(tree.erase(victim->first, victim->second));
        all.erase(victim);
      } else {
        all.emplace_back(pattern(random_path(random, true)), i);
        tree.insert(all.back().first, i);
      }
      auto t = about(random_path(random, false));
      std::vector<int> found, expected;
      tree.match(t, [&](int value) { found.push_back(value); });
      for (auto& [p, value] : all)
        if (p.matches(t))
          expected.push_back(value);
      std::sort(found.begin(), found.end());
      ASSERT_EQ(found, expected) << "seed " << seed << ", " << t.text();
      ASSERT_EQ(tree.size(), all.size());
    }
  }
}

} // namespace
} // namespace holdfast
