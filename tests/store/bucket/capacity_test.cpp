// A bucket with a capacity lets go of records as others come.
#include "tests/support/options_at.hpp"

#include <holdfast/store/memory_journal.hpp>
#include <holdfast/store/store.hpp>

#include <gmock/gmock.h>

#include <condition_variable>
#include <mutex>

namespace holdfast {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct a_full_bucket : ::testing::Test {
  manual_clock clock;
  std::shared_ptr<memory_disk> disk = std::make_shared<memory_disk>();
  std::optional<store> db;
  std::optional<bucket<>> cache;

  void start(const schema& s) {
    auto options = testing::options_at(clock);
    options.journal = memory_journal(disk);
    db = std::move(*store::start(std::move(options)));
    cache = db->has_bucket(s.name()) ? *db->bucket(s.name()) : *db->define(s);
  }
  static schema of(std::uint64_t most, evict policy = evict::oldest) {
    return schema("cache")
        .key("id", integer())
        .field("u", string().unique())
        .field("n", integer().max(100))
        .index("n")
        .capacity(most, policy);
  }
  auto put(int id) { return cache->insert({{"id", id}, {"n", 1}}).get(); }
  std::vector<std::int64_t> keys() const {
    std::vector<std::int64_t> out;
    const auto all = cache->all().get().value();
    for (auto& each : all)
      out.push_back(each.key().as_int());
    return out;
  }
};

TEST_F(a_full_bucket, lets_the_oldest_go_in_the_same_commit) {
  start(of(3));
  std::mutex mutex;
  std::condition_variable came;
  std::vector<change> told;
  auto token = db->on("bucket.cache.*", [&](const change& c) {
    std::lock_guard lock{mutex};
    told.push_back(c);
    came.notify_all();
  });
  for (int i = 1; i <= 5; ++i)
    ASSERT_TRUE(put(i));
  EXPECT_THAT(keys(), ElementsAre(3, 4, 5));
  std::unique_lock lock{mutex};
  ASSERT_TRUE(came.wait_for(lock, seconds{20}, [&] { return told.size() >= 7; }));
  EXPECT_EQ(told[3].kind, change_kind::inserted);
  EXPECT_EQ(told[4].kind, change_kind::erased);
  EXPECT_EQ(told[4].why, cause::eviction);
  EXPECT_EQ(told[4].key(), value_view{1});
  EXPECT_EQ(told[4].seq, told[3].seq);
}

TEST_F(a_full_bucket, lets_nothing_go_for_an_insert_that_is_refused) {
  start(of(2));
  ASSERT_TRUE(cache->insert({{"id", 1}, {"u", "a"}}).get());
  ASSERT_TRUE(put(2));
  EXPECT_EQ(put(2).error(), errc::duplicate);
  EXPECT_EQ(cache->insert({{"id", 3}, {"n", 101}}).get().error(), errc::invalid);
  EXPECT_EQ(cache->insert({{"id", 3}, {"u", "a"}}).get().error(), errc::duplicate)
      << "the one that would go has the value";
  EXPECT_THAT(keys(), ElementsAre(1, 2));
  ASSERT_TRUE(cache->update(1, {{"n", 5}}).get());
  ASSERT_TRUE(cache->upsert({{"id", 1}, {"n", 6}}).get());
  EXPECT_THAT(keys(), ElementsAre(1, 2)) << "nor for an update";
}

TEST_F(a_full_bucket, lets_expired_records_go_first) {
  start(of(3));
  ASSERT_TRUE(put(1));
  ASSERT_TRUE(cache->insert({{"id", 2}}, {.expires_in = seconds{1}}).get());
  ASSERT_TRUE(put(3));
  clock.advance(seconds{1});
  ASSERT_TRUE(put(4));
  EXPECT_THAT(keys(), ElementsAre(1, 3, 4));
  ASSERT_TRUE(put(5));
  EXPECT_THAT(keys(), ElementsAre(3, 4, 5));
}

TEST_F(a_full_bucket, takes_more_at_once_than_it_can_hold_as_if_one_after_another) {
  start(of(3));
  ASSERT_TRUE(put(1));
  std::vector<object> list;
  for (int i = 2; i <= 9; ++i)
    list.push_back({{"id", i}});
  auto added = cache->insert_many(list).get();
  ASSERT_TRUE(added) << added.error().to_string();
  EXPECT_EQ(added->size(), 8u);
  EXPECT_THAT(keys(), ElementsAre(7, 8, 9));
  list.push_back({{"id", 7}});
  EXPECT_EQ(cache->insert_many(list).get().error(), errc::duplicate);
  EXPECT_THAT(keys(), ElementsAre(7, 8, 9));
}

TEST_F(a_full_bucket, passes_over_what_others_refer_to_and_refuses_if_that_is_all) {
  start(of(2));
  auto hits = *db->define(
      schema("hits").key("id", integer()).field("of", integer().references("cache")).index("of"));
  ASSERT_TRUE(put(1));
  ASSERT_TRUE(put(2));
  ASSERT_TRUE(hits.insert({{"id", 1}, {"of", 1}}).get());
  ASSERT_TRUE(put(3));
  EXPECT_THAT(keys(), ElementsAre(1, 3));
  ASSERT_TRUE(hits.insert({{"id", 2}, {"of", 3}}).get());
  auto none = put(4);
  ASSERT_EQ(none.error(), errc::overloaded);
  EXPECT_EQ(none.error().message(),
            "cache: 2 records are there, which is the capacity, and others refer to each");
  EXPECT_THAT(keys(), ElementsAre(1, 3));
  ASSERT_TRUE(hits.erase(1).get());
  ASSERT_TRUE(put(4));
  EXPECT_THAT(keys(), ElementsAre(3, 4)) << "one that was passed over is the oldest again";
}

TEST_F(a_full_bucket, does_to_referrers_what_their_fields_say) {
  start(of(1));
  auto hits = *db->define(schema("hits")
                              .key("id", integer())
                              .field("of", integer().references("cache", on_delete::cascade))
                              .index("of"));
  ASSERT_TRUE(put(1));
  ASSERT_TRUE(hits.insert({{"id", 1}, {"of", 1}}).get());
  ASSERT_TRUE(put(2));
  EXPECT_EQ(*hits.count().get(), 0u);
}

TEST_F(a_full_bucket, empties_the_fields_of_referrers_in_the_commit_that_lets_go) {
  start(of(2));
  auto hits = *db->define(schema("hits")
                              .key("id", integer())
                              .field("of", integer().references("cache", on_delete::set_null)));
  ASSERT_TRUE(put(1));
  ASSERT_TRUE(put(2));
  for (int i = 1; i <= 3; ++i)
    ASSERT_TRUE(hits.insert({{"id", i}, {"of", i == 3 ? 2 : 1}}).get());
  std::mutex mutex;
  std::condition_variable came;
  std::vector<change> told;
  auto token = db->on("bucket.**", [&](const change& c) {
                   std::lock_guard lock{mutex};
                   told.push_back(c);
                   came.notify_all();
                 }).value();
  const auto then = db->snapshot();
  const auto seq = db->stats().published;
  ASSERT_TRUE(put(3));
  EXPECT_EQ(db->stats().published, seq + 1);
  EXPECT_THAT(keys(), ElementsAre(2, 3));
  for (int i : {1, 2}) {
    EXPECT_TRUE((*hits.get(i).get())["of"].is_null());
    EXPECT_EQ(hits.get(i).get()->version(), 2u);
    EXPECT_EQ((*hits.at(then).get(i).get())["of"], value_view{1});
  }
  EXPECT_EQ(*hits.count("of"_f == 1).get(), 0u) << "by the index, too";
  EXPECT_EQ((*hits.get(3).get())["of"], value_view{2}) << "refers to one that stays";
  EXPECT_EQ(hits.get(3).get()->version(), 1u);
  {
    std::unique_lock lock{mutex};
    ASSERT_TRUE(came.wait_for(lock, seconds{20}, [&] { return told.size() >= 4; }));
    std::vector<std::string> texts;
    for (auto& c : told) {
      EXPECT_EQ(c.seq, seq + 1);
      texts.push_back(c.to_string().substr(0, c.to_string().find(" at")) + " " +
                      std::string{to_string(c.why)});
    }
    EXPECT_THAT(texts, ElementsAre("cache.inserted 3 user", "cache.erased 1 eviction",
                                   "hits.updated 1 reference", "hits.updated 2 reference"));
    EXPECT_EQ(told[2].before["of"], value_view{1});
    EXPECT_TRUE(told[2].after["of"].is_null());
  }
  token.cancel();
  ASSERT_TRUE(db->stop());
  start(of(2));
  EXPECT_EQ(*db->bucket("hits")->count("of"_f.is_null()).get(), 2u);
}

TEST_F(a_full_bucket, is_kept_within_its_capacity_by_transactions_too) {
  start(of(3));
  for (int i = 1; i <= 3; ++i)
    ASSERT_TRUE(put(i));
  auto done = db->transact([&](transaction& tx) -> result<void> {
    auto in = tx.in(*cache);
    for (int i = 4; i <= 5; ++i)
      if (auto added = in.insert({{"id", i}}).get(); !added)
        return fail(added.error());
    if (auto changed = in.update(1, {{"n", 9}}).get(); !changed)
      return fail(changed.error());
    EXPECT_EQ(*in.count().get(), 5u) << "records go at the commit";
    return {};
  });
  ASSERT_TRUE(done) << done.error().to_string();
  EXPECT_THAT(keys(), ElementsAre(3, 4, 5));
}

TEST_F(a_full_bucket, lets_go_approximately_what_was_not_used_for_long) {
  start(of(4, evict::least_recently_used));
  for (int i = 1; i <= 4; ++i)
    ASSERT_TRUE(put(i));
  EXPECT_TRUE(cache->get(1).get());
  ASSERT_TRUE(cache->update(3, {{"n", 2}}).get());
  ASSERT_TRUE(put(5));
  EXPECT_THAT(keys(), ElementsAre(1, 3, 4, 5));
  ASSERT_TRUE(put(6));
  EXPECT_THAT(keys(), ElementsAre(1, 3, 5, 6));
  EXPECT_TRUE(*cache->visit(5, [](const record_view&) {}));
  ASSERT_TRUE(put(7)); // 1 and 3 had their second chance
  ASSERT_TRUE(put(8));
  EXPECT_EQ(*cache->count().get(), 4u);
  EXPECT_TRUE(cache->contains(5));
}

/// Transactions left no mark but by `get`.
TEST_F(a_full_bucket, takes_what_a_transaction_does_to_a_record_for_a_use) {
  using use = std::function<bool(const bucket<>&)>;
  const std::pair<const char*, use> table[] = {
      {"get", [](auto& in) { return in.get(1).get().has_value(); }},
      {"contains", [](auto& in) { return in.contains(1); }},
      {"visit", [](auto& in) { return *in.visit(1, [](const record_view&) {}); }},
      {"update",
       [](auto& in) {
         return in.update(1, {{"n", 5}}).get().has_value();
       }},
      {"upsert",
       [](auto& in) {
         return in.upsert({{"id", 1}, {"n", 5}}).get().has_value();
       }},
      {"update_many",
       [](auto& in) {
         return in.update_many("id"_f == 1, {{"n", 5}}).get().has_value();
       }},
      {"upsert_many",
       [](auto& in) {
         return in.upsert_many({{{"id", 1}, {"n", 5}}}).get().has_value();
       }},
      {"modify", [](auto& in) {
         return in.modify(1, [](const record&) { return object{{"n", 5}}; }).has_value();
       }}};
  for (const bool within : {true, false})
    for (auto& [name, how] : table) {
      SCOPED_TRACE(std::string{name} + (within ? " in a transaction" : ""));
      disk = std::make_shared<memory_disk>();
      start(of(3, evict::least_recently_used));
      for (int i = 1; i <= 3; ++i)
        ASSERT_TRUE(put(i));
      if (within)
        ASSERT_TRUE(db->transact([&, &how = how](transaction& tx) -> result<void> {
          EXPECT_TRUE(how(tx.in(*cache)));
          return {};
        }));
      else
        EXPECT_TRUE(how(*cache));
      ASSERT_TRUE(put(4));
      EXPECT_THAT(keys(), ElementsAre(1, 3, 4));
    }
}

TEST_F(a_full_bucket, keeps_what_is_used_through_a_flood_of_what_is_not) {
  start(of(50, evict::least_recently_used));
  constexpr int flood = 20'000;
  int missed = 0;
  for (int i = 1; i <= flood; ++i) {
    ASSERT_TRUE(put(i + 3));
    for (int hot : {1, 2, 3})
      if (!cache->contains(hot)) {
        ASSERT_TRUE(put(hot));
        ++missed;
      }
  }
  EXPECT_EQ(*cache->count().get(), 50u);
  EXPECT_LT(missed, 30) << "rows share marks; without them it would be about 1,200";
}

TEST_F(a_full_bucket, stays_exact_whatever_is_erased_or_refused_meanwhile) {
  start(of(10));
  std::vector<std::int64_t> model;
  for (int i = 0; i < 5'000; ++i) {
    if (i % 7 == 3) {
      auto middle = model[model.size() / 2];
      ASSERT_TRUE(cache->erase(middle).get());
      std::erase(model, middle);
    } else if (i % 5 == 2) {
      std::vector<object> list{{{"id", i}}, {{"id", i + 100'000}}, {{"id", model.back()}}};
      ASSERT_FALSE(cache->insert_many(list).get());
    } else {
      ASSERT_TRUE(put(i));
      model.push_back(i);
      if (model.size() > 10)
        model.erase(model.begin());
    }
    if (i % 50 == 0) {
      ASSERT_EQ(keys(), model) << i;
    }
  }
}

TEST_F(a_full_bucket, is_full_after_a_restart) {
  start(of(3));
  for (int i = 1; i <= 4; ++i)
    ASSERT_TRUE(put(i));
  ASSERT_TRUE(db->stop());
  start(of(3));
  EXPECT_THAT(keys(), ElementsAre(2, 3, 4));
  ASSERT_TRUE(put(5));
  EXPECT_THAT(keys(), ElementsAre(3, 4, 5));
  ASSERT_TRUE(db->crash("cache"));
  ASSERT_TRUE(put(6));
  EXPECT_THAT(keys(), ElementsAre(4, 5, 6));
  ASSERT_TRUE(db->stop());
  start(of(3));
  EXPECT_THAT(keys(), ElementsAre(4, 5, 6));
}

TEST_F(a_full_bucket, keeps_its_capacity_when_its_definition_changes) {
  start(of(2));
  ASSERT_TRUE(put(1));
  ASSERT_TRUE(put(2));
  ASSERT_TRUE(db->update_bucket("cache", bucket_update().add_field("more", integer())));
  ASSERT_TRUE(put(3));
  EXPECT_THAT(keys(), ElementsAre(2, 3));
}

/// It answered with a record that its own commit had erased, or changed.
TEST(an_insert_into_a_full_bucket, does_not_go_with_what_it_makes_room_for) {
  for (auto what : {on_delete::cascade, on_delete::set_null}) {
    auto db = store::start().value();
    auto nodes = db.define(schema("nodes")
                               .key("id", integer())
                               .field("up", integer().references("nodes", what))
                               .capacity(2))
                     .value();
    ASSERT_TRUE(nodes.insert({{"id", 1}}).get());
    ASSERT_TRUE(nodes.insert({{"id", 2}}).get());
    ASSERT_TRUE(nodes.insert({{"id", 3}, {"up", 1}}).get());
    EXPECT_EQ((*nodes.get(3).get())["up"], 1);
    EXPECT_TRUE(nodes.contains(1));
    EXPECT_FALSE(nodes.contains(2)) << "the next one goes";
  }
}

} // namespace
} // namespace holdfast
