// The store's supervision tree: what becomes of buckets and services when a supervisor crashes,
// when a bucket's actor is stuck, when a drop takes too long; and all of it on a user's actor
// system.
#include <holdfast/runtime/fault.hpp>
#include <holdfast/store/gateway.hpp>
#include <holdfast/store/memory_journal.hpp>
#include <holdfast/store/record_input.hpp>
#include <holdfast/store/store.hpp>

#include <gmock/gmock.h>

#include <atomic>
#include <future>
#include <numeric>

namespace holdfast {
namespace {

schema tree_schema(std::string name = "docs") {
  return schema(std::move(name)).key("id", string()).field("n", integer()).index("n");
}
object doc(int i) { return {{"id", "k" + std::to_string(i)}, {"n", i}}; }

struct a_tree : ::testing::Test {
  std::shared_ptr<memory_disk> disk = std::make_shared<memory_disk>();

  store start(runtime* on = nullptr) {
    store_options options;
    options.journal = memory_journal(disk);
    options.runtime = on;
    options.runtime_settings.threads = 2;
    auto started = store::start(std::move(options));
    EXPECT_TRUE(started) << started.error().to_string();
    return std::move(*started);
  }
};

TEST_F(a_tree, keeps_its_buckets_when_their_supervisor_crashes) {
  {
    auto before = start();
    ASSERT_TRUE(before.define(tree_schema("restored"))->insert(doc(0)).get());
  }
  auto db = start();
  auto restored = *db.bucket("restored");
  auto docs = *db.define(tree_schema());
  auto notes = *db.define(schema("notes")
                              .key("id", string())
                              .field("doc", string().references("docs", on_delete::cascade)));
  ASSERT_TRUE(docs.insert(doc(1)).get());
  ASSERT_TRUE(notes.insert({{"id", "a"}, {"doc", "k1"}}).get());
  for (int round = 2; round < 5; ++round) {
    auto crashed = db.crash_supervisor("buckets");
    ASSERT_TRUE(crashed) << crashed.error().to_string();
    EXPECT_EQ((*docs.get("k1").get())["n"], value_view{1});
    EXPECT_TRUE(docs.insert(doc(round)).get());
    EXPECT_TRUE(restored.insert(doc(round)).get());
    for (auto& b : db.stats().buckets)
      EXPECT_EQ(b.state, "up") << b.name;
  }
  EXPECT_EQ(*docs.count().get(), 4u);
  ASSERT_TRUE(docs.erase("k1").get());
  EXPECT_EQ(*notes.count().get(), 0u) << "references hold as before";
  EXPECT_TRUE(*db.drop("restored"));
  EXPECT_TRUE(db.define(tree_schema("restored"))->insert(doc(9)).get());
  EXPECT_EQ(db.crash_supervisor("docs").error(), errc::not_found);
}

TEST_F(a_tree, answers_every_write_while_the_supervisor_of_buckets_crashes) {
  auto db = start();
  auto docs = *db.define(tree_schema());
  std::atomic<bool> stop{false};
  std::vector<std::future<int>> writers;
  for (int w = 0; w < 3; ++w)
    writers.push_back(std::async(std::launch::async, [&, w] {
      int stored = 0;
      for (int i = 0; !stop; ++i)
        stored += docs.insert(doc(1'000'000 * w + i)).get().has_value() ? 1 : 0;
      return stored;
    }));
  for (int round = 0; round < 8; ++round) {
    auto crashed = db.crash_supervisor("buckets");
    ASSERT_TRUE(crashed) << crashed.error().to_string();
    auto name = "more" + std::to_string(round);
    EXPECT_TRUE(db.define(tree_schema(name)));
    EXPECT_TRUE(docs.insert(doc(-1 - round)).get());
  }
  stop = true;
  std::uint64_t stored = 8;
  for (auto& w : writers)
    stored += static_cast<std::uint64_t>(w.get());
  EXPECT_EQ(*docs.count().get(), stored);
  EXPECT_EQ(docs.where("n"_f >= -100).all().get()->size(), stored);
}

TEST_F(a_tree, bears_as_many_crashes_of_its_services_as_its_options_say) {
  store_options patient{.service_restart_budget = 40};
  auto db = store::start(std::move(patient)).value();
  db.runtime_in_use().log().redirect(nullptr, log_level::off);
  auto docs = db.define(tree_schema()).value();
  for (int i = 0; i < 40; ++i)
    ASSERT_TRUE(db.crash_queries()) << i;
  EXPECT_TRUE(docs.insert(doc(1)).get());

  store_options strict{.service_restart_budget = 0};
  auto brief = store::start(std::move(strict)).value();
  brief.runtime_in_use().log().redirect(nullptr, log_level::off);
  auto more = brief.define(tree_schema()).value();
  (void)brief.crash_queries(); // nobody waits for a next life that does not come
  result<record> last;
  for (int i = 0; (last = more.insert(doc(i)).get()); ++i) // until the end has come to the bucket
    std::this_thread::yield();
  EXPECT_EQ(last.error(), errc::stopped) << last.error().to_string();
}

TEST_F(a_tree, goes_on_telling_and_serving_when_the_supervisor_of_services_crashes) {
  auto db = start();
  auto docs = *db.define(tree_schema());
  std::promise<void> all;
  std::vector<std::int64_t> told;
  auto token = db.on("bucket.docs.inserted", [&](const change& c) {
    told.push_back(c.after["n"].as_int());
    if (told.size() == 40)
      all.set_value();
  });
  ASSERT_TRUE(token);
  for (int i = 0; i < 40; ++i) {
    ASSERT_TRUE(docs.insert(doc(i)).get());
    if (i % 10 == 5) {
      ASSERT_TRUE(db.crash_supervisor("services"));
    }
  }
  all.get_future().get();
  std::vector<std::int64_t> each(40);
  std::iota(each.begin(), each.end(), 0);
  EXPECT_EQ(told, each) << "each once, in order";
  std::promise<std::uint64_t> counted;
  db.runtime_in_use().system().spawn(
      [&, at = gateway_of(db).value()](caf::event_based_actor* self) {
        self->request(at, caf::infinite, count_records{.bucket = "docs", .what = {}})
            .then([&](const result<std::uint64_t>& n) { counted.set_value(n.value()); });
      });
  EXPECT_EQ(counted.get_future().get(), 40u);
}

TEST_F(a_tree, lets_no_successor_near_the_data_that_a_stuck_job_is_editing) {
  std::promise<void> entered, leave;
  auto may_leave = leave.get_future().share();
  auto db = start();
  auto docs = *db.define(tree_schema().validate([&](const record_input& r) {
    if (r["n"] == value_view{13}) {
      entered.set_value();
      may_leave.wait();
    }
    return std::vector<std::string>{};
  }));
  ASSERT_TRUE(docs.insert(doc(1)).get());
  auto stuck = std::async(std::launch::async, [&] { return docs.insert(doc(13)).get(); });
  entered.get_future().get();
  // Its supervisor crashes; the one after it waits, then cuts the actor off and starts another.
  std::promise<void> succeeded;
  testing::fault at_the_start{"bucket.recovering", 0, [&] { succeeded.set_value(); }};
  auto crashed = std::async(std::launch::async, [&] { return db.crash_supervisor("buckets"); });
  succeeded.get_future().get();
  auto behind = std::async(std::launch::async, [&] { return docs.insert(doc(2)).get(); });
  EXPECT_EQ(*docs.count().get(), 1u) << "readers go on";
  leave.set_value();
  EXPECT_TRUE(stuck.get()) << "it was late, and whole";
  EXPECT_TRUE(behind.get());
  EXPECT_TRUE(crashed.get());
  EXPECT_EQ(*docs.count().get(), 3u);
  EXPECT_EQ(docs.where("n"_f > 0).all().get()->size(), 3u);
  auto here = db.stats().published;
  ASSERT_TRUE(db.stop());
  auto again = start();
  EXPECT_EQ(again.restored().last, here);
  EXPECT_EQ(*again.bucket("docs")->count().get(), 3u);
}

TEST_F(a_tree, keeps_a_bucket_closed_whose_drop_is_on_its_way_and_tells_its_end) {
  auto db = start();
  auto docs = *db.define(tree_schema());
  ASSERT_TRUE(docs.insert(doc(1)).get());
  disk->hold();
  auto dropped = db.drop("docs", std::chrono::milliseconds{1});
  ASSERT_FALSE(dropped);
  EXPECT_EQ(dropped.error(), errc::outcome_unknown) << dropped.error().to_string();
  EXPECT_EQ(docs.insert(doc(2)).get().error(), errc::dropped);
  EXPECT_EQ(db.drop("docs", std::chrono::milliseconds{1}).error(), errc::outcome_unknown);
  EXPECT_EQ(db.define(tree_schema()).error(), errc::already_exists);
  disk->release();
  EXPECT_EQ(*db.drop("docs"), true) << "the same drop, to its end";
  EXPECT_EQ(*db.drop("docs"), false);
  auto fresh = db.define(tree_schema());
  ASSERT_TRUE(fresh) << fresh.error().to_string();
  EXPECT_EQ(*fresh->count().get(), 0u);
}

TEST_F(a_tree, reopens_a_bucket_whose_late_drop_has_failed) {
  auto db = start();
  auto docs = *db.define(tree_schema());
  ASSERT_TRUE(docs.insert(doc(1)).get());
  disk->fail_append(1);
  disk->hold();
  EXPECT_EQ(db.drop("docs", std::chrono::milliseconds{1}).error(), errc::outcome_unknown);
  disk->release();
  EXPECT_EQ(db.drop("docs").error(), errc::outcome_unknown) << "of the disk";
  EXPECT_EQ(*docs.count().get(), 1u) << "the store reads on";
  EXPECT_EQ(docs.insert(doc(2)).get().error(), errc::read_only);
  auto report = db.reopen();
  ASSERT_TRUE(report) << report.error().to_string();
  EXPECT_TRUE(docs.insert(doc(2)).get()) << "the drop has not happened";
}

TEST_F(a_tree, stands_on_an_actor_system_of_the_users_which_outlives_it) {
  caf::actor_system_config config;
  runtime::prepare(config);
  config.set("scheduler.max-threads", 2);
  caf::actor_system system{config};
  for (int life = 1; life <= 3; ++life) {
    runtime rt{system, {}};
    auto db = start(&rt);
    auto docs = life == 1 ? *db.define(tree_schema()) : *db.bucket("docs");
    std::promise<void> heard;
    auto token = db.on("bucket.docs.inserted", [&](const change& c) {
      if (c.after["n"] == value_view{-life})
        heard.set_value();
    });
    for (int i = 0; i < 100; ++i)
      ASSERT_TRUE(docs.insert(doc(1000 * life + i)).get());
    EXPECT_EQ(*docs.count("n"_f >= 1000 * life).get(), 100u);
    ASSERT_TRUE(db.crash("docs"));
    ASSERT_TRUE(db.crash_persistence());
    ASSERT_TRUE(db.crash_supervisor("buckets"));
    ASSERT_TRUE(docs.insert(doc(-life)).get());
    heard.get_future().get();
    std::promise<result<record>> read;
    system.spawn([&](caf::event_based_actor* self) {
      via(self, docs.get("k-1"), [&, self](result<record> r) {
        read.set_value(std::move(r));
        self->quit();
      });
    });
    EXPECT_TRUE(read.get_future().get()) << "an actor of the user's uses a handle";
    EXPECT_EQ(*docs.count().get(), static_cast<std::uint64_t>(101 * life));
    ASSERT_TRUE(db.stop());
    EXPECT_EQ(docs.insert(doc(0)).get().error(), errc::stopped);
  }
  std::promise<int> alive;
  system.spawn([&](caf::event_based_actor* self) {
    alive.set_value(1);
    self->quit();
  });
  EXPECT_EQ(alive.get_future().get(), 1);
}

} // namespace
} // namespace holdfast
