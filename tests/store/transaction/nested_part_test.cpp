// A part of a transaction that fails is taken back whatever it did, and what came before it stays.
#include "tests/support/options_at.hpp"

#include <holdfast/store/store.hpp>

#include <gmock/gmock.h>

#include <functional>
#include <string>
#include <vector>

namespace holdfast::testing {
namespace {

using std::chrono::seconds;

/// Teams, players who refer to them, a cache that holds three, and tickets that nobody has touched.
struct a_nested_part : ::testing::Test {
  manual_clock clock;
  store db = store::start(options_at(clock)).value();
  bucket<> teams = define(schema("teams").key("id", integer()));
  bucket<> players = define(schema("players")
                                .key("id", integer())
                                .field("team", integer().references("teams", on_delete::cascade))
                                .field("before", integer().references("teams", on_delete::set_null))
                                .field("shirt", integer().unique())
                                .field("n", integer())
                                .index("n"));
  bucket<> cache = define(schema("cache").key("id", integer()).capacity(3));
  bucket<> tickets = define(
      schema("tickets").key("id", integer().generated(autoincrement)).expire_after(seconds{10}));

  bucket<> define(const schema& s) { return db.define(s).value(); }
  void SetUp() override {
    ASSERT_TRUE(teams.insert_many({{{"id", 1}}, {{"id", 2}}}).get());
    ASSERT_TRUE(players
                    .insert_many({{{"id", 1}, {"team", 1}, {"before", 2}, {"shirt", 10}, {"n", 1}},
                                  {{"id", 2}, {"team", 2}, {"before", 1}, {"shirt", 20}, {"n", 2}},
                                  {{"id", 3}, {"team", 2}, {"shirt", 30}, {"n", 3}}})
                    .get());
    ASSERT_TRUE(cache.insert_many({{{"id", 1}}, {{"id", 2}}, {{"id", 3}}}).get());
  }
  /// All that can be seen through these handles.
  static std::string all_of(const std::vector<bucket<>>& in) {
    std::string out;
    for (auto& b : in) {
      const auto found = b.all().get().value();
      for (auto& each : found)
        out += each.to_string() + "v" + std::to_string(each.version()) + "\n";
      out += std::to_string(b.count().get().value()) + "\n";
    }
    return out;
  }
  std::vector<bucket<>> buckets() const { return {teams, players, cache, tickets}; }
  std::vector<bucket<>> within(transaction& tx) const {
    return {tx.in(teams), tx.in(players), tx.in(cache), tx.in(tickets)};
  }
  /// In a transaction that has written itself; what the part does shows within it.
  void expect_taken_back(const std::function<void(transaction&)>& part) {
    std::string after_part;
    ASSERT_TRUE(db.transact([&](transaction& tx) -> result<void> {
      EXPECT_TRUE(tx.in(players).update(3, {{"n", 4}}).get());
      const auto before = all_of(within(tx));
      auto failed = tx.nested([&]() -> result<void> {
        part(tx);
        EXPECT_NE(all_of(within(tx)), before);
        return fail(errc::cancelled, "no");
      });
      EXPECT_EQ(failed.error(), errc::cancelled);
      after_part = all_of(within(tx));
      EXPECT_EQ(after_part, before);
      return {};
    }));
    EXPECT_EQ(all_of(buckets()), after_part);
  }
};

TEST_F(a_nested_part, takes_back_what_its_erasures_took_along) {
  expect_taken_back([&](transaction& tx) {
    EXPECT_TRUE(tx.in(teams).erase(2).get());
    EXPECT_EQ(*tx.in(players).count().get(), 1U);
    EXPECT_TRUE((*tx.in(players).get(1).get())["before"].is_null());
  });
  ASSERT_TRUE(teams.erase(2).get()); // they still refer to it
  EXPECT_EQ(*players.count().get(), 1U);
}

TEST_F(a_nested_part, takes_back_its_bulk_writes) {
  expect_taken_back([&](transaction& tx) {
    EXPECT_EQ(tx.in(players).update_many("n"_f >= 2, {{"n", 9}}).get().value(), 2U);
    EXPECT_EQ(tx.in(players).erase_many("n"_f == 1).get().value(), 1U);
    EXPECT_TRUE(
        tx.in(players).upsert_many({{{"id", 1}, {"shirt", 11}}, {{"id", 4}, {"shirt", 40}}}).get());
    EXPECT_TRUE(tx.in(players).clear().get());
    EXPECT_TRUE(tx.in(players).insert({{"id", 5}}).get());
  });
}

/// The value is free again for the rest of the transaction, and taken where it was.
TEST_F(a_nested_part, takes_back_the_unique_values_that_it_took) {
  ASSERT_TRUE(db.transact([&](transaction& tx) -> result<void> {
    auto mine = tx.in(players);
    (void)tx.nested([&]() -> result<void> {
      EXPECT_TRUE(mine.update(1, {{"shirt", 99}}).get());
      EXPECT_TRUE(mine.update(2, {{"shirt", 10}}).get());
      return fail(errc::cancelled, "no");
    });
    EXPECT_TRUE(mine.update(3, {{"shirt", 99}}).get());
    EXPECT_EQ(mine.find_one("shirt"_f == 10).get()->key(), value_view{1});
    return {};
  }));
  EXPECT_EQ(players.find_one("shirt"_f == 99).get()->key(), value_view{3});
  EXPECT_EQ(players.find_one("shirt"_f == 20).get()->key(), value_view{2});
}

/// A bucket is held to its size by the commit, so nothing leaves it for what is taken back.
TEST_F(a_nested_part, takes_back_what_would_have_been_too_many) {
  expect_taken_back([&](transaction& tx) {
    for (int id = 4; id <= 9; ++id)
      EXPECT_TRUE(tx.in(cache).insert({{"id", id}}).get());
  });
  for (int id = 1; id <= 3; ++id)
    EXPECT_TRUE(cache.contains(id)) << id;
}

TEST_F(a_nested_part, takes_back_all_of_a_bucket_that_it_touched_first) {
  expect_taken_back([&](transaction& tx) {
    EXPECT_EQ(tx.in(tickets).insert(object{}).get()->key(), value_view{1});
    EXPECT_TRUE(tx.in(tickets).touch(1, {.never_expires = true}).get());
  });
}

TEST_F(a_nested_part, takes_back_what_inner_parts_kept) {
  expect_taken_back([&](transaction& tx) {
    EXPECT_TRUE(tx.nested([&] { return tx.in(teams).erase(1).get(); }));
    EXPECT_FALSE(tx.nested([&]() -> result<void> {
      EXPECT_TRUE(tx.in(teams).insert({{"id", 1}}).get());
      return fail(errc::cancelled, "no");
    }));
    EXPECT_FALSE(tx.in(teams).contains(1));
    EXPECT_TRUE(tx.in(cache).erase(1).get());
  });
}

} // namespace
} // namespace holdfast::testing
