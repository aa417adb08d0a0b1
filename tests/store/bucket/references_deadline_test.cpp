// References to and from records that have come to their deadlines, before anything purges them.
#include "tests/support/options_at.hpp"

#include <holdfast/store/store.hpp>

#include <gmock/gmock.h>

#include <vector>

namespace holdfast {
namespace {

schema groups_schema() { return schema("teams").key("id", string()); }
schema people_schema(on_delete what) {
  return schema("users")
      .key("id", string())
      .field("team", string().references("teams", what))
      .field("n", integer());
}

/// On a clock that the test moves.
struct what_has_ended : ::testing::Test {
  manual_clock clock;
  store db = store::start(testing::options_at(clock)).value();
};

/// The record that it refers to has ended but is kept by it: writing the same reference again was
/// refused as a broken one.
TEST_F(what_has_ended, may_be_referred_to_on_by_who_did_so_before) {
  auto groups = db.define(groups_schema()).value();
  auto people = db.define(people_schema(on_delete::restrict)).value();
  ASSERT_TRUE(groups.insert({{"id", "red"}}, {.expires_in = std::chrono::seconds{1}}).get());
  ASSERT_TRUE(people.insert({{"id", "ann"}, {"team", "red"}}).get());
  ASSERT_TRUE(people.insert({{"id", "bob"}}).get());
  clock.advance(std::chrono::seconds{2});
  EXPECT_TRUE(people.upsert({{"id", "ann"}, {"team", "red"}, {"n", 1}}).get());
  EXPECT_TRUE(people.update("ann", {{"team", "red"}, {"n", 2}}).get());
  auto within = db.transact([&](transaction& tx) -> result<void> {
    auto in = tx.in(people);
    for (int n : {3, 4})
      if (auto done = in.update("ann", {{"team", "red"}, {"n", n}}).get(); !done)
        return fail(done.error());
    return {};
  });
  EXPECT_TRUE(within) << within.error().to_string();
  EXPECT_EQ((*people.get("ann").get())["n"], value_view{4});
  EXPECT_EQ(people.update("bob", {{"team", "red"}}).get().error(), errc::broken_reference);
  EXPECT_EQ(people.insert({{"id", "cid"}, {"team", "red"}}).get().error(), errc::broken_reference);
  auto moved = db.transact([&](transaction& tx) -> result<void> { // away and back is no change
    auto in = tx.in(people);
    if (auto away = in.update("ann", {{"team", nullptr}}).get(); !away)
      return fail(away.error());
    return in.update("ann", {{"team", "red"}}).get().map([](auto&&) {});
  });
  EXPECT_TRUE(moved) << moved.error().to_string();
}

/// It was erased with the record that it refers to, which the third one refused.
TEST_F(what_has_ended, and_is_kept_keeps_no_others) {
  auto groups = db.define(groups_schema()).value();
  auto people = db.define(people_schema(on_delete::cascade)).value();
  auto cards = db.define(schema("cards")
                             .key("id", integer())
                             .field("of", string().references("users", on_delete::restrict)))
                   .value();
  ASSERT_TRUE(groups.insert({{"id", "red"}}).get());
  ASSERT_TRUE(
      people.insert({{"id", "ann"}, {"team", "red"}}, {.expires_in = std::chrono::seconds{1}})
          .get());
  ASSERT_TRUE(cards.insert({{"id", 1}, {"of", "ann"}}).get());
  EXPECT_EQ(groups.erase("red").get().error(), errc::broken_reference);
  clock.advance(std::chrono::seconds{2});
  EXPECT_TRUE(groups.erase("red").get());
  EXPECT_TRUE(cards.update(1, {{"of", "ann"}, {"n", 1}}).get());
  ASSERT_TRUE(cards.erase(1).get());
  EXPECT_EQ(*db.purge(), 1u);
}

TEST_F(what_has_ended, and_is_kept_restricts_nothing) {
  auto nodes = db.define(schema("nodes")
                             .key("id", integer())
                             .field("up", integer().references("nodes", on_delete::restrict)))
                   .value();
  auto pins =
      db.define(schema("pins").key("id", integer()).field("of", integer().references("nodes")))
          .value();
  ASSERT_TRUE(nodes.insert({{"id", 1}}).get());
  ASSERT_TRUE(nodes.insert({{"id", 2}, {"up", 1}}, {.expires_in = std::chrono::seconds{1}}).get());
  ASSERT_TRUE(nodes.insert({{"id", 3}, {"up", 1}}).get());
  ASSERT_TRUE(pins.insert({{"id", 1}, {"of", 2}}).get());
  clock.advance(std::chrono::seconds{2});
  EXPECT_EQ(nodes.erase(1).get().error(), errc::broken_reference) << "3 refers to it";
  auto erased = nodes.erase_many("id"_f >= 0).get();
  ASSERT_TRUE(erased) << erased.error().to_string();
  EXPECT_EQ(*erased, 2u);
}

/// A reference was a new one at the record's second change in a commit.
TEST_F(what_has_ended, may_be_referred_to_on_by_a_record_that_is_changed_twice) {
  auto groups = db.define(groups_schema()).value();
  auto things = db.define(schema("things").key("id", integer())).value();
  auto people = db.define(people_schema(on_delete::restrict)
                              .field("a", integer().references("things", on_delete::set_null))
                              .field("b", integer().references("things", on_delete::set_null)))
                    .value();
  ASSERT_TRUE(groups.insert({{"id", "red"}}, {.expires_in = std::chrono::seconds{1}}).get());
  ASSERT_TRUE(things.insert({{"id", 1}}).get());
  ASSERT_TRUE(people.insert({{"id", "ann"}, {"team", "red"}, {"a", 1}, {"b", 1}}).get());
  clock.advance(std::chrono::seconds{2});
  const std::vector<object> twice{{{"id", "ann"}, {"n", 1}}, {{"id", "ann"}, {"n", 2}}};
  EXPECT_TRUE(people.upsert_many(twice).get());
  EXPECT_TRUE(things.erase(1).get());
  auto ann = people.get("ann").get();
  ASSERT_TRUE(ann);
  EXPECT_TRUE((*ann)["a"].is_null() && (*ann)["b"].is_null());
  EXPECT_EQ((*ann)["n"], value_view{2});
}

/// The expired one took along the record that had been written for its successor.
TEST_F(what_has_ended, and_is_inserted_again_takes_nothing_along_that_refers_to_it_anew) {
  auto nodes = db.define(schema("nodes")
                             .key("id", integer())
                             .field("up", integer().references("nodes", on_delete::cascade)))
                   .value();
  const std::vector<object> both{{{"id", 9}, {"up", 1}}, {{"id", 1}}};
  for (const bool in_transaction : {false, true}) {
    (void)nodes.clear().get();
    ASSERT_TRUE(nodes.insert({{"id", 1}}, {.expires_in = std::chrono::seconds{1}}).get());
    ASSERT_TRUE(nodes.insert({{"id", 2}, {"up", 1}}).get());
    clock.advance(std::chrono::seconds{2});
    if (!in_transaction) {
      ASSERT_TRUE(nodes.insert_many(both).get());
    } else {
      ASSERT_TRUE(db.transact([&](transaction& tx) -> result<void> {
        for (auto& each : both)
          if (auto made = tx.in(nodes).insert(each).get(); !made)
            return fail(made.error());
        return {};
      }));
    }
    EXPECT_TRUE(nodes.contains(9) && nodes.contains(1)) << in_transaction;
    EXPECT_FALSE(nodes.contains(2)) << "it referred to the one that has ended";
  }
}

/// It was erased at the commit in silence, though the function had seen it.
TEST_F(what_has_ended, or_was_erased_is_referred_to_by_nothing_new) {
  auto things = db.define(schema("things").key("id", integer())).value();
  auto lists = db.define(schema("lists")
                             .key("id", integer())
                             .field("of", integer().references("things", on_delete::cascade)))
                   .value();
  ASSERT_TRUE(things.insert({{"id", 1}}).get());
  auto dangling = db.transact([&](transaction& tx) -> result<void> {
    if (auto gone = tx.in(things).erase(1).get(); !gone)
      return fail(gone.error());
    return tx.in(lists).insert({{"id", 7}, {"of", 1}}).get().map([](auto&&) {});
  });
  EXPECT_EQ(dangling.error(), errc::broken_reference);
  EXPECT_TRUE(things.contains(1));
}

/// It counted those that it had erased itself, and not those that went with them.
/// A record that would go with it was said not to be there.
TEST_F(what_has_ended, gives_its_unique_value_to_none_that_would_go_with_it) {
  auto nodes = db.define(schema("nodes")
                             .key("id", integer())
                             .field("up", integer().references("nodes", on_delete::cascade))
                             .field("tag", string().unique()))
                   .value();
  ASSERT_TRUE(
      nodes.insert({{"id", 1}, {"tag", "x"}}, {.expires_in = std::chrono::seconds{1}}).get());
  ASSERT_TRUE(nodes.insert({{"id", 2}, {"up", 1}}).get());
  ASSERT_TRUE(nodes.insert({{"id", 3}, {"up", 2}}).get());
  ASSERT_TRUE(nodes.insert({{"id", 4}}).get());
  clock.advance(std::chrono::seconds{2});
  for (int id : {2, 3}) {
    const auto plain = nodes.update(id, {{"tag", "x"}}).get();
    ASSERT_FALSE(plain);
    EXPECT_EQ(plain.error(), errc::duplicate) << plain.error().to_string();
    const auto within = db.transact([&](transaction& tx) {
      return tx.in(nodes).update(id, {{"tag", "x"}}).get().map([](auto&&) {});
    });
    EXPECT_EQ(within.error(), errc::duplicate);
    EXPECT_TRUE(nodes.contains(id));
  }
  EXPECT_TRUE(nodes.update(4, {{"tag", "x"}}).get());
}

TEST_F(what_has_ended, is_counted_by_a_purge_also_when_it_went_with_others) {
  auto b = db.define(schema("b")
                         .key("id", integer())
                         .field("up", integer().references("b", on_delete::cascade)))
               .value();
  const auto fill = [&] {
    ASSERT_TRUE(b.insert({{"id", 1}}, {.expires_in = std::chrono::seconds{1}}).get());
    ASSERT_TRUE(b.insert({{"id", 2}, {"up", 1}}, {.expires_in = std::chrono::seconds{1}}).get());
    clock.advance(std::chrono::seconds{2});
  };
  fill();
  EXPECT_EQ(*b.purge(), 2u);
  fill();
  std::uint64_t in_transaction = 0;
  ASSERT_TRUE(db.transact([&](transaction& tx) -> result<void> {
    return tx.in(b).purge().map([&](std::uint64_t n) { in_transaction = n; });
  }));
  EXPECT_EQ(in_transaction, 2u);
}

} // namespace
} // namespace holdfast
