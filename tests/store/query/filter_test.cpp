#include <holdfast/store/field.hpp>
#include <holdfast/store/filter.hpp>

#include <gmock/gmock.h>

namespace holdfast {
namespace {

struct user {
  std::string id;
  std::optional<int> age;
  double balance = 0;
  std::vector<std::string> tags;
};

TEST(filter, prints_as_a_person_would_write_it) {
  struct row {
    filter given;
    std::string text;
  };
  std::vector<row> table{
      {filter{}, "everything"},
      {!filter{}, "nothing"},
      {"age"_f >= 18, "age >= 18"},
      {"name"_f == "Ann", "name == \"Ann\""},
      {"ok"_f != true, "ok != true"},
      {"age"_f == nullptr, "age is null"},
      {"age"_f != nullptr, "age exists"},
      {"age"_f.in(1, 2.5, nullptr), "age in (1, 2.5, null)"},
      {"age"_f.between(1, 9), "age between 1 and 9"},
      {"name"_f.starts_with("A"), "name starts_with \"A\""},
      {"name"_f.contains("A"), "name contains \"A\""},
      {!"home.city"_f.ends_with("o"), "not home.city ends_with \"o\""},
      {"a"_f < 1 && "b"_f <= 2 && "c"_f > 3, "a < 1 and b <= 2 and c > 3"},
      {"a"_f == 1 && ("b"_f == 2 || "c"_f == 3), "a == 1 and (b == 2 or c == 3)"},
      {!("a"_f == 1), "not a == 1"},
  };
  for (const auto& [given, text] : table)
    EXPECT_EQ(given.to_string(), text);
}

TEST(filter, is_in_normal_form_by_construction) {
  auto a = "a"_f == 1, b = "b"_f == 2, c = "c"_f == 3;
  EXPECT_EQ((a && b) && c, a && (b && c));
  EXPECT_EQ(((a || b) || c).terms().size(), 3U);
  EXPECT_EQ(!(a && (b || c)), !a || (!b && !c));
  EXPECT_EQ(!!a, a);
  EXPECT_EQ(!"a"_f.is_null(), "a"_f.exists());
  EXPECT_EQ(filter{} && a, a);
  EXPECT_EQ(a && filter{}, a);
  EXPECT_EQ(!filter{} || a, a);
  EXPECT_EQ(filter::all({a, b && c, {}}), a && b && c);
  EXPECT_EQ(filter::any({a, b || c, !filter{}}), a || b || c);
  EXPECT_EQ(filter::all({}), filter{});
  EXPECT_EQ(filter::any({a && b}), a && b);
}

TEST(filter, is_the_same_tree_from_typed_and_dynamic_fields) {
  EXPECT_EQ(f<&user::age> >= 18, "age"_f >= 18);
  EXPECT_EQ(f<&user::age> == nullptr, "age"_f == nullptr);
  EXPECT_EQ(f<&user::id>.in("a", std::string{"b"}), "id"_f.in("a", "b"));
  EXPECT_EQ(f<&user::balance>.between(1, 2.5), "balance"_f.between(1, 2.5));
  EXPECT_EQ(f<&user::id>.starts_with("x"), "id"_f.starts_with("x"));
  EXPECT_EQ(f<&user::id>.contains("x"), "id"_f.contains("x"));
  EXPECT_EQ(f<&user::id>.ends_with("x"), "id"_f.ends_with("x"));
  EXPECT_EQ(f<&user::tags>.contains("x"), "tags"_f.contains("x"));
  EXPECT_EQ("id"_f.in(std::vector<std::string>{"a", "b"}), "id"_f.in("a", "b"));
}

TEST(filter, takes_unsigned_operands_beyond_the_signed_range_as_reals) {
  auto big = "n"_f < ~std::uint64_t{0};
  EXPECT_EQ(big.operands()[0], value{18446744073709551615.0});
}

} // namespace
} // namespace holdfast
