// `modify_record` against other writers: no change of theirs is written over, and none of them can
// keep it from its end.
#include "gateway_fixture.hpp"

#include <holdfast/store/memory_journal.hpp>

#include <atomic>
#include <memory>
#include <string>
#include <thread>

namespace holdfast {
namespace {

using ::testing::HasSubstr;

/// As many as it has as an actor, and in the thread: all but the first one with the right of way.
constexpr int tries = 1'000, tries_in_the_thread = 1'001;

/// A bucket of counters, asked through the gateway by functions that write past it: what they begin
/// comes to the bucket before the change that they give.
struct a_modify_request : ::testing::TestWithParam<bool> {
  manual_clock time;
  runtime rt{{.deterministic = GetParam(), .clock = &time}};
  std::shared_ptr<memory_disk> disk = std::make_shared<memory_disk>();
  store db = std::move(*store::start({.journal = memory_journal(disk), .runtime = &rt}));
  bucket<> counts = std::move(*db.define(schema("counts")
                                             .key("id", integer())
                                             .field("n", integer())
                                             .field("seen", integer())
                                             .persistent(false)));
  std::atomic<int> calls{0};

  bool deterministic() const { return GetParam(); }

  template <class F>
  std::future<result<record>> begin(std::string in, F change) {
    auto answer = std::make_shared<std::promise<result<record>>>();
    auto out = answer->get_future();
    rt.system().spawn([=, to = gateway_of(db).value()](caf::event_based_actor* self) {
      quiet(self);
      self->request(to, caf::infinite, modify_record{in, 1, change})
          .then([answer](const result<record>& r) { answer->set_value(r); });
    });
    return out;
  }
  result<record> end(std::future<result<record>> answer) {
    while (deterministic() && answer.wait_for(std::chrono::seconds{0}) != std::future_status::ready)
      if (!rt.run_one())
        return fail(errc::timeout, "the actors have come to rest without an answer");
    return answer.get();
  }
  template <class F>
  result<record> modify(F change) {
    return end(begin("counts", std::move(change)));
  }
  static object one_more(const record& now) { return {{"n", now["n"].as_int() + 1}}; }
  /// Begins a write, which comes to the bucket before all that is begun later.
  template <class T>
  void write(pending<T> what) {
    if (deterministic() || runtime::inside_actor())
      std::move(what).on_completion([](const result<T>&) {});
    else
      EXPECT_TRUE(std::move(what).get());
  }
  std::int64_t n() { return (*counts.get(1).get())["n"].as_int(); }
};

TEST_P(a_modify_request, changes_the_record_that_was_inserted_behind_an_erase_by_what_that_is) {
  ASSERT_TRUE(counts.insert({{"id", 1}, {"n", 0}}).get());
  auto done = modify([&](const record& now) -> result<object> {
    if (++calls == 1) { // the new record has the version of the old one
      write(counts.erase(1));
      write(counts.insert({{"id", 1}, {"n", 100}}));
    }
    return one_more(now);
  });
  ASSERT_TRUE(done) << done.error().to_string();
  EXPECT_EQ((*done)["n"], 101);
  EXPECT_EQ(n(), 101);
  EXPECT_EQ(calls, 2);
}

TEST_P(a_modify_request, changes_the_record_that_a_transaction_put_in_its_place) {
  if (deterministic())
    return; // a transaction needs a thread that may wait
  ASSERT_TRUE(counts.insert({{"id", 1}, {"n", 0}}).get());
  auto done = modify([&](const record& now) -> result<object> {
    if (++calls == 1)
      std::thread{[&] {
        EXPECT_TRUE(db.transact([&](transaction& tx) -> result<void> {
          auto mine = tx.in(counts);
          if (auto gone = mine.erase(1).get(); !gone)
            return fail(gone.error());
          return mine.insert({{"id", 1}, {"n", 100}}).get().map([](const record&) {});
        }));
      }}.join();
    return one_more(now);
  });
  ASSERT_TRUE(done) << done.error().to_string();
  EXPECT_EQ(n(), 101);
  EXPECT_EQ(calls, 2);
}

TEST_P(a_modify_request, looks_again_when_the_bucket_was_defined_otherwise_meanwhile) {
  if (deterministic())
    return; // a definition needs a thread that may wait
  ASSERT_TRUE(counts.insert({{"id", 1}, {"n", 0}}).get());
  auto done = modify([&](const record& now) -> result<object> {
    if (++calls == 1)
      std::thread{[&] {
        EXPECT_TRUE(
            db.update_bucket("counts", bucket_update().add_field("m", integer().otherwise(7))));
      }}.join();
    return one_more(now);
  });
  ASSERT_TRUE(done) << done.error().to_string();
  EXPECT_EQ((*done)["n"], 1);
  EXPECT_EQ((*done)["m"], 7);
}

TEST_P(a_modify_request, finds_no_record_that_was_erased_meanwhile) {
  ASSERT_TRUE(counts.insert({{"id", 1}, {"n", 0}}).get());
  auto done = modify([&](const record& now) -> result<object> {
    ++calls;
    write(counts.erase(1));
    return one_more(now);
  });
  EXPECT_EQ(done.error(), errc::not_found) << done.error().to_string();
  EXPECT_EQ(calls, 1);
}

TEST_P(a_modify_request, does_not_bring_a_record_back_whose_deadline_has_come_meanwhile) {
  ASSERT_TRUE(counts.insert({{"id", 1}, {"n", 0}}, {.expires_in = std::chrono::hours{1}}).get());
  auto done = modify([&](const record& now) -> result<object> {
    ++calls;
    time.advance(std::chrono::hours{1});
    return one_more(now);
  });
  ASSERT_FALSE(done);
  EXPECT_FALSE(counts.contains(1));
  EXPECT_EQ(calls, 1);
}

TEST_P(a_modify_request, ends_with_how_often_it_was_tried_when_its_own_function_overtakes_it) {
  ASSERT_TRUE(counts.insert({{"id", 1}, {"n", 0}}).get());
  auto done = modify([&](const record& now) -> result<object> {
    ++calls;
    write(counts.update(1, {{"seen", calls.load()}}));
    return one_more(now);
  });
  ASSERT_FALSE(done);
  EXPECT_EQ(calls, deterministic() ? tries : tries + tries_in_the_thread);
  const auto& why = done.error();
  EXPECT_EQ(why, errc::conflict);
  EXPECT_EQ(why.message(), "counts: 1: modify_record: others changed the record meanwhile, each "
                           "time that it was tried, " +
                               std::to_string(calls) + " in all");
  EXPECT_EQ(why.where().bucket, "counts");
  EXPECT_EQ(why.where().key, "1");
  EXPECT_TRUE(std::holds_alternative<commit_conflict>(why.detail()));
  ASSERT_NE(why.cause(), nullptr);
  EXPECT_EQ(*why.cause(), errc::conflict);
  EXPECT_EQ(n(), 0) << "nothing happened";
}

TEST_P(a_modify_request, ends_with_its_time_when_it_is_overtaken) {
  ASSERT_TRUE(counts.insert({{"id", 1}, {"n", 0}}).get());
  auto done = modify([&](const record& now) -> result<object> {
    ++calls;
    write(counts.update(1, {{"seen", calls.load()}}));
    time.advance(default_timeout / 2);
    return one_more(now);
  });
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error(), deterministic() ? errc::conflict : errc::timeout)
      << done.error().to_string();
  EXPECT_EQ(calls, deterministic() ? 1 : 2);
  EXPECT_THAT(done.error().message(), HasSubstr(std::to_string(calls) + " in all"));
  EXPECT_EQ(n(), 0) << "nothing happened";
}

TEST_P(a_modify_request, gives_the_error_of_its_function_also_after_conflicts) {
  ASSERT_TRUE(counts.insert({{"id", 1}, {"n", 0}}).get());
  const auto last = deterministic() ? tries : tries + 2;
  auto done = modify([&](const record& now) -> result<object> {
    if (++calls == last)
      return fail(errc::conflict, "not so");
    write(counts.update(1, {{"seen", calls.load()}}));
    return one_more(now);
  });
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().message(), "not so");
  EXPECT_EQ(calls, last);
}

