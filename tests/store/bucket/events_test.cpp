// What a store tells those who follow it.
#include <holdfast/store/memory_journal.hpp>
#include <holdfast/store/store.hpp>

#include <gmock/gmock.h>

#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

namespace holdfast {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// Collects changes as texts, and waits for their number.
class heard {
public:
  void operator()(const change& c) {
    std::lock_guard lock{mutex_};
    texts_.push_back(c.to_string());
    changes_.push_back(c);
    came_.notify_all();
  }
  /// The texts, once there are so many.
  std::vector<std::string> texts(std::size_t n) {
    std::unique_lock lock{mutex_};
    came_.wait_for(lock, std::chrono::seconds{20}, [&] { return texts_.size() >= n; });
    return texts_;
  }
  std::vector<change> changes(std::size_t n) {
    (void)texts(n);
    std::lock_guard lock{mutex_};
    return changes_;
  }

private:
  std::mutex mutex_;
  std::condition_variable came_;
  std::vector<std::string> texts_;
  std::vector<change> changes_;
};

schema people_schema() {
  return schema("people").key("id", string()).field("n", integer()).index("n");
}

/// In memory or over a journal, at each durability.
struct events : ::testing::TestWithParam<durability> {
  store start() {
    store_options options;
    if (GetParam() != durability::none) {
      options.journal = memory_journal(disk);
      options.durability = GetParam();
    }
    auto made = store::start(std::move(options)).value();
    made.runtime_in_use().log().redirect(nullptr, log_level::off);
    return made;
  }
  auto listen(std::string_view pattern, subscriber_options how = {}) {
    return db
        .on(
            pattern, [this](const change& c) { all(c); }, how)
        .value();
  }

