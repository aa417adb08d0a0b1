// Many commits between two runs of a query are one run, and one value for who is slow.
#include "tests/store/reactive/followed_lists.hpp"
#include "tests/store/reactive/held_runs.hpp"

#include <atomic>

namespace holdfast::testing {
namespace {

using commits_in_a_row = followed_lists;
constexpr int many = 500;

TEST_F(commits_in_a_row, behind_a_run_that_has_begun_are_one_more_run) {
  held_runs runs;
  ASSERT_TRUE(db.define_query("slow", [&](query_context& in) {
    auto seen = in.in(items).count();
    runs.hold();
    return seen;
  }));
  std::vector<std::uint64_t> seen;
  auto token = db.subscribe("slow", [&](const query_update& now) {
                   seen.push_back(now.as<std::uint64_t>());
                 }).value();
  ASSERT_TRUE(db.settle()); // or the next value takes the place of the first
  put(0, "odd", 0);
  runs.wait_for(2); // it has seen that one, and none of these
  for (int id = 1; id <= many; ++id)
    put(id, "odd", id);
  runs.let_all_end();
  ASSERT_TRUE(db.settle());
  EXPECT_EQ(why("slow").runs, 3U);
  EXPECT_LE(seen.size(), 3U) << "the last may have taken the place of the one before";
  EXPECT_EQ(seen.front(), 0U);
  EXPECT_EQ(seen.back(), std::uint64_t{many + 1});
}

/// Of one that is kept up without a run, too.
TEST_F(commits_in_a_row, wait_as_one_value_for_a_handler_that_is_slow) {
  ASSERT_TRUE(db.define_query(
      "count",
      declared_query{.bucket = "items", .what = query{}, .aggregates = {aggregate::count()}}));
  held_runs handled;
  std::vector<value> seen;
  auto token = db.subscribe("count", [&](const query_update& now) {
                   seen.push_back(now.as<value>());
                   handled.hold();
                 }).value();
  std::atomic<std::int64_t> quick{0}; // another of the same group
  auto other = db.subscribe("count", [&](const query_update& now) {
                   quick = now.as<value>().as_int();
                   quick.notify_all();
                 }).value();
  ASSERT_TRUE(db.settle()); // or the next value takes the place of the first
  put(0, "odd", 0);
  handled.wait_for(2);
  for (int id = 1; id <= many; ++id)
    put(id, "odd", id);
  for (auto n = quick.load(); n <= many; n = quick.load())
    quick.wait(n);
  handled.let_all_end();
  ASSERT_TRUE(db.settle());
  EXPECT_LE(seen.size(), 4U) << "one was handled, one waited, and one may have come behind it";
  EXPECT_EQ(seen.back(), value{many + 1});
}

} // namespace
} // namespace holdfast::testing