TEST_P(a_modify_request, comes_through_against_a_writer_that_never_ceases) {
  if (deterministic())
    return; // which has no thread in which it could have the right of way
  ASSERT_TRUE(counts.insert({{"id", 1}, {"n", 0}}).get());
  std::atomic<bool> over{false};
  std::thread writer{[&] {
    for (int i = 0; !over; ++i)
      EXPECT_TRUE(counts.update(1, {{"seen", i}}).get());
  }};
  auto done = modify([&](const record& now) -> result<object> {
    ++calls;
    if (runtime::inside_actor()) // too late whatever the writer does
      write(counts.update(1, {{"seen", 0}}));
    return one_more(now);
  });
  over = true;
  writer.join();
  ASSERT_TRUE(done) << done.error().to_string();
  EXPECT_GT(calls, tries);
  EXPECT_EQ(n(), 1);
}

/// The same in a bucket whose commits others see only when they are on disk.
struct a_modify_request_to_a_disk : a_modify_request {
  bucket<> kept = std::move(*db.define(
      schema("kept").key("id", integer()).field("n", integer()).field("seen", integer())));

  /// Begins one while a commit to its record waits for the disk.
  std::future<result<record>> begin_while_held() {
    EXPECT_TRUE(kept.insert({{"id", 1}, {"n", 0}}).get());
    disk->hold();
    kept.update(1, {{"n", 100}}).on_completion([](const result<record>&) {});
    disk->wait_until_held();
    auto asked = std::make_shared<std::promise<void>>();
    auto was_asked = asked->get_future();
    auto answer = begin("kept", [this, asked](const record& now) -> result<object> {
      if (++calls == 1)
        asked->set_value();
      return one_more(now);
    });
    was_asked.get();
    return answer;
  }
};

TEST_P(a_modify_request_to_a_disk, waits_until_it_can_read_what_has_overtaken_it) {
  auto answer = begin_while_held();
  for (int i = 0; i < 1'000; ++i) // behind the change that it asks for
    EXPECT_TRUE(counts.upsert({{"id", 1}, {"n", i}}).get());
  EXPECT_EQ(calls, 1);
  disk->release();
  auto done = answer.get();
  ASSERT_TRUE(done) << done.error().to_string();
  EXPECT_EQ((*done)["n"], 101);
  EXPECT_EQ(calls, 2);
}

TEST_P(a_modify_request_to_a_disk, is_answered_when_the_disk_fails_meanwhile) {
  auto answer = begin_while_held();
  disk->fail_sync();
  disk->release();
  auto done = answer.get();
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error(), errc::read_only) << done.error().to_string();
}

TEST_P(a_modify_request_to_a_disk, is_answered_when_the_store_stops_meanwhile) {
  auto answer = begin_while_held();
  disk->release();
  EXPECT_TRUE(db.stop());
  auto done = answer.get();
  EXPECT_TRUE(done || done.error() == errc::stopped) << done.error().to_string();
}

INSTANTIATE_TEST_SUITE_P(, a_modify_request, ::testing::Bool(),
                         [](auto& param) { return param.param ? "deterministic" : "threaded"; });
INSTANTIATE_TEST_SUITE_P(, a_modify_request_to_a_disk, ::testing::Values(false),
                         [](auto&) { return "threaded"; });

} // namespace
} // namespace holdfast
