#include "query_fixture.hpp"

#include <holdfast/store/mapping.hpp>

namespace holdfast::testing {

struct account {
  std::string id;
  std::string name;
  std::optional<std::string> email;
  int age = 0;
  std::optional<double> balance;
  bool active = false;
  std::uint8_t level = 0;
  std::optional<std::string> role;
  friend bool operator==(const account&, const account&) = default;
};

struct counter {
  std::int64_t id = 0;
  std::uint64_t hits = 0;
  float share = 0;
};

namespace {
enum class suit { hearts, spades = 3 };
} // namespace

} // namespace holdfast::testing

template <>
inline constexpr auto
    holdfast::mapping<holdfast::testing::account> = holdfast::map_to<holdfast::testing::account>(
        "accounts", key<&holdfast::testing::account::id>(uuid),
        field<&holdfast::testing::account::name>(length(1, 200)),
        field<&holdfast::testing::account::email>(email, unique),
        field<&holdfast::testing::account::age>(indexed, minimum(0), maximum(150)),
        field<&holdfast::testing::account::balance>(), field<&holdfast::testing::account::active>(),
        field<&holdfast::testing::account::level>(),
        field<&holdfast::testing::account::role>(one_of("admin", "user"), otherwise("user")));

template <>
inline constexpr auto
    holdfast::mapping<holdfast::testing::counter> = holdfast::map_to<holdfast::testing::counter>(
        "counters", key<&holdfast::testing::counter::id>(autoincrement),
        field<&holdfast::testing::counter::hits>(), field<&holdfast::testing::counter::share>());

namespace holdfast::testing {
namespace {

TEST(mapping, makes_the_schema_one_would_write_by_hand) {
  auto by_hand = schema("accounts")
                     .key("id", string().generated(uuid))
                     .field("name", string().required().length(1, 200))
                     .field("email", string().format(email).unique())
                     .field("age", integer().required().min(0).max(150))
                     .field("balance", number())
                     .field("active", boolean().required())
                     .field("level", integer().required().min(0).max(255))
                     .field("role", string().one_of("admin", "user").otherwise("user"))
                     .index("age");
  EXPECT_EQ(schema_of<account>().to_string(), by_hand.to_string());
  EXPECT_EQ(schema_of<account>(), by_hand);
  EXPECT_TRUE(compile(schema_of<account>()));
}

TEST(mapping, knows_mapped_structs_from_others) {
  static_assert(mapped<account>);
  static_assert(!mapped<int>);
}

TEST(mapping, brings_a_struct_back_as_it_was) {
  test_bucket bucket{schema_of<account>()};
  account full{"a", "Ann", "ann@example.org", 30, 1.5, true, 255, "admin"};
  account bare{"b", std::string(300, 'x').substr(0, 200), {}, 0, {}, false, 0, {}};
  for (const auto& x : {full, bare}) {
    auto input = to_draft(bucket.definition(), x);
    bucket.insert(input);
  }
  auto found = bucket.read([](const detail::reader& r) { return detail::all(r, {}, 0); }).value();
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(from_record<account>(found[0]).value(), full);
  EXPECT_EQ(from_record<account>(found[1]).value(), bare);
  EXPECT_EQ(bucket.keys(query{f<&account::email> == "ann@example.org"}), "a");
  EXPECT_EQ(bucket.keys(query{f<&account::age> < 30}), "b");
}

TEST(mapping, leaves_to_the_store_what_the_store_fills_in) {
  test_bucket bucket{schema_of<account>()};
  auto input = to_draft(bucket.definition(),
                        account{.id = "", .name = "Ann", .email = {}, .balance = {}, .role = {}});
  auto slot = [&](std::string_view name) { return bucket.definition().layout().find(name); };
  EXPECT_FALSE(input.given(slot("id")));
  EXPECT_FALSE(input.given(slot("role")));
  EXPECT_TRUE(input.given(slot("email"))) << "an empty optional is null";
  EXPECT_TRUE(input.given(slot("age")));
}

TEST(mapping, says_what_does_not_fit) {
  test_bucket bucket{schema("accounts")
                         .key("id", string())
                         .field("name", integer())
                         .field("level", integer())
                         .field("active", boolean())};
  bucket.insert(object{{"id", "a"}, {"name", 5}, {"level", 256}, {"active", true}, {"age", 7}});
  auto rec =
      bucket.read([](const detail::reader& r) { return detail::find_one(r, {}, 0); }).value();
  auto got = from_record<account>(rec);
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code(), errc::invalid);
  ASSERT_EQ(got.error().issues().size(), 2U);
  EXPECT_EQ(got.error().issues()[0].message, "accounts.name: 5 does not fit the member");
  EXPECT_EQ(got.error().issues()[1].message, "accounts.level: 256 does not fit the member");
}

TEST(mapping, lets_validation_refuse_unsigned_numbers_that_are_too_large) {
  auto compiled = compile(schema_of<counter>()).value();
  auto input = to_draft(*compiled, counter{1, ~std::uint64_t{0}, 0.5F});
  auto issues = detail::check_insert(input);
  ASSERT_TRUE(issues);
  EXPECT_EQ(issues->issues().size(), 1U);
}

/// For clang++, which says `(anonymous namespace)`, they had none.
TEST(enum_names, are_those_of_enums_in_unnamed_namespaces_and_functions_too) {
  static_assert(enum_names<suit>.size() == 2);
  EXPECT_EQ(to_text(suit::spades), "spades");
  EXPECT_EQ(from_text<suit>("hearts"), suit::hearts);
  EXPECT_FALSE(to_text(suit{1}));
  EXPECT_FALSE(to_text(suit{7}));
  enum class local { one, two };
  static_assert(enum_names<local>.size() == 2);
  EXPECT_EQ(to_text(local::two), "two");
  EXPECT_FALSE(to_text(local{7}));
}

} // namespace
} // namespace holdfast::testing
