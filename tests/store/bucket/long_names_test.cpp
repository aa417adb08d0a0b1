// Errors that speak of a long key or value: the message stays one line for a person, the place and
// the detail have it whole.
#include <holdfast/store/store.hpp>

#include <gmock/gmock.h>

#include <string>

namespace holdfast::testing {
namespace {

using ::testing::HasSubstr;

const std::string long_text(std::size_t{1} << 20, 'k');

struct long_names : ::testing::Test {
  store db = std::move(*store::start());
  bucket<> users =
      std::move(*db.define(schema("users").key("id", string()).field("mail", string().unique())));

  static void expect_short(const error& e, errc code) {
    EXPECT_EQ(e, code) << e.message().substr(0, 200);
    EXPECT_LT(e.message().size(), 1024u);
    EXPECT_THAT(e.message(), HasSubstr("\"kkk"));
  }
  static void expect_missing(const result<record>& got) {
    ASSERT_FALSE(got);
    expect_short(got.error(), errc::not_found);
    EXPECT_EQ(got.error().where().bucket, "users");
    EXPECT_TRUE(got.error().where().key == value_view{long_text}.to_string());
  }
  static void expect_all_missing(const bucket<>& in) {
    expect_missing(in.get(long_text).get());
    expect_missing(in.update(long_text, {{"mail", "a"}}).get());
    expect_missing(in.touch(long_text, {.never_expires = true}).get());
    expect_missing(in.erase(long_text).get());
  }
};

TEST_F(long_names, are_shortened_where_a_record_is_missing) {
  expect_all_missing(users);
  ASSERT_TRUE(db.transact([&](transaction& tx) -> result<void> {
    expect_all_missing(tx.in(users));
    return {};
  }));
}

TEST_F(long_names, are_shortened_where_a_version_is_another) {
  auto got = users.update(long_text, {{"mail", "a"}}, {.expected_version = 3}).get();
  ASSERT_FALSE(got);
  expect_short(got.error(), errc::conflict);
  EXPECT_TRUE(got.error().where().key == value_view{long_text}.to_string());
}

TEST_F(long_names, are_shortened_where_a_value_is_taken) {
  ASSERT_TRUE(users.insert({{"id", "1"}, {"mail", long_text}}).get());
  auto got = users.insert({{"id", "2"}, {"mail", long_text}}).get();
  ASSERT_FALSE(got);
  expect_short(got.error(), errc::duplicate);
  EXPECT_EQ(got.error().where().field, "mail");
  EXPECT_TRUE(std::get<duplicate_value>(got.error().detail()).value ==
              value_view{long_text}.to_string());
}

TEST_F(long_names, are_cut_between_characters) {
  std::string text = "x";
  for (int i = 0; i < 1000; ++i)
    text += "é"; // two bytes, so that any even place is within one
  EXPECT_THAT(users.get(text).get().error().message(), HasSubstr("\"xéé"));
}

} // namespace
} // namespace holdfast::testing
