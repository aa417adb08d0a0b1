// Members in changes, filters and aggregates.
#include "typed_members.hpp"

namespace holdfast::testing {
namespace {

using namespace std::chrono_literals;

TEST_F(typed_members, are_set_one_by_one) {
  ASSERT_TRUE(all.insert(full()).get());
  auto changed =
      all.update("full", set<&everything::role>(part::member), set<&everything::tone>(std::nullopt),
                 set<&everything::tags>({"z"}), set<&everything::home>({"s", "c", {}, {}}),
                 set<&everything::spent>(2h), set<&everything::any>({}))
          .get();
  ASSERT_TRUE(changed) << changed.error().to_string();
  auto expected = full();
  expected.role = part::member;
  expected.tone = {};
  expected.tags = {"z"};
  expected.home = {"s", "c", {}, {}};
  expected.spent = 120min;
  expected.any = {};
  EXPECT_EQ(*changed, expected);
}

TEST_F(typed_members, are_found_by_operands_of_their_type) {
  for (int i = 0; i < 6; ++i) {
    auto item = full();
    item.id = std::to_string(i);
    item.role = i % 2 ? part::member : part::guest;
    item.spent = std::chrono::minutes{i};
    item.joined = std::chrono::sys_seconds{std::chrono::seconds{i}};
    ASSERT_TRUE(all.insert(item).get());
  }
  auto n = [&](filter which) { return *all.count(std::move(which)).get(); };
  EXPECT_EQ(n(f<&everything::role> == part::guest), 3u);
  EXPECT_EQ(n(f<&everything::role>.in(part::guest, part::member)), 6u);
  EXPECT_EQ(n(f<&everything::tone> != shade::light), 6u);
  EXPECT_EQ(n(f<&everything::spent> < 90s), 2u) << "0 and 1 minutes";
  EXPECT_EQ(n(f<&everything::spent> <= 1h), 6u);
  EXPECT_EQ(n(f<&everything::spent>.between(120s, 180s)), 2u);
  EXPECT_EQ(n(f<&everything::joined> > std::chrono::sys_seconds{2s}), 3u);
  EXPECT_EQ(n(f<&everything::joined> == system_clock::time_point{2s}), 1u);
  EXPECT_EQ(n(f<&everything::born> == std::chrono::sys_days{}), 0u);
}

TEST_F(typed_members, are_found_inside_of_structs_and_vectors) {
  auto other = full();
  other.id = "other";
  other.home.city = "Praha";
  other.away.reset();
  other.tags = {"b"};
  ASSERT_TRUE(all.insert(full()).get());
  ASSERT_TRUE(all.insert(other).get());
  auto found = [&](filter which) {
    std::string ids;
    auto list = all.where(std::move(which)).all().get().value();
    for (auto& each : list)
      ids += each.id + " ";
    return ids;
  };
  EXPECT_EQ(found(f<&everything::home, &town::city> == "Brno"), "full ");
  EXPECT_EQ(found(f<&everything::home, &town::zip> > 60000), "full other ");
  EXPECT_EQ(found(f<&everything::away, &town::city> == nullptr), "other ");
  EXPECT_EQ(found(f<&everything::home, &town::parts>.contains(part::admin)), "full other ");
  EXPECT_EQ(found(f<&everything::home, &town::parts>.contains(part::member)), "");
  EXPECT_EQ(found(f<&everything::tags>.contains("b")), "other ");
}

TEST_F(typed_members, have_typed_aggregates) {
  for (int i = 1; i <= 3; ++i) {
    auto item = full();
    item.id = std::to_string(i);
    item.spent = std::chrono::minutes{i};
    item.joined = std::chrono::sys_seconds{std::chrono::seconds{i}};
    ASSERT_TRUE(all.insert(item).get());
  }
  auto some = all.everything();
  EXPECT_EQ(*some.min(f<&everything::joined>).get(), std::chrono::sys_seconds{1s});
  EXPECT_EQ(*some.max(f<&everything::spent>).get(), 3min);
  EXPECT_EQ(*some.avg(f<&everything::spent>).get(), 2.0);
  EXPECT_EQ(some.sum(f<&everything::spent>).get().value(), 6);
  auto none = all.where(f<&everything::id> == "nobody");
  EXPECT_EQ(*none.min(f<&everything::joined>).get(), std::nullopt);
  EXPECT_EQ(*none.avg(f<&everything::spent>).get(), std::nullopt);
}

} // namespace
} // namespace holdfast::testing
