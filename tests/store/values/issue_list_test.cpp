#include <holdfast/store/detail/issue_list.hpp>

#include <gmock/gmock.h>

namespace holdfast::detail {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

TEST(issue_list, without_violations_is_no_error) {
  issue_list found{"users", 100};
  EXPECT_TRUE(found.empty());
  EXPECT_FALSE(found.as_error(errc::invalid));
}

TEST(issue_list, of_one_violation_says_that_one) {
  issue_list found{"users", 100};
  found.add("age", "min", "0 is below the minimum 1");
  auto e = found.as_error(errc::invalid);
  ASSERT_TRUE(e);
  EXPECT_EQ(e->message(), "users.age: 0 is below the minimum 1");
}

TEST(issue_list, names_the_way_to_what_is_nested) {
  issue_list found{"users", 100};
  {
    issue_list::scope friends{found, "friends"};
    issue_list::scope second{found, std::size_t{1}};
    found.add("city", "required", "a value is required");
    found.add("", "unknown", "the schema has no such field");
  }
  found.add("age", "min", "too low");
  ASSERT_THAT(found.all(), SizeIs(3));
  EXPECT_EQ(found.all()[0].field, "friends[1].city");
  EXPECT_EQ(found.all()[1].field, "friends[1]");
  EXPECT_EQ(found.all()[2].field, "age");
}

TEST(issue_list, says_long_names_in_one_short_line_and_keeps_them_whole) {
  const auto bucket = "b\n" + std::string(1000, 'b'), field = "f\n" + std::string(1000, 'f');
  issue_list found{bucket, 100};
  found.add(field, "min", "too low");
  auto e = found.as_error(errc::invalid);
  ASSERT_TRUE(e);
  EXPECT_LT(e->message().size(), 500U);
  EXPECT_EQ(e->message().find('\n'), std::string::npos);
  EXPECT_EQ(e->where().bucket, bucket);
  EXPECT_EQ(e->where().field, field);
}

TEST(issue_list, counts_the_violations_that_it_does_not_keep) {
  issue_list more{"users", 100};
  for (std::size_t i = 0; i < 99; ++i)
    more.add("tags", "min", "too low");
  issue_list found{"users", 100};
  found.add("age", "min", "too low");
  found.add(more.all());
  found.add(more.all());
  found.add("age", "max", "too high");
  EXPECT_EQ(found.count(), 200U);
  EXPECT_THAT(found.all(), SizeIs(100));
  EXPECT_THAT(found.as_error(errc::invalid)->message(), HasSubstr("200 violations"));
}

} // namespace
} // namespace holdfast::detail
