// A bucket that crashes too often is left alone, its siblings are not, until somebody revives it.
#include <holdfast/store/store.hpp>

#include <gmock/gmock.h>

namespace holdfast {
namespace {

using ::testing::HasSubstr;

struct a_bucket_that_crashes_too_often : ::testing::Test {
  static store start() {
    store_options options;
    options.restart_budget = 2;
    options.restart_period = std::chrono::hours{1};
    return store::start(std::move(options)).value();
  }
  store db = start();
  bucket<> users = db.define(schema("users").key("id", integer())).value();
  bucket<> notes = db.define(schema("notes").key("id", integer())).value();

  void exhaust() {
    ASSERT_TRUE(users.insert({{"id", 1}}).get());
    EXPECT_TRUE(db.crash("users"));
    EXPECT_TRUE(db.crash("users"));
    EXPECT_FALSE(db.crash("users"));
  }
};

TEST_F(a_bucket_that_crashes_too_often, is_unavailable_while_reads_and_siblings_go_on) {
  exhaust();
  const auto refused = users.insert({{"id", 2}}).get().error();
  EXPECT_EQ(refused, errc::unavailable);
  EXPECT_EQ(refused.where().bucket, "users");
  EXPECT_TRUE(users.get(1).get()) << "what is published can be read";
  EXPECT_TRUE(notes.insert({{"id", 1}}).get());
  EXPECT_THAT(db.tree(), HasSubstr("quarantine"));
}

TEST_F(a_bucket_that_crashes_too_often, takes_writes_again_when_it_is_revived) {
  EXPECT_EQ(db.revive("users").error(), errc::conflict) << "it is well";
  EXPECT_EQ(db.revive("nobody").error(), errc::not_found);
  exhaust();
  auto revived = db.revive("users");
  ASSERT_TRUE(revived) << revived.error().to_string();
  EXPECT_TRUE(users.insert({{"id", 2}}).get());
  EXPECT_EQ(*users.count().get(), 2u);
  EXPECT_TRUE(db.crash("users")) << "its budget is fresh";
}

} // namespace
} // namespace holdfast
