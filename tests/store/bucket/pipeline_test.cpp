#include "pipeline_fixture.hpp"

#include "tests/support/forwarding_journal.hpp"

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

TEST_F(a_pipeline, writes_nothing_that_waited_for_company_when_its_persistence_actor_went_down) {
  open({.group_delay = std::chrono::hours{1}});
  std::promise<void> lingers;
  testing::fault wait{"persistence.lingers", 0, [&] { lingers.set_value(); }};
  auto& first = seal(durability::group);
  auto ticket = pipe->resume();
  lingers.get_future().get();
  pipe->pause(ticket); // waits until the writer sleeps
  auto& second = seal(durability::sync);
  auto done = second.done.get_future();
  EXPECT_EQ(done.wait_for(std::chrono::milliseconds{20}), std::future_status::timeout);
  EXPECT_EQ(pipe->stats().batches, 0u);
  pipe->resume();
  EXPECT_EQ(first.done.get_future().get(), std::nullopt);
  EXPECT_EQ(done.get(), std::nullopt);
  EXPECT_EQ(pipe->stats().commits, 2u) << "each once";
}

TEST_F(a_pipeline, goes_on_after_a_fault_while_it_waits_for_company) {
  open({.group_delay = std::chrono::hours{1}});
  testing::fault strike{"persistence.lingers"};
  auto& first = seal(durability::group);
  pipe->resume();
  EXPECT_THAT(crash.get_future().get(), ::testing::HasSubstr("persistence.lingers"));
  auto& second = seal(durability::sync);
  pipe->resume();
  EXPECT_EQ(first.done.get_future().get(), std::nullopt);
  EXPECT_EQ(second.done.get_future().get(), std::nullopt);
  EXPECT_EQ(pipe->stats().commits, 2u);
}

/// A user's journal that throws what is no exception of the standard library's.
class throwing_journal final : public testing::forwarding_journal {
public:
  using forwarding_journal::forwarding_journal;
  result<void> append(const journal_batch&, bool) override { throw 42; }
};

TEST_F(a_pipeline, takes_whatever_a_journal_throws_as_an_error_of_the_disk) {
  to = std::make_unique<throwing_journal>(memory_journal(disk));
  ASSERT_TRUE(to->open());
  pipe = std::make_unique<pipeline>(lines.durable, *to, pipeline_options{}, nullptr);
  auto& c = seal(durability::group);
  pipe->resume();
  EXPECT_EQ(c.done.get_future().get()->code(), errc::outcome_unknown);
  EXPECT_EQ(pipe->refusal()->code(), errc::read_only);
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
