// R5: a store that stopped writing after a disk error takes it up again.
#include "tests/support/forwarding_journal.hpp"

#include <holdfast/store/memory_journal.hpp>
#include <holdfast/store/store.hpp>

#include <gmock/gmock.h>

#include <future>
#include <set>

namespace holdfast {
namespace {

using fate = memory_disk::fate;

schema docs_schema(std::string name = "docs") {
  return schema(std::move(name))
      .key("id", string())
      .field("mark", string().unique())
      .field("n", integer())
      .index("n");
}

/// What a bucket holds: the `n` of each key; checked against its indexes.
std::map<std::string, std::int64_t> contents(const bucket<>& b) {
  std::map<std::string, std::int64_t> out;
  auto all = b.all().get();
  EXPECT_TRUE(all);
  for (auto& r : *all) {
    out[std::string{r["id"].as_string()}] = r["n"].as_int();
    auto same = b.where("mark"_f == std::string{r["mark"].as_string()}).all().get();
    EXPECT_EQ(same->size(), 1u) << r["id"].as_string();
  }
  EXPECT_EQ(*b.count().get(), out.size());
  EXPECT_EQ(b.where("n"_f >= 0).all().get()->size(), out.size()) << "the ordered index agrees";
  return out;
}

struct reopened_store : ::testing::Test {
  std::shared_ptr<memory_disk> disk = std::make_shared<memory_disk>();
  std::optional<store> db;
  std::optional<bucket<>> docs;

