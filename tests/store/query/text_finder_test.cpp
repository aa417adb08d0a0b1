#include <holdfast/store/detail/text_finder.hpp>

#include <gmock/gmock.h>

#include <random>
#include <string>

namespace holdfast::detail {
namespace {

// The law: an upper and a lower case letter fold to one, and nothing folds twice.
TEST(text_finder, folds_each_letter_once) {
  for (char32_t c = 0; c < 0x2100; ++c)
    EXPECT_EQ(fold_case(fold_case(c)), fold_case(c)) << std::hex << static_cast<unsigned>(c);
  static const char32_t pairs[][2] = {{U'A', U'a'}, {U'Z', U'z'}, {U'Ž', U'ž'}, {U'Ÿ', U'ÿ'},
                                      {U'Ň', U'ň'}, {U'Ű', U'ű'}, {U'Ω', U'ω'}, {U'Ώ', U'ώ'},
                                      {U'Ъ', U'ъ'}, {U'Ё', U'ё'}, {U'Ӏ', U'ӏ'}, {U'Ế', U'ế'},
                                      {U'ẞ', U'ß'}, {U'Ґ', U'ґ'}, {U'Ł', U'ł'}};
  for (auto [upper, lower] : pairs) {
    EXPECT_EQ(fold_case(upper), lower);
    EXPECT_EQ(fold_case(lower), lower);
  }
  for (char32_t alone : {U'×', U'÷', U'İ', U'ı', U'ĸ', U'@', U'[', U'中'})
    EXPECT_EQ(fold_case(alone), alone);
}

TEST(text_finder, finds_what_a_plain_search_finds) {
  std::mt19937 random{7};
  auto text = [&](std::size_t most) {
    std::string out;
    for (auto n = random() % (most + 1); n > 0; --n)
      out += static_cast<char>('a' + random() % 2);
    return out;
  };
  unsigned found = 0;
  for (int i = 0; i < 20'000; ++i) {
    auto part = text(6), in = text(30);
    ASSERT_EQ(text_finder{part}.in(in), in.find(part) != in.npos) << part << " in " << in;
    found += in.find(part) != in.npos ? 1U : 0U;
  }
  EXPECT_GT(found, 2'000U);
  EXPECT_LT(found, 18'000U);
}

TEST(text_finder, takes_bytes_that_are_no_text_for_themselves) {
  EXPECT_TRUE(text_finder{"\xff"}.in("a\xff"));
  EXPECT_FALSE(text_finder{"\xfe"}.in("a\xff"));
  EXPECT_FALSE(text_finder{"\xc3\xa9"}.in("\xc3"));
  EXPECT_TRUE(text_finder{"\xc3\x89"}.in("\xc3\xc3\xa9"));
}

} // namespace
} // namespace holdfast::detail