  std::shared_ptr<memory_disk> disk = std::make_shared<memory_disk>();
  heard all;
  store db = start();
  bucket<> people = db.define(people_schema()).value();
};

TEST_P(events, tell_inserted_updated_and_erased_with_old_and_new_record) {
  auto token = listen("bucket.people.*");
  ASSERT_TRUE(people.insert({{"id", "a"}, {"n", 1}}).get());
  ASSERT_TRUE(people.update("a", {{"n", 2}}).get());
  ASSERT_TRUE(people.erase("a").get());
  auto told = all.changes(3);
  ASSERT_EQ(told.size(), 3u);
  EXPECT_EQ(told[0].kind, change_kind::inserted);
  EXPECT_FALSE(told[0].before);
  EXPECT_EQ(told[0].after["n"], value_view{1});
  EXPECT_EQ(told[1].kind, change_kind::updated);
  EXPECT_EQ(told[1].before["n"], value_view{1});
  EXPECT_EQ(told[1].after["n"], value_view{2});
  EXPECT_EQ(told[2].kind, change_kind::erased);
  EXPECT_EQ(told[2].before["n"], value_view{2});
  EXPECT_FALSE(told[2].after);
  EXPECT_EQ(told[2].key(), value_view{"a"});
  EXPECT_EQ(told[2].bucket(), "people");
  EXPECT_EQ(told[1].seq, told[0].seq + 1);
  EXPECT_EQ(told[2].seq, told[0].seq + 2);
  EXPECT_EQ(told[0].why, cause::user);
}

TEST_P(events, of_a_failed_write_do_not_exist) {
  auto token = listen("**");
  ASSERT_TRUE(people.insert({{"id", "a"}}).get());
  EXPECT_FALSE(people.insert({{"id", "a"}}).get());
  EXPECT_FALSE(people.insert_many({object{{"id", "b"}}, object{{"id", "a"}}}).get());
  ASSERT_TRUE(people.insert({{"id", "c"}}).get());
  auto told = all.changes(2);
  ASSERT_EQ(told.size(), 2u);
  EXPECT_EQ(told[1].key(), value_view{"c"});
}

TEST_P(events, of_one_commit_come_in_the_order_in_which_its_changes_apply) {
  auto token = listen("bucket.people.inserted");
  ASSERT_TRUE(
      people.insert_many({object{{"id", "b"}}, object{{"id", "a"}}, object{{"id", "c"}}}).get());
  auto told = all.changes(3);
  ASSERT_EQ(told.size(), 3u);
  EXPECT_EQ(told[0].key(), value_view{"b"});
  EXPECT_EQ(told[1].key(), value_view{"a"});
  EXPECT_EQ(told[2].key(), value_view{"c"});
  EXPECT_EQ(told[0].seq, told[2].seq);
}

TEST_P(events, of_clear_and_drop_are_one_each) {
  auto token = listen("bucket.people.*");
  ASSERT_TRUE(people.insert_many({object{{"id", "b"}}, object{{"id", "a"}}}).get());
  ASSERT_TRUE(people.clear().get());
  ASSERT_TRUE(people.insert({{"id", "z"}}).get());
  ASSERT_TRUE(db.drop("people"));
  auto told = all.changes(5);
  ASSERT_EQ(told.size(), 5u);
  EXPECT_EQ(told[2].kind, change_kind::cleared);
  EXPECT_EQ(told[2].count, 2u);
  EXPECT_EQ(told[4].kind, change_kind::dropped);
  EXPECT_EQ(told[4].count, 1u);
}

TEST_P(events, match_one_segment_with_a_star_and_any_number_with_two) {
  heard one, any, other;
  auto others = db.define(schema("others").key("id", string())).value();
  auto a = db.on("bucket.*.inserted", std::ref(one)).value();
  auto b = db.on("bucket.**", std::ref(any)).value();
  auto c = db.on("bucket.others.*", std::ref(other)).value();
  EXPECT_EQ(db.on("bucket.*", std::ref(other)).has_value(), true)
      << "matches nothing, but is well formed";
  EXPECT_FALSE(db.on("bucket..x", std::ref(other)));
  ASSERT_TRUE(people.insert({{"id", "a"}}).get());
  ASSERT_TRUE(others.insert({{"id", "o"}}).get());
  ASSERT_TRUE(people.erase("a").get());
  EXPECT_EQ(any.texts(3).size(), 3u);
  EXPECT_EQ(one.texts(2).size(), 2u);
  EXPECT_EQ(other.texts(1).size(), 1u);
}

TEST_P(events, survive_the_crash_of_the_bucket) {
  auto token = listen("bucket.people.inserted");
  ASSERT_TRUE(people.insert({{"id", "a"}}).get());
  ASSERT_TRUE(db.crash("people"));
  ASSERT_TRUE(people.insert({{"id", "b"}}).get());
  auto told = all.changes(2);
  ASSERT_EQ(told.size(), 2u);
  EXPECT_EQ(told[1].key(), value_view{"b"});
}

TEST_P(events, end_with_the_token_and_cost_nothing_afterwards) {
  {
    auto token = listen("bucket.people.inserted");
    ASSERT_TRUE(people.insert({{"id", "a"}}).get());
    (void)all.texts(1);
  }
  ASSERT_TRUE(people.insert({{"id", "b"}}).get());
  auto token = listen("bucket.people.inserted");
  ASSERT_TRUE(people.insert({{"id", "c"}}).get());
  auto told = all.changes(2);
  ASSERT_EQ(told.size(), 2u);
  EXPECT_EQ(told[1].key(), value_view{"c"});
}

TEST_P(events, of_a_slow_subscriber_are_dropped_by_its_own_policy_and_harm_no_other) {
  std::mutex gate;
  std::unique_lock held{gate};
  std::atomic<int> seen{0};
  std::promise<void> first;
  auto slow = db.on("**",
                    [&](const change&) {
                      if (seen++ == 0)
                        first.set_value();
                      std::lock_guard wait{gate};
                    },
                    {.limit = 2, .overflow = overflow::drop_newest})
                  .value();
  ASSERT_TRUE(people.insert({{"id", "first"}}).get());
  first.get_future().wait();
  for (int i = 0; i < 10; ++i)
    ASSERT_TRUE(people.insert({{"id", std::to_string(i)}}).get());
  auto token = listen("bucket.people.cleared");
  ASSERT_TRUE(people.clear().get());
  EXPECT_EQ(all.texts(1).size(), 1u) << "while the slow one is busy with its first";
  held.unlock();
  EXPECT_GE(slow.dropped(), 8u);
}

/// What a subscriber gets that is busy with its first event while ten more come, and three may
/// wait.
struct busy_subscriber {
  std::mutex gate;
  std::unique_lock<std::mutex> held{gate};
  std::promise<void> began;
  std::vector<std::string> keys;
  std::uint64_t missed = 0;
  std::atomic<std::size_t> handled{0};

