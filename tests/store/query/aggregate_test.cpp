#include "query_fixture.hpp"

#include <limits>

namespace holdfast::testing {
namespace {

class aggregates : public ::testing::TestWithParam<bool> {
protected:
  aggregates() : bucket_{definition()} {}
  static schema definition() {
    auto out = schema("things").key("id", string()).field("i", integer()).field("n", number());
    out.field("s", string()).field("o", object_of());
    if (GetParam())
      out.index("i").index("n").index("s");
    return out;
  }
  void add(const object& fields) {
    auto copy = fields;
    copy.set("id", std::to_string(next_++));
    bucket_.insert(copy);
  }
  template <class Fn>
  result<value> run(Fn fn, std::string_view field, const query& q = {}) {
    return bucket_.read([&](const detail::reader& r) { return fn(r, field, q, 0); });
  }

  test_bucket bucket_;
  int next_ = 0;
};

TEST_P(aggregates, of_nothing_are_null_but_for_the_sum) {
  add(object{{"s", "x"}});
  EXPECT_EQ(run(detail::sum, "i"), value{0});
  EXPECT_EQ(run(detail::avg, "i"), value{});
  EXPECT_EQ(run(detail::min, "i"), value{});
  EXPECT_EQ(run(detail::max, "i"), value{});
}

TEST_P(aggregates, of_integers_are_exact_and_become_real_when_they_must) {
  constexpr auto most = std::numeric_limits<std::int64_t>::max();
  add(object{{"i", most}});
  add(object{{"i", 1}});
  auto over = run(detail::sum, "i").value();
  EXPECT_EQ(over.kind(), value_kind::real);
  EXPECT_EQ(over, value{9223372036854775808.0});
  add(object{{"i", -1}});
  auto sum = run(detail::sum, "i").value();
  EXPECT_EQ(sum.kind(), value_kind::integer);
  EXPECT_EQ(sum, value{most});
}

TEST_P(aggregates, of_reals_lose_nothing_to_cancellation) {
  for (double x : {1.0, 1e100, 1.0, -1e100})
    add(object{{"n", x}});
  EXPECT_EQ(run(detail::sum, "n"), value{2.0});
  EXPECT_EQ(run(detail::avg, "n"), value{0.5});
}

TEST_P(aggregates, of_reals_may_overflow_to_infinity_and_never_to_nan) {
  add(object{{"n", 1e308}});
  add(object{{"n", 1e308}});
  EXPECT_EQ(run(detail::sum, "n"), value{std::numeric_limits<double>::infinity()});
}

TEST_P(aggregates, leave_out_nulls_and_what_the_filter_leaves_out) {
  add(object{{"i", 5}, {"s", "b"}});
  add(object{{"s", "a"}});
  add(object{{"i", 7}, {"s", "c"}});
  add(object{{"i", 100}, {"s", "d"}});
  query q{"s"_f < "d"};
  EXPECT_EQ(run(detail::sum, "i", q), value{12});
  EXPECT_EQ(run(detail::avg, "i", q), value{6.0});
  EXPECT_EQ(run(detail::min, "i", q), value{5});
  EXPECT_EQ(run(detail::max, "i", q), value{7});
  EXPECT_EQ(run(detail::min, "s"), value{"a"});
  EXPECT_EQ(run(detail::max, "s", q), value{"c"});
  EXPECT_EQ(run(detail::sum, "i", query{}.order_by("i").limit(2)), value{12});
}

TEST_P(aggregates, refuse_fields_that_cannot_be_added_or_ordered) {
  EXPECT_EQ(run(detail::sum, "s").error().message(), "things.s: only numbers add up, not string");
  EXPECT_EQ(run(detail::max, "o").error().message(),
            "things.o: min and max need a field with an order, not object");
  EXPECT_EQ(run(detail::avg, "zz").error().message(), "things.zz: no such field");
}

INSTANTIATE_TEST_SUITE_P(with_and_without_index, aggregates, ::testing::Bool());

} // namespace
} // namespace holdfast::testing
