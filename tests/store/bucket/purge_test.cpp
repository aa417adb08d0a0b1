// Records whose deadline has come are removed: when asked for, and by the manager now and then.
#include <holdfast/runtime/caf.hpp>
#include <holdfast/runtime/fault.hpp>
#include <holdfast/store/detail/bucket_core.hpp>
#include <holdfast/store/memory_journal.hpp>
#include <holdfast/store/record_input.hpp>
#include <holdfast/store/store.hpp>

#include <gmock/gmock.h>

#include <condition_variable>
#include <mutex>
#include <thread>

namespace holdfast {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// A store on the deterministic scheduler whose manager comes every second, or over a journal.
struct a_purge : ::testing::Test {
  manual_clock clock;
  std::shared_ptr<memory_disk> disk = std::make_shared<memory_disk>();
  std::optional<store> db;
  std::optional<bucket<>> sessions;
  std::vector<std::string> told;

  void start(bool deterministic = true, milliseconds interval = seconds{1}) {
    store_options options;
    if (!deterministic) // a journal's writer is a thread
      options.journal = memory_journal(disk);
    options.ttl_interval = interval;
    options.runtime_settings.clock = &clock;
    options.runtime_settings.deterministic = deterministic;
    db = std::move(*store::start(std::move(options)));
    db->runtime_in_use().log().redirect(nullptr, log_level::off);
    if (!db->has_bucket("sessions"))
      sessions = *db->define(schema("sessions")
                                 .key("id", integer())
                                 .field("user", string())
                                 .index("user")
                                 .expire_after(seconds{10}));
    else
      sessions = *db->bucket("sessions");
  }
  void put(int first, int last) {
    for (int i = first; i <= last; ++i)
      ASSERT_TRUE(sessions->insert({{"id", i}, {"user", "u"}}).get());
  }
  /// Lets time pass, for the clock and for the actors.
  void pass(milliseconds time) {
    auto& rt = db->runtime_in_use();
    while (rt.run_one()) {
    }
    clock.advance(time);
    dynamic_cast<caf::scheduler::test_coordinator&>(rt.system().scheduler()).advance_time(time);
    while (rt.run_one()) {
    }
  }
  /// Records in memory, whether or not reads see them.
  std::uint64_t held() const { return sessions->core().data().live_count(); }
};

TEST_F(a_purge, of_a_persistent_bucket_is_not_made_without_durability) {
  start(false, milliseconds{0});
  put(1, 3);
  clock.advance(seconds{20});
  auto refused = sessions->with(durability::none).purge();
  EXPECT_EQ(refused.error(), errc::invalid_argument);
  EXPECT_EQ(refused.error().where().bucket, "sessions");
  EXPECT_EQ(sessions->purge().value(), 3u) << "nothing had happened";
}

TEST_F(a_purge, of_a_bucket_or_the_store_removes_what_has_expired_and_counts_it) {
  start(false, milliseconds{0});
  put(1, 3);
  clock.advance(seconds{5});
  put(4, 5);
  auto other = *db->define(schema("other").key("id", integer()));
  ASSERT_TRUE(other.insert({{"id", 1}}, {.expires_in = seconds{1}}).get());
  ASSERT_TRUE(other.insert({{"id", 2}}).get());
  EXPECT_EQ(*sessions->purge(), 0u);
  clock.advance(seconds{5});
  EXPECT_EQ(*sessions->count().get(), 2u);
  EXPECT_EQ(held(), 5u);
  EXPECT_EQ(*sessions->purge(), 3u);
  EXPECT_EQ(held(), 2u);
  EXPECT_EQ(*db->purge(), 1u);
  clock.advance(seconds{5});
  EXPECT_EQ(*db->purge(), 2u);
  EXPECT_EQ(*db->purge(), 0u);
  EXPECT_EQ(*other.count().get(), 1u);
}

TEST_F(a_purge, tells_each_record_in_order_of_deadlines) {
  start(false, milliseconds{0});
  std::mutex mutex;
  std::condition_variable came;
  auto token = db->on("bucket.sessions.erased", [&](const change& c) {
    std::lock_guard lock{mutex};
    told.push_back(c.key().to_string() + " " + std::string{to_string(c.why)});
    came.notify_all();
  });
  for (int i : {3, 1, 2})
    ASSERT_TRUE(sessions->insert({{"id", i}}, {.expires_in = seconds{i}}).get());
  clock.advance(seconds{9});
  EXPECT_EQ(*sessions->purge(), 3u);
  std::unique_lock lock{mutex};
  ASSERT_TRUE(came.wait_for(lock, seconds{20}, [&] { return told.size() >= 3; }));
  EXPECT_THAT(told, ElementsAre("1 ttl", "2 ttl", "3 ttl"));
}

TEST_F(a_purge, of_many_records_is_several_commits) {
  start(false, milliseconds{0});
  std::vector<object> list;
  for (int i = 0; i < 5000; ++i)
    list.push_back({{"id", i}});
  ASSERT_TRUE(sessions->insert_many(list).get());
  auto before = db->stats().published;
  clock.advance(seconds{10});
  EXPECT_EQ(*sessions->purge(), 5000u);
  EXPECT_EQ(held(), 0u);
  EXPECT_EQ(db->stats().published - before, 5u) << "1,024 records each";
}

TEST_F(a_purge, passes_over_what_others_refer_to_and_restrict) {
  start(false, milliseconds{0});
  auto hits = *db->define(schema("hits")
                              .key("id", integer())
                              .field("of", integer().references("sessions"))
                              .index("of"));
  put(1, 3);
  ASSERT_TRUE(hits.insert({{"id", 7}, {"of", 2}}).get());
  clock.advance(seconds{10});
  EXPECT_EQ(*sessions->purge(), 2u);
  EXPECT_EQ(held(), 1u);
  EXPECT_EQ(*sessions->count().get(), 0u) << "hidden all the same";
  ASSERT_TRUE(hits.erase(7).get());
  EXPECT_EQ(*sessions->purge(), 1u);
}

TEST_F(a_purge, takes_along_what_refers_with_cascade_and_cuts_what_is_set_null) {
  start(false, milliseconds{0});
  auto hits = *db->define(schema("hits")
                              .key("id", integer())
                              .field("of", integer().references("sessions", on_delete::cascade))
                              .field("then", integer().references("sessions", on_delete::set_null))
                              .index("of")
                              .index("then"));
  put(1, 2);
  ASSERT_TRUE(hits.insert({{"id", 7}, {"of", 1}}).get());
  ASSERT_TRUE(hits.insert({{"id", 8}, {"then", 2}}).get());
  clock.advance(seconds{10});
  EXPECT_EQ(*sessions->purge(), 2u);
  EXPECT_FALSE(hits.contains(7));
  EXPECT_TRUE((*hits.get(8).get())["then"].is_null());
}

TEST_F(a_purge, goes_on_past_a_record_that_cannot_go) {
  start(false, milliseconds{0});
  auto never_empty = [](const record_input& r) -> std::vector<std::string> {
    return r["of"].is_null() ? std::vector<std::string>{"of is to stay"}
                             : std::vector<std::string>{};
  };
  auto hits = *db->define(schema("hits")
                              .key("id", integer())
                              .field("of", integer().references("sessions", on_delete::set_null))
                              .index("of")
                              .validate(never_empty));
  put(1, 40);
  ASSERT_TRUE(hits.insert({{"id", 7}, {"of", 13}}).get());
  clock.advance(seconds{10});
  EXPECT_EQ(*sessions->purge(), 39u);
  EXPECT_EQ((*hits.get(7).get())["of"], value_view{13});
}

TEST_F(a_purge, is_refused_on_snapshots) {
  start(false, milliseconds{0});
  EXPECT_EQ(sessions->at(db->snapshot()).purge().error(), errc::invalid_argument);
}

TEST_F(a_purge, comes_by_itself_and_after_a_crash_of_its_bucket_too) {
  start();
  EXPECT_THAT(db->tree(), HasSubstr("ttl_manager"));
  put(1, 3);
  pass(seconds{9});
  EXPECT_EQ(held(), 3u);
  pass(seconds{1});
  EXPECT_EQ(held(), 0u);
  put(1, 3);
  auto crashed = db->crash("sessions");
  ASSERT_TRUE(crashed) << crashed.error().to_string();
  pass(seconds{10});
  pass(seconds{1});
  EXPECT_EQ(held(), 0u);
}

TEST_F(a_purge, comes_also_after_the_crash_of_all_services) {
  start(false, milliseconds{1});
  ASSERT_TRUE(db->crash_supervisor("services"));
  std::mutex mutex;
  std::condition_variable came;
  int gone = 0;
  auto token = db->on("bucket.sessions.erased", [&](const change& c) {
    std::lock_guard lock{mutex};
    gone += c.why == cause::ttl ? 1 : 0;
    came.notify_all();
  });
  put(1, 3);
  clock.advance(seconds{10});
  std::unique_lock lock{mutex};
  EXPECT_TRUE(came.wait_for(lock, seconds{20}, [&] { return gone == 3; }));
}

TEST_F(a_purge, that_crashes_its_manager_is_taken_up_by_the_next) {
  start();
  put(1, 3);
  testing::fault first{"ttl.tick"};
  testing::fault second{"ttl.tick", 1};
  for (int i = 0; i < 20; ++i)
    pass(seconds{1});
  EXPECT_TRUE(first.struck() && second.struck());
  EXPECT_EQ(held(), 0u);
}

TEST_F(a_purge, does_not_come_without_an_interval) {
  start(true, milliseconds{0});
  EXPECT_THAT(db->tree(), ::testing::Not(HasSubstr("ttl_manager")));
  put(1, 3);
  pass(seconds{100});
  EXPECT_EQ(held(), 3u);
}

TEST_F(a_purge, is_not_needed_before_a_restart_for_deadlines_live_on_disk) {
  start(false, milliseconds{0});
  put(1, 3);
  ASSERT_TRUE(sessions->insert({{"id", 4}}, {.never_expires = true}).get());
  ASSERT_TRUE(sessions->touch(3, {.expires_in = seconds{20}}).get());
  ASSERT_TRUE(db->stop());
  clock.advance(seconds{10});
  start(false, milliseconds{0});
  EXPECT_EQ(held(), 4u);
  EXPECT_EQ(*sessions->count().get(), 2u);
  EXPECT_EQ(*sessions->purge(), 2u);
  ASSERT_TRUE(db->stop());
  start(false, milliseconds{0});
  EXPECT_EQ(held(), 2u) << "the purge is on disk";
  clock.advance(seconds{10});
  EXPECT_EQ(*sessions->purge(), 1u);
}

TEST_F(a_purge, in_the_background_is_no_conflict_for_a_transaction) {
  start(false, milliseconds{0});
  put(1, 3);
  clock.advance(seconds{10});
  int runs = 0;
  auto done = db->transact([&](transaction& tx) -> result<void> {
    ++runs;
    auto in = tx.in(*sessions);
    EXPECT_EQ(*in.count().get(), 0u);
    EXPECT_FALSE(in.get(1).get());
    if (auto put = in.insert({{"id", 1}, {"user", "new"}}).get(); !put)
      return fail(put.error());
    std::thread{[&] { EXPECT_EQ(*sessions->purge(), 3u); }}.join();
    return {};
  });
  ASSERT_TRUE(done) << done.error().to_string();
  EXPECT_EQ(runs, 1);
  EXPECT_EQ((*sessions->get(1).get())["user"], value_view{"new"});
  EXPECT_EQ(held(), 1u);
}

/// Found by an audit: such a commit changed nothing, and the process died of it.
TEST_F(a_purge, may_have_taken_what_a_transaction_put_and_erased_again) {
  start(false, milliseconds{0});
  put(1, 3);
  clock.advance(seconds{10});
  const auto seq = db->stats().published;
  auto done = db->transact([&](transaction& tx) -> result<void> {
    auto in = tx.in(*sessions);
    EXPECT_TRUE(in.insert({{"id", 1}, {"user", "new"}}).get());
    EXPECT_TRUE(in.erase(1).get());
    std::thread{[&] { EXPECT_EQ(*sessions->purge(), 3u); }}.join();
    return {};
  });
  ASSERT_TRUE(done) << done.error().to_string();
  EXPECT_EQ(held(), 0u);
  EXPECT_EQ(db->stats().published, seq + 1) << "of the purge alone";
  put(1, 1);
  EXPECT_EQ(held(), 1u) << "the turn was given back";
}

TEST_F(a_purge, follows_the_change_of_a_definition) {
  start(false, milliseconds{0});
  put(1, 1);
  ASSERT_TRUE(db->update_bucket("sessions", bucket_update().never_expire()));
  put(2, 2);
  ASSERT_TRUE(db->update_bucket("sessions", bucket_update().expire_after(seconds{3})));
  put(3, 3);
  clock.advance(seconds{3});
  EXPECT_EQ(*sessions->purge(), 1u);
  clock.advance(seconds{7});
  EXPECT_EQ(*sessions->purge(), 1u);
  EXPECT_TRUE(sessions->contains(2));
}

} // namespace
} // namespace holdfast
