// The check of groups, which the histories rely on.
#include "tests/store/reactive/reactive_group.hpp"

#include <gmock/gmock.h>

namespace holdfast::testing {
namespace {

using ::testing::Eq;
using ::testing::HasSubstr;
using ::testing::Optional;

struct the_check_of_a_group : ::testing::Test {
  reactive_group group;

  void told(std::size_t member, sequence at, std::string text = "same") {
    group.add({.member = member, .at = {at, 0}, .text = std::move(text), .initial = false});
  }
  void first(std::size_t member, sequence at) {
    group.add({.member = member, .at = {at, 0}, .text = "same", .initial = true});
  }
  std::optional<std::string> wrong(bool ambiguous = false) {
    return group.check([=](auto&) { return ambiguous; });
  }
};

TEST_F(the_check_of_a_group, lets_members_handle_values_in_their_own_time) {
  first(1, 1);
  first(2, 1);
  told(1, 2);
  told(1, 3);
  told(2, 2); // it had taken this before the other was given 3
  told(1, 4);
  told(2, 4); // what waited was replaced
  EXPECT_THAT(wrong(), Eq(std::nullopt));
}

TEST_F(the_check_of_a_group, finds_a_member_that_is_given_what_the_others_are_past) {
  first(1, 1);
  told(1, 2);
  told(1, 3);
  told(1, 4);
  first(2, 1); // whatever it had taken by now, what it takes next is 3 at least
  told(2, 2);
  EXPECT_THAT(wrong(), Optional(HasSubstr("behind another member")));
}

TEST_F(the_check_of_a_group, does_not_count_what_one_member_began_with) {
  first(2, 1);
  told(1, 3);
  first(3, 5);
  told(2, 1);
  told(2, 3);
  EXPECT_THAT(wrong(), Eq(std::nullopt));
}

TEST_F(the_check_of_a_group, finds_members_that_are_told_different_things) {
  for (const bool ambiguous : {false, true}) {
    told(1, 2, "this");
    told(2, 2, "that");
    EXPECT_THAT(wrong(ambiguous).has_value(), Eq(!ambiguous));
  }
}

TEST_F(the_check_of_a_group, begins_anew_behind_each_check) {
  told(1, 2);
  told(1, 3);
  EXPECT_THAT(group.shared(), Eq(0U));
  EXPECT_THAT(wrong(), Eq(std::nullopt));
  told(2, 1);
  told(2, 2, "other");
  EXPECT_THAT(wrong(), Eq(std::nullopt));
}

} // namespace
} // namespace holdfast::testing
