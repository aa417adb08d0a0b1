#include "query_fixture.hpp"

namespace holdfast::testing {
namespace {

schema numbered(const char* index = nullptr) {
  auto out = schema("things").key("id", string()).field("n", integer()).field("t", string());
  if (index)
    out.index(index);
  return out;
}

class pages : public ::testing::TestWithParam<const char*> {
protected:
  pages() : bucket_{numbered(GetParam())} {}

  void add(int id, value n) {
    bucket_.insert(object{
        {"id", std::to_string(id)}, {"n", std::move(n)}, {"t", id % 2 == 0 ? "even" : "odd"}});
  }
  result<page> next(const query& q, std::uint64_t size, const std::optional<std::string>& after) {
    return bucket_.read(
        [&](const detail::reader& r) { return detail::page_of(r, q, size, after, 0); });
  }

  test_bucket bucket_;
};

TEST_P(pages, go_on_where_they_were_when_the_record_at_the_cursor_is_gone) {
  for (int i = 0; i < 9; ++i)
    add(i, i / 2);
  for (const auto& q : {query{}, query{}.order_by("n")}) {
    auto first = next(q, 4, {}).value();
    EXPECT_EQ(test_bucket::keys_of(first.items), "0 1 2 3");
    bucket_.erase("3");
    auto second = next(q, 4, first.next).value();
    EXPECT_EQ(test_bucket::keys_of(second.items), "4 5 6 7");
    add(3, 1);
    bucket_.erase("3");
    add(3, 1); // a new life of the key comes last in order of insertion
  }
  auto down = query{}.order_by("n", direction::descending);
  auto first = next(down, 2, {}).value();
  EXPECT_EQ(test_bucket::keys_of(first.items), "8 6");
  bucket_.erase("6");
  EXPECT_EQ(test_bucket::keys_of(next(down, 3, first.next)->items), "7 4 5");
}

TEST_P(pages, show_what_is_inserted_behind_the_cursor_and_not_what_is_before) {
  for (int i = 0; i < 6; ++i)
    add(i, 10 * i);
  auto q = query{}.order_by("n");
  auto first = next(q, 3, {}).value();
  add(100, 5);
  add(101, 25);
  add(102, 20);
  EXPECT_EQ(test_bucket::keys_of(next(q, 9, first.next)->items), "102 101 3 4 5");
}

TEST_P(pages, walk_through_records_without_a_value_at_the_end) {
  for (int i = 0; i < 8; ++i)
    add(i, i % 2 == 0 ? value{i} : value{});
  for (auto way : {direction::ascending, direction::descending}) {
    auto q = query{}.order_by("n", way);
    std::string got;
    std::optional<std::string> cursor;
    do {
      auto p = next(q, 3, cursor).value();
      got += test_bucket::keys_of(p.items) + "|";
      cursor = p.next;
    } while (cursor);
    EXPECT_EQ(got, way == direction::ascending ? "0 2 4|6 1 3|5 7|" : "6 4 2|0 1 3|5 7|");
  }
}

TEST_P(pages, of_a_difference_walk_around_the_value_that_is_left_out) {
  for (int i = 0; i < 10; ++i)
    add(i, i == 4 ? value{} : value{i / 2});
  auto walk = [&](const query& q) {
    std::string got;
    std::optional<std::string> cursor;
    do {
      auto p = next(q, 2, cursor).value();
      got += test_bucket::keys_of(p.items) + "|";
      cursor = p.next;
    } while (cursor);
    return got;
  };
  EXPECT_EQ(walk(query{"n"_f != 1}), "0 1|5 6|7 8|9|");
  EXPECT_EQ(walk(query{"n"_f != 1}.order_by("n")), "0 1|5 6|7 8|9|");
  EXPECT_EQ(walk(query{"n"_f != 1}.order_by("n", direction::descending)), "8 9|6 7|5 0|1|");
  EXPECT_EQ(walk(query{!("n"_f.in(1, 3))}.order_by("n", direction::descending)), "8 9|5 0|1 4|");
}

TEST_P(pages, of_a_filter_on_one_value_go_on_by_row) {
  for (int i = 0; i < 9; ++i)
    add(i, 1);
  auto q = query{"n"_f == 1 && "t"_f == "even"};
  auto first = next(q, 2, {}).value();
  auto second = next(q, 2, first.next).value();
  auto third = next(q, 2, second.next).value();
  EXPECT_EQ(test_bucket::keys_of(second.items), "4 6");
  EXPECT_EQ(test_bucket::keys_of(third.items), "8");
  EXPECT_FALSE(third.next);
}

TEST_P(pages, end_exactly_when_there_is_no_more) {
  for (int i = 0; i < 4; ++i)
    add(i, i);
  EXPECT_TRUE(next(query{}, 3, {})->next);
  EXPECT_FALSE(next(query{}, 4, {})->next);
  EXPECT_EQ(next(query{}.offset(2), 1, {})->items.size(), 1U);
  EXPECT_EQ(next(query{}, 0, {}).error().message(), "things: page size 0 is below the minimum 1");
}

TEST_P(pages, go_on_within_equal_values_by_the_next_term) {
  for (int i = 0; i < 9; ++i)
    add(i, i / 4);
  auto q = query{}.order_by("n").then_by("t", direction::descending).then_by("id");
  EXPECT_EQ(bucket_.keys(q), "1 3 0 2 5 7 4 6 8");
  auto first = next(q, 3, {}).value();
  EXPECT_EQ(test_bucket::keys_of(first.items), "1 3 0");
  auto second = next(q, 3, first.next).value();
  EXPECT_EQ(test_bucket::keys_of(second.items), "2 5 7");
  EXPECT_FALSE(next(query{}.order_by("n").then_by("t").then_by("id"), 3, first.next));
  for (int i = 0; i < 6; ++i)
    q.then_by("id");
  EXPECT_EQ(bucket_.keys(q), "invalid_argument: things: an order of 9 terms is above the limit 8");
}

TEST_P(pages, refuse_a_cursor_that_is_not_theirs) {
  for (int i = 0; i < 9; ++i)
    add(i, i);
  auto cursor = *next(query{}.order_by("n"), 2, {})->next;
  std::vector<std::string> wrong{"",
                                 "x",
                                 "!!",
                                 "../../etc",
                                 cursor + "A",
                                 cursor.substr(1),
                                 cursor.substr(0, cursor.size() - 1),
                                 std::string(10'000, 'A')};
  for (std::size_t i = 0; i < cursor.size(); ++i)
    for (char c : {'A', 'z', '-', '='}) {
      auto bad = cursor;
      bad[i] = c;
      if (bad != cursor)
        wrong.push_back(bad);
    }
  for (const auto& text : wrong) {
    auto got = next(query{}.order_by("n"), 2, text);
    ASSERT_FALSE(got) << text;
    EXPECT_EQ(got.error().code(), errc::invalid_argument);
  }
  EXPECT_FALSE(next(query{}.order_by("n", direction::descending), 2, cursor));
  EXPECT_FALSE(next(query{}.order_by("t"), 2, cursor));
  EXPECT_FALSE(next(query{}, 2, cursor));
}

TEST_P(pages, and_visits_reach_every_one_of_many_records) {
  constexpr int many = 5000;
  for (int i = 0; i < many; ++i)
    add(i, i % 2);
  for (const auto& q : {query{"n"_f == 1}, query{"n"_f >= 0}, query{}.order_by("n"), query{}}) {
    std::uint64_t seen = 0;
    std::int64_t sum = 0;
    bucket_.read([&](const detail::reader& r) {
      seen = detail::visit(r, q, 0, [&](const detail::record_block& block) {
               sum += detail::field_of(block, 1).as_int();
             }).value();
    });
    EXPECT_EQ(seen, q == query{"n"_f == 1} ? many / 2U : many);
    EXPECT_EQ(sum, many / 2);
  }
}

INSTANTIATE_TEST_SUITE_P(with_and_without_index, pages, ::testing::Values(nullptr, "n"));

TEST(cursor, carries_every_kind_of_position) {
  for (const auto& at : {value{}, value{true}, value{false}, value{INT64_MIN}, value{-0.5},
                         value{""}, value{std::string(300, 'x')}}) {
    auto text = detail::encode_cursor(7, {{at, "more"}, 1234567890123});
    EXPECT_EQ(
        text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
        text.npos);
    auto back = detail::decode_cursor(7, 2, text);
    ASSERT_TRUE(back);
    EXPECT_EQ(back->at[0], at);
    EXPECT_EQ(back->at[0].kind(), at.kind());
    EXPECT_EQ(back->at[1], value{"more"});
    EXPECT_EQ(back->row, 1234567890123U);
    EXPECT_FALSE(detail::decode_cursor(8, 2, text));
    EXPECT_FALSE(detail::decode_cursor(7, 1, text));
    EXPECT_FALSE(detail::decode_cursor(7, 3, text));
  }
}

} // namespace
} // namespace holdfast::testing
