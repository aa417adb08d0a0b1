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

constexpr auto at_end = feed::reading::at_end;

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
  void follow(feed_reader& r, std::shared_ptr<const feed_interest> wanted = nullptr) {
    all.follow(r, std::move(wanted), {});
  }
  void push(sequence seq) { all.push(std::make_shared<feed_entry>(), line_kind::memory, seq); }
  feed::reading look(std::size_t most = 100) {
    return all.read(reader, most, [this](const auto& c) { read.push_back(c->seq); });
  }
};

TEST_F(a_feed, wakes_a_sleeping_reader_once_until_it_has_come_to_the_end) {
  follow(reader);
  push(1);
  all.notify();
  push(2);
  all.notify();
  EXPECT_EQ(wakes, 1);
  EXPECT_EQ(look(), at_end);
  EXPECT_THAT(read, ElementsAre(1, 2));
  push(3);
  all.notify();
  EXPECT_EQ(wakes, 2);
}

TEST_F(a_feed, wakes_nobody_for_what_is_read_already) {
  follow(reader);
  all.notify();
  push(1);
  EXPECT_EQ(look(), at_end);
  all.notify();
  EXPECT_EQ(wakes, 0);
}

/// Woken on the core of who publishes, a reader may have come to the end before that one goes on.
TEST_F(a_feed, wakes_a_reader_once_that_sleeps_again_at_once) {
  follow(reader);
  when_woken = [this] { look(); };
  push(1);
  all.notify();
  EXPECT_EQ(wakes, 1);
  EXPECT_THAT(read, ElementsAre(1));
}

TEST_F(a_feed, is_read_up_to_a_moment) {
  follow(reader);
  for (sequence seq = 1; seq <= 3; ++seq)
    push(seq);
  all.notify();
  auto until = [&](sequence memory) {
    return all.read(reader, 100, {memory, 0}, [&](const auto& c) { read.push_back(c->seq); });
  };
  EXPECT_EQ(until(2), feed::reading::at_limit);
  EXPECT_THAT(read, ElementsAre(1, 2));
  EXPECT_EQ(until(2), feed::reading::at_limit);
  all.notify();
  EXPECT_EQ(wakes, 1) << "it knows that there is more";
  EXPECT_EQ(until(3), at_end);
  EXPECT_THAT(read, ElementsAre(1, 2, 3));
}

TEST_F(a_feed, wakes_each_of_its_readers) {
  int others = 0;
  feed_reader other{[&] { ++others; }};
  follow(reader);
  follow(other);
  push(1);
  all.notify();
  EXPECT_EQ(wakes, 1);
  EXPECT_EQ(others, 1);
  all.stop(other);
  EXPECT_EQ(look(), at_end);
  push(2);
  all.notify();
  EXPECT_EQ(wakes, 2);
  EXPECT_EQ(others, 1);
}

TEST_F(a_feed, wakes_by_the_next_commit_whom_it_could_not_wake_without_memory) {
  follow(reader);
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
  follow(reader);
  for (auto by_name : {true, false}) {
    wakes = 0;
    follow(reader, std::make_shared<const feed_interest>(
                       by_name ? feed_interest{{"users"}, {}} : feed_interest{{}, {users.get()}}));
    push_of(notes, 1);
    push_of(notes, 2);
    EXPECT_EQ(wakes, 0);
    push_of(users, 3);
    EXPECT_EQ(wakes, 1);
    EXPECT_EQ(look(), at_end);
    push_of(notes, 4);
    EXPECT_EQ(wakes, 1) << "what it wanted is read";
    follow(reader);
    push_of(notes, 5);
    EXPECT_EQ(wakes, 2) << "all";
    EXPECT_EQ(look(), at_end);
    EXPECT_THAT(read, ElementsAre(1, 2, 3, 4, 5));
    read.clear();
  }
}

