#include <holdfast/store/value.hpp>

#include <cmath>
#include <limits>
#include <random>

namespace holdfast {
namespace {

using ::testing::ElementsAre;

constexpr auto largest = std::numeric_limits<std::int64_t>::max();
constexpr auto smallest = std::numeric_limits<std::int64_t>::min();
const double nan = std::numeric_limits<double>::quiet_NaN();
const double infinity = std::numeric_limits<double>::infinity();

TEST(value, is_of_the_kind_it_was_made_from) {
  EXPECT_EQ(value().kind(), value_kind::null);
  EXPECT_EQ(value(nullptr).kind(), value_kind::null);
  EXPECT_EQ(value(true).kind(), value_kind::boolean);
  EXPECT_EQ(value(7).kind(), value_kind::integer);
  EXPECT_EQ(value(7U).kind(), value_kind::integer);
  EXPECT_EQ(value(std::size_t{7}).kind(), value_kind::integer);
  EXPECT_EQ(value(0.5F).kind(), value_kind::real);
  EXPECT_EQ(value("text").kind(), value_kind::string);
  EXPECT_EQ(value(std::string_view("text")).kind(), value_kind::string);
  EXPECT_EQ(value(array{1, "two", 3.0}).kind(), value_kind::array);
  EXPECT_EQ(value(object{{"a", 1}, {"b", nullptr}}).kind(), value_kind::object);
}

TEST(value, refuses_unsigned_numbers_that_an_int64_cannot_hold) {
  EXPECT_EQ(value(std::uint64_t{largest}).as_int(), largest);
  EXPECT_THROW(value(std::uint64_t{1} << 63), std::out_of_range);
  EXPECT_THROW(value_view(std::uint64_t{1} << 63), std::out_of_range);
}

TEST(value, gives_its_content_or_throws) {
  EXPECT_EQ(value(7).as_int(), 7);
  EXPECT_EQ(value(7.0).as_int(), 7);
  EXPECT_EQ(value(7).as_double(), 7.0);
  EXPECT_EQ(value("x").as_string(), "x");
  EXPECT_TRUE(value(true).as_bool());
  EXPECT_THROW((void)value(7.5).as_int(), std::bad_variant_access);
  EXPECT_THROW((void)value("7").as_int(), std::bad_variant_access);
  EXPECT_THROW((void)value(1).as_bool(), std::bad_variant_access);
  EXPECT_THROW((void)value(infinity).as_int(), std::bad_variant_access);
  EXPECT_EQ(value_view("x").if_int(), std::nullopt);
  EXPECT_EQ(value_view(9.5).if_double(), 9.5);
  EXPECT_EQ(value_view(9).if_double(), 9.0);
  EXPECT_EQ(value_view(true).if_bool(), true);
  EXPECT_EQ(value_view(std::optional<int>()).kind(), value_kind::null);
  EXPECT_EQ(value_view(std::optional<int>(5)), 5);
}

/// Ascending; every value is below all that follow.
std::vector<value> ladder() {
  return {nullptr,
          false,
          true,
          -infinity,
          -9223372036854777856.0, // the double below -2^63
          smallest,
          smallest + 1,
          -1.5,
          -1,
          -0.5,
          0,
          std::numeric_limits<double>::denorm_min(),
          1,
          1.5,
          (std::int64_t{1} << 53) - 1,
          9007199254740992.0, // 2^53
          (std::int64_t{1} << 53) + 1,
          9007199254740994.0,
          largest - 1,
          largest,
          9223372036854775808.0, // 2^63
          infinity,
          nan,
          "",
          std::string("\0", 1),
          "a",
          "aa",
          "b",
          "\xc3\xa4",
          array{},
          array{nullptr},
          array{1},
          array{1, 1},
          array{1.5},
          array{"a"},
          object{},
          object{{"a", 1}},
          object{{"a", 1}, {"b", 0}},
          object{{"a", 2}},
          object{{"b", 0}}};
}

TEST(value_order, is_that_of_kinds_then_of_contents_exactly) {
  auto all = ladder();
  for (std::size_t i = 0; i < all.size(); ++i)
    for (std::size_t j = 0; j < all.size(); ++j) {
      EXPECT_EQ(all[i] <=> all[j], i <=> j) << all[i] << " and " << all[j];
      EXPECT_EQ(all[i] == all[j], i == j) << all[i] << " and " << all[j];
    }
}

TEST(value_order, takes_equal_numbers_as_equal_whatever_their_type) {
  EXPECT_EQ(value(1), value(1.0));
  EXPECT_EQ(value(0.0), value(-0.0));
  EXPECT_EQ(value(smallest), value(-9223372036854775808.0));
  EXPECT_EQ(hash_value(1), hash_value(1.0));
  EXPECT_EQ(hash_value(0.0), hash_value(-0.0));
  EXPECT_EQ(value(array{1, 2.0}), value(array{1.0, 2}));
  EXPECT_EQ(hash_value(array{1, 2.0}), hash_value(array{1.0, 2}));
}

TEST(value_order, does_not_look_at_the_order_of_members) {
  object a{{"x", 1}, {"y", 2}};
  object b{{"y", 2}, {"x", 1}};
  EXPECT_EQ(a, b);
  EXPECT_EQ(hash_value(a), hash_value(b));
}

value random_value(std::mt19937_64& random, int depth) {
  switch (random() % (depth > 0 ? 9 : 7)) {
  case 0:
    return nullptr;
  case 1:
    return random() % 2 == 0;
  case 2:
    return static_cast<std::int64_t>(random() % 7) - 3;
  case 3:
    return static_cast<double>(random() % 13) / 2 - 3;
  case 4:
    return static_cast<std::int64_t>(random() >> (random() % 60));
  case 5:
    return std::ldexp(static_cast<double>(random()), static_cast<int>(random() % 80) - 64);
  case 6:
    return std::string(random() % 4, static_cast<char>('a' + random() % 2));
  case 7: {
    array items;
    for (auto n = random() % 3; n > 0; --n)
      items.push_back(random_value(random, depth - 1));
    return items;
  }
  default: {
    object members;
    for (auto n = random() % 3; n > 0; --n)
      members.set(std::string(1, static_cast<char>('a' + random() % 3)),
                  random_value(random, depth - 1));
    return members;
  }
  }
}

TEST(value_order, is_total_and_agrees_with_equality_and_hash) {
  std::mt19937_64 random(20);
  for (int round = 0; round < 20'000; ++round) {
    auto a = random_value(random, 2);
    auto b = random_value(random, 2);
    auto c = random_value(random, 2);
    ASSERT_EQ(a <=> b, 0 <=> (b <=> a)) << a << ", " << b;
    ASSERT_EQ(a == b, (a <=> b) == 0) << a << ", " << b;
    ASSERT_EQ(a <=> a, std::weak_ordering::equivalent) << a;
    if (a <= b && b <= c) {
      ASSERT_TRUE(a <= c) << a << ", " << b << ", " << c;
    }
    if (a == b) {
      ASSERT_EQ(hash_value(a), hash_value(b)) << a << ", " << b;
    }
  }
}

TEST(value_text, is_json_for_people) {
  value v = object{{"a", array{1, 1.0, 0.5, true, nullptr}}, {"q\"", "l\n\x01"}, {"e", object{}}};
  EXPECT_EQ(v.to_string(), R"({"a": [1, 1.0, 0.5, true, null], "q\"": "l\n\u0001", "e": {}})");
  EXPECT_EQ(value(array{}).to_string(), "[]");
}

TEST(object, keeps_the_order_of_insertion_and_each_name_once) {
  object o{{"b", 1}, {"a", 2}, {"b", 3}};
  std::vector<std::string> names;
  for (auto& [name, content] : o)
    names.push_back(name);
  EXPECT_THAT(names, ElementsAre("b", "a"));
  EXPECT_EQ(*o.find("b"), 3);
  o["c"] = "new";
  EXPECT_TRUE(o.contains("c"));
  EXPECT_TRUE(o.erase("b"));
  EXPECT_FALSE(o.erase("b"));
  EXPECT_EQ(o.find("b"), nullptr);
  EXPECT_EQ(o.size(), 2U);
}

TEST(value_view, shows_and_copies_what_it_was_made_from) {
  value v = object{{"a", array{1, "two"}}, {"b", 2.5}};
  value_view view = v;
  EXPECT_EQ(view, v);
  EXPECT_EQ(view["b"], 2.5);
  EXPECT_TRUE(view["c"].is_null());
  EXPECT_EQ(view["a"].size(), 2U);
  EXPECT_EQ(view.materialize(), v);
  EXPECT_EQ(value_view("x") <=> value("y"), std::weak_ordering::less);
}

} // namespace
} // namespace holdfast