  void start(durability level) {
    store_options options;
    options.journal = memory_journal(disk);
    options.durability = level;
    auto started = store::start(std::move(options));
    ASSERT_TRUE(started) << started.error().to_string();
    db.emplace(std::move(*started));
    docs.emplace(*db->define(docs_schema()));
  }
  static object doc(int i) {
    return {{"id", "k" + std::to_string(i)}, {"mark", "m" + std::to_string(i)}, {"n", i}};
  }
  void insert(int first, int last) {
    for (int i = first; i < last; ++i)
      ASSERT_TRUE(docs->insert(doc(i)).get()) << i;
  }
  /// What a start from this disk finds, which must be what memory has.
  void expect_disk_agrees() {
    auto here = contents(*docs);
    auto level = durability::group;
    ASSERT_TRUE(db->stop());
    db.reset();
    start(level);
    EXPECT_EQ(contents(*docs), here);
  }
};

struct mishap {
  durability level;
  std::uint64_t append; ///< the one that fails, counted from the load on
  fate of_batch;
};

struct a_failed_append : reopened_store, ::testing::WithParamInterface<mishap> {};

TEST_P(a_failed_append, leaves_what_was_acknowledged_and_all_or_nothing_of_the_rest) {
  auto [level, append, of_batch] = GetParam();
  start(level);
  insert(0, 20);
  ASSERT_TRUE(db->sync());
  disk->fail_append(append, of_batch);
  std::mutex mutex;
  std::set<std::string> acknowledged, unknown, refused;
  std::vector<std::future<void>> writers;
  for (int w = 0; w < 4; ++w)
    writers.push_back(std::async(std::launch::async, [&, w] {
      for (int i = 0; i < 400; ++i) {
        auto id = 1000 * (w + 1) + i;
        auto r = docs->insert(doc(id)).get();
        std::lock_guard lock{mutex};
        auto& told = r ? acknowledged : r.error() == errc::outcome_unknown ? unknown : refused;
        told.insert("k" + std::to_string(id));
        if (!r)
          return;
      }
    }));
  for (auto& w : writers)
    w.get();
  while (!db->stats().failure) // an async store may not have noticed yet
    (void)docs->insert(doc(9000 + static_cast<int>(db->stats().published))).get();
  auto before = contents(*docs);
  auto frozen = db->snapshot();
  auto kept = docs->get("k7").get();

  auto report = db->reopen();
  ASSERT_TRUE(report) << report.error().to_string();
  EXPECT_FALSE(report->was_writing);
  auto after = contents(*docs);
  for (auto& key : acknowledged)
    EXPECT_TRUE(after.contains(key)) << key << " was acknowledged";
  for (auto& key : refused)
    EXPECT_FALSE(after.contains(key)) << key << " was refused";
  for (auto& key : unknown)
    EXPECT_EQ(after.contains(key), of_batch == fate::written) << key;
  for (auto& [key, n] : before)
    EXPECT_TRUE(after.contains(key)) << key << " was visible";
  EXPECT_EQ(report->taken, after.size() - before.size());
  EXPECT_EQ((*kept)["n"], value_view{7});
  EXPECT_EQ(docs->at(frozen).count().get().value(), before.size());
  EXPECT_EQ(db->stats().published, db->stats().durable);
  EXPECT_EQ(db->stats().failure, std::nullopt);

  insert(20, 40);
  ASSERT_TRUE(docs->update("k7", {{"n", 70}, {"mark", "another"}}).get());
  ASSERT_TRUE(docs->erase("k8").get());
  EXPECT_TRUE(db->reopen()->was_writing) << "a store that writes has nothing to reopen";
  expect_disk_agrees();
}

std::vector<mishap> mishaps() {
  std::vector<mishap> all;
  for (auto level : {durability::sync, durability::group, durability::async})
    for (std::uint64_t k : {1u, 2u, 3u, 7u, 20u})
      for (auto f : {fate::lost, fate::written})
        all.push_back({level, k, f});
  return all;
}
INSTANTIATE_TEST_SUITE_P(, a_failed_append, ::testing::ValuesIn(mishaps()), [](auto& p) {
  return std::string{to_string(p.param.level)} + "_" + std::to_string(p.param.append) +
         (p.param.of_batch == fate::lost ? "_lost" : "_written");
});

TEST_F(reopened_store, takes_what_a_failed_sync_left_on_disk) {
  start(durability::sync);
  insert(0, 5);
  disk->fail_sync();
  auto r = docs->insert(doc(5)).get();
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error(), errc::outcome_unknown);
  EXPECT_EQ(docs->get("k5").get().error(), errc::not_found);
  auto report = db->reopen();
  ASSERT_TRUE(report) << report.error().to_string();
  EXPECT_EQ(report->taken, 1u);
  EXPECT_TRUE(docs->get("k5").get());
  expect_disk_agrees();
}

TEST_F(reopened_store, writes_again_what_the_disk_has_lost_of_the_unsynced) {
  start(durability::async);
  insert(0, 10);
  ASSERT_TRUE(db->sync());
  insert(10, 50);
  ASSERT_TRUE(docs->update("k3", {{"n", 30}}).get());
  ASSERT_TRUE(docs->erase("k4").get());
  while (db->stats().backlog_commits > 0)
    std::this_thread::yield();
  disk->crash(0);
  while (!db->stats().failure)
    (void)docs->insert(doc(100 + static_cast<int>(db->stats().published))).get();
  auto before = contents(*docs);
  auto report = db->reopen();
  ASSERT_TRUE(report) << report.error().to_string();
  EXPECT_LT(report->found, report->published);
  EXPECT_EQ(report->rewritten, report->published - report->found);
  EXPECT_EQ(report->taken, 0u);
  EXPECT_EQ(contents(*docs), before);
  expect_disk_agrees();
}

TEST_F(reopened_store, fails_and_goes_on_reading_while_the_disk_is_broken) {
  start(durability::group);
  insert(0, 5);
  disk->fail_append(1);
  ASSERT_FALSE(docs->insert(doc(5)).get());
  disk->fail_open(true);
  for (int i = 0; i < 2; ++i) {
    auto r = db->reopen();
    ASSERT_FALSE(r);
    EXPECT_EQ(r.error(), errc::io);
    EXPECT_EQ(docs->insert(doc(6)).get().error(), errc::read_only);
    EXPECT_EQ(contents(*docs).size(), 5u);
  }
  disk->fail_open(false);
  ASSERT_TRUE(db->reopen());
  insert(5, 10);
  expect_disk_agrees();
}

TEST_F(reopened_store, may_fail_again_while_it_writes_again) {
  start(durability::async);
  insert(0, 10);
  ASSERT_TRUE(db->sync());
  insert(10, 40);
  while (db->stats().backlog_commits > 0)
    std::this_thread::yield();
  disk->crash(0);
  while (!db->stats().failure)
    (void)docs->insert(doc(100 + static_cast<int>(db->stats().published))).get();
  auto before = contents(*docs);
  for (auto f : {fate::lost, fate::written}) {
    disk->fail_append(1, f);
    EXPECT_FALSE(db->reopen());
    EXPECT_EQ(docs->insert(doc(99)).get().error(), errc::read_only);
    EXPECT_EQ(contents(*docs), before);
  }
  auto report = db->reopen();
  ASSERT_TRUE(report) << report.error().to_string();
  EXPECT_EQ(contents(*docs), before);
  expect_disk_agrees();
}

TEST_F(reopened_store, refuses_a_journal_that_somebody_else_wrote_to) {
  start(durability::group);
  insert(0, 3);
  auto last = disk->last();
  disk->crash(100);
  ASSERT_FALSE(docs->insert(doc(3)).get());
  auto other = memory_journal(disk);
  ASSERT_TRUE(other->open());
  ASSERT_TRUE(other->append({last + 1, last + 7, {}}, true));
  ASSERT_TRUE(other->close());
  auto r = db->reopen();
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error(), errc::corrupt);
  EXPECT_THAT(r.error().message(), ::testing::HasSubstr("is " + std::to_string(last + 7)));
  EXPECT_THAT(r.error().message(), ::testing::HasSubstr("is " + std::to_string(last) + ","));
  EXPECT_EQ(docs->insert(doc(4)).get().error(), errc::read_only);
  EXPECT_EQ(contents(*docs).size(), 3u);
}

