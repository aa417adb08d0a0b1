// Transactions over records that refer to one another.
#include "transaction_fixture.hpp"

#include <holdfast/store/memory_journal.hpp>

namespace holdfast::testing {
namespace {

/// Each level of it once took a piece of the stack.
TEST(a_cascade_in_a_transaction, follows_a_chain_of_references_longer_than_the_stack) {
  constexpr int length = 30'000;
  auto db = store::start().value();
  auto nodes = db.define(schema("nodes")
                             .key("id", integer())
                             .field("up", integer().references("nodes", on_delete::cascade)))
                   .value();
  std::vector<object> list{{{"id", 0}}};
  for (int i = 1; i < length; ++i)
    list.push_back({{"id", i}, {"up", i - 1}});
  ASSERT_TRUE(nodes.insert_many(list).get());
  ASSERT_TRUE(nodes.insert({{"id", length}}).get());
  ASSERT_TRUE(db.transact([&](transaction& tx) -> result<void> {
    return tx.in(nodes).erase(0).get().map([](const auto&) {});
  }));
  EXPECT_EQ(*nodes.count().get(), 1u);
}

/// Teams, and users that refer to them in three ways.
struct a_transaction_over_references : ::testing::TestWithParam<bool> {
  std::shared_ptr<memory_disk> disk = std::make_shared<memory_disk>();
  store db = start();
  bucket<> teams = define(schema("teams").key("id", string()));
  bucket<> users = define(schema("users")
                              .key("id", string())
                              .field("team", string().references("teams", on_delete::cascade))
                              .field("old", string().references("teams", on_delete::set_null))
                              .field("boss_of", string().references("teams")));

