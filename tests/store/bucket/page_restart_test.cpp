// A walk by pages goes on where it stood, whatever the store goes through meanwhile: what is
// inserted behind it is never passed by.
#include <holdfast/store/memory_journal.hpp>
#include <holdfast/store/store.hpp>

#include <gmock/gmock.h>

#include <random>
#include <set>

namespace holdfast::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using fate = memory_disk::fate;

struct walk_over_restarts : ::testing::Test {
  std::shared_ptr<memory_disk> disk = std::make_shared<memory_disk>();
  std::optional<store> db;
  std::optional<bucket<>> things;

  walk_over_restarts() { start(); }
  void start() {
    store_options options;
    options.journal = memory_journal(disk);
    db.emplace(store::start(std::move(options)).value());
    things = db->define(schema("things").key("id", integer()).field("n", integer())).value();
  }
  void restart() {
    things.reset();
    ASSERT_TRUE(db->stop());
    db.reset();
    start();
  }
  void insert(std::int64_t id) { ASSERT_TRUE(things->insert({{"id", id}, {"n", 1}}).get()); }
  static std::vector<std::int64_t> keys(const page& p) {
    std::vector<std::int64_t> out;
    for (const auto& r : p.items)
      out.push_back(r.key().as_int());
    return out;
  }
};

TEST_F(walk_over_restarts, finds_what_came_in_the_place_of_the_newest_record) {
  for (std::int64_t id = 0; id < 6; ++id)
    insert(id);
  const auto first = things->everything().page_of(5).get().value();
  ASSERT_TRUE(first.next);
  for (std::int64_t id : {5, 4, 3})
    ASSERT_TRUE(things->erase(id).get());
  restart();
  insert(100);
  EXPECT_THAT(keys(things->everything().page_of(5, first.next).get().value()), ElementsAre(100));
  ASSERT_TRUE(things->clear().get());
  restart();
  insert(101);
  EXPECT_THAT(keys(things->everything().page_of(5, first.next).get().value()), ElementsAre(101));
  EXPECT_THAT(keys(things->everything().order_by("n").page_of(5).get().value()), ElementsAre(101));
}

/// Whichever way records go: each restart is followed by inserts, and none of them is missed.
TEST_F(walk_over_restarts, finds_all_inserts_after_random_erasures) {
  std::mt19937_64 random{7};
  auto below = [&](std::uint64_t n) { return random() % n; };
  for (int round = 0; round < 60; ++round) {
    std::int64_t next_id = 1000 * round;
    for (auto n = 2 + below(6); n > 0; --n)
      insert(next_id++);
    const auto size = things->count().get().value();
    auto walk = things->everything().order_by("n");
    const auto before = walk.page_of(size - 1).get().value();
    ASSERT_TRUE(before.next);
    std::set<std::int64_t> behind{next_id - 1};
    const auto all = keys(walk.page_of(1000).get().value());
    if (below(8) == 0) {
      ASSERT_TRUE(things->clear().get());
      behind.clear();
    }
    for (auto id : all)
      if (below(2) == 0 && things->erase(id).get())
        behind.erase(id);
    if (below(3) == 0) { // erased in the same commit in which it came
      ASSERT_TRUE(db->transact([&](transaction& tx) -> result<void> {
        auto part = tx.in(*things);
        for (int i = 0; i < 3; ++i)
          if (auto made = part.insert({{"id", next_id + i}, {"n", 1}}).get(); !made)
            return fail(std::move(made.error()));
        if (auto gone = part.erase(all.back()).get(); !gone && gone.error() != errc::not_found)
          return fail(std::move(gone.error()));
        return {};
      }));
      behind.erase(all.back());
      for (int i = 0; i < 3; ++i)
        if (below(2) == 0)
          ASSERT_TRUE(things->erase(next_id + i).get());
        else
          behind.insert(next_id + i);
      next_id += 3;
    }
    restart();
    for (auto n = below(12); n > 0; --n) {
      behind.insert(next_id);
      insert(next_id++);
    }
    const auto rest =
        keys(things->everything().order_by("n").page_of(1000, before.next).get().value());
    ASSERT_EQ(std::set(rest.begin(), rest.end()), behind) << "round " << round;
    ASSERT_EQ(rest.size(), behind.size());
  }
}

/// The disk failed at the erasure, and what it noted about rows went with it.
TEST_F(walk_over_restarts, notes_rows_anew_after_an_erasure_was_taken_back) {
  for (const auto how : {fate::lost, fate::written}) {
    ASSERT_TRUE(things->clear().get());
    for (std::int64_t id = 0; id < 6; ++id)
      insert(id);
    const auto first = things->everything().page_of(5).get().value();
    disk->fail_append(1, how);
    ASSERT_FALSE(things->erase(5).get());
    ASSERT_TRUE(db->reopen());
    const auto gone = things->erase(5).get();
    ASSERT_TRUE(gone || gone.error() == errc::not_found) << gone.error().to_string();
    restart();
    insert(100);
    EXPECT_THAT(keys(things->everything().page_of(5, first.next).get().value()), ElementsAre(100));
  }
}

TEST_F(walk_over_restarts, is_of_one_bucket_and_not_of_a_later_one_of_the_name) {
  for (const bool persistent : {true, false}) {
    const auto passing = schema("passing").key("id", integer()).persistent(persistent);
    std::optional<std::string> cursor;
    for (int life = 0; life < 3; ++life) {
      auto made = db->define(passing).value();
      for (int i = 0; i < 3; ++i)
        ASSERT_TRUE(made.insert({{"id", i}}).get());
      if (cursor) {
        const auto refused = made.everything().page_of(1, cursor).get();
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error(), errc::invalid_argument);
        EXPECT_THAT(refused.error().to_string(), HasSubstr("this bucket"));
      }
      cursor = made.everything().page_of(1).get()->next;
      if (persistent || life == 0) {
        ASSERT_TRUE(db->drop("passing"));
      } else {
        restart(); // what was in memory ends
      }
    }
    if (persistent)
      continue;
    ASSERT_TRUE(db->define(passing));
  }
}

} // namespace
} // namespace holdfast::testing
