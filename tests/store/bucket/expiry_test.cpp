#include "tests/support/options_at.hpp"

#include <holdfast/runtime/fault.hpp>
#include <holdfast/store/detail/bucket_core.hpp>
#include <holdfast/store/detail/validation.hpp>
#include <holdfast/store/store.hpp>

#include <gmock/gmock.h>

#include <future>
#include <random>
#include <set>

namespace holdfast {
namespace {

using std::chrono::seconds;

/// A store whose time the test moves, with records that have deadlines.
struct an_expired_record : ::testing::Test {
  manual_clock clock;
  std::optional<store> db;
  std::optional<bucket<>> sessions;

  an_expired_record() {
    db = store::start(testing::options_at(clock)).value();
    sessions = std::move(*db->define(schema("sessions")
                                         .key("id", integer())
                                         .field("user", string())
                                         .field("token", string().unique())
                                         .field("hits", integer())
                                         .index("user")));
  }

  /// Stores a record that ends after so long; never, if that is zero.
  void put(int id, std::string_view user, seconds lasts) {
    auto& core = sessions->core();
    auto token = "t" + std::to_string(id);
    draft fields{core.schema(), {{"id", id}, {"user", user}, {"token", token}, {"hits", 1}}};
    auto& data = core.data();
    const detail::turn_guard mine{core.turn()};
    auto ends = (clock.now() + lasts).time_since_epoch().count();
    auto* block = detail::build(data.memory().allocate(detail::block_size(fields)), fields,
                                clock.now(), lasts == seconds{0} ? 0 : ends);
    block->hash = detail::hash_of(std::int64_t{id});
    data.insert(block);
    data.seal();
  }
  std::uint64_t count(const filter& which) { return *sessions->count(which).get(); }
};

TEST_F(an_expired_record, is_hidden_from_every_read_at_once) {
  put(1, "ann", seconds{10});
  put(2, "ann", seconds{0});
  put(3, "bob", seconds{20});
  clock.advance(seconds{9});
  EXPECT_TRUE(sessions->contains(1));
  EXPECT_EQ(*sessions->count().get(), 3u);
  clock.advance(seconds{1}); // the deadline itself
  EXPECT_FALSE(sessions->contains(1));
  EXPECT_EQ(sessions->get(1).get().error().code(), errc::not_found);
  EXPECT_FALSE(*sessions->visit(1, [](const record_view&) {}));
  EXPECT_EQ(*sessions->count().get(), 2u);
  EXPECT_EQ(count("user"_f == "ann"), 1u);
  EXPECT_EQ(count("token"_f == "t1"), 0u);
  EXPECT_EQ(count("hits"_f == 1), 2u);
  EXPECT_EQ(sessions->all().get()->size(), 2u);
  EXPECT_EQ(sessions->first(1).get()->front().key(), value_view{2});
  EXPECT_EQ(sessions->last(9).get()->size(), 2u);
  EXPECT_EQ(sessions->find_one("user"_f == "ann").get()->key(), value_view{2});
  EXPECT_EQ(sessions->everything().page_of(1).get()->items.front().key(), value_view{2});
  EXPECT_EQ(*sessions->everything().sum("hits").get(), value{2});
  EXPECT_EQ(*sessions->everything().min("id").get(), value{2});
  EXPECT_EQ(*sessions->where("user"_f == "ann").visit([](const record_view&) {}), 1u);
}

TEST_F(an_expired_record, stays_in_a_snapshot_that_was_taken_before_its_deadline) {
  put(1, "ann", seconds{10});
  auto before = db->snapshot();
  clock.advance(seconds{10});
  auto after = db->snapshot();
  EXPECT_TRUE(sessions->at(before).contains(1));
  EXPECT_TRUE(sessions->at(before).get(1).get());
  EXPECT_EQ(*sessions->at(before).count().get(), 1u);
  EXPECT_FALSE(sessions->at(after).contains(1));
  EXPECT_EQ(*sessions->at(after).count().get(), 0u);
}

TEST_F(an_expired_record, leaves_counts_right_after_updates_erasures_and_a_clear) {
  for (int i = 0; i < 200; ++i)
    put(i, i % 2 ? "ann" : "bob", seconds{1 + i});
  clock.advance(seconds{100}); // the first hundred
  EXPECT_EQ(*sessions->count().get(), 100u);
  ASSERT_TRUE(sessions->update(150, {{"hits", 2}}).get()) << "keeps the deadline";
  ASSERT_TRUE(sessions->erase(199).get());
  EXPECT_EQ(*sessions->count().get(), 99u);
  EXPECT_EQ(count("user"_f == "ann"), 49u);
  clock.advance(seconds{51});
  EXPECT_FALSE(sessions->contains(150));
  EXPECT_EQ(*sessions->count().get(), 48u);
  ASSERT_TRUE(sessions->clear().get());
  EXPECT_EQ(*sessions->count().get(), 0u);
  put(1, "ann", seconds{1});
  EXPECT_EQ(*sessions->count().get(), 1u);
}

TEST_F(an_expired_record, is_missing_from_reads_and_counts_whatever_happened_before) {
  std::mt19937_64 random{7};
  std::map<int, std::pair<std::string, std::int64_t>> model; // to the user and the deadline
  int next = 0;
  for (int step = 0; step < 3000; ++step) {
    auto now = clock.now().time_since_epoch().count();
    auto what = random() % 8;
    if (what < 4) {
      auto lasts = seconds{random() % 3 == 0 ? 0 : 1 + random() % 40};
      std::string user(1, static_cast<char>('a' + random() % 4));
      put(++next, user, lasts);
      auto ends = (clock.now() + lasts).time_since_epoch().count();
      model[next] = {user, lasts == seconds{0} ? 0 : ends};
    } else if (what < 6) {
      clock.advance(seconds{random() % 3});
    } else {
      auto key = static_cast<int>(random() % static_cast<unsigned>(next + 1));
      auto it = model.find(key);
      auto live = it != model.end() && (it->second.second == 0 || it->second.second > now);
      ASSERT_EQ(sessions->contains(key), live);
      if (live && what == 6 && sessions->erase(key).get())
        model.erase(it);
    }
    now = clock.now().time_since_epoch().count();
    std::multiset<std::string> users;
    for (auto& [key, r] : model)
      if (r.second == 0 || r.second > now)
        users.insert(r.first);
    ASSERT_EQ(*sessions->count().get(), users.size());
    ASSERT_EQ(count("user"_f == "a"), users.count("a"));
    ASSERT_EQ(count("user"_f == "b" && "hits"_f == 1), users.count("b"));
  }
}

TEST_F(an_expired_record, is_not_there_for_updates_and_erasures_nor_counted_by_a_clear) {
  put(1, "ann", seconds{10});
  put(2, "bob", seconds{0});
  clock.advance(seconds{10});
  EXPECT_EQ(sessions->update(1, {{"hits", 2}}).get().error().code(), errc::not_found);
  EXPECT_EQ(sessions->erase(1).get().error().code(), errc::not_found);
  EXPECT_EQ(db->stats().records, 1u);
  EXPECT_EQ(*sessions->clear().get(), 1u);
}

/// What is told of so many changes.
struct told_changes {
  std::size_t left;
  std::vector<std::string> texts{};
  std::promise<void> done{};
  void operator()(const change& c) {
    texts.push_back(c.to_string().substr(0, c.to_string().find(" at ")) + " " +
                    std::string{to_string(c.why)});
    if (--left == 0)
      done.set_value();
  }
  std::vector<std::string> all() {
    (void)done.get_future().wait_for(seconds{20});
    return texts;
  }
};

TEST_F(an_expired_record, gives_its_key_and_unique_value_up_to_whoever_wants_them) {
  put(1, "ann", seconds{10});
  put(2, "ann", seconds{10});
  put(3, "bob", seconds{0});
  clock.advance(seconds{10});
  told_changes changes{5};
  auto token = db->on("bucket.sessions.*", [&](const change& c) { changes(c); }).value();
  ASSERT_TRUE(sessions->insert({{"id", 1}, {"token", "new"}}).get());
  ASSERT_TRUE(sessions->update(3, {{"token", "t2"}}).get());
  EXPECT_EQ(sessions->insert({{"id", 9}, {"token", "t2"}}).get().error().code(), errc::duplicate);
  ASSERT_TRUE(sessions->insert({{"id", 4}, {"token", "t3"}}).get());
  EXPECT_THAT(changes.all(),
              ::testing::ElementsAre("sessions.erased 1 ttl", "sessions.inserted 1 user",
                                     "sessions.erased 2 ttl", "sessions.updated 3 user",
                                     "sessions.inserted 4 user"));
  EXPECT_EQ(*sessions->count().get(), 3u);
}

TEST_F(an_expired_record, is_told_as_such_to_a_follower_that_comes_just_before_the_seal) {
  put(1, "ann", seconds{10});
  clock.advance(seconds{10});
  told_changes changes{2};
  std::optional<subscription> token;
  testing::fault joins{
      "bucket.sealing", 0,
      [&] { token = db->on("bucket.sessions.*", [&](const change& c) { changes(c); }).value(); }};
  ASSERT_TRUE(sessions->insert({{"id", 1}, {"token", "new"}}).get());
  EXPECT_THAT(changes.all(),
              ::testing::ElementsAre("sessions.erased 1 ttl", "sessions.inserted 1 user"));
}

TEST_F(an_expired_record, that_another_refers_to_gives_up_its_key_but_no_unique_value) {
  auto hits = *db->define(
      schema("hits").key("id", integer()).field("session", integer().references("sessions")));
  put(1, "ann", seconds{10});
  ASSERT_TRUE(hits.insert({{"id", 1}, {"session", 1}}).get());
  clock.advance(seconds{10});
  EXPECT_EQ(sessions->insert({{"id", 2}, {"token", "t1"}}).get().error().code(), errc::duplicate);
  EXPECT_EQ(hits.insert({{"id", 2}, {"session", 1}}).get().error().code(), errc::broken_reference);
  ASSERT_TRUE(sessions->insert({{"id", 1}, {"token", "t1"}}).get());
  ASSERT_TRUE(hits.insert({{"id", 2}, {"session", 1}}).get());
  EXPECT_EQ(*sessions->count().get(), 1u);
}

} // namespace
} // namespace holdfast
