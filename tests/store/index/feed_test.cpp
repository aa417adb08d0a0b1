#include <holdfast/store/detail/feed.hpp>

#include <gmock/gmock.h>

#include <chrono>
#include <functional>
#include <memory>
#include <new>
#include <vector>

namespace holdfast::detail {
namespace {

using ::testing::ElementsAre;

/// A feed into which commits of the memory line are pushed, and a reader that notes what it reads.
struct a_feed : ::testing::Test {
  feed all;
  int wakes = 0;
  std::function<void()> when_woken = [] {};
  std::vector<sequence> read;
  feed_reader reader{[this] {
    ++wakes;
    when_woken();
  }};

  ~a_feed() override { all.stop(reader); }
  void push(sequence seq) { all.push(std::make_shared<feed_entry>(), line_kind::memory, seq); }
  bool look(std::size_t most = 100) {
    return all.read(reader, most, [this](const auto& c) { read.push_back(c->seq); });
  }
};

TEST_F(a_feed, wakes_a_sleeping_reader_once_until_it_has_come_to_the_end) {
  all.start(reader);
  push(1);
  all.notify();
  push(2);
  all.notify();
  EXPECT_EQ(wakes, 1);
  EXPECT_FALSE(look());
  EXPECT_THAT(read, ElementsAre(1, 2));
  push(3);
  all.notify();
  EXPECT_EQ(wakes, 2);
}

TEST_F(a_feed, wakes_nobody_for_what_is_read_already) {
  all.start(reader);
  all.notify();
  push(1);
  EXPECT_FALSE(look());
  all.notify();
  EXPECT_EQ(wakes, 0);
}

/// Woken on the core of who publishes, a reader may have come to the end before that one goes on.
TEST_F(a_feed, wakes_a_reader_once_that_sleeps_again_at_once) {
  all.start(reader);
  when_woken = [this] { look(); };
  push(1);
  all.notify();
  EXPECT_EQ(wakes, 1);
  EXPECT_THAT(read, ElementsAre(1));
}

TEST_F(a_feed, is_read_up_to_a_moment) {
  all.start(reader);
  for (sequence seq = 1; seq <= 3; ++seq)
    push(seq);
  all.notify();
  auto until = [&](sequence memory) {
    return all.read(reader, 100, {memory, 0}, [&](const auto& c) { read.push_back(c->seq); });
  };
  EXPECT_TRUE(until(2));
  EXPECT_THAT(read, ElementsAre(1, 2));
  EXPECT_TRUE(until(2));
  all.notify();
  EXPECT_EQ(wakes, 1) << "it knows that there is more";
  EXPECT_FALSE(until(3));
  EXPECT_THAT(read, ElementsAre(1, 2, 3));
}

TEST_F(a_feed, wakes_each_of_its_readers) {
  int others = 0;
  feed_reader other{[&] { ++others; }};
  all.start(reader);
  all.start(other);
  push(1);
  all.notify();
  EXPECT_EQ(wakes, 1);
  EXPECT_EQ(others, 1);
  all.stop(other);
  EXPECT_FALSE(look());
  push(2);
  all.notify();
  EXPECT_EQ(wakes, 2);
  EXPECT_EQ(others, 1);
}

TEST_F(a_feed, wakes_by_the_next_commit_whom_it_could_not_wake_without_memory) {
  all.start(reader);
  when_woken = [] { throw std::bad_alloc{}; };
  push(1);
  all.notify();
  when_woken = [this] { look(); };
  push(2);
  all.notify();
  EXPECT_THAT(read, ElementsAre(1, 2));
}

struct a_feed_of_buckets : a_feed {
  using topics = std::shared_ptr<const bucket_topics>;
  topics users = std::make_shared<const bucket_topics>("users");
  topics notes = std::make_shared<const bucket_topics>("notes");