  subscription on(store& db, overflow policy) {
    auto handle = [this](const change& c) {
      if (keys.empty())
        began.set_value();
      keys.emplace_back(c.key().as_string());
      const std::lock_guard wait{gate};
      ++handled;
    };
    return db
        .on("bucket.people.inserted", handle,
            {.limit = 3, .overflow = policy, .on_gap = [this](std::uint64_t n) { missed += n; }})
        .value();
  }
};

/// Until it is so, or for as long as no machine takes.
template <class F>
void await(F&& is_so) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{20};
  while (!is_so() && std::chrono::steady_clock::now() < end)
    std::this_thread::yield();
}

TEST_P(events, that_do_not_fit_go_by_the_policy_that_was_chosen) {
  const std::tuple<overflow, std::vector<std::string>, std::uint64_t> table[] = {
      {overflow::drop_newest, {"first", "0", "1", "2", "last"}, 7},
      {overflow::drop_oldest, {"first", "7", "8", "9", "last"}, 7},
      {overflow::disconnect, {"first", "0", "1", "2"}, 0}};
  for (auto& [policy, expected, missed] : table) {
    ASSERT_TRUE(people.clear().get());
    busy_subscriber slow;
    auto token = slow.on(db, policy);
    ASSERT_TRUE(people.insert({{"id", "first"}}).get());
    slow.began.get_future().wait();
    for (int i = 0; i < 10; ++i)
      ASSERT_TRUE(people.insert({{"id", std::to_string(i)}}).get());
    const auto ends = policy == overflow::disconnect;
    await([&, &missed = missed] { return ends ? !token.active() : token.dropped() == missed; });
    slow.held.unlock();
    await([&] { return slow.handled == 4; }); // then there is room again
    ASSERT_TRUE(people.insert({{"id", "last"}}).get());
    await([&, &expected = expected] { return slow.handled == expected.size(); });
    EXPECT_EQ(token.active(), !ends);
    const auto dropped = token.dropped();
    token.cancel(); // waits for a handler that runs
    EXPECT_EQ(slow.keys, expected);
    EXPECT_EQ(slow.missed, missed);
    EXPECT_GE(dropped, missed);
  }
}

TEST_P(events, of_a_throwing_subscriber_are_counted_and_harm_no_other) {
  auto bad = db.on("**", [](const change&) { throw std::runtime_error{"no"}; }).value();
  auto token = listen("**");
  for (int i = 0; i < 3; ++i)
    ASSERT_TRUE(people.insert({{"id", std::to_string(i)}}).get());
  EXPECT_EQ(all.texts(3).size(), 3u);
  while (bad.failures() < 3)
    std::this_thread::yield();
  bad.cancel();
  EXPECT_EQ(bad.failures(), 3u);
}

/// Writers of several buckets, and a subscriber: per bucket and per line nothing is missing,
/// nothing comes twice, and seqs never go back.
TEST_P(events, come_gap_free_and_in_order_from_many_writers) {
  constexpr int threads = 4, each = 500;
  std::vector<bucket<>> buckets;
  for (int i = 0; i < threads; ++i)
    buckets.push_back(db.define(schema("b" + std::to_string(i)).key("n", integer())).value());
  std::vector<std::jthread> writers;
  heard told;
  auto token = db.on("bucket.*.inserted", std::ref(told), {.limit = 100'000}).value();
  for (auto& b : buckets)
    writers.emplace_back([&b] {
      for (int n = 0; n < each; ++n)
        ASSERT_TRUE(b.insert({{"n", n}}).get());
    });
  writers.clear();
  auto changes = told.changes(threads * each);
  ASSERT_EQ(changes.size(), static_cast<std::size_t>(threads * each));
  sequence last = 0;
  std::map<std::string, std::int64_t> next;
  for (auto& c : changes) {
    EXPECT_GT(c.seq, last);
    last = c.seq;
    EXPECT_EQ(c.key().as_int(), next[c.bucket()]++);
  }
}

INSTANTIATE_TEST_SUITE_P(at, events,
                         ::testing::Values(durability::none, durability::async, durability::group,
                                           durability::sync),
                         [](auto& p) { return std::string{to_string(p.param)}; });

} // namespace
} // namespace holdfast
