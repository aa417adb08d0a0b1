// The reference's rows about records that end by themselves and about many records at once (1.1,
// 1.2), one test per row, with what holdfast decides differently as decided.
#include "reference_fixture.hpp"

namespace holdfast::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

struct limits_and_bulk_work : reference_fixture {
  bucket<> users = define(schema("users")
                              .key("id", string())
                              .field("email", string().unique())
                              .field("age", integer().min(0))
                              .index("age")
                              .expire_after("1h"));
  void fill() {
    ASSERT_TRUE(users
                    .insert_many({{{"id", "a"}, {"age", 10}},
                                  {{"id", "b"}, {"age", 20}},
                                  {{"id", "c"}, {"age", 30}}})
                    .get());
  }
};

TEST_F(limits_and_bulk_work, start_ttl_check_interval) {
  for (auto none : {0, -1}) {
    store_options never;
    never.ttl_interval = std::chrono::milliseconds{none};
    auto without = store::start(std::move(never)).value();
    EXPECT_EQ(without.tree().find("ttl_manager"), std::string::npos) << none;
    EXPECT_EQ(without.stats().ttl_interval, std::chrono::milliseconds{0}) << none;
  }
  EXPECT_NE(db.tree().find("ttl_manager"), std::string::npos);
  EXPECT_EQ(db.stats().ttl_interval, std::chrono::seconds{1});
}

TEST_F(limits_and_bulk_work, purge_ttl) {
  fill();
  auto tokens = define(schema("tokens").key("id", integer()).expire_after("2h"));
  ASSERT_TRUE(tokens.insert({{"id", 1}}).get());
  clock.advance(std::chrono::hours{1});
  listener heard{db};
  EXPECT_EQ(*db.purge(), 3u);
  auto purged = heard.take(3);
  ASSERT_EQ(purged.size(), 3u);
  for (auto& c : purged) {
    EXPECT_EQ(c.kind, change_kind::erased);
    EXPECT_EQ(c.why, cause::ttl);
  }
  EXPECT_EQ(*tokens.count().get(), 1u);
}

TEST_F(limits_and_bulk_work, insert_many) {
  auto added = users.insert_many({{{"id", "b"}}, {{"id", "a"}}}).get();
  EXPECT_THAT(keys(added), ElementsAre("b", "a")) << "in the order in which they were given";
  auto refused = users.insert_many({{{"id", "c"}}, {{"id", "d"}, {"age", -1}}}).get();
  EXPECT_EQ(refused.error(), errc::invalid);
  EXPECT_EQ(users.insert_many({{{"id", "e"}}, {{"id", "e"}}}).get().error(), errc::duplicate);
  EXPECT_THAT(keys(users.all().get()), ElementsAre("b", "a"));
}

TEST_F(limits_and_bulk_work, update_many) {
  fill();
  EXPECT_EQ(*users.update_many("age"_f >= 20, {{"age", 1}}).get(), 2u);
  EXPECT_THAT(keys(users.where("age"_f == 1).all().get()), ElementsAre("b", "c"));
  EXPECT_EQ(users.update_many({}, {{"email", "same"}}).get().error(), errc::duplicate);
  EXPECT_EQ(*users.count("email"_f == "same").get(), 0u);
}

TEST_F(limits_and_bulk_work, delete_many) {
  fill();
  listener heard{db};
  EXPECT_EQ(*users.erase_many("age"_f < 25).get(), 2u);
  EXPECT_THAT(heard.texts(2), ElementsAre("users.erased \"a\"", "users.erased \"b\""));
  EXPECT_EQ(*users.erase_many({}).get(), 1u);
  EXPECT_THAT(keys(users.all().get()), IsEmpty());
}

TEST_F(limits_and_bulk_work, upsert) {
  EXPECT_EQ(users.upsert({{"id", "a"}, {"age", 1}}).get()->version(), 1u);
  auto second = users.upsert({{"id", "a"}, {"email", "a@b"}}).get();
  EXPECT_EQ(second->version(), 2u);
  EXPECT_EQ((*second)["age"], value_view{1}) << "what it does not say stays";
  EXPECT_EQ(users.upsert({{"age", 1}}).get().error(), errc::invalid) << "no key and none made";
}

} // namespace
} // namespace holdfast::testing
