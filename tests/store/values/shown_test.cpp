#include <holdfast/store/detail/shown.hpp>

#include <gmock/gmock.h>

namespace holdfast::detail {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

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
  EXPECT_EQ(shortened("a\nb\x7f"), "a?b?");
}

TEST(shown_name, has_no_quotation_marks) {
  EXPECT_EQ(shown_name("users"), "users");
  EXPECT_EQ(shown_name(""), "");
  EXPECT_EQ(shown_name("a\nb"), R"(a\nb)");
}

TEST(shown_place, lacks_its_middle_if_it_is_long) {
  EXPECT_EQ(shown_place("filter.a[0]"), "filter.a[0]");
  EXPECT_EQ(shown_place("a\n\xff"), "a??");
  const auto place = shown_place("filter." + std::string(1'000'000, 'x') + ".last");
  EXPECT_THAT(place, SizeIs(200));
  EXPECT_THAT(place, StartsWith("filter.xxx"));
  EXPECT_THAT(place, EndsWith("xxx.last"));
  EXPECT_THAT(place, HasSubstr("x...x"));
}

TEST(shown_place, is_cut_without_half_a_character) {
  for (std::string text : {"", "x"}) {
    for (int i = 0; i < 200; ++i)
      text += "\u00e4";
    const auto place = shown_place(text + "y");
    EXPECT_THAT(place, HasSubstr("\u00e4...\u00e4"));
    EXPECT_EQ(shown_place(place), place) << "no marks for halves";
  }
}

TEST(shown_place, of_what_is_nested_stays_as_short_with_one_gap) {
  std::string place = "query";
  for (std::size_t i = 0; i < 256; ++i) {
    place = place_in(place_in(place, i), "name." + std::string(i, 'n') + "\n\"");
    ASSERT_LE(place.size(), 200U);
    ASSERT_THAT(place, StartsWith("query[0].name."));
    ASSERT_EQ(place.find('\n'), place.npos);
  }
  place = place_in("query", std::string(50, 'n'));
  for (std::size_t i = 0; i < 256; ++i)
    place = place_in(place, "p");
  EXPECT_THAT(place, EndsWith(".p.p.p"));
  EXPECT_EQ(place.find("..."), place.rfind("...")) << place;
  EXPECT_THAT(place, Not(HasSubstr("....")));
}

} // namespace
} // namespace holdfast::detail
