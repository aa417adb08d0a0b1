// The reference's filters (1.4) as JSON: what each operator finds, with an index and without.
#include "reference_fixture.hpp"

#include <holdfast/store/filter_json.hpp>

namespace holdfast::testing {
namespace {

using texts = std::vector<std::string>;

struct filter_row {
  const char* what;
  const char* filter;
  texts found;
};

struct filters : reference_fixture, ::testing::WithParamInterface<filter_row> {};

TEST_P(filters, find_the_same_with_and_without_an_index) {
  auto plain = schema("plain").key("id", string()).field("n", number()).field("s", string());
  auto indexed = schema("indexed").key("id", string()).field("n", number()).field("s", string());
  indexed.index("n").index("s");
  auto which = filter_from_json(GetParam().filter);
  ASSERT_TRUE(which) << which.error().to_string();
  for (auto& s : {plain, indexed}) {
    auto b = define(s);
    ASSERT_TRUE(b.insert_many({{{"id", "a"}, {"n", 1}, {"s", "Apple"}},
                               {{"id", "b"}, {"n", 2.5}, {"s", "apple pie"}},
                               {{"id", "c"}, {"n", 3}, {"s", "pie"}},
                               {{"id", "d"}, {"n", nullptr}},
                               {{"id", "e"}, {"n", 3}}})
                    .get());
    EXPECT_EQ(keys(b.where(*which).all().get()), GetParam().found) << s.name();
    EXPECT_EQ(*b.count(*which).get(), GetParam().found.size()) << s.name();
  }
}

const filter_row filter_rows[] = {
    {"none", "{}", {"a", "b", "c", "d", "e"}},
    {"a_value", R"({"n":3})", {"c", "e"}},
    {"values_of_two_fields", R"({"n":3,"s":"pie"})", {"c"}},
    {"eq", R"({"n":{"$eq":1}})", {"a"}},
    {"neq", R"({"n":{"$neq":3}})", {"a", "b", "d"}},
    {"differs_which_null_does_not", R"({"n":{"$differs":3}})", {"a", "b"}},
    {"gt", R"({"n":{"$gt":2.5}})", {"c", "e"}},
    {"gte", R"({"n":{"$gte":2.5}})", {"b", "c", "e"}},
    {"lt", R"({"n":{"$lt":2.5}})", {"a"}},
    {"lte", R"({"n":{"$lte":2.5}})", {"a", "b"}},
    {"in", R"({"n":{"$in":[1,3]}})", {"a", "c", "e"}},
    {"nin", R"({"n":{"$nin":[1,3]}})", {"b", "d"}},
    {"nin_of_null_which_nothing_is_not", R"({"n":{"$nin":[1,null]}})", {"b", "c", "e"}},
    {"not_a_value", R"({"n":{"$not":3}})", {"a", "b", "d"}},
    {"not_null", R"({"n":{"$not":null}})", {"a", "b", "c", "e"}},
    {"not_greater", R"({"n":{"$not":{"$gt":2.5}}})", {"a", "b", "d"}},
    {"not_less_or_equal", R"({"n":{"$not":{"$lte":2.5}}})", {"c", "d", "e"}},
    {"not_between", R"({"n":{"$not":{"$between":[1,2.5]}}})", {"c", "d", "e"}},
    {"not_in", R"({"n":{"$not":{"$in":[1,3]}}})", {"b", "d"}},
    {"not_nin", R"({"n":{"$not":{"$nin":[1,3]}}})", {"a", "c", "e"}},
    {"not_differs", R"({"n":{"$not":{"$differs":3}}})", {"c", "d", "e"}},
    {"not_starts_with", R"({"s":{"$not":{"$startsWith":"app"}}})", {"a", "c", "d", "e"}},
    {"not_ends_with", R"({"s":{"$not":{"$endsWith":"pie"}}})", {"a", "d", "e"}},
    {"not_several", R"({"n":{"$not":{"$gt":1,"$lt":3}}})", {"a", "c", "d", "e"}},
    {"not_a_filter", R"({"$not":{"n":3,"s":"pie"}})", {"a", "b", "d", "e"}},
    {"not_one_of_filters", R"({"$not":{"$or":[{"n":1},{"s":"pie"}]}})", {"b", "d", "e"}},
    {"contains_in_any_case", R"({"s":{"$contains":"APP"}})", {"a", "b"}},
    {"starts_with_in_this_case", R"({"s":{"$startsWith":"app"}})", {"b"}},
    {"ends_with_in_this_case", R"({"s":{"$endsWith":"pie"}})", {"b", "c"}},
    {"exists", R"({"s":{"$exists":true}})", {"a", "b", "c"}},
    {"exists_not", R"({"n":{"$exists":false}})", {"d"}},
    {"between_both_ends_included", R"({"n":{"$between":[1,2.5]}})", {"a", "b"}},
    {"several_operators", R"({"n":{"$gt":1,"$lt":3}})", {"b"}},
    {"or", R"({"$or":[{"n":1},{"s":"pie"}]})", {"a", "c"}},
    {"and", R"({"$and":[{"n":3},{"s":{"$exists":false}}]})", {"e"}},
    {"nested_or_and", R"({"$or":[{"$and":[{"n":3},{"s":"pie"}]},{"n":1}]})", {"a", "c"}},
    {"or_beside_a_field", R"({"n":3,"$or":[{"s":"pie"},{"s":"Apple"}]})", {"c"}},
};

INSTANTIATE_TEST_SUITE_P(reference, filters, ::testing::ValuesIn(filter_rows),
                         [](auto& param) { return std::string{param.param.what}; });

} // namespace
} // namespace holdfast::testing
