// References while definitions change: there is no moment at which they are not looked after.
#include <holdfast/store/memory_journal.hpp>
#include <holdfast/store/store.hpp>

#include <gmock/gmock.h>

#include <atomic>
#include <memory>
#include <thread>

namespace holdfast {
namespace {

using namespace std::chrono_literals;

/// The reference's own index moves when another one comes before it. Its place was remembered from
/// before, so a restricted parent could be erased.
TEST(a_reference, is_kept_though_an_update_of_its_bucket_has_an_unknown_outcome) {
  auto disk = std::make_shared<memory_disk>();
  auto db = store::start({.journal = memory_journal(disk)}).value();
  auto parents = db.define(schema("parents").key("id", integer())).value();
  auto kids = db.define(schema("kids")
                            .key("id", integer())
                            .field("x", integer())
                            .field("p", integer().references("parents", on_delete::restrict)))
                  .value();
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(parents.insert({{"id", i}}).get());
    ASSERT_TRUE(kids.insert({{"id", i}, {"p", i}, {"x", i + 100}}).get());
  }
  disk->hold();
  EXPECT_EQ(db.update_bucket("kids", bucket_update().add_index("x"), 50ms).error(),
            errc::outcome_unknown);
  disk->release();
  ASSERT_TRUE(db.sync());
  ASSERT_EQ(db.bucket_schema("kids")->indexes().size(), 1u);
  EXPECT_EQ(parents.erase(1).get().error(), errc::broken_reference);
  EXPECT_TRUE(kids.erase(1).get());
  EXPECT_TRUE(parents.erase(1).get());
}

/// It could be found before it was linked with the bucket that it refers to.
TEST(a_reference, is_looked_after_from_the_first_write_to_its_bucket) {
  for (int round = 0; round < 20; ++round) {
    auto db = store::start().value();
    auto parents = db.define(schema("parents").key("id", integer())).value();
    std::atomic<bool> over{false}, dangling{false};
    std::thread eager{[&] {
      while (!over)
        if (auto kids = db.bucket("kids"))
          for (int id = 0; id < 5; ++id)
            dangling = dangling || kids->insert({{"id", id}, {"p", 999}}).get().has_value();
    }};
    const auto defined =
        db.define(schema("kids").key("id", integer()).field("p", integer().references("parents")));
    over = true;
    eager.join();
    ASSERT_TRUE(defined);
    EXPECT_FALSE(dangling) << "round " << round;
  }
}

schema closed_kids() { return schema("kids").key("id", integer()).closed(); }

bucket_update referring_to_parents() {
  return bucket_update().add_field("p", integer().references("parents", on_delete::restrict));
}

/// It was looked after from the next definition on only.
TEST(a_reference, of_an_update_whose_outcome_is_unknown_is_looked_after) {
  auto disk = std::make_shared<memory_disk>();
  auto db = store::start({.journal = memory_journal(disk)}).value();
  auto parents = db.define(schema("parents").key("id", integer())).value();
  auto kids = db.define(closed_kids()).value();
  ASSERT_TRUE(parents.insert({{"id", 1}}).get());
  disk->hold();
  EXPECT_EQ(db.update_bucket("kids", referring_to_parents(), 50ms).error(), errc::outcome_unknown);
  disk->release();
  ASSERT_TRUE(db.sync());
  EXPECT_EQ(kids.insert({{"id", 1}, {"p", 999}}).get().error(), errc::broken_reference);
  ASSERT_TRUE(kids.insert({{"id", 1}, {"p", 1}}).get());
  EXPECT_EQ(parents.erase(1).get().error(), errc::broken_reference);
}

/// There was a moment between the change of the definition and that of the links.
TEST(a_reference, of_an_update_is_looked_after_from_the_first_write_with_it) {
  for (int round = 0; round < 20; ++round) {
    auto db = store::start().value();
    auto parents = db.define(schema("parents").key("id", integer())).value();
    auto kids = db.define(closed_kids()).value();
    std::atomic<bool> over{false}, dangling{false};
    std::thread eager{[&] {
      for (int id = 0; !over; ++id)
        dangling = dangling || kids.insert({{"id", id}, {"p", 999}}).get().has_value();
    }};
    const auto updated = db.update_bucket("kids", referring_to_parents());
    over = true;
    eager.join();
    ASSERT_TRUE(updated);
    EXPECT_FALSE(dangling) << "round " << round;
  }
}

/// The second one began with the definition from before the first, whose field it took away.
TEST(an_update, waits_for_the_one_before_it_whose_outcome_nobody_knows) {
  auto disk = std::make_shared<memory_disk>();
  auto db = store::start({.journal = memory_journal(disk)}).value();
  auto kids = db.define(closed_kids()).value();
  disk->hold();
  EXPECT_EQ(db.update_bucket("kids", bucket_update().add_field("a", integer()), 50ms).error(),
            errc::outcome_unknown);
  const auto second = db.update_bucket("kids", bucket_update().add_field("b", integer()), 50ms);
  ASSERT_EQ(second.error(), errc::timeout);
  EXPECT_EQ(second.error().message(), "kids: not begun within 50 ms, for the update of kids, which "
                                      "is on its way, has not ended; nothing happened");
  disk->release();
  ASSERT_TRUE(db.update_bucket("kids", bucket_update().add_field("b", integer())));
  EXPECT_TRUE(kids.insert({{"id", 1}, {"a", 1}, {"b", 2}}).get());
}

/// It took the turns of all buckets, one of which a transaction held until the disk answered.
TEST(an_update, waits_for_no_bucket_that_it_is_not_linked_with) {
  auto disk = std::make_shared<memory_disk>();
  auto db = store::start({.journal = memory_journal(disk)}).value();
  auto rooms = db.define(schema("rooms").key("id", integer())).value();
  auto beds =
      db.define(schema("beds").key("id", integer()).field("room", integer().references("rooms")))
          .value();
  auto local = db.define(schema("local").key("id", integer()).persistent(false)).value();
  auto other = db.define(schema("other").key("id", integer()).persistent(false)).value();
  disk->hold();
  std::thread both{[&] {
    EXPECT_TRUE(db.transact([&](transaction& tx) -> result<void> {
      for (auto& b : {tx.in(rooms), tx.in(local)})
        if (auto done = b.insert({{"id", 1}}).get(); !done)
          return fail(done.error());
      return {};
    }));
  }};
  disk->wait_until_held();
  EXPECT_TRUE(db.update_bucket("other", bucket_update().add_field("x", integer())));
  const auto linked = db.update_bucket(
      "other", bucket_update().add_field("of", integer().references("local")), 50ms);
  EXPECT_EQ(linked.error(), errc::timeout);
  EXPECT_THAT(linked.error().message(), ::testing::HasSubstr("nothing happened"));
  disk->release();
  both.join();
  EXPECT_TRUE(
      db.update_bucket("other", bucket_update().add_field("of", integer().references("local"))));
  EXPECT_EQ(other.insert({{"id", 1}, {"of", 7}}).get().error(), errc::broken_reference);
}

TEST(a_bucket, that_was_dropped_is_linked_with_nothing_though_others_write_meanwhile) {
  auto db = store::start().value();
  auto parents = db.define(schema("parents").key("id", integer())).value();
  ASSERT_TRUE(parents.insert({{"id", 1}}).get());
  std::atomic<bool> over{false};
  std::thread busy{[&] {
    while (!over)
      (void)parents.upsert({{"id", 1}, {"n", 1}}).get();
  }};
  for (int round = 0; round < 200; ++round) {
    auto kids = db.define(schema("kids")
                              .key("id", integer())
                              .field("p", integer().references("parents", on_delete::set_null)));
    ASSERT_TRUE(kids);
    ASSERT_TRUE(kids->insert({{"id", round}, {"p", 1}}).get());
    ASSERT_TRUE(db.drop("kids"));
  }
  over = true;
  busy.join();
  EXPECT_TRUE(parents.erase(1).get());
}

} // namespace
} // namespace holdfast