TEST_F(reopened_store, drops_a_bucket_whose_drop_turns_out_to_be_on_disk) {
  start(durability::group);
  insert(0, 3);
  disk->fail_append(1, fate::written);
  auto dropped = db->drop("docs");
  ASSERT_FALSE(dropped);
  EXPECT_EQ(dropped.error(), errc::outcome_unknown);
  EXPECT_EQ(contents(*docs).size(), 3u) << "it is there until the disk is asked";
  ASSERT_TRUE(db->reopen());
  EXPECT_FALSE(db->has_bucket("docs"));
  EXPECT_EQ(docs->insert(doc(9)).get().error(), errc::dropped);
  docs.emplace(*db->define(docs_schema()));
  insert(0, 1);
  expect_disk_agrees();
}

TEST_F(reopened_store, keeps_a_bucket_whose_drop_never_reached_the_disk) {
  start(durability::group);
  insert(0, 3);
  disk->fail_append(1, fate::lost);
  ASSERT_FALSE(db->drop("docs"));
  ASSERT_TRUE(db->reopen());
  EXPECT_EQ(contents(*docs).size(), 3u);
  insert(3, 5);
  expect_disk_agrees();
}

TEST_F(reopened_store, forgets_a_failed_definition_that_reached_the_disk) {
  start(durability::group);
  disk->fail_append(1, fate::written);
  ASSERT_FALSE(db->define(docs_schema("others")));
  ASSERT_TRUE(db->reopen());
  EXPECT_FALSE(db->has_bucket("others"));
  expect_disk_agrees();
  EXPECT_FALSE(db->has_bucket("others"));
  EXPECT_TRUE(db->define(docs_schema("others")));
}

