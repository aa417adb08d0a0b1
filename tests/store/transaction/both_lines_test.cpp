// A transaction over persistent buckets and others in memory is one commit, whatever the disk does.
#include <holdfast/runtime/fault.hpp>
#include <holdfast/store/memory_journal.hpp>
#include <holdfast/store/store.hpp>

#include <gmock/gmock.h>

#include <array>
#include <atomic>
#include <condition_variable>
#include <functional>
#include <future>
#include <mutex>
#include <set>
#include <utility>

namespace holdfast::testing {
namespace {

using namespace std::chrono_literals;
using fate = memory_disk::fate;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// What the buckets' events say: `bucket n`.
class events {
public:
  explicit events(store& db)
      : heard_{*db.on("bucket.**", [this](const change& c) {
          const std::lock_guard lock{mutex_};
          auto& r = c.after ? c.after : c.before;
          told_.push_back(c.bucket() + " " + r["n"].to_string());
          changed_.notify_all();
        })} {}
  std::vector<std::string> wait_for(std::size_t count) {
    std::unique_lock lock{mutex_};
    EXPECT_TRUE(changed_.wait_for(lock, 10s, [&] { return told_.size() >= count; }));
    return told_;
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> told_;
  subscription heard_; // ends first
};

struct both_lines : ::testing::Test {
  manual_clock clock; // so that no transaction is late before its commit is sealed
  std::shared_ptr<memory_disk> disk = std::make_shared<memory_disk>();
  store db = start();
  bucket<> kept = std::move(*db.define(
      schema("kept").key("id", integer()).field("n", integer()).field("tag", string().unique())));
  bucket<> loose = std::move(*db.define(schema("loose")
                                            .key("id", integer().generated(autoincrement))
                                            .field("n", integer())
                                            .field("tag", string().unique())
                                            .index("n")
                                            .persistent(false)));

  store start() {
    store_options options;
    options.journal = memory_journal(disk);
    options.runtime_settings.clock = &clock;
    auto made = std::move(*store::start(std::move(options)));
    made.runtime_in_use().log().redirect(nullptr, log_level::off);
    return made;
  }
  ~both_lines() override { disk->release(); }

