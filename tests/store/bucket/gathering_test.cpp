// How long commits wait for company: `group_delay` and `async_delay`. A delay of an hour never ends
// by itself, so what is written before it ends was written for another reason.

#include "pipeline_fixture.hpp"

#include <holdfast/store/store.hpp>

#include <gmock/gmock.h>

#include <chrono>
#include <thread>

namespace holdfast::detail {
namespace {

using namespace std::chrono_literals;

struct gathering : a_pipeline {
  void write_with(pipeline_options options) {
    open(options);
    pipe->resume();
  }
  /// Lets a writer that does not wait give itself away.
  void expect_nothing_written() {
    std::promise<void> never;
    (void)never.get_future().wait_for(20ms);
    EXPECT_EQ(disk->appends(), 0u);
  }
  /// The commits were written as one batch.
  void expect_one_batch_of(std::uint64_t sealed) {
    EXPECT_EQ(disk->appends(), 1u);
    EXPECT_EQ(disk->last(), sealed);
    EXPECT_EQ(pipe->stats().batches, 1u);
    EXPECT_EQ(pipe->stats().commits, sealed);
  }
  static std::optional<error> answer(test_commit& c) {
    auto done = c.done.get_future();
    if (done.wait_for(60s) != std::future_status::ready)
      return error{errc::timeout, "no answer"};
    return done.get();
  }
  static auto soon() { return std::chrono::steady_clock::now() + 60s; }
};

TEST_F(gathering, puts_group_commits_into_one_batch_until_one_cannot_wait) {
  write_with({.group_delay = 1h});
  auto& first = seal(durability::group);
  expect_nothing_written();
  auto& second = seal(durability::group);
  expect_nothing_written();
  auto& last = seal(durability::sync);
  for (auto* c : {&first, &second, &last})
    EXPECT_EQ(answer(*c), std::nullopt);
  expect_one_batch_of(3);
}

TEST_F(gathering, of_group_commits_ends_with_their_delay) {
  write_with({.group_delay = 1ms, .async_delay = 1h});
  EXPECT_EQ(answer(seal(durability::group)), std::nullopt);
  expect_one_batch_of(1);
}

TEST_F(gathering, is_not_what_group_commits_do_by_default) {
  write_with({.async_delay = 1h});
  seal(durability::async);
  expect_nothing_written();
  EXPECT_EQ(answer(seal(durability::group)), std::nullopt);
  expect_one_batch_of(2);
}

TEST_F(gathering, of_group_commits_ends_early_for_an_async_one_that_may_wait_less_long) {
  write_with({.group_delay = 1h, .async_delay = 1us});
  auto& first = seal(durability::group);
  expect_nothing_written(); // the delay of others does not concern it
  auto& second = seal(durability::async);
  EXPECT_EQ(answer(first), std::nullopt);
  EXPECT_EQ(answer(second), std::nullopt);
}

TEST_F(gathering, puts_async_commits_into_one_batch_until_a_barrier) {
  write_with({.async_delay = 1h});
  for (int i = 0; i < 3; ++i) {
    seal(durability::async);
    EXPECT_EQ(outcome, pipeline::seal_outcome::published);
    expect_nothing_written();
  }
  EXPECT_TRUE(pipe->sync(soon()));
  expect_one_batch_of(3);
  EXPECT_EQ(pipe->stats().durable, 3u);
}

TEST_F(gathering, of_async_commits_ends_with_their_delay) {
  write_with({.group_delay = 1h, .async_delay = 1ms});
  seal(durability::async);
  for (const auto given_up = soon(); disk->last() == 0;) {
    ASSERT_LT(std::chrono::steady_clock::now(), given_up);
    std::this_thread::yield();
  }
  EXPECT_EQ(disk->last(), 1u);
}

TEST_F(gathering, ends_with_enough_company) {
  write_with({.group_delay = 1h});
  auto first = seal(durability::group).done.get_future();
  std::uint64_t sealed = 1;
  while (first.wait_for(0s) != std::future_status::ready && sealed < 100'000) {
    seal(durability::group);
    ++sealed;
  }
  ASSERT_EQ(first.wait_for(60s), std::future_status::ready);
  EXPECT_GT(sealed, 100u);
}

TEST_F(gathering, ends_with_the_pipeline) {
  write_with({.group_delay = 1h, .async_delay = 1h});
  auto& first = seal(durability::group);
  auto& second = seal(durability::async);
  pipe->stop();
  EXPECT_EQ(answer(first), std::nullopt);
  EXPECT_EQ(answer(second), std::nullopt);
  expect_one_batch_of(2);
}

/// The same by a store's options.
TEST(store_options_test, let_commits_gather_as_long_as_they_say) {
  for (auto level : {durability::group, durability::async}) {
    auto disk = std::make_shared<memory_disk>();
    store_options options{.journal = memory_journal(disk), .durability = level};
    options.group_delay = options.async_delay = 1h;
    auto db = store::start(std::move(options));
    ASSERT_TRUE(db) << db.error().to_string();
    auto users = db->define(schema("users").key("id", integer()));
    ASSERT_TRUE(users) << users.error().to_string();
    ASSERT_TRUE(db->sync());
    const auto before = disk->appends();
    std::vector<std::future<result<record>>> inserted;
    for (int i = 0; i < 5; ++i)
      inserted.push_back(users->insert({{"id", i}}).as_future());
    EXPECT_EQ(disk->appends(), before);
    // It comes to the journal behind them, and cannot wait.
    EXPECT_TRUE(users->with(durability::sync).insert({{"id", 5}}).get(60s));
    EXPECT_EQ(disk->appends(), before + 1);
    for (auto& one : inserted) {
      ASSERT_EQ(one.wait_for(60s), std::future_status::ready);
      EXPECT_TRUE(one.get());
    }
    EXPECT_TRUE(db->sync());
    EXPECT_EQ(disk->appends(), before + 1) << "nothing is left to write";
    EXPECT_TRUE(db->stop());
  }
}

} // namespace
} // namespace holdfast::detail
