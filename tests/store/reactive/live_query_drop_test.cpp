// What live queries are told when buckets go.
#include "tests/store/reactive/live_query_fixture.hpp"

#include <holdfast/store/memory_journal.hpp>

#include <gmock/gmock.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

namespace holdfast {
namespace {

using testing::live_query;

/// It was told that the bucket was being dropped, and a run said that there is none.
TEST_F(live_query, is_told_when_its_bucket_has_gone) {
  const auto brief = schema("brief").key("id", integer());
  ASSERT_TRUE(db.define(brief));
  ASSERT_TRUE(db.define_query("brief", {.bucket = "brief"}));
  std::mutex mutex;
  std::string last;
  const auto token = db.subscribe("brief", [&](const query_update& now) {
                         const std::lock_guard lock{mutex};
                         last = now.outcome ? "a number" : now.outcome.error().to_string();
                       }).value();
  for (int round = 0; round < 100; ++round) {
    ASSERT_TRUE(db.settle());
    ASSERT_TRUE(db.drop("brief"));
    ASSERT_TRUE(db.settle());
    const auto now = db.run("brief");
    ASSERT_FALSE(now);
    {
      const std::lock_guard lock{mutex};
      EXPECT_EQ(last, now.error().to_string());
    }
    ASSERT_TRUE(db.define(brief));
  }
}

/// The first of two reads found the bucket, the second did not, and what came of both was told.
TEST_F(live_query, is_run_anew_when_a_bucket_goes_amid_its_run) {
  auto brief = db.define(schema("brief").key("id", integer())).value();
  ASSERT_TRUE(brief.insert({{"id", 1}}).get());
  std::atomic<bool> amid{false}, gone{false};
  ASSERT_TRUE(db.define_query("brief", [&](query_context& in) -> result<std::string> {
    auto b = in.bucket("brief");
    if (!b)
      return "none";
    const std::string first = b->contains(1) ? "there" : "gone";
    amid = true;
    amid.notify_all();
    gone.wait(false);
    return first + " and " + (b->contains(1) ? "there" : "gone");
  }));
  std::thread dropping{[&] {
    amid.wait(false);
    EXPECT_TRUE(db.drop("brief"));
    gone = true;
    gone.notify_all();
  }};
  const auto told = db.run("brief");
  dropping.join();
  EXPECT_EQ(told.value().as<std::string>(), "none");
}

/// Until the drop was completed behind its commit, a run found the bucket open and empty, and was
/// the last.
TEST(live_query_of_durable_buckets, is_told_when_a_reopening_completes_a_drop) {
  for (int round = 0; round < 20; ++round) {
    auto disk = std::make_shared<memory_disk>();
    store_options options;
    options.journal = memory_journal(disk);
    auto db = store::start(std::move(options)).value();
    db.runtime_in_use().log().redirect(nullptr, log_level::off);
    auto brief = db.define(schema("brief").key("id", integer())).value();
    ASSERT_TRUE(db.define_query("brief", [](query_context& in) -> result<std::string> {
      auto b = in.bucket("brief");
      if (!b)
        return "none";
      return b->count().get().map([](std::uint64_t n) { return "of " + std::to_string(n); });
    }));
    std::mutex mutex;
    std::string last;
    const auto token = db.subscribe("brief", [&](const query_update& now) {
                           const std::lock_guard lock{mutex};
                           last = now.outcome ? now.as<std::string>() : "an error";
                         }).value();
    ASSERT_TRUE(db.settle());
    disk->fail_append(1, memory_disk::fate::written);
    ASSERT_EQ(db.drop("brief").error(), errc::outcome_unknown);
    ASSERT_TRUE(db.reopen());
    EXPECT_EQ(brief.insert({{"id", 1}}).get().error(), errc::dropped);
    ASSERT_TRUE(db.settle());
    const std::lock_guard lock{mutex};
    EXPECT_EQ(last, "none");
  }
}

} // namespace
} // namespace holdfast
