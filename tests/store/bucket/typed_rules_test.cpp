// What a mapping says about members and buckets.
#include "typed_members.hpp"

namespace holdfast::testing {
namespace {

using namespace std::chrono_literals;

TEST_F(typed_members, have_typed_rules_and_defaults) {
  auto tickets = std::move(*db.define<ticket>());
  EXPECT_EQ(
      tickets.plain().compiled().definition(),
      schema("tickets")
          .key("id", integer().generated(autoincrement))
          .field("role", string().one_of("guest", "member").otherwise("member"))
          .field("spent", integer().max(120).otherwise(60))
          .field("tags", array_of().items(string()).required().otherwise([] { return value{}; })));
  auto first = tickets.insert({}).get();
  ASSERT_TRUE(first) << first.error().to_string();
  EXPECT_EQ(*first, (ticket{1, part::member, 60min, {}})) << "an empty vector is a value";
  auto plain = tickets.plain().insert(object{}).get();
  EXPECT_EQ(*from_record<ticket>(*plain), (ticket{2, part::member, 60min, {"new"}}));
  EXPECT_EQ(
      tickets.insert({.id = 0, .role = part::admin, .spent = 3h}).get().error().issues().size(),
      2u);
}

TEST_F(typed_members, say_what_is_inside_of_them) {
  auto text = [] { return string().required(); };
  auto parts = string().one_of("guest", "member", "admin");
  EXPECT_EQ(detail::spec_of<town>().options(),
            object_of()
                .property("street", text())
                .property("city", text().length(1, 50))
                .property("zip", integer().min(INT32_MIN).max(INT32_MAX).min(10000))
                .property("parts", array_of().required().items(parts))
                .options());
  EXPECT_EQ(detail::spec_of<std::vector<std::vector<bool>>>().options(),
            array_of().items(array_of().items(boolean())).options());
  auto item = full();
  item.home.city = "";
  item.stays[0]->zip = 1;
  item.home.parts.push_back(static_cast<part>(50));
  auto got = all.insert(item).get();
  ASSERT_FALSE(got);
  std::vector<std::string> where;
  for (auto& each : got.error().issues())
    where.push_back(each.field);
  EXPECT_THAT(where, ::testing::UnorderedElementsAre("home.city", "home.parts[2]", "stays[0].zip"));
}

TEST_F(typed_members, carry_the_rules_of_their_bucket) {
  EXPECT_EQ(schema_of<note>(),
            schema("notes")
                .key("id", string().required())
                .field("about", integer().references("tickets", on_delete::cascade))
                .field("answers", string().references("notes", on_delete::set_null))
                .field("words", array_of().required().items(string().length(1, 5)))
                .ordered()
                .closed()
                .persistent(false));
  auto tickets = std::move(*db.define<ticket>());
  auto notes = std::move(*db.define<note>());
  ASSERT_TRUE(tickets.insert({.id = 5}).get());
  ASSERT_TRUE(notes.insert({"b", 5, {}, {}}).get());
  ASSERT_TRUE(notes.insert({.id = "a", .answers = "b"}).get());
  EXPECT_FALSE(notes.insert({"c", 6, {}, {}}).get()) << "there is no ticket 6";
  EXPECT_FALSE(notes.insert({"c", 5, {}, {"too long"}}).get());
  EXPECT_EQ(notes.first(1).get()->at(0).id, "a") << "in key order";
  ASSERT_TRUE(tickets.erase(5).get());
  auto left = notes.all().get().value();
  ASSERT_EQ(left.size(), 1u);
  EXPECT_EQ(left[0].answers, std::nullopt);
}

TEST_F(typed_members, may_say_how_long_and_how_many) {
  auto s = schema_of<holdfast_tests::fleeting>();
  EXPECT_EQ(s.expires_after(), std::chrono::hours{24});
  EXPECT_EQ(s.max_records(), 1000U);
  EXPECT_EQ(s.eviction(), evict::least_recently_used);
}

TEST_F(typed_members, go_into_the_bucket_many_at_once) {
  auto tickets = std::move(*db.define<ticket>());
  auto three = tickets.insert_many({{.id = 0}, {.id = 7}, {.id = 0, .role = part::guest}}).get();
  ASSERT_TRUE(three) << three.error().to_string();
  EXPECT_THAT(*three, ::testing::ElementsAre(ticket{1, part::member, 60min, {}},
                                             ticket{7, part::member, 60min, {}},
                                             ticket{8, part::guest, 60min, {}}));
  EXPECT_EQ(tickets.insert_many({{.id = 0}, {.id = 8}}).get().error().code(), errc::duplicate);
  EXPECT_EQ(*tickets.count().get(), 3u);
}

TEST_F(typed_members, have_keys_of_their_type) {
  auto tickets = std::move(*db.define<ticket>());
  ASSERT_TRUE(tickets.insert({.id = 5}).get());
  EXPECT_TRUE(tickets.contains(5));
  EXPECT_FALSE(tickets.contains(6));
  std::int64_t seen = 0;
  EXPECT_TRUE(*tickets.visit(5, [&](const record_view& r) { seen = r["spent"].as_int(); }));
  EXPECT_EQ(seen, 60);
  EXPECT_EQ(tickets.erase(5).get()->id, 5);
  EXPECT_EQ(tickets.get(5).get().error().code(), errc::not_found);
}

} // namespace
} // namespace holdfast::testing