  store start() {
    store_options options;
    if (GetParam())
      options.journal = memory_journal(disk);
    return std::move(*store::start(std::move(options)));
  }
  bucket<> define(const schema& s) { return std::move(*db.define(s)); }
  void SetUp() override {
    for (auto* id : {"red", "blue", "grey"})
      ASSERT_TRUE(teams.insert({{"id", id}}).get());
    ASSERT_TRUE(users.insert({{"id", "ann"}, {"team", "red"}, {"old", "grey"}}).get());
    ASSERT_TRUE(users.insert({{"id", "bob"}, {"team", "blue"}, {"old", "red"}}).get());
    ASSERT_TRUE(users.insert({{"id", "cid"}, {"team", "grey"}, {"boss_of", "blue"}}).get());
  }
};
INSTANTIATE_TEST_SUITE_P(in_memory_and_over_a_journal, a_transaction_over_references,
                         ::testing::Bool());

TEST_P(a_transaction_over_references, sees_what_an_erased_record_takes_with_it) {
  ASSERT_TRUE(db.transact([&](transaction& tx) -> result<void> {
    EXPECT_TRUE(tx.in(teams).erase("red").get());
    EXPECT_FALSE(tx.in(users).contains("ann"));
    EXPECT_TRUE((*tx.in(users).get("bob").get())["old"].is_null());
    return {};
  }));
  EXPECT_EQ(*users.count().get(), 2u);
  EXPECT_TRUE((*users.get("bob").get())["old"].is_null());
}

TEST_P(a_transaction_over_references, may_put_another_record_in_the_place_of_an_erased_one) {
  ASSERT_TRUE(db.transact([&](transaction& tx) -> result<void> {
    EXPECT_TRUE(tx.in(teams).erase("red").get());
    EXPECT_TRUE(tx.in(users).insert({{"id", "dan"}, {"team", "red"}}).get());
    EXPECT_TRUE(tx.in(teams).insert({{"id", "red"}}).get());
    return {};
  }));
  EXPECT_FALSE(users.contains("ann"));
  EXPECT_TRUE(users.contains("dan"));
}

TEST_P(a_transaction_over_references, fails_when_a_record_is_missed_in_the_end) {
  auto erase_blue = [&](bool leave) {
    return db.transact([&](transaction& tx) -> result<void> {
      EXPECT_TRUE(tx.in(teams).erase("blue").get());
      if (leave) {
        EXPECT_TRUE(tx.in(users).update("cid", {{"boss_of", nullptr}}).get());
      }
      return {};
    });
  };
  auto kept = erase_blue(false);
  ASSERT_FALSE(kept);
  EXPECT_EQ(kept.error(), errc::broken_reference);
  EXPECT_TRUE(users.contains("bob")) << "the cascade was done though the transaction failed";
  EXPECT_TRUE(erase_blue(true));
  EXPECT_FALSE(users.contains("bob"));
  auto dangling = db.transact([&](transaction& tx) -> result<void> {
    EXPECT_TRUE(tx.in(users).insert({{"id", "eve"}, {"team", "green"}}).get());
    return {};
  });
  ASSERT_FALSE(dangling);
  EXPECT_EQ(dangling.error(), errc::broken_reference);
}

TEST_P(a_transaction_over_references, conflicts_with_who_refers_to_what_it_erases) {
  int attempts = 0;
  ASSERT_TRUE(db.transact([&](transaction& tx) -> result<void> {
    EXPECT_TRUE(tx.in(teams).erase("red").get());
    if (++attempts == 1) {
      EXPECT_TRUE(users.insert({{"id", "dan"}, {"team", "red"}}).get());
    }
    return {};
  }));
  EXPECT_EQ(attempts, 2);
  EXPECT_FALSE(users.contains("dan"));
}

TEST_P(a_transaction_over_references, is_there_wholly_after_a_restart) {
  if (!GetParam())
    return;
  ASSERT_TRUE(db.transact([&](transaction& tx) -> result<void> {
    EXPECT_TRUE(tx.in(teams).erase("red").get());
    EXPECT_TRUE(tx.in(teams).insert({{"id", "red"}}).get());
    EXPECT_TRUE(tx.in(users).insert({{"id", "dan"}, {"team", "red"}}).get());
    EXPECT_TRUE(tx.in(users).update("dan", {{"old", "blue"}}).get());
    return {};
  }));
  ASSERT_TRUE(db.stop());
  db = start();
  users = std::move(*db.bucket("users"));
  EXPECT_EQ((*users.get("dan").get())["old"], value_view{"blue"});
  EXPECT_FALSE(users.contains("ann"));
  EXPECT_EQ(*db.bucket("teams")->count().get(), 3u);
}

/// Committed, but for the field, which was null again: the commit treated what the transaction had
/// written as it had treated what was there before.
TEST_P(a_transaction_over_references, that_refers_again_to_what_it_erased_fails) {
  const auto before = db.snapshot();
  auto again = db.transact([&](transaction& tx) -> result<void> {
    auto mine = tx.in(users);
    EXPECT_TRUE(tx.in(teams).erase("red").get());
    EXPECT_TRUE((*mine.get("bob").get())["old"].is_null());
    EXPECT_TRUE(mine.update("bob", {{"old", "red"}}).get());
    EXPECT_EQ((*mine.get("bob").get())["old"], value_view{"red"});
    return {};
  });
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error(), errc::broken_reference) << again.error().to_string();
  EXPECT_EQ((*users.get("bob").get())["old"], value_view{"red"});
  EXPECT_TRUE(teams.contains("red"));
  again = db.transact([&](transaction& tx) -> result<void> {
    EXPECT_TRUE(tx.in(teams).erase("red").get());
    EXPECT_FALSE(tx.in(users).contains("ann")) << "it went with it";
    EXPECT_TRUE(tx.in(users).insert({{"id", "ann"}, {"team", "red"}}).get());
    return {};
  });
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error(), errc::broken_reference) << again.error().to_string();
  EXPECT_TRUE(users.contains("ann"));
  EXPECT_EQ(db.snapshot().memory_seq(), before.memory_seq());
  EXPECT_EQ(db.snapshot().durable_seq(), before.durable_seq());
}

} // namespace
} // namespace holdfast::testing
