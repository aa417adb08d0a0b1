// The sum of reals that does not depend on their order.
#include <holdfast/store/detail/adder.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

namespace holdfast::detail {
namespace {

constexpr auto infinity = std::numeric_limits<double>::infinity();
constexpr auto greatest = std::numeric_limits<double>::max();
constexpr auto least = std::numeric_limits<double>::denorm_min();

exact_sum sum_of(const std::vector<double>& all) {
  exact_sum out;
  for (auto x : all)
    out.add(x);
  return out;
}

struct known_sum {
  std::vector<double> of;
  double is;
};

/// The cases of Python's `math.fsum` among them.
const std::vector<known_sum> known_sums{
    {{}, 0.0},
    {{0.0, -0.0}, 0.0},
    {{1e100, 1.0, -1e100, 1e-100, 1e50, -1.0, -1e50}, 1e-100},
    {{0x1p53, -0.5, -0x1p-54}, 0x1p53 - 1.0},
    {{0x1p53, 1.0, 0x1p-100}, 0x1p53 + 2.0},
    {{0x1p53 + 10.0, 1.0, 0x1p-100}, 0x1p53 + 12.0},
    {{0x1p53 - 4.0, 0.5, 0x1p-54}, 0x1p53 - 3.0},
    {{1e16, 1.0, 1e-16}, 10000000000000002.0},
    {{1e16 - 2.0, 1.0 - 0x1p-53, -(1e16 - 2.0), -(1.0 - 0x1p-53)}, 0.0},
    {{0x1p53, 1.0}, 0x1p53},             // halfway, to the even one
    {{0x1p53 + 2.0, 1.0}, 0x1p53 + 4.0}, // so again
    {{-0x1p53, -1.0}, -0x1p53},
    {{0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1}, 1.0},
    {{least, least, least}, 3 * least},
    {{0x1p-1022, -least}, 0x1p-1022 - least},
    {{greatest, greatest, -greatest}, greatest}, // beyond all in between
    {{greatest, 0x1p969}, greatest},
    {{greatest, 0x1p970}, infinity},
    {{-greatest, -greatest}, -infinity},
    {{infinity, 1.0, -greatest}, infinity},
    {{greatest, least, -greatest}, least},
};

TEST(an_exact_sum, is_rounded_once) {
  for (auto& [of, is] : known_sums) {
    EXPECT_EQ(sum_of(of).rounded(), is) << "of " << of.size() << ", " << is;
    EXPECT_FALSE(std::signbit(is) != std::signbit(sum_of(of).rounded()));
  }
  EXPECT_TRUE(std::isnan(sum_of({infinity, -infinity}).rounded()));
  EXPECT_TRUE(std::isnan(sum_of({std::nan(""), 1.0}).rounded()));
}

/// Any bits: most are far apart.
double any_real(std::mt19937_64& random) {
  for (;;)
    if (const auto x = std::bit_cast<double>(random()); std::isfinite(x))
      return x;
}
/// Close to each other, so that much cancels.
double some_real(std::mt19937_64& random) {
  return std::ldexp(static_cast<double>(static_cast<std::int64_t>(random())),
                    static_cast<int>(random() % 70) - 35);
}

TEST(an_exact_sum, is_the_same_in_each_order_and_without_what_was_taken_away) {
  std::mt19937_64 random{1};
  for (int round = 0; round < 300; ++round) {
    std::vector<double> all;
    for (auto n = random() % 60; n > 0; --n)
      all.push_back(round % 2 == 0 ? any_real(random) : some_real(random));
    const auto is = sum_of(all).rounded();
    std::ranges::shuffle(all, random);
    auto again = sum_of(all);
    EXPECT_EQ(again.rounded(), is);
    std::vector<double> gone;
    for (auto n = random() % 60; n > 0; --n)
      gone.push_back(any_real(random));
    for (auto x : gone)
      again.add(x);
    for (auto x : gone)
      again.remove(x);
    EXPECT_EQ(again.rounded(), is);
    for (auto x : all)
      again.remove(x);
    EXPECT_EQ(again.rounded(), 0.0);
  }
}

/// What 113 bits hold exactly is rounded by the compiler's own arithmetic.
TEST(an_exact_sum, is_what_wider_arithmetic_comes_to) {
  __extension__ using wide = __float128;
  std::mt19937_64 random{2};
  for (int round = 0; round < 20'000; ++round) {
    exact_sum sum;
    wide expected = 0;
    for (auto n = random() % 8; n > 0; --n) {
      const auto x =
          std::ldexp(static_cast<double>(random() >> 11) - 0x1p52, static_cast<int>(random() % 50));
      sum.add(x);
      expected += x;
    }
    ASSERT_EQ(sum.rounded(), static_cast<double>(expected)) << "round " << round;
  }
}

TEST(an_exact_sum, carries_as_often_as_it_must) {
  exact_sum sum;
  constexpr int n = 1 << 20;
  for (int i = 0; i < n; ++i)
    sum.add(-greatest);
  for (int i = 0; i < n; ++i)
    sum.add(greatest);
  sum.add(0x1p-30);
  EXPECT_EQ(sum.rounded(), 0x1p-30);
}

TEST(an_adder, gives_an_integer_as_long_as_all_that_is_there_are_integers) {
  adder numbers;
  constexpr auto most = std::numeric_limits<std::int64_t>::max();
  const value big{most}, half{0.5};
  numbers.add(value_view{big});
  numbers.add(value_view{half});
  EXPECT_EQ(numbers.sum().kind(), value_kind::real);
  numbers.remove(value_view{half});
  EXPECT_EQ(numbers.sum().kind(), value_kind::integer);
  EXPECT_EQ(numbers.sum(), big);
  numbers.add(value_view{big});
  EXPECT_EQ(numbers.sum(), value{0x1p64});
  EXPECT_EQ(numbers.mean(), value{0x1p63});
  EXPECT_EQ(numbers.count(), 2U);
}

/// The integers are rounded with the reals, and not before.
TEST(an_adder, loses_nothing_between_integers_and_reals) {
  adder numbers;
  const value integer{(std::int64_t{1} << 53) + 1}, real{-0x1p53}, text{"7"};
  for (auto* each : {&integer, &real, &text})
    numbers.add(value_view{*each});
  EXPECT_EQ(numbers.sum(), value{1.0});
  EXPECT_EQ(numbers.mean(), value{0.5});
}

} // namespace
} // namespace holdfast::detail