TEST_F(a_feed_of_buckets, wakes_a_reader_for_others_when_many_of_them_wait) {
  follow(reader, std::make_shared<const feed_interest>());
  sequence seq = 0;
  while (seq < 255)
    push_of(notes, ++seq);
  EXPECT_EQ(wakes, 0);
  push_of(notes, ++seq);
  EXPECT_EQ(wakes, 1);
  EXPECT_EQ(look(1000), at_end);
  EXPECT_EQ(read.size(), 256u);
}

TEST_F(a_feed_of_buckets, wakes_a_reader_for_a_large_commit_whose_records_it_would_keep) {
  follow(reader, std::make_shared<const feed_interest>());
  auto large = std::make_shared<feed_entry>();
  for (int i = 0; i < 1000; ++i)
    large->what.changes.emplace_back(notes, change_kind::inserted, cause::user, record{}, record{});
  all.push(std::move(large), line_kind::memory, 1);
  all.notify();
  EXPECT_EQ(wakes, 1);
  EXPECT_EQ(look(), at_end);
  push_of(notes, 2);
  EXPECT_EQ(wakes, 1) << "what was large is read";
}

TEST_F(a_feed_of_buckets,
       wakes_for_a_commit_without_an_entry_that_was_sealed_before_it_was_followed) {
  auto miss = [&](line_kind line, sequence seq) {
    all.miss(line, seq);
    all.notify();
  };
  miss(line_kind::durable, 3);
  all.follow(reader, std::make_shared<const feed_interest>(), {7, 5});
  miss(line_kind::durable, 6);
  EXPECT_EQ(wakes, 0) << "it was not wanted when it was sealed";
  miss(line_kind::durable, 5);
  EXPECT_EQ(wakes, 1);
  EXPECT_EQ(look(), at_end);
  all.notify();
  EXPECT_EQ(wakes, 1);
  miss(line_kind::memory, 7);
  EXPECT_EQ(wakes, 2);
}

TEST_F(a_feed_of_buckets, says_of_which_a_commit_is_wanted_and_when_that_may_have_changed) {
  std::vector<std::uint64_t> generations{all.generation()};
  auto changes = [&] {
    generations.push_back(all.generation());
    return generations.back() != generations[generations.size() - 2];
  };
  EXPECT_EQ(all.generation(), 0u);
  EXPECT_FALSE(all.wants(*users));
  follow(reader, std::make_shared<const feed_interest>(feed_interest{{"users"}, {}}));
  EXPECT_TRUE(changes());
  EXPECT_TRUE(all.wants(*users));
  EXPECT_FALSE(all.wants(*notes));
  feed_reader other{[] {}};
  follow(other, std::make_shared<const feed_interest>(feed_interest{{}, {notes.get()}}));
  EXPECT_TRUE(changes());
  EXPECT_TRUE(all.wants(*users));
  EXPECT_TRUE(all.wants(*notes));
  all.stop(reader);
  EXPECT_TRUE(changes());
  EXPECT_FALSE(all.wants(*users));
  follow(other);
  EXPECT_TRUE(all.wants(*users)) << "all";
  all.stop(other);
  EXPECT_FALSE(all.wants(*notes));
}

TEST_F(a_feed_of_buckets, knows_up_to_where_a_reader_has_read) {
  follow(reader);
  push_of(users, 4);
  EXPECT_TRUE(all.has_read(reader, {3, 0}));
  EXPECT_FALSE(all.has_read(reader, {4, 0}));
  EXPECT_EQ(look(), at_end);
  EXPECT_TRUE(all.has_read(reader, {4, 0}));
}

TEST_F(a_feed, keeps_nothing_for_a_reader_that_has_stopped) {
  push(1);
  follow(reader);
  push(2);
  push(3);
  EXPECT_EQ(all.backlog(), 2u);
  EXPECT_EQ(look(1), feed::reading::unfinished);
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
  all.follow(reader, nullptr, {});
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
