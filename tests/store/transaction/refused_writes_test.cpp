// What a refused write answers is of published commits, as a reader would find them (R2).
#include <holdfast/store/memory_journal.hpp>
#include <holdfast/store/store.hpp>
#include <holdfast/store/transaction.hpp>

#include <gmock/gmock.h>

#include <future>

namespace holdfast::testing {
namespace {

using namespace std::chrono_literals;

struct a_refused_write : ::testing::Test {
  std::shared_ptr<memory_disk> disk = std::make_shared<memory_disk>();
  store db = start();
  bucket<> docs =
      std::move(*db.define(schema("docs").key("id", integer()).field("tag", string().unique())));

  store start() {
    store_options options;
    options.journal = memory_journal(disk);
    auto made = std::move(*store::start(std::move(options)));
    made.runtime_in_use().log().redirect(nullptr, log_level::off);
    return made;
  }
  ~a_refused_write() override { disk->release(); }

  /// What the refused one says and a look right behind it, while the first is on its way to the
  /// disk.
  template <class First, class Second>
  std::pair<errc, bool> behind(First&& first, Second&& second) {
    disk->hold();
    auto one = first().as_future();
    disk->wait_until_held();
    auto told = std::async(std::launch::async, [&] {
      auto refused = second().get();
      return std::pair{refused ? errc{} : refused.error().code(), docs.get(1).get().has_value()};
    });
    EXPECT_EQ(told.wait_for(50ms), std::future_status::timeout) << "it speaks of what nobody sees";
    disk->release();
    EXPECT_TRUE(one.get());
    return told.get();
  }
};

TEST_F(a_refused_write, for_a_key_is_told_when_the_other_record_can_be_seen) {
  auto insert = [&] { return docs.insert({{"id", 1}}); };
  EXPECT_EQ(behind(insert, insert), std::pair(errc::duplicate, true));
}

TEST_F(a_refused_write, for_a_unique_value_is_told_when_the_other_record_can_be_seen) {
  EXPECT_EQ(behind(
                [&] {
                  return docs.insert({{"id", 1}, {"tag", "a"}});
                },
                [&] {
                  return docs.insert({{"id", 2}, {"tag", "a"}});
                }),
            std::pair(errc::duplicate, true));
}

TEST_F(a_refused_write, of_an_erased_record_is_told_when_it_can_be_seen_gone) {
  ASSERT_TRUE(docs.insert({{"id", 1}}).get());
  auto erase = [&] { return docs.erase(1); };
  EXPECT_EQ(behind(erase, erase), std::pair(errc::not_found, false));
}

TEST_F(a_refused_write, of_a_transaction_is_told_when_what_it_refers_to_can_be_seen_gone) {
  ASSERT_TRUE(docs.insert({{"id", 1}}).get());
  auto notes = std::move(
      *db.define(schema("notes").key("id", integer()).field("of", integer().references("docs"))));
  disk->hold();
  auto erased = docs.erase(1).as_future();
  disk->wait_until_held();
  auto told = std::async(std::launch::async, [&] {
    auto refused = db.transact([&](transaction& tx) -> result<void> {
      return tx.in(notes).insert({{"id", 1}, {"of", 1}}).get().map([](auto&&) {});
    });
    return std::pair{refused ? errc{} : refused.error().code(), docs.get(1).get().has_value()};
  });
  EXPECT_EQ(told.wait_for(50ms), std::future_status::timeout);
  disk->release();
  EXPECT_TRUE(erased.get());
  EXPECT_EQ(told.get(), std::pair(errc::broken_reference, false));
}

TEST_F(a_refused_write, does_not_speak_of_what_the_disk_has_lost) {
  auto insert = [&] { return docs.insert({{"id", 1}}).as_future(); };
  disk->hold();
  disk->fail_append(1);
  auto first = insert();
  disk->wait_until_held();
  auto second = insert();
  disk->release();
  EXPECT_EQ(first.get().error(), errc::outcome_unknown);
  EXPECT_EQ(second.get().error(), errc::read_only);
  ASSERT_TRUE(db.reopen());
  EXPECT_TRUE(docs.insert({{"id", 1}}).get()) << "nobody has the key";
}

TEST_F(a_refused_write, for_its_own_fault_is_told_at_once) {
  disk->hold();
  auto first = docs.insert({{"id", 1}}).as_future();
  disk->wait_until_held();
  EXPECT_EQ(docs.insert({{"id", 2}, {"tag", 7}}).get().error(), errc::invalid);
  disk->release();
  EXPECT_TRUE(first.get());
}

} // namespace
} // namespace holdfast::testing
