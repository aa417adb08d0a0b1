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

} // namespace
} // namespace holdfast
