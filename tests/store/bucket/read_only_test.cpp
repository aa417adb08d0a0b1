// A store that is started read-only.
#include <holdfast/store/memory_journal.hpp>
#include <holdfast/store/store.hpp>

#include <gmock/gmock.h>

namespace holdfast {
namespace {

using ::testing::HasSubstr;

struct a_store_started_read_only : ::testing::Test {
  std::shared_ptr<memory_disk> disk = std::make_shared<memory_disk>();

  result<store> start(bool read_only) const {
    store_options options;
    options.journal = memory_journal(disk);
    options.read_only = read_only;
    return store::start(std::move(options));
  }
  static schema users() {
    return schema("users").key("id", integer()).field("name", string()).index("name");
  }
  void SetUp() override {
    auto db = start(false).value();
    auto made = db.define(users()).value();
    for (int i = 0; i < 10; ++i)
      ASSERT_TRUE(made.insert({{"id", i}, {"name", i % 2 ? "odd" : "even"}}).get());
    ASSERT_TRUE(
        made.insert({{"id", 10}, {"name", "brief"}}, {.expires_in = std::chrono::hours{1}}).get());
  }
};

TEST_F(a_store_started_read_only, answers_reads_and_refuses_writes) {
  auto last = disk->last();
  {
    auto db = start(true).value();
    EXPECT_EQ(db.restored().records, 11u);
    EXPECT_EQ(db.restored().missing, 0u);
    auto there = db.bucket("users").value();
    EXPECT_EQ(*there.count("name"_f == "odd").get(), 5u);
    auto refused = there.insert({{"id", 99}}).get();
    ASSERT_EQ(refused.error(), errc::read_only);
    EXPECT_THAT(refused.error().message(), HasSubstr("opened read-only"));
    EXPECT_EQ(there.with(durability::async).update(1, {{"name", "x"}}).get().error(),
              errc::read_only);
    EXPECT_EQ(there.erase(1).get().error(), errc::read_only);
    EXPECT_EQ(there.clear().get().error(), errc::read_only);
    EXPECT_EQ(db.transact([&](transaction& tx) -> result<void> {
                  return tx.in(there).erase(1).get().map([](const record&) {});
                }).error(),
              errc::read_only);
    EXPECT_EQ(db.define(schema("other").key("id", integer())).error(), errc::read_only);
    EXPECT_FALSE(db.has_bucket("other"));
    EXPECT_EQ(db.drop("users").error(), errc::read_only);
    EXPECT_EQ(db.update_bucket("users", bucket_update().add_index("id")).error(), errc::read_only);
    EXPECT_EQ(db.reopen().error(), errc::invalid_argument);
    EXPECT_EQ(*there.count().get(), 11u);
    EXPECT_TRUE(db.sync()) << "nothing is left to write";
    EXPECT_FALSE(db.stats().failure);
    EXPECT_TRUE(db.stop());
  }
  EXPECT_EQ(disk->last(), last);
  EXPECT_EQ(*start(false)->bucket("users")->count().get(), 11u);
}

TEST_F(a_store_started_read_only, keeps_buckets_in_memory_that_can_be_written) {
  auto db = start(true).value();
  auto notes = db.define(schema("notes").key("id", integer()).persistent(false));
  ASSERT_TRUE(notes) << notes.error().to_string();
  EXPECT_TRUE(notes->insert({{"id", 1}}).get());
  auto copied = db.transact([&](transaction& tx) -> result<void> {
    auto odd = db.bucket("users")->count("name"_f == "odd").get();
    return tx.in(*notes)
        .insert({{"id", static_cast<std::int64_t>(*odd)}})
        .get()
        .map([](const record&) {});
  });
  EXPECT_TRUE(copied);
  EXPECT_TRUE(db.crash("users"));
  EXPECT_TRUE(db.crash_persistence());
  EXPECT_EQ(*db.bucket("users")->count().get(), 11u);
  EXPECT_EQ(db.bucket("users")->erase(1).get().error(), errc::read_only);
}

TEST_F(a_store_started_read_only, needs_a_journal) {
  store_options options;
  options.read_only = true;
  EXPECT_EQ(store::start(std::move(options)).error(), errc::invalid_argument);
}

} // namespace
} // namespace holdfast