TEST_F(reopened_store, has_the_definition_that_the_disk_has) {
  for (auto f : {fate::lost, fate::written}) {
    disk = std::make_shared<memory_disk>();
    start(durability::group);
    insert(0, 5);
    disk->fail_append(1, f);
    auto changed =
        db->update_bucket("docs", bucket_update().add_field("extra", integer().otherwise(5)));
    ASSERT_FALSE(changed);
    EXPECT_EQ(changed.error(), errc::outcome_unknown) << changed.error().to_string();
    ASSERT_TRUE(db->reopen());
    auto taken = f == fate::written;
    EXPECT_EQ(db->bucket_schema("docs")->to_string().find("extra") != std::string::npos, taken);
    EXPECT_EQ(contents(*docs).size(), 5u);
    insert(5, 8);
    EXPECT_EQ((*docs->get("k6").get())["extra"].is_null(), !taken);
    auto here = contents(*docs);
    ASSERT_TRUE(db->stop());
    db.reset();
    auto again = store::start({.journal = memory_journal(disk)});
    ASSERT_TRUE(again) << again.error().to_string();
    EXPECT_EQ(contents(*again->bucket("docs")), here);
  }
}

TEST_F(reopened_store, without_a_journal_says_so) {
  auto memory = store::start();
  EXPECT_EQ(memory->reopen().error(), errc::invalid_argument);
}

/// A journal that runs out of memory in the middle of a write.
class starving_journal final : public holdfast::testing::forwarding_journal {
public:
  explicit starving_journal(std::shared_ptr<memory_disk> disk)
      : forwarding_journal{memory_journal(std::move(disk))} {}
  result<void> append(const journal_batch& batch, bool synced) override {
    ++appends;
    if (!starving)
      return to_->append(batch, synced);
    starving = false;
    if (writes_first)
      (void)to_->append(batch, synced);
    throw std::bad_alloc();
  }

  std::atomic<bool> starving{false};
  std::atomic<bool> writes_first{false};
  std::atomic<int> appends{0};
};

TEST(a_journal_without_memory, is_an_error_with_an_unknown_outcome_and_is_not_asked_again) {
  for (auto written : {false, true}) {
    auto mine = std::make_unique<starving_journal>(std::make_shared<memory_disk>());
    auto& to = *mine;
    auto db = store::start({.journal = std::move(mine)});
    auto docs = *db->define(docs_schema());
    to.writes_first = written;
    to.starving = true;
    auto before = to.appends.load();
    auto r = docs.insert(reopened_store::doc(1)).get();
    ASSERT_FALSE(r);
    EXPECT_EQ(r.error(), errc::outcome_unknown);
    EXPECT_THAT(r.error().to_string(), ::testing::HasSubstr("memory"));
    EXPECT_EQ(to.appends, before + 1);
    EXPECT_EQ(db->stats().persistence_restarts, 0u) << "no fault of the actor";
    ASSERT_TRUE(db->reopen());
    EXPECT_EQ(docs.get("k1").get().has_value(), written);
    EXPECT_TRUE(docs.insert(reopened_store::doc(2)).get());
  }
}

/// It was shown from the seal on, also when it was taken back later.
TEST_F(reopened_store, shows_no_definition_that_is_not_on_disk) {
  start(durability::group);
  db->runtime_in_use().log().redirect(nullptr, log_level::off);
  insert(0, 3);
  const auto before = *db->bucket_schema("docs");
  const auto wider = bucket_update().add_field("x", integer().otherwise(7));
  disk->fail_append(1);
  ASSERT_EQ(db->update_bucket("docs", wider).error(), errc::outcome_unknown);
  EXPECT_EQ(*db->bucket_schema("docs"), before);
  ASSERT_TRUE(db->reopen());
  EXPECT_EQ(*db->bucket_schema("docs"), before);
  disk->hold();
  auto update = std::async(std::launch::async, [&] { return db->update_bucket("docs", wider); });
  disk->wait_until_held();
  EXPECT_EQ(*db->bucket_schema("docs"), before);
  disk->release();
  ASSERT_TRUE(update.get());
  EXPECT_EQ(db->bucket_schema("docs")->fields().size(), before.fields().size() + 1);
}

} // namespace
} // namespace holdfast
