#include "query_fixture.hpp"

namespace holdfast::testing {
namespace {

class a_projection : public ::testing::Test {
protected:
  a_projection()
      : bucket_{schema("people")
                    .key("id", string())
                    .field("age", integer())
                    .field("address", object_of())} {
    bucket_.insert(
        object{{"id", "a"}, {"age", 3}, {"address", object{{"city", "Brno"}, {"zip", 60200}}}});
    bucket_.insert(object{{"id", "b"}, {"extra", true}});
  }
  std::string objects(const query& q) {
    auto got = bucket_.read([&](const detail::reader& r) { return detail::objects(r, q, 0); });
    if (!got)
      return got.error().to_string();
    std::string out;
    for (const auto& o : *got)
      out += value(o).to_string();
    return out;
  }
  test_bucket bucket_;
};

TEST_F(a_projection, has_one_member_per_name_as_it_was_asked_for) {
  EXPECT_EQ(objects(query{}.fields({"address.city", "id"})),
            "{\"address.city\": \"Brno\", \"id\": \"a\"}{\"id\": \"b\"}");
}

TEST_F(a_projection, of_no_names_is_the_whole_record) {
  EXPECT_EQ(objects(query{"age"_f == nullptr}), "{\"id\": \"b\", \"extra\": true}");
}

TEST_F(a_projection, comes_after_order_offset_and_limit) {
  EXPECT_EQ(objects(query{}.order_by("id", direction::descending).limit(1).fields({"id"})),
            "{\"id\": \"b\"}");
}

TEST_F(a_projection, refuses_an_unknown_field) {
  EXPECT_EQ(objects(query{}.fields({"name"})), "invalid_argument: people.name: no such field");
}

} // namespace
} // namespace holdfast::testing
