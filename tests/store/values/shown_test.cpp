#include <holdfast/store/detail/shown.hpp>

#include <gmock/gmock.h>

namespace holdfast::detail {
namespace {

using ::testing::EndsWith;
using ::testing::SizeIs;

TEST(shown_value, is_json_on_one_line) {
  EXPECT_EQ(shown(value{7}), "7");
  EXPECT_EQ(shown("two\nlines"), R"("two\nlines")");
}

TEST(shown_value, is_cut_without_half_a_character) {
  // With the quotation mark before them, the 60th byte is the second one of a character of two.
  std::string umlauts;
  for (int i = 0; i < 40; ++i)
    umlauts += "\u00e4";
  EXPECT_THAT(shown(umlauts), SizeIs(59 + 3));
  EXPECT_THAT(shown(umlauts), EndsWith("\u00e4..."));
}

TEST(shown_value, of_a_long_text_is_as_short_as_of_a_shorter_one) {
  EXPECT_EQ(shown(std::string(1'000'000, 'x')), shown(std::string(100, 'x')));
}

TEST(shown_value, has_marks_for_what_is_no_text) {
  EXPECT_EQ(shortened("a\xff"
                      "b"),
            "a?b");
}

TEST(shown_name, has_no_quotation_marks) {
  EXPECT_EQ(shown_name("users"), "users");
  EXPECT_EQ(shown_name(""), "");
  EXPECT_EQ(shown_name("a\nb"), R"(a\nb)");
}

} // namespace
} // namespace holdfast::detail
