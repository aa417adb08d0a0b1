#include "query_fixture.hpp"

namespace holdfast::testing {
namespace {

/// `key...: result...; ...`
std::string text_of(const result<groups>& given) {
  if (!given)
    return given.error().to_string();
  std::string out;
  for (const auto& g : *given) {
    out += out.empty() ? "" : "; ";
    for (const auto& x : g.key)
      out += x.to_string() + " ";
    out += ":";
    for (const auto& x : g.results)
      out += " " + x.to_string();
  }
  return out;
}

class grouping : public ::testing::TestWithParam<bool> {
protected:
  grouping() : bucket_{definition()} {}
  static schema definition() {
    auto out = schema("people").key("id", string()).field("role", string()).field("n", number());
    out.field("age", integer()).field("address", object_of());
    if (GetParam())
      out.index("role").index("age").ordered();
    return out;
  }
  void add(const object& fields) {
    auto copy = fields;
    copy.set("id", "k" + std::to_string(next_++));
    bucket_.insert(copy);
  }
  std::string by(const std::vector<field_name>& keys, const std::vector<aggregate>& what,
                 const query& q = {}) {
    return text_of(bucket_.read(
        [&](const detail::reader& r) { return detail::group_by(r, q, keys, what, 0); }));
  }

  test_bucket bucket_;
  int next_ = 0;
};

INSTANTIATE_TEST_SUITE_P(with_and_without_index, grouping, ::testing::Bool());

TEST_P(grouping, answers_several_functions_by_several_keys_in_order_of_appearance) {
  add(object{{"role", "user"}, {"age", 30}, {"address", object{{"city", "Brno"}}}});
  add(object{{"role", "admin"}, {"age", 40}, {"address", object{{"city", "Brno"}}}});
  add(object{{"role", "user"}, {"age", 20}, {"address", object{{"city", "Brno"}}}});
  add(object{{"role", "user"}, {"address", object{{"city", "Praha"}}}});
  EXPECT_EQ(by({"role"}, {aggregate::count(), aggregate::sum("age")}),
            "\"user\" : 3 50; \"admin\" : 1 40");
  EXPECT_EQ(by({"role", "address.city"},
               {aggregate::count("age"), aggregate::avg("age"), aggregate::min("age"),
                aggregate::max("age"), aggregate::sum("age")}),
            "\"user\" \"Brno\" : 2 25.0 20 30 50; \"admin\" \"Brno\" : 1 40.0 40 40 40; "
            "\"user\" \"Praha\" : 0 null null null 0");
  EXPECT_EQ(by({"role"}, {aggregate::count()}, query{"age"_f >= 30}),
            "\"user\" : 1; \"admin\" : 1");
  EXPECT_EQ(by({"role"}, {aggregate::count()}, query{}.order_by("age").limit(2)), "\"user\" : 2")
      << "offset and limit count records";
}

TEST_P(grouping, keeps_values_of_other_kinds_apart_and_absent_with_null) {
  for (const auto& city : {value{1}, value{"1"}, value{1.0}, value{true}, value{nullptr}})
    add(object{{"address", object{{"city", city}}}});
  add(object{});
  EXPECT_EQ(by({"address.city"}, {aggregate::count()}), "1 : 2; \"1\" : 1; true : 1; null : 2");
}

TEST_P(grouping, of_everything_is_one_group_even_of_nothing) {
  EXPECT_EQ(by({}, {aggregate::count(), aggregate::max("age")}), ": 0 null");
  EXPECT_EQ(by({"role"}, {aggregate::count()}), "");
  add(object{{"age", 1}});
  EXPECT_EQ(by({}, {aggregate::count(), aggregate::max("age")}), ": 1 1");
  EXPECT_EQ(by({"age"}, {}), "1 :");
}

TEST_P(grouping, refuses_what_makes_no_sense) {
  EXPECT_EQ(by({"x"}, {}), "invalid_argument: people.x: no such field");
  EXPECT_EQ(by({}, {aggregate::sum("role")}),
            "invalid_argument: people.role: only numbers add up, not string");
  EXPECT_EQ(by({}, {aggregate::max("address")}),
            "invalid_argument: people.address: min and max need a field with an order, not object");
  EXPECT_EQ(by({}, std::vector<aggregate>(65)),
            "invalid_argument: people: group_by 65 fields is above the limit 64");
}

TEST_P(grouping, copes_with_as_many_groups_as_records) {
  for (int i = 0; i < 3000; ++i)
    add(object{{"age", i % 1500}, {"n", 0.5}});
  auto got = bucket_.read([&](const detail::reader& r) {
    return detail::group_by(r, {}, std::vector<field_name>{"age"}, std::vector{aggregate::sum("n")},
                            0);
  });
  ASSERT_TRUE(got);
  ASSERT_EQ(got->size(), 1500U);
  for (const auto& g : *got)
    EXPECT_EQ(g.results[0], value{1.0});
}

TEST_P(grouping, adds_up_what_is_behind_a_path) {
  add(object{{"address", object{{"floor", 2}}}});
  add(object{{"address", object{{"floor", "high"}}}});
  add(object{{"address", object{{"floor", 0.5}}}});
  EXPECT_EQ(by({}, {aggregate::sum("address.floor"), aggregate::max("address.floor")}),
            ": 2.5 \"high\"");
}

} // namespace
} // namespace holdfast::testing
