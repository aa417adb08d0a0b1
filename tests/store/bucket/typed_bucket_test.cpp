#include <holdfast/store/store.hpp>

#include <gmock/gmock.h>

namespace holdfast_tests {

struct user {
  std::string id, name;
  std::optional<std::string> email;
  int age = 0;
};

} // namespace holdfast_tests

template <>
inline constexpr auto
    holdfast::mapping<holdfast_tests::user> = holdfast::map_to<holdfast_tests::user>(
        "users", holdfast::key<&holdfast_tests::user::id>(holdfast::uuid),
        holdfast::field<&holdfast_tests::user::name>(holdfast::length(1, 200)),
        holdfast::field<&holdfast_tests::user::email>(holdfast::email, holdfast::unique),
        holdfast::field<&holdfast_tests::user::age>(holdfast::indexed, holdfast::minimum(0)));

namespace holdfast {
namespace {

using holdfast_tests::user;

struct a_typed_bucket : ::testing::Test {
  store db = std::move(*store::start());
  bucket<user> users = std::move(*db.define<user>());
};

TEST_F(a_typed_bucket, stores_structs_and_gives_them_back) {
  auto ann = users.insert({.id = {}, .name = "Ann", .email = "ann@example.org", .age = 30}).get();
  ASSERT_TRUE(ann) << ann.error().to_string();
  EXPECT_EQ(ann->id.size(), 36u) << "the key is generated";
  auto older = users.update(ann->id, set<&user::age>(31), set<&user::email>(std::nullopt)).get();
  ASSERT_TRUE(older) << older.error().to_string();
  EXPECT_EQ(older->age, 31);
  EXPECT_EQ(older->email, std::nullopt);
  EXPECT_EQ(users.get(ann->id).get()->age, 31);
}

TEST_F(a_typed_bucket, answers_typed_queries) {
  for (int i = 0; i < 20; ++i)
    ASSERT_TRUE(users.insert({.id = std::to_string(i), .name = "N", .email = {}, .age = i}).get());
  auto some = users.where(f<&user::age> >= 10)
                  .order_by(f<&user::age>, direction::descending)
                  .limit(2)
                  .all()
                  .get();
  ASSERT_TRUE(some) << some.error().to_string();
  ASSERT_EQ(some->size(), 2u);
  EXPECT_EQ((*some)[0].age, 19);
  EXPECT_EQ(*users.count(f<&user::age> < 5).get(), 5u);
  auto ordered = users.everything().order_by("name").then_by(f<&user::age>).offset(19).all().get();
  ASSERT_TRUE(ordered) << ordered.error().to_string();
  EXPECT_EQ((*ordered)[0].age, 19);
  EXPECT_EQ(*users.everything().sum(f<&user::age>).get(), value{190});
  auto by_name = users.where(f<&user::name>.contains("n"))
                     .group_by({f<&user::name>}, {aggregate::max(f<&user::age>)})
                     .get();
  ASSERT_TRUE(by_name) << by_name.error().to_string();
  EXPECT_EQ(*by_name, (groups{{{"N"}, {19}}}));
  const std::vector<field_name> keys{"name"};
  const std::vector<aggregate> what{aggregate::max("age")};
  EXPECT_EQ(*users.everything().group_by(keys, what).get(), *by_name);
  EXPECT_EQ(*users.everything().group_by({}, {aggregate::count(), aggregate::sum("age")}).get(),
            (groups{{{}, {20, 190}}}));
  auto names = selection{users.everything().plain()}.fields({f<&user::name>}).objects().get();
  ASSERT_TRUE(names) << names.error().to_string();
  EXPECT_EQ(names->front(), (object{{"name", "N"}}));
}

TEST_F(a_typed_bucket, writes_many_structs_at_once) {
  std::vector<user> list{{.id = "1", .name = "A", .email = {}, .age = 1},
                         {.id = "2", .name = "B", .email = {}, .age = 2}};
  ASSERT_TRUE(users.insert_many(list).get());
  list[1].age = 3;
  list.push_back({.id = "3", .name = "C", .email = {}, .age = 3});
  auto stored = users.upsert_many(list, {.expires_in = std::chrono::hours{1}}).get();
  ASSERT_TRUE(stored) << stored.error().to_string();
  EXPECT_EQ(stored->size(), 3u);
  EXPECT_EQ(*users.update_many(f<&user::age> == 3, set<&user::name>("D")).get(), 2u);
  EXPECT_EQ(users.get("2").get()->name, "D");
  EXPECT_EQ(*users.erase_many(f<&user::age> < 3).get(), 1u);
  EXPECT_EQ(*users.count().get(), 2u);
  EXPECT_EQ(*users.purge(), 0u);
}

TEST_F(a_typed_bucket, tells_all_violations) {
  auto bad = users.insert({.id = {}, .name = "", .email = "nobody", .age = -1}).get();
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().issues().size(), 3u) << bad.error().to_string();
}

} // namespace
} // namespace holdfast