  template <class F>
  result<void> run(F&& f, transact_options how = {}) {
    return db.transact(
        [&](transaction& tx) -> result<void> {
          f(tx);
          return {};
        },
        how);
  }
  /// Sets `n` of record 1 in both.
  result<void> set_both(int n, transact_options how = {}) {
    return run(
        [&](transaction& tx) {
          EXPECT_TRUE(tx.in(kept).upsert({{"id", 1}, {"n", n}}).get());
          EXPECT_TRUE(tx.in(loose).upsert({{"id", 1}, {"n", n}}).get());
        },
        how);
  }
  std::pair<std::int64_t, std::int64_t> seen() const {
    auto at = db.snapshot();
    auto n = [&](const bucket<>& b) {
      auto r = b.at(at).get(1).get();
      return r ? (*r)["n"].as_int() : -1;
    };
    return {n(kept), n(loose)};
  }
  static std::pair<std::int64_t, std::int64_t> both(std::int64_t n) { return {n, n}; }
};

TEST_F(both_lines, of_one_transaction_change_at_once) {
  for (auto level : {durability::sync, durability::group, durability::async}) {
    const auto n = static_cast<int>(level);
    ASSERT_TRUE(set_both(n, {.durability = level}));
    EXPECT_EQ(seen(), both(n));
  }
  auto none = set_both(9, {.durability = durability::none});
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error(), errc::invalid_argument);
  EXPECT_EQ(seen(), both(2));
}

TEST_F(both_lines, wait_for_the_disk_together_while_others_go_on) {
  ASSERT_TRUE(set_both(1));
  auto other = std::move(*db.define(schema("other").key("id", integer()).persistent(false)));
  disk->hold();
  auto done = std::async(std::launch::async, [&] { return set_both(2); });
  disk->wait_until_held();
  EXPECT_EQ(seen(), both(1));
  EXPECT_TRUE(other.insert({{"id", 1}}).get()) << "a bucket in memory does not wait for a disk";
  EXPECT_EQ((*loose.get(1).get())["n"], value_view{1}) << "nor does a reader";
  disk->release();
  ASSERT_TRUE(done.get());
  EXPECT_EQ(seen(), both(2));
}

TEST_F(both_lines, keep_what_was_read_in_memory_until_what_was_made_of_it_is_published) {
  ASSERT_TRUE(set_both(1));
  disk->hold();
  auto copied = std::async(std::launch::async, [&] {
    return run([&](transaction& tx) {
      auto n = (*tx.in(loose).get(1).get())["n"].as_int();
      EXPECT_TRUE(tx.in(kept).update(1, {{"n", n + 10}}).get());
    });
  });
  disk->wait_until_held();
  auto later = std::async(std::launch::async, [&] { return loose.update(1, {{"n", 2}}).get(); });
  EXPECT_EQ(later.wait_for(50ms), std::future_status::timeout)
      << "who sees it would have to see the copy";
  EXPECT_EQ(seen(), both(1));
  disk->release();
  ASSERT_TRUE(copied.get());
  ASSERT_TRUE(later.get());
  EXPECT_EQ(seen(), std::pair(std::int64_t{11}, std::int64_t{2}));
}

/// A transaction that wrote in memory only was compared with what is sealed. That it had read
/// something which was changed and changed back again went unnoticed, and who saw the first of
/// these commits, but not the second, saw it where it could not be.
TEST_F(both_lines, do_not_show_what_read_past_a_change_that_is_on_its_way) {
  using read = std::function<void(const bucket<>&)>;
  const std::pair<const char*, read> table[] = {
      {"a count", [](auto& in) { EXPECT_EQ(in.count("n"_f == 7).get(), 0U); }},
      {"the least",
       [](auto& in) {
         EXPECT_EQ(in.everything().order_by("n", direction::descending).find_one().get()->key(), 2);
       }},
      {"an absent key", [](auto& in) { EXPECT_FALSE(in.contains(9)); }}};
  ASSERT_TRUE(kept.insert({{"id", 1}, {"n", 1}}).get());
  ASSERT_TRUE(kept.insert({{"id", 2}, {"n", 2}}).get());
  ASSERT_TRUE(loose.insert({{"id", 1}, {"n", 0}}).get());
  const auto there_and_back = [&] {
    return std::array{kept.update(1, {{"n", 7}}).as_future(), kept.insert({{"id", 9}}).as_future(),
                      kept.update(1, {{"n", 1}}).as_future(), kept.erase(9).as_future()};
  };
  for (auto& [name, look] : table)
    for (const bool published : {false, true}) {
      SCOPED_TRACE(std::string{name} + (published ? ", all is published" : ""));
      decltype(there_and_back()) on_their_way;
      auto done = run(
          [&, &look = look](transaction& tx) {
            look(tx.in(kept));
            if (!published)
              disk->hold();
            on_their_way = there_and_back();
            if (published) {
              for (auto& each : on_their_way)
                EXPECT_TRUE(each.get());
            } else {
              disk->wait_until_held();
              while (db.stats().backlog_commits < 4) // all are sealed
                std::this_thread::yield();
            }
            EXPECT_TRUE(tx.in(loose).update(1, {{"n", 1}}).get());
          },
          {.retries = 0, .exclusive_retries = 0});
      disk->release();
      if (published) {
        EXPECT_TRUE(done) << "whoever sees it sees all of that";
      } else {
        ASSERT_FALSE(done);
        EXPECT_EQ(done.error(), errc::conflict) << done.error().to_string();
        EXPECT_EQ(done.error().where().bucket, "kept");
        for (auto& each : on_their_way)
          EXPECT_TRUE(each.get());
      }
    }
}

TEST_F(both_lines, are_never_seen_by_half) {
  auto other = std::move(*db.define(schema("other").key("id", integer()).persistent(false)));
  std::set<sequence> seqs;
  std::mutex guard;
  auto heard = *db.on("bucket.other.*", [&](const change& c) {
    const std::lock_guard lock{guard};
    EXPECT_TRUE(seqs.insert(c.seq).second) << c.seq;
  });
  auto heard_too = *db.on("bucket.loose.*", [&](const change& c) {
    const std::lock_guard lock{guard};
    EXPECT_TRUE(seqs.insert(c.seq).second) << c.seq;
  });
  std::int64_t key = 0;
  for (auto level : {durability::group, durability::async}) {
    ASSERT_TRUE(set_both(0, {.durability = level}));
    std::atomic<bool> done{false};
    auto neighbour = std::async(std::launch::async, [&] {
      while (!done)
        EXPECT_TRUE(other.insert({{"id", ++key}}).get());
    });
    auto writer = std::async(std::launch::async, [&] {
      for (int n = 1; n <= 3000; ++n)
        EXPECT_TRUE(set_both(n, {.durability = level}));
      done = true;
    });
    while (!done) {
      auto [here, there] = seen();
      ASSERT_EQ(here, there);
    }
  }
}

TEST_F(both_lines, are_published_though_the_transaction_did_not_wait) {
  ASSERT_TRUE(set_both(1));
  disk->hold();
  auto late = set_both(2, {.timeout = 1ms});
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error(), errc::outcome_unknown);
  EXPECT_EQ(seen(), both(1));
  disk->release();
  ASSERT_TRUE(loose.update(1, {{"tag", "x"}}).get()) << "it waits for its turn";
  EXPECT_EQ(seen(), both(2));
}

TEST_F(both_lines, make_who_wants_those_in_memory_wait_for_the_disk_but_not_for_ever) {
  ASSERT_TRUE(set_both(1));
  disk->hold();
  auto first = std::async(std::launch::async, [&] { return set_both(2); });
  disk->wait_until_held();
  auto late = run(
      [&](transaction& tx) {
        EXPECT_TRUE(tx.in(loose).update(1, {{"n", 3}}).get());
      },
      {.timeout = 20ms});
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error(), errc::timeout);
  EXPECT_EQ(seen(), both(1));
  disk->release();
  ASSERT_TRUE(first.get());
  EXPECT_EQ(seen(), both(2)) << "the one that was late has happened to nobody";
}

