#include "query_fixture.hpp"

namespace holdfast::testing {
namespace {

class explained : public ::testing::Test {
protected:
  explained()
      : bucket_{schema("users")
                    .key("id", string())
                    .field("email", string().unique())
                    .field("role", string())
                    .field("age", integer())
                    .field("name", string())
                    .index("role")
                    .index("age")
                    .inverted_index("name")} {
    for (int i = 0; i < 1000; ++i) {
      auto n = std::to_string(i);
      object fields{
          {"id", "u" + n}, {"email", n + "@example.org"}, {"name", "n" + std::to_string(i % 7)}};
      fields.set("role", i % 100 == 0 ? "admin" : "user");
      if (i % 10 != 9)
        fields.set("age", i % 80);
      bucket_.insert(fields);
    }
  }
  std::string why(const query& q) { return bucket_.explain(q).to_string(); }

  test_bucket bucket_;
};

TEST_F(explained, the_key_and_unique_values_are_looked_up) {
  EXPECT_EQ(why(query{"id"_f == "u7" && "age"_f > 3}),
            "users: primary key id (id == \"u7\"), 1 of 1000 rows, filter age > 3, stored order");
  EXPECT_EQ(why(query{"email"_f == "7@example.org"}),
            "users: unique index email (email == \"7@example.org\"), 1 of 1000 rows, stored order");
  EXPECT_EQ(why(query{"id"_f.in("u1", "u2")}),
            "users: primary key id (id in (\"u1\", \"u2\")), 2 of 1000 rows, stored order");
}

TEST_F(explained, the_index_with_the_fewest_rows_is_read) {
  EXPECT_EQ(
      why(query{"role"_f == "admin" && "age"_f >= 18}),
      "users: index role (role == \"admin\"), 10 of 1000 rows, filter age >= 18, stored order");
  EXPECT_EQ(why(query{"role"_f == "user" && "age"_f == 18}),
            "users: index age (age == 18), 13 of 1000 rows, filter role == \"user\", stored order");
}

TEST_F(explained, ranges_on_one_index_are_intersected) {
  EXPECT_EQ(why(query{"age"_f >= 18 && "age"_f < 21}),
            "users: index age (age >= 18 and age < 21), 26 of 1000 rows, sorted, count from the "
            "index alone");
}

TEST_F(explained, a_disjunction_of_indexed_terms_is_a_union) {
  EXPECT_EQ(
      why(query{"role"_f == "admin" || "age"_f == 3}),
      "users: union role, age (role == \"admin\" or age == 3), 23 of 1000 rows, stored order");
  EXPECT_EQ(why(query{"role"_f == "admin" || "role"_f == "nobody"}),
            "users: index role (role == \"admin\" or role == \"nobody\"), 10 of 1000 rows, sorted, "
            "count from the index alone");
  EXPECT_EQ(
      why(query{"role"_f == "admin" || "name"_f == "n1"}),
      "users: scan, 1000 of 1000 rows, filter role == \"admin\" or name == \"n1\", stored order");
}

TEST_F(explained, what_is_not_so_is_the_rest_of_an_index) {
  EXPECT_EQ(why(query{"role"_f != "user"}),
            "users: index role (role != \"user\"), 10 of 1000 rows, sorted, count from the index "
            "alone");
  EXPECT_EQ(why(query{!("role"_f == "user")}),
            "users: index role (not role == \"user\"), 10 of 1000 rows, sorted, count from the "
            "index alone");
  EXPECT_EQ(why(query{!("role"_f.in("user", "guest"))}),
            "users: index role (not role in (\"user\", \"guest\")), 10 of 1000 rows, sorted, count "
            "from the index alone");
  EXPECT_EQ(why(query{!("age"_f < 70)}),
            "users: index age (not age < 70), 208 of 1000 rows, sorted, count from the index alone")
      << "those without an age, too";
  EXPECT_EQ(why(query{"age"_f > 70 && "age"_f != 75}),
            "users: index age (age > 70 and age != 75), 84 of 1000 rows, sorted, count from the "
            "index alone");
  EXPECT_EQ(why(query{"role"_f != "user" || "age"_f == 3}),
            "users: union role, age (role != \"user\" or age == 3), 23 of 1000 rows, stored order");
}

TEST_F(explained, what_is_not_so_is_scanned_for_where_that_is_most_of_the_bucket) {
  EXPECT_EQ(
      why(query{"role"_f != "admin"}),
      "users: scan, 1000 of 1000 rows, filter role != \"admin\", stored order, count from the "
      "index alone");
  EXPECT_EQ(why(query{"age"_f != 3}.order_by("age").limit(10)),
            "users: index age (age != 3), 887 of 1000 rows, index order by age, count from the "
            "index alone");
  EXPECT_EQ(why(query{"role"_f != "admin" || "age"_f != 3}.order_by("name")),
            "users: scan, 1000 of 1000 rows, filter role != \"admin\" or age != 3, sorted by name");
}

TEST_F(explained, what_is_not_a_key_or_unique_value_is_scanned_for) {
  EXPECT_EQ(why(query{"email"_f != "7@example.org"}),
            "users: scan, 1000 of 1000 rows, filter email != \"7@example.org\", stored order");
  EXPECT_EQ(why(query{!("id"_f.in("u1", "u2"))}),
            "users: scan, 1000 of 1000 rows, filter not id in (\"u1\", \"u2\"), stored order");
}

/// What a plan reads for those who do not ask for an order.
TEST_F(explained, without_an_order_what_takes_sorting_is_not_taken_for_cheap) {
  auto scans = [&](const filter& which, const detail::plan_goal& goal) {
    return bucket_.read(
        [&](const auto& r) { return detail::make_plan(r, which, {}, goal).value().is_scan(); });
  };
  const auto most = "role"_f != "user" || "age"_f < 56;
  EXPECT_TRUE(scans(most, {.any_order = true})) << "a union is sorted anyhow";
  EXPECT_FALSE(scans("role"_f != "user" || "age"_f < 5, {.any_order = true}));
  EXPECT_FALSE(scans("age"_f != 3 && "age"_f < 30, {.any_order = true}));
}

/// What an inverted index leads to was taken for read as far as is needed, which for a count of one
/// was most of the bucket.
TEST_F(explained, what_parts_lead_to_is_gathered_and_sorted_whatever_is_needed) {
  auto scans = [&](const filter& which, const detail::plan_goal& goal) {
    return bucket_.read(
        [&](const auto& r) { return detail::make_plan(r, which, {}, goal).value().is_scan(); });
  };
  EXPECT_TRUE(scans("name"_f.contains("n"), {.needed = 1, .any_order = true}));
  EXPECT_TRUE(scans("name"_f.contains("n"), {.any_order = true}));
  EXPECT_TRUE(scans("name"_f.contains("n3"), {.needed = 1, .any_order = true}));
  EXPECT_FALSE(scans("name"_f.contains("n3"), {.any_order = true}));
  EXPECT_FALSE(scans("name"_f.contains("nobody"), {.needed = 1, .any_order = true}));
}

TEST_F(explained, the_last_ones_of_many_are_read_from_the_end) {
  auto scans = [&](const filter& which, std::uint64_t needed) {
    const detail::plan_goal goal{.needed = needed, .any_order = true, .from_end = true};
    return bucket_.read(
        [&](const auto& r) { return detail::make_plan(r, which, {}, goal).value().is_scan(); });
  };
  EXPECT_TRUE(scans("age"_f != 3 && "age"_f < 40, 10));
  EXPECT_FALSE(scans("role"_f != "user", 10)) << "which are few";
  EXPECT_FALSE(scans("age"_f != 3 && "age"_f < 40, query::unlimited));
}

TEST_F(explained, what_no_index_knows_is_scanned) {
  EXPECT_EQ(why(query{}),
            "users: scan, 1000 of 1000 rows, stored order, count from the index alone");
  EXPECT_EQ(why(query{"name"_f == "n1" && !("age"_f == 1)}),
            "users: scan, 1000 of 1000 rows, filter name == \"n1\" and not age == 1, stored order");
}

TEST_F(explained, what_no_record_has_is_not_read_at_all) {
  EXPECT_EQ(
      why(query{"role"_f == "nobody" && "name"_f == "n1"}),
      "users: nothing (role == \"nobody\"), 0 of 1000 rows, filter name == \"n1\", stored order, "
      "count from the index alone");
}

TEST_F(explained, an_order_with_a_limit_walks_the_index) {
  EXPECT_EQ(why(query{}.order_by("age").limit(10)),
            "users: index age, 1000 of 1000 rows, index order by age, count from the index alone");
  EXPECT_EQ(why(query{"age"_f > 50}.order_by("age", direction::descending).limit(10)),
            "users: index age (age > 50), 312 of 1000 rows, index order by age descending, "
            "count from the index alone");
  EXPECT_EQ(why(query{"role"_f == "admin"}.order_by("age").limit(10)),
            "users: index role (role == \"admin\"), 10 of 1000 rows, sorted by age, count from the "
            "index alone");
  EXPECT_EQ(why(query{}.order_by("name").limit(10)),
            "users: scan, 1000 of 1000 rows, sorted by name, count from the index alone");
}

TEST_F(explained, an_order_by_several_fields_walks_the_index_if_all_but_the_last_are_fixed) {
  auto q = query{"role"_f == "user"}.order_by("role").then_by("age").limit(10);
  EXPECT_EQ(bucket_.explain(q).order, explanation::ordering::index);
  EXPECT_EQ(bucket_.explain(q).order_text, "role, age");
  q.then_by("name");
  EXPECT_EQ(bucket_.explain(q).order, explanation::ordering::sorted);
}

TEST_F(explained, parts_of_texts_and_members_are_looked_for_in_every_record) {
  EXPECT_EQ(why(query{"role"_f.contains("ADM")}),
            "users: scan, 1000 of 1000 rows, filter role contains \"ADM\", stored order");
  EXPECT_EQ(why(query{"age"_f == 18 && "role"_f.ends_with("n")}),
            "users: index age (age == 18), 13 of 1000 rows, filter role ends_with \"n\", stored "
            "order");
}

TEST(explained_ordered, ranges_prefixes_and_orders_of_the_key_use_its_index) {
  test_bucket bucket{schema("users").key("id", string()).field("n", integer()).ordered()};
  for (int i = 0; i < 1000; ++i)
    bucket.insert({{"id", "u" + std::to_string(i)}, {"n", i}});
  auto why = [&](const query& q) { return bucket.explain(q).to_string(); };
  EXPECT_EQ(why(query{filter::starts_with("id", "u77")}),
            "users: index id (id starts_with \"u77\"), 11 of 1000 rows, index order by id, count "
            "from the index alone");
  EXPECT_EQ(why(query{"id"_f >= "u10" && "id"_f < "u11"}),
            "users: index id (id >= \"u10\" and id < \"u11\"), 11 of 1000 rows, index order by id, "
            "count from the index alone");
  EXPECT_EQ(why(query{"id"_f == "u7"}),
            "users: primary key id (id == \"u7\"), 1 of 1000 rows, sorted by id");
  EXPECT_EQ(
      why(query{}.order_by("id", direction::descending).limit(3)),
      "users: index id, 1000 of 1000 rows, index order by id descending, count from the index "
      "alone");
  EXPECT_EQ(bucket.keys(query{filter::starts_with("id", "u77")}.limit(3)), "u77 u770 u771");
  EXPECT_EQ(bucket.keys(query{}.order_by("id", direction::descending).limit(2)), "u999 u998");
}

class explained_compound : public ::testing::Test {
protected:
  explained_compound()
      : bucket_{schema("users")
                    .key("id", string())
                    .field("role", string())
                    .field("city", string())
                    .field("age", integer())
                    .index({"role", "city", "age"})} {
    for (int i = 0; i < 1000; ++i)
      bucket_.insert(object{{"id", "u" + std::to_string(i)},
                            {"role", i % 4 == 0 ? "admin" : "user"},
                            {"city", "c" + std::to_string(i % 5)},
                            {"age", i % 80}});
  }
  std::string why(const query& q) { return bucket_.explain(q).to_string(); }

