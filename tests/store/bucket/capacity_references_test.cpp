// What a full bucket lets go when others keep some of its records.
#include "tests/support/options_at.hpp"

#include <holdfast/store/store.hpp>

#include <gmock/gmock.h>

#include <optional>
#include <vector>

namespace holdfast {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;

/// On a clock that the test moves; nothing purges.
struct a_capped_bucket : ::testing::Test {
  manual_clock clock;
  std::optional<store> db = open();
  std::optional<bucket<>> cache;

  store open() { return store::start(testing::options_at(clock)).value(); }
  bucket<> define(const schema& s) { return db->define(s).value(); }
  static schema of(std::uint64_t most) {
    return schema("cache").key("id", integer()).capacity(most);
  }
  void start(const schema& s) { cache = define(s); }
  auto put(int id) { return cache->insert({{"id", id}}).get(); }
  std::vector<std::int64_t> keys() const {
    std::vector<std::int64_t> out;
    const auto all = cache->all().get().value();
    for (auto& each : all)
      out.push_back(each.key().as_int());
    return out;
  }
};

/// Each of these ends what keeps a record, which must go next then, as the oldest.
TEST_F(a_capped_bucket, finds_again_what_is_kept_no_more) {
  start(of(4));
  auto hits =
      *db->define(schema("hits").key("id", integer()).field("of", integer().references("cache")));
  auto lists = *db->define(schema("lists")
                               .key("id", integer())
                               .field("of", integer().references("cache", on_delete::cascade)));
  auto lines =
      *db->define(schema("lines").key("id", integer()).field("in", integer().references("lists")));
  for (int i = 1; i <= 4; ++i)
    ASSERT_TRUE(put(i));
  ASSERT_TRUE(hits.insert({{"id", 1}, {"of", 1}}).get());
  ASSERT_TRUE(hits.insert({{"id", 2}, {"of", 2}}, {.expires_in = seconds{9}}).get());
  ASSERT_TRUE(lists.insert({{"id", 3}, {"of", 3}}).get());
  ASSERT_TRUE(lines.insert({{"id", 3}, {"in", 3}}).get())
      << "so the list cannot go with its record";
  ASSERT_TRUE(lists.insert({{"id", 4}, {"of", 4}}, {.expires_in = seconds{30}}).get());
  ASSERT_TRUE(lines.insert({{"id", 4}, {"in", 4}}).get());
  const auto refused = [&](int id) { EXPECT_EQ(put(id).error(), errc::overloaded) << id; };
  refused(5);
  ASSERT_TRUE(lines.update(3, {{"in", 4}}).get());
  ASSERT_TRUE(put(5));
  EXPECT_THAT(keys(), ElementsAre(1, 2, 4, 5));
  EXPECT_EQ(*lists.count().get(), 1u);
  ASSERT_TRUE(hits.update(1, {{"of", 5}}).get());
  ASSERT_TRUE(put(6));
  EXPECT_THAT(keys(), ElementsAre(2, 4, 5, 6));
  ASSERT_TRUE(hits.insert({{"id", 6}, {"of", 6}}).get());
  refused(7);
  clock.advance(seconds{10});
  ASSERT_TRUE(put(7));
  EXPECT_THAT(keys(), ElementsAre(4, 5, 6, 7)) << "what kept 2 has ended";
  ASSERT_TRUE(hits.insert({{"id", 7}, {"of", 7}}).get());
  refused(8);
  clock.advance(seconds{30});
  ASSERT_TRUE(put(8));
  EXPECT_THAT(keys(), ElementsAre(5, 6, 7, 8)) << "what kept 4 kept it by a list that has ended";
  ASSERT_TRUE(hits.clear().get());
  for (int id = 9; id <= 11; ++id)
    ASSERT_TRUE(put(id));
  EXPECT_THAT(keys(), ElementsAre(8, 9, 10, 11));
  ASSERT_TRUE(db->transact([&](transaction& tx) -> result<void> {
    for (int id = 8; id <= 11; ++id)
      if (auto done = tx.in(hits).insert({{"id", id}, {"of", id}}).get(); !done)
        return fail(done.error());
    return {};
  }));
  refused(12);
  ASSERT_TRUE(db->transact([&](transaction& tx) -> result<void> {
    return tx.in(hits).update(10, {{"of", nullptr}}).get().map([](auto&&) {});
  }));
  ASSERT_TRUE(put(12));
  EXPECT_THAT(keys(), ElementsAre(8, 9, 11, 12));
  ASSERT_TRUE(db->drop("hits"));
  ASSERT_TRUE(put(13));
  EXPECT_THAT(keys(), ElementsAre(9, 11, 12, 13));
}

TEST_F(a_capped_bucket, finds_the_expired_again_that_are_kept_no_more) {
  start(of(3));
  auto hits =
      *db->define(schema("hits").key("id", integer()).field("of", integer().references("cache")));
  for (int i = 1; i <= 2; ++i) {
    ASSERT_TRUE(cache->insert({{"id", i}}, {.expires_in = seconds{i}}).get());
    ASSERT_TRUE(hits.insert({{"id", i}, {"of", i}}).get());
  }
  ASSERT_TRUE(put(3));
  clock.advance(seconds{5});
  ASSERT_TRUE(put(4));
  EXPECT_THAT(keys(), ElementsAre(4));
  ASSERT_TRUE(hits.erase(1).get());
  ASSERT_TRUE(put(5));
  EXPECT_THAT(keys(), ElementsAre(4, 5)) << "1 went, which had expired, not 4";
  ASSERT_TRUE(hits.erase(2).get());
  ASSERT_TRUE(put(6));
  EXPECT_THAT(keys(), ElementsAre(4, 5, 6));
}

/// A record that is kept by way of others was set apart for good when what keeps it also refers to
/// its bucket directly.
TEST_F(a_capped_bucket, finds_again_what_was_kept_both_ways) {
  start(of(2));
  auto lists = define(schema("lists")
                          .key("id", integer())
                          .field("of", integer().references("cache", on_delete::cascade)));
  auto lines = define(schema("lines")
                          .key("id", integer())
                          .field("in", integer().references("lists"))
                          .field("of", integer().references("cache", on_delete::set_null)));
  for (int i : {1, 2}) {
    ASSERT_TRUE(put(i));
    ASSERT_TRUE(lists.insert({{"id", i}, {"of", i}}).get());
    ASSERT_TRUE(lines.insert({{"id", i}, {"in", i}}).get());
  }
  ASSERT_EQ(put(3).error(), errc::overloaded);
  ASSERT_TRUE(lines.erase(1).get());
  ASSERT_TRUE(put(3));
  EXPECT_THAT(keys(), ElementsAre(2, 3));
}

TEST_F(a_capped_bucket, finds_the_root_of_a_tree_again_whose_leaf_was_kept) {
  start(of(3).field("up", integer().references("cache", on_delete::cascade)));
  auto pins =
      define(schema("pins").key("id", integer()).field("of", integer().references("cache")));
  ASSERT_TRUE(put(1));
  ASSERT_TRUE(put(2));
  ASSERT_TRUE(cache->insert({{"id", 3}, {"up", 1}}).get());
  ASSERT_TRUE(pins.insert({{"id", 1}, {"of", 3}}).get());
  ASSERT_TRUE(put(4));
  EXPECT_THAT(keys(), ElementsAre(1, 3, 4));
  ASSERT_TRUE(pins.erase(1).get());
  ASSERT_TRUE(put(5));
  EXPECT_THAT(keys(), ElementsAre(4, 5)) << "the oldest went, and its leaf with it";
}

/// A commit that was refused had moved the mark up to which all that has expired is kept.
TEST_F(a_capped_bucket, lets_the_expired_go_first_though_a_commit_was_refused) {
  auto others = define(schema("others").key("id", integer()));
  start(of(3).field("other", integer().references("others")));
  auto pins =
      define(schema("pins").key("id", integer()).field("of", integer().references("cache")));
  ASSERT_TRUE(put(1));
  ASSERT_TRUE(cache->insert({{"id", 2}}, {.expires_in = seconds{1}}).get());
  ASSERT_TRUE(cache->insert({{"id", 3}}, {.expires_in = seconds{2}}).get());
  ASSERT_TRUE(pins.insert({{"id", 1}, {"of", 3}}).get());
  clock.advance(seconds{3});
  const std::vector<object> again{{{"id", 2}}, {{"id", 9}, {"other", 77}}};
  ASSERT_EQ(cache->insert_many(again).get().error(), errc::broken_reference);
  ASSERT_TRUE(put(4));
  EXPECT_THAT(keys(), ElementsAre(1, 4));
}

/// And the order of those that it would have let go.
TEST_F(a_capped_bucket, lets_the_oldest_go_though_a_commit_was_refused) {
  auto others = define(schema("others").key("id", integer()));
  start(of(3)
            .field("up", integer().references("cache"))
            .field("other", integer().references("others")));
  ASSERT_TRUE(put(1));
  ASSERT_TRUE(cache->insert({{"id", 2}, {"up", 1}}).get());
  ASSERT_TRUE(put(3));
  const std::vector<object> wrong{{{"id", 8}}, {{"id", 9}, {"other", 77}}};
  ASSERT_EQ(cache->insert_many(wrong).get().error(), errc::broken_reference);
  ASSERT_TRUE(cache->update(2, {{"up", nullptr}}).get());
  ASSERT_TRUE(put(4));
  EXPECT_THAT(keys(), ElementsAre(2, 3, 4));
}

/// What the commit itself kept was not looked at again when what kept it went, too.
TEST_F(a_capped_bucket, lets_go_what_only_another_one_kept_that_goes_as_well) {
  start(of(2).field("up", integer().references("cache", on_delete::cascade)));
  ASSERT_TRUE(put(1));
  ASSERT_TRUE(put(2));
  const std::vector<object> three{{{"id", 2}, {"up", 1}}, {{"id", 3}}, {{"id", 4}}};
  auto done = cache->upsert_many(three).get();
  ASSERT_TRUE(done) << done.error().to_string();
  EXPECT_THAT(keys(), ElementsAre(3, 4));
}

TEST_F(a_capped_bucket, lets_no_more_of_a_commit_go_than_goes_beyond_it_by_itself) {
  start(of(2).field("up", integer().references("cache", on_delete::cascade)));
  ASSERT_TRUE(put(1));
  const std::vector<object> three{{{"id", 2}, {"up", 1}}, {{"id", 3}}, {{"id", 4}}};
  ASSERT_TRUE(cache->insert_many(three).get());
  EXPECT_THAT(keys(), ElementsAre(3, 4));
}

/// Three at once were refused, where two and four were not: only what went beyond the capacity by
/// itself could go.
TEST_F(a_capped_bucket, takes_any_number_at_once_that_it_takes_one_by_one) {
  for (const int kept : {0, 1, 2, 3})
    for (int more = 1; more <= 6; ++more) {
      SCOPED_TRACE(std::to_string(kept) + " of 3 are kept, " + std::to_string(more) + " come");
      const auto fill = [&] {
        cache.reset();
        db.reset();
        db = open();
        start(of(3));
        auto hits =
            define(schema("hits").key("id", integer()).field("of", integer().references("cache")));
        for (int i = 1; i <= 3; ++i)
          ASSERT_TRUE(put(i));
        for (int i = 1; i <= kept; ++i)
          ASSERT_TRUE(hits.insert({{"id", i}, {"of", i}}).get());
      };
      fill();
      std::optional<errc> one_by_one;
      for (int i = 4; i < 4 + more; ++i)
        if (auto done = put(i); !done)
          one_by_one = done.error().code();
      const auto expected = keys();
      fill();
      std::vector<object> list;
      for (int i = 4; i < 4 + more; ++i)
        list.push_back({{"id", i}});
      const auto at_once = cache->insert_many(list).get();
      // One by one some are there when the first is refused; at once it is all or none.
      EXPECT_EQ(at_once.has_value(), !one_by_one);
      if (at_once) {
        EXPECT_EQ(keys(), expected);
      } else {
        EXPECT_EQ(at_once.error(), *one_by_one);
        EXPECT_THAT(keys(), ElementsAre(1, 2, 3));
      }
    }
}

TEST_F(a_capped_bucket, may_be_left_with_one_of_a_chain_that_a_commit_made) {
  start(of(1).field("up", integer().references("cache", on_delete::cascade)));
  auto pins =
      define(schema("pins").key("id", integer()).field("of", integer().references("cache")));
  auto done = db->transact([&](transaction& tx) -> result<void> {
    auto in = tx.in(*cache);
    for (const object& each : {object{{"id", 1}}, object{{"id", 2}, {"up", 1}}, object{{"id", 3}}})
      if (auto made = in.insert(each).get(); !made)
        return fail(made.error());
    return tx.in(pins).insert({{"id", 1}, {"of", 3}}).get().map([](auto&&) {});
  });
  ASSERT_TRUE(done) << done.error().to_string();
  EXPECT_THAT(keys(), ElementsAre(3));
}

} // namespace
} // namespace holdfast