TEST_F(both_lines, are_published_though_the_persistence_actor_is_down) {
  for (int n = 1; n <= 8; ++n) {
    auto done = std::async(std::launch::async, [&] { return set_both(n); });
    ASSERT_TRUE(db.crash_persistence());
    ASSERT_TRUE(done.get());
    EXPECT_EQ(seen(), both(n));
  }
}

TEST(both_lines_on_one_worker,
     are_published_though_writers_keep_it_from_starting_a_persistence_actor) {
  store_options options;
  options.journal = memory_journal(std::make_shared<memory_disk>());
  options.runtime_settings = {.threads = 1, .caller_runs = false};
  auto db = std::move(*store::start(std::move(options)));
  db.runtime_in_use().log().redirect(nullptr, log_level::off);
  auto kept = std::move(*db.define(schema("kept").key("id", integer())));
  auto loose = std::move(*db.define(schema("loose").key("id", integer()).persistent(false)));
  std::promise<void> there, waiting;
  testing::fault crash{"persistence.taken", 0, [&] {
                         there.set_value();
                         waiting.get_future().wait();
                         throw injected_fault{"of the writer"};
                       }};
  auto done = std::async(std::launch::async, [&] {
    return db.transact([&](transaction& tx) -> result<void> {
      EXPECT_TRUE(tx.in(kept).insert({{"id", 1}}).get());
      EXPECT_TRUE(tx.in(loose).insert({{"id", 1}}).get());
      return {};
    });
  });
  there.get_future().wait();
  auto next =
      loose.insert({{"id", 2}}).as_future(); // its job has the worker, and waits for the turn
  EXPECT_EQ(next.wait_for(20ms), std::future_status::timeout);
  waiting.set_value();
  ASSERT_TRUE(done.get());
  EXPECT_TRUE(next.get());
}

/// A disk that fails, of which it is known only later whether it has the commit.
struct doubtful_lines : both_lines, ::testing::WithParamInterface<fate> {};

