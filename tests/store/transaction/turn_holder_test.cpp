// A plain write waits for a turn as long as the turn is held. That is not for ever: however the
// holder of a turn ends, the turn is given back.
#include <holdfast/runtime/fault.hpp>
#include <holdfast/store/memory_journal.hpp>
#include <holdfast/store/store.hpp>

#include <gmock/gmock.h>

#include <future>
#include <memory>
#include <optional>

namespace holdfast::testing {
namespace {

using namespace std::chrono_literals;

/// A store on one worker, whose only actor that runs is the one that waits for the turn.
struct a_held_turn : ::testing::Test {
  manual_clock clock; // so that no transaction is late before its commit is sealed
  std::shared_ptr<memory_disk> disk = std::make_shared<memory_disk>();
  store db = start();
  bucket<> kept = std::move(*db.define(schema("kept").key("id", integer())));
  bucket<> loose = std::move(*db.define(schema("loose").key("id", integer()).persistent(false)));

  store start() {
    store_options options;
    options.journal = memory_journal(disk);
    options.runtime_settings.clock = &clock;
    options.runtime_settings.threads = 1;
    options.runtime_settings.caller_runs = false; // writes run inside actors
    auto made = std::move(*store::start(std::move(options)));
    made.runtime_in_use().log().redirect(nullptr, log_level::off);
    return made;
  }
  ~a_held_turn() override { disk->release(); }

  /// A commit over both lines, which holds the turn of `loose` until the disk has answered.
  std::future<result<void>> begin_to_hold() {
    return std::async(std::launch::async, [this] {
      return db.transact([&](transaction& tx) -> result<void> {
        EXPECT_TRUE(tx.in(kept).upsert({{"id", 1}}).get());
        EXPECT_TRUE(tx.in(loose).upsert({{"id", 1}}).get());
        return {};
      });
    });
  }
  std::future<result<record>> begin_to_wait() {
    auto waiting = loose.insert({{"id", 2}}).as_future();
    EXPECT_EQ(waiting.wait_for(20ms), std::future_status::timeout) << "the turn is held";
    return waiting;
  }
};

struct a_held_turn_of_a_crashed_writer : a_held_turn, ::testing::WithParamInterface<const char*> {};

TEST_P(a_held_turn_of_a_crashed_writer, is_given_back) {
  std::promise<void> there, waiting;
  testing::fault crash{GetParam(), 0, [&] {
                         there.set_value();
                         waiting.get_future().wait();
                         throw injected_fault{"of the writer"};
                       }};
  auto held = begin_to_hold();
  there.get_future().wait();
  auto next = begin_to_wait();
  waiting.set_value();
  EXPECT_TRUE(held.get());
  EXPECT_TRUE(next.get());
  EXPECT_TRUE(crash.struck());
}

INSTANTIATE_TEST_SUITE_P(at, a_held_turn_of_a_crashed_writer,
                         ::testing::Values("persistence.taken", "persistence.written"),
                         [](auto& of) { return std::string{of.param}.substr(12); });

TEST_F(a_held_turn, is_given_back_when_the_disk_fails) {
  disk->fail_append(1);
  disk->hold();
  auto held = begin_to_hold();
  disk->wait_until_held();
  auto next = begin_to_wait();
  disk->release();
  EXPECT_EQ(held.get().error(), errc::outcome_unknown);
  EXPECT_EQ(next.get().error(), errc::read_only) << "nothing may follow what may still come";
  EXPECT_TRUE(db.reopen());
  EXPECT_TRUE(loose.insert({{"id", 2}}).get());
}

TEST_F(a_held_turn, is_given_back_when_its_transaction_has_given_up) {
  disk->hold();
  const auto late = db.transact(
      [&](transaction& tx) -> result<void> {
        EXPECT_TRUE(tx.in(kept).insert({{"id", 1}}).get());
        EXPECT_TRUE(tx.in(loose).insert({{"id", 1}}).get());
        return {};
      },
      {.timeout = 1ms});
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error(), errc::outcome_unknown);
  auto next = begin_to_wait();
  disk->release();
  EXPECT_TRUE(next.get());
}

TEST_F(a_held_turn, is_given_back_when_the_store_stops) {
  disk->hold();
  auto held = begin_to_hold();
  disk->wait_until_held();
  auto next = begin_to_wait();
  auto stopped = std::async(std::launch::async, [&] { return db.stop(); });
  disk->release();
  EXPECT_TRUE(stopped.get());
  EXPECT_TRUE(held.get());
  const auto written = next.get();
  EXPECT_TRUE(written || written.error() == errc::stopped) << written.error().to_string();
}

/// The commit itself dies, on the thread of the transaction.
TEST_F(a_held_turn, is_given_back_when_the_commit_throws) {
  std::promise<void> there, waiting;
  testing::fault crash{"bucket.sealing", 0, [&] {
                         there.set_value();
                         waiting.get_future().wait();
                         throw injected_fault{"of the commit"};
                       }};
  auto held = begin_to_hold();
  there.get_future().wait();
  auto next = begin_to_wait();
  waiting.set_value();
  EXPECT_EQ(held.get().error(), errc::bucket_crashed);
  EXPECT_TRUE(next.get());
}

} // namespace
} // namespace holdfast::testing
