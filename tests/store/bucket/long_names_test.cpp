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

TEST_F(long_names, are_shortened_where_a_query_is_unknown) {
  auto expect_unknown = [](const error& e) {
    EXPECT_EQ(e, errc::not_found);
    EXPECT_LT(e.message().size(), 1024u);
    EXPECT_TRUE(e.message().starts_with("kkk")) << e.message().substr(0, 200);
    EXPECT_TRUE(e.where().query == long_text);
  };
  expect_unknown(db.run(long_text).error());
  expect_unknown(db.subscribe(long_text, [](const query_update&) {}).error());
  expect_unknown(db.why(long_text).error());
  expect_unknown(db.query_info_of(long_text).error());
  EXPECT_EQ(db.run("two\nlines").error().message(),
            "two\\nlines: no query of this name is defined");
}

TEST_F(long_names, are_shortened_where_a_query_does_not_take_parameters) {
  ASSERT_TRUE(db.define_query(
      "some", {.bucket = "users", .what = query{}.limit(1), .limit_parameter = "most"}));
  auto unknown = db.run("some", object{{"most", 1}, {long_text, 1}}).error();
  EXPECT_EQ(unknown, errc::invalid_argument);
  EXPECT_LT(unknown.message().size(), 1024u);
  auto wrong = db.run("some", object{{"most", long_text}}).error();
  EXPECT_LT(wrong.message().size(), 1024u);
  EXPECT_THAT(wrong.message(), HasSubstr("is not a whole number"));
}

TEST_F(long_names, are_shortened_where_a_filter_finds_nothing) {
  auto none = users.find_one("mail"_f == long_text).get();
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error(), errc::not_found);
  EXPECT_LT(none.error().message().size(), 1024u);
  EXPECT_THAT(none.error().message(), HasSubstr("users: no record where mail"));
}

TEST_F(long_names, are_shortened_where_a_transaction_conflicts_over_a_filter) {
  auto outcome = db.transact(
      [&](transaction& tx) -> result<record> {
        EXPECT_EQ(*tx.in(users).count("mail"_f >= long_text).get(), 0u);
        EXPECT_TRUE(users.insert({{"id", "other"}, {"mail", long_text}}).get());
        return tx.in(users).insert({{"id", "mine"}}).get();
      },
      {.retries = 0, .exclusive_retries = 0});
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error(), errc::conflict);
  EXPECT_LT(outcome.error().message().size(), 1024u);
  EXPECT_THAT(outcome.error().message(), HasSubstr("users: where mail"));
}

} // namespace
} // namespace holdfast::testing
