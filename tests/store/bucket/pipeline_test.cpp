#include "pipeline_fixture.hpp"

#include <holdfast/runtime/fault.hpp>

#include <gmock/gmock.h>

#include <future>

namespace holdfast::detail {
namespace {

TEST_F(a_pipeline, publishes_a_group_commit_only_after_the_write) {
  open();
  auto& c = seal(durability::group);
  EXPECT_EQ(outcome, pipeline::seal_outcome::queued);
  EXPECT_EQ(lines.durable.published(), 0u) << "nobody writes yet";
  pipe->resume();
  EXPECT_EQ(c.done.get_future().get(), std::nullopt);
  EXPECT_EQ(lines.durable.published(), 1u);
  EXPECT_EQ(pipe->stats().durable, 1u);
}

TEST_F(a_pipeline, publishes_an_async_commit_at_once_and_writes_it_later) {
  open();
  seal(durability::async);
  EXPECT_EQ(outcome, pipeline::seal_outcome::published);
  EXPECT_EQ(lines.durable.published(), 1u);
  EXPECT_EQ(pipe->stats().durable, 0u);
  pipe->resume();
  ASSERT_TRUE(pipe->sync(std::chrono::steady_clock::now() + std::chrono::seconds{5}));
  EXPECT_EQ(pipe->stats().durable, 1u);
}

TEST_F(a_pipeline, keeps_async_commits_in_order_behind_a_group_commit) {
  open();
  auto& first = seal(durability::group);
  auto& second = seal(durability::async);
  EXPECT_EQ(outcome, pipeline::seal_outcome::queued);
  pipe->resume();
  EXPECT_EQ(first.done.get_future().get(), std::nullopt);
  EXPECT_EQ(second.done.get_future().get(), std::nullopt);
  EXPECT_EQ(lines.durable.published(), 2u);
}

TEST_F(a_pipeline, writes_nothing_while_no_persistence_actor_is_there) {
  open();
  auto ticket = pipe->resume();
  pipe->pause(ticket);
  auto& c = seal(durability::sync);
  auto done = c.done.get_future();
  EXPECT_EQ(done.wait_for(std::chrono::milliseconds{20}), std::future_status::timeout);
  pipe->resume();
  EXPECT_EQ(done.get(), std::nullopt);
}

class a_crash_of_the_writer : public a_pipeline,
                              public ::testing::WithParamInterface<const char*> {};

TEST_P(a_crash_of_the_writer, loses_nothing_and_writes_nothing_twice) {
  open();
  testing::fault strike{GetParam()};
  auto& sync = seal(durability::sync);
  auto& async = seal(durability::async);
  pipe->resume();
  EXPECT_THAT(crash.get_future().get(), ::testing::HasSubstr(GetParam()));
  auto& late = seal(durability::group);
  pipe->resume();
  EXPECT_EQ(sync.done.get_future().get(), std::nullopt);
  EXPECT_EQ(async.done.get_future().get(), std::nullopt);
  EXPECT_EQ(late.done.get_future().get(), std::nullopt);
  pipe->stop();
  EXPECT_EQ(pipe->stats().commits, 3u);
  EXPECT_EQ(lines.durable.published(), 3u);
  for (auto& c : commits)
    EXPECT_EQ(c->held, 0);
}

INSTANTIATE_TEST_SUITE_P(, a_crash_of_the_writer,
                         ::testing::Values("persistence.taken", "persistence.written",
                                           "persistence.published"));

TEST_F(a_pipeline, stops_for_good_at_the_first_error_of_the_journal) {
  open();
  disk->fail_append(1);
  auto& first = seal(durability::group);
  pipe->resume();
  auto failed = first.done.get_future().get();
  ASSERT_TRUE(failed);
  EXPECT_EQ(failed->code(), errc::outcome_unknown);
  seal(durability::group);
  EXPECT_EQ(outcome, pipeline::seal_outcome::refused);
  EXPECT_EQ(pipe->refusal()->code(), errc::read_only);
  EXPECT_EQ(lines.durable.published(), 0u);
  EXPECT_EQ(pipe->sync(std::chrono::steady_clock::now()).error().code(), errc::read_only);
}

TEST_F(a_pipeline, makes_callers_wait_and_then_refuses_past_its_backlog) {
  open({.backlog_commits = 2});
  auto& a = seal(durability::group);
  auto& b = seal(durability::group);
  auto refused = pipe->admit(std::chrono::steady_clock::now());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), errc::overloaded);
  EXPECT_THAT(refused.error().message(), ::testing::HasSubstr("2 commits"));
  pipe->resume();
  EXPECT_TRUE(pipe->admit(std::chrono::steady_clock::now() + std::chrono::seconds{5}));
  a.done.get_future().get();
  b.done.get_future().get();
}

} // namespace
} // namespace holdfast::detail