TEST_P(doubtful_lines, stand_or_fall_together) {
  const auto stands = GetParam() == fate::written;
  ASSERT_TRUE(set_both(1));
  ASSERT_TRUE(loose.insert({{"id", 7}, {"n", 70}, {"tag", "a"}}).get());
  ASSERT_TRUE(loose.insert({{"id", 8}, {"n", 80}}).get());
  events heard{db};
  disk->fail_append(1, GetParam());
  auto change = [&](transaction& tx) {
    auto mine = tx.in(loose);
    EXPECT_TRUE(tx.in(kept).update(1, {{"n", 2}, {"tag", "k"}}).get());
    EXPECT_TRUE(mine.erase(7).get());
    EXPECT_TRUE(mine.update(1, {{"n", 2}, {"tag", "a"}}).get()) << "a unique value is handed over";
    EXPECT_TRUE(mine.insert({{"n", 90}, {"tag", "b"}}).get());
  };
  auto unknown = run(change);
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error(), errc::outcome_unknown) << unknown.error().to_string();
  EXPECT_EQ(seen(), both(1));
  EXPECT_EQ(*loose.count().get(), 3u);

  auto refused = loose.update(8, {{"n", 81}}).get();
  ASSERT_FALSE(refused) << "nothing may follow what may still come";
  EXPECT_EQ(refused.error(), errc::read_only);
  EXPECT_THAT(refused.error().message(), HasSubstr("reopen()"));
  EXPECT_EQ(refused.error().where().bucket, "loose");
  ASSERT_TRUE(db.crash("loose"));
  EXPECT_EQ(loose.erase(8).get().error(), errc::read_only) << "nor does a restart forget";
  EXPECT_EQ(db.drop("loose").error(), errc::read_only);

  ASSERT_TRUE(db.reopen());
  EXPECT_EQ(seen(), both(stands ? 2 : 1));
  EXPECT_EQ(*loose.count().get(), 3u);
  EXPECT_EQ(loose.find_one("tag"_f == "a").get()->key(), value_view{stands ? 1 : 7});
  EXPECT_EQ(loose.where("n"_f >= 70).all().get()->size(), 2u);
  auto next = loose.insert({{"n", 91}}).get();
  ASSERT_TRUE(next) << next.error().to_string();
  EXPECT_EQ(next->key(), value_view{stands ? 10 : 9}) << "the counter";
  ASSERT_TRUE(set_both(3));
  EXPECT_EQ(seen(), both(3));
  auto told = heard.wait_for(stands ? 7 : 3);
  EXPECT_EQ(told.size(), stands ? 7u : 3u) << ::testing::PrintToString(told);
}

INSTANTIATE_TEST_SUITE_P(by_fate, doubtful_lines, ::testing::Values(fate::lost, fate::written),
                         [](auto& of) { return of.param == fate::lost ? "lost" : "written"; });

TEST_F(both_lines, that_never_reached_a_failed_disk_leave_no_trace) {
  ASSERT_TRUE(set_both(1));
  disk->fail_append(1, fate::lost);
  ASSERT_FALSE(kept.update(1, {{"tag", "x"}}).get());
  auto refused = set_both(2);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error(), errc::read_only);
  EXPECT_EQ(seen(), both(1));
  EXPECT_TRUE(loose.update(1, {{"tag", "y"}}).get()) << "no doubt hangs over the other bucket";
  ASSERT_TRUE(db.reopen());
  ASSERT_TRUE(set_both(3));
  EXPECT_EQ(seen(), both(3));
}

TEST_F(both_lines, that_are_in_doubt_do_not_keep_a_store_from_stopping) {
  ASSERT_TRUE(set_both(1));
  disk->fail_append(1, fate::written);
  ASSERT_FALSE(set_both(2));
  EXPECT_FALSE(db.stop()) << "it says that writing had failed";
}

TEST_F(both_lines, are_told_as_one_commit_behind_what_precedes_it_in_either) {
  events heard{db};
  ASSERT_TRUE(db.define_query("pair", [this](query_context& in) -> std::int64_t {
    auto n = [&](const bucket<>& b) {
      auto r = in.in(b).get(1).get();
      return r ? (*r)["n"].as_int() : 0;
    };
    return n(kept) * 1000 + n(loose);
  }));
  std::mutex guard;
  std::vector<std::int64_t> values;
  auto live = *db.subscribe("pair", [&](const query_update& now) {
    const std::lock_guard lock{guard};
    values.push_back(now.as<std::int64_t>());
  });
  ASSERT_TRUE(loose.insert({{"id", 1}, {"n", 1}}).get());
  ASSERT_TRUE(kept.insert({{"id", 1}, {"n", 1}}).get());
  ASSERT_TRUE(set_both(2));
  ASSERT_TRUE(loose.update(1, {{"n", 3}}).get());
  ASSERT_TRUE(set_both(4));
  ASSERT_TRUE(db.settle());
  EXPECT_THAT(heard.wait_for(7),
              ::testing::UnorderedElementsAre("kept 1", "loose 1", "kept 2", "loose 2", "loose 3",
                                              "kept 4", "loose 4"));
  auto in_order = heard.wait_for(7);
  std::erase_if(in_order, [](auto& e) { return e.starts_with("kept"); });
  EXPECT_THAT(in_order, ElementsAre("loose 1", "loose 2", "loose 3", "loose 4"));
  const std::lock_guard lock{guard};
  EXPECT_EQ(values.back(), 4004);
  for (auto v : values)
    EXPECT_TRUE(v == 0 || v == 1 || v == 1001 || v == 2002 || v == 2003 || v == 4004) << v;
}

} // namespace
} // namespace holdfast::testing
