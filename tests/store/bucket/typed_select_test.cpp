// Single members of many records.
#include "typed_members.hpp"

#include <string>
#include <tuple>
#include <type_traits>
#include <vector>

namespace holdfast::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;

struct a_typed_selection : typed_members {
  void SetUp() override {
    for (int i = 0; i < 4; ++i) {
      auto item = full();
      item.id = std::to_string(i);
      item.spent = std::chrono::minutes{i};
      item.role = i % 2 ? part::member : part::guest;
      item.home.city = "c" + item.id;
      item.flags = {};
      if (i == 2)
        item.away.reset();
      ASSERT_TRUE(all.insert(item).get());
    }
  }
};

TEST_F(a_typed_selection, gives_some_members_as_tuples) {
  const auto rows = all.where(f<&everything::spent> >= 1min)
                        .order_by(f<&everything::spent>, direction::descending)
                        .limit(2)
                        .select(f<&everything::id>, f<&everything::spent>, f<&everything::role>)
                        .get();
  ASSERT_TRUE(rows) << rows.error().to_string();
  using row = std::tuple<std::string, std::chrono::minutes, part>;
  static_assert(std::is_same_v<decltype(rows), const result<std::vector<row>>>);
  EXPECT_THAT(*rows, ElementsAre(row{"3", 3min, part::member}, row{"2", 2min, part::guest}));
}

TEST_F(a_typed_selection, gives_one_member_as_its_contents) {
  EXPECT_THAT(*all.everything().offset(2).select(f<&everything::id>).get(), ElementsAre("2", "3"));
  EXPECT_THAT(*all.everything().limit(1).select(f<&everything::flags>).get(),
              ElementsAre(std::vector<bool>{}));
  EXPECT_TRUE(all.where(f<&everything::id> == "x").select(f<&everything::id>).get()->empty());
}

TEST_F(a_typed_selection, gives_members_of_structs_in_them) {
  using row = std::tuple<std::string, std::optional<std::string>>;
  const auto rows =
      all.where(f<&everything::spent> >= 2min)
          .select(f<&everything::home, &town::city>, f<&everything::away, &town::city>)
          .get();
  ASSERT_TRUE(rows) << rows.error().to_string();
  EXPECT_THAT(*rows, ElementsAre(row{"c2", std::nullopt}, row{"c3", "x"}));
}

TEST_F(a_typed_selection, selects_in_a_snapshot) {
  const auto then = db.snapshot();
  ASSERT_TRUE(all.update("0", set<&everything::spent>(50min)).get());
  EXPECT_THAT(*all.at(then).everything().limit(1).select(f<&everything::spent>).get(),
              ElementsAre(0min));
  EXPECT_THAT(*all.everything().limit(1).select(f<&everything::spent>).get(), ElementsAre(50min));
}

TEST_F(a_typed_selection, says_what_does_not_fit) {
  auto plain = db.define(schema("tickets").key("id", integer()).field("role", string())).value();
  for (int i = 0; i < 3; ++i)
    ASSERT_TRUE(plain.insert({{"id", i}, {"role", i == 1 ? "boss" : "guest"}}).get());
  const auto tickets = bucket<ticket>{plain}.everything();
  EXPECT_THAT(*tickets.select(f<&ticket::id>).get(), ElementsAre(0, 1, 2));
  const auto roles = tickets.select(f<&ticket::id>, f<&ticket::role>).get();
  ASSERT_FALSE(roles);
  EXPECT_EQ(roles.error(), errc::invalid);
  EXPECT_EQ(roles.error().message(), "tickets.role: \"boss\" is none of guest, member, admin");
  EXPECT_EQ(roles.error().where().key, "1");
  EXPECT_EQ(tickets.select(f<&ticket::spent>).get().error(), errc::invalid_argument)
      << "the bucket has no such field";
}

TEST_F(a_typed_selection, makes_a_transaction_depend_on_these_members_only) {
  const auto conflicts_with = [&](auto change) {
    return !db.transact(
        [&](transaction& tx) -> result<void> {
          EXPECT_EQ(tx.in(all).everything().select(f<&everything::role>).get()->size(), 4u);
          EXPECT_TRUE(all.update("1", change).get());
          return tx.in(all).update("0", set<&everything::hits>(1)).get().map([](auto&&) {});
        },
        {.retries = 0, .exclusive_retries = 0});
  };
  EXPECT_TRUE(conflicts_with(set<&everything::role>(part::admin)));
  EXPECT_FALSE(conflicts_with(set<&everything::spent>(7min)));
}

} // namespace
} // namespace holdfast::testing