  void push_of(const topics& bucket, sequence seq) {
    auto e = std::make_shared<feed_entry>();
    e->what.changes.emplace_back(bucket, change_kind::inserted, cause::user, record{}, record{});
    all.push(std::move(e), line_kind::memory, seq);
    all.notify();
  }
};

TEST_F(a_feed_of_buckets, wakes_a_reader_for_those_that_it_wants_and_gives_it_all) {
  all.start(reader);
  for (auto by_name : {true, false}) {
    wakes = 0;
    all.want(reader,
             std::make_shared<const feed_interest>(by_name ? feed_interest{{"users"}, {}}
                                                           : feed_interest{{}, {users.get()}}));
    push_of(notes, 1);
    push_of(notes, 2);
    EXPECT_EQ(wakes, 0);
    push_of(users, 3);
    EXPECT_EQ(wakes, 1);
    EXPECT_FALSE(look());
    push_of(notes, 4);
    EXPECT_EQ(wakes, 1) << "what it wanted is read";
    all.want(reader, nullptr);
    push_of(notes, 5);
    EXPECT_EQ(wakes, 2) << "all";
    EXPECT_FALSE(look());
    EXPECT_THAT(read, ElementsAre(1, 2, 3, 4, 5));
    read.clear();
  }
}

TEST_F(a_feed_of_buckets, wakes_a_reader_for_others_when_many_of_them_wait) {
  all.start(reader);
  all.want(reader, std::make_shared<const feed_interest>());
  sequence seq = 0;
  while (seq < 255)
    push_of(notes, ++seq);
  EXPECT_EQ(wakes, 0);
  push_of(notes, ++seq);
  EXPECT_EQ(wakes, 1);
  EXPECT_FALSE(look(1000));
  EXPECT_EQ(read.size(), 256u);
}

TEST_F(a_feed_of_buckets, wakes_a_reader_for_a_large_commit_whose_records_it_would_keep) {
  all.start(reader);
  all.want(reader, std::make_shared<const feed_interest>());
  auto large = std::make_shared<feed_entry>();
  for (int i = 0; i < 1000; ++i)
    large->what.changes.emplace_back(notes, change_kind::inserted, cause::user, record{}, record{});
  all.push(std::move(large), line_kind::memory, 1);
  all.notify();
  EXPECT_EQ(wakes, 1);
  EXPECT_FALSE(look());
  push_of(notes, 2);
  EXPECT_EQ(wakes, 1) << "what was large is read";
}

TEST_F(a_feed_of_buckets, wakes_for_a_commit_that_has_no_entry) {
  all.start(reader);
  all.want(reader, std::make_shared<const feed_interest>());
  all.miss();
  all.notify();
  EXPECT_EQ(wakes, 1);
  EXPECT_FALSE(look());
  all.notify();
  EXPECT_EQ(wakes, 1);
}

TEST_F(a_feed, keeps_nothing_for_a_reader_that_has_stopped) {
  push(1);
  all.start(reader);
  push(2);
  push(3);
  EXPECT_EQ(all.backlog(), 2u);
  EXPECT_TRUE(look(1));
  EXPECT_EQ(all.backlog(), 1u);
  all.stop(reader);
  EXPECT_EQ(all.backlog(), 0u);
  push(4);
  all.notify();
  EXPECT_THAT(read, ElementsAre(2));
  EXPECT_EQ(wakes, 0);
}

TEST(a_feeds_limit, is_waited_for) {
  feed all{2};
  feed_reader reader{[] {}};
  all.start(reader);
  const auto now = std::chrono::steady_clock::now();
  EXPECT_TRUE(all.wait_for_room(now));
  for (sequence seq = 1; seq <= 2; ++seq)
    all.push(std::make_shared<feed_entry>(), line_kind::durable, seq);
  EXPECT_FALSE(all.wait_for_room(now));
  all.read(reader, 1, [](const auto&) {});
  EXPECT_TRUE(all.wait_for_room(now));
  all.stop(reader);
}

} // namespace
} // namespace holdfast::detail