  test_bucket bucket_;
};

TEST_F(explained_compound, equality_on_its_first_fields_and_a_range_on_the_next_are_one_range) {
  EXPECT_EQ(why(query{"role"_f == "admin" && "city"_f == "c0" && "age"_f >= 40}),
            "users: index (role, city, age) (role == \"admin\" and city == \"c0\" and age >= 40), "
            "24 of 1000 rows, sorted, count from the index alone");
  EXPECT_EQ(why(query{"city"_f == "c0" && "role"_f == "admin"}),
            "users: index (role, city, age) (city == \"c0\" and role == \"admin\"), "
            "50 of 1000 rows, sorted, count from the index alone");
  EXPECT_EQ(why(query{"role"_f == "admin" && "age"_f == 0}),
            "users: index (role, city, age) (role == \"admin\"), "
            "250 of 1000 rows, filter age == 0, sorted");
  EXPECT_EQ(why(query{"city"_f == "c0"}),
            "users: scan, 1000 of 1000 rows, filter city == \"c0\", stored order");
  EXPECT_EQ(bucket_.count(query{"role"_f == "admin" && "city"_f == "c0"}), 50U);
}

TEST_F(explained_compound, equality_on_its_first_fields_and_a_difference_in_the_next_are_ranges) {
  EXPECT_EQ(why(query{"role"_f == "admin" && "city"_f != "c0"}),
            "users: index (role, city, age) (role == \"admin\" and city != \"c0\"), "
            "200 of 1000 rows, sorted, count from the index alone");
  auto q = query{"role"_f == "admin" && "city"_f == "c0" && !("age"_f.in(0, 40))};
  EXPECT_EQ(why(q.order_by("age").limit(3)),
            "users: index (role, city, age) (role == \"admin\" and city == \"c0\" and not age in "
            "(0, 40)), 25 of 1000 rows, index order by age, count from the index alone");
  EXPECT_EQ(bucket_.keys(q), "u20 u100 u180");
}

TEST_F(explained_compound, equality_on_all_fields_stands_in_stored_order) {
  EXPECT_EQ(why(query{"role"_f == "admin" && "city"_f == "c0" && "age"_f == 40}),
            "users: index (role, city, age) (role == \"admin\" and city == \"c0\" and age == 40), "
            "12 of 1000 rows, stored order, count from the index alone");
}

TEST_F(explained_compound, the_order_by_its_last_field_is_walked) {
  auto q = query{"role"_f == "admin" && "city"_f == "c0"}.order_by("age", direction::descending);
  EXPECT_EQ(why(q.limit(3)), "users: index (role, city, age) (role == \"admin\" and city == "
                             "\"c0\"), 50 of 1000 rows, index order by age descending, count from "
                             "the index alone");
  EXPECT_EQ(bucket_.keys(q.limit(3)), "u60 u140 u220");
  EXPECT_EQ(bucket_.explain(query{"role"_f == "admin"}.order_by("age").limit(3)).order,
            explanation::ordering::sorted);
}

TEST_F(explained_compound,
       ranges_with_different_first_fields_are_not_walked_in_the_order_of_its_last) {
  auto q =
      query{("role"_f == "admin" && "city"_f == "c0") || ("role"_f == "user" && "city"_f == "c1")};
  EXPECT_EQ(bucket_.explain(q.order_by("age").limit(3)).order, explanation::ordering::sorted);
  EXPECT_EQ(bucket_.keys(q), "u0 u80 u160");
  auto back = query{q.which()}.order_by("age", direction::descending).limit(3);
  EXPECT_EQ(bucket_.keys(back), "u71 u151 u231");
}

TEST_F(explained, a_count_of_an_indexed_range_reads_no_record) {
  for (const auto& which :
       {"age"_f >= 18, "age"_f.is_null(), "age"_f.exists(), "role"_f.starts_with("a"),
        "age"_f.in(1, 2, 3), "age"_f != 7, !("age"_f == 7), !("age"_f.between(1, 9)), filter{}})
    EXPECT_TRUE(bucket_.explain(query{which}).covers_count) << which.to_string();
  EXPECT_EQ(bucket_.count(query{"age"_f != 7}), 887U);
  EXPECT_EQ(bucket_.count(query{!("age"_f == 7)}), 987U);
  EXPECT_EQ(bucket_.count(query{"age"_f.is_null()}), 100U);
  EXPECT_EQ(bucket_.count(query{"role"_f.starts_with("a")}), 10U);
}

TEST_F(explained, a_query_prints_as_a_sentence) {
  EXPECT_EQ(query{}.to_string(), "everything");
  EXPECT_EQ(
      query{"age"_f > 1}.order_by("age", direction::descending).offset(2).limit(3).to_string(),
      "where age > 1 order by age descending offset 2 limit 3");
  EXPECT_EQ(query{}.fields({"name", "age"}).order_by("age").then_by("id").to_string(),
            "select name, age order by age, id");
}

TEST_F(explained, an_order_by_what_has_none_is_refused) {
  EXPECT_EQ(bucket_.keys(query{}.order_by("size")), "invalid_argument: users.size: no such field");
}

} // namespace
} // namespace holdfast::testing
