// A bucket is crashed at every named point of the write path, in every kind of write.
#include "fault_bench.hpp"

#include <holdfast/runtime/fault.hpp>

#include <gmock/gmock.h>

#include <algorithm>
#include <random>
#include <set>
#include <thread>

namespace holdfast::testing {
namespace {

using ::testing::IsEmpty;

struct a_crash_at_any_point : ::testing::TestWithParam<bench_mode> {
  /// Points that belong to restarts: they are struck in the restart that another fault causes.
  static bool in_restart(const std::string& point) { return point.ends_with(".recovering"); }
  static bool of_the_disk(const std::string& point) { return point.starts_with("persistence."); }

  /// Whether a write can come by in this mode at all.
  static bool reachable(const std::string& point) {
    auto sealed_at_once = !GetParam().journal || GetParam().level == durability::async;
    if (point == "limbo.looked")
      return false; // few commits look at what can be freed, see bucket_data_test
    if (point == "persistence.lingers")
      return false; // whether the writer waits for company is a matter of time
    if (of_the_disk(point))
      return GetParam().journal;
    if (point.starts_with("ttl.") || point.starts_with("queries."))
      return false; // no write waits for these actors
    if (point == "bucket.published")
      return sealed_at_once;
    return point != "bucket.queued" || !sealed_at_once;
  }

  /// What the caller may hear when the point was struck: success, or that the bucket crashed.
  static void expect_answer(const std::string& point, const std::optional<error>& failed) {
    if (failed) {
      EXPECT_EQ(failed->code(), errc::bucket_crashed) << failed->to_string();
    }
    if (of_the_disk(point) || point == "bucket.published" || point == "bucket.queued") {
      EXPECT_FALSE(failed) << point << ": what is sealed goes on: " << failed->to_string();
    }
  }

  /// One write with a fault at a point; true if it struck.
  bool strike(fault_bench& bench, const std::string& point, std::uint64_t skip, write_kind kind) {
    auto before = bench.model();
    auto then = bench.db().snapshot();
    std::optional<fault> restarting;
    if (in_restart(point))
      restarting.emplace(of_the_disk(point) ? "persistence.taken" : "bucket.started");
    std::optional<fault> here{std::in_place, point, skip};
    auto [write, after] = bench.start(kind);
    auto failed = write.wait();
    bench.accept(failed ? before : after);
    EXPECT_TRUE(bench.db().sync()); // through all that the writer does
    if (in_restart(point)) {
      EXPECT_THAT(bench.go_on(), IsEmpty()); // through the restart
    }
    auto struck = here->struck();
    here.reset();
    restarting.reset();
    EXPECT_THAT(bench.go_on(), IsEmpty());
    EXPECT_THAT(before.differences(bench.docs().at(then)), IsEmpty()) << "in the snapshot";
    EXPECT_EQ(write.answers(), 1);
    if (struck || in_restart(point))
      expect_answer(point, failed);
    else
      EXPECT_FALSE(failed.has_value());
    return struck;
  }
};

TEST_P(a_crash_at_any_point, leaves_the_write_whole_or_absent) {
  std::set<std::string> missed;
  auto points = fault_points_in_sources();
  ASSERT_GT(points.size(), 15U);
  for (auto& point : points) {
    fault_bench bench{GetParam()};
    auto struck = 0;
    for (auto kind : all_write_kinds)
      for (std::uint64_t skip = 0; skip < 3; ++skip) {
        SCOPED_TRACE(point + " after " + std::to_string(skip) + " in " +
                     std::string{to_string(kind)});
        struck += strike(bench, point, skip, kind);
        if (HasFailure())
          return;
      }
    SCOPED_TRACE(point);
    if (struck == 0)
      missed.insert(point);
    EXPECT_THAT(bench.reopen(true), IsEmpty());
    EXPECT_THAT(bench.reopen(false), IsEmpty());
  }
  std::erase_if(missed, [](auto& point) { return !reachable(point); });
  EXPECT_THAT(missed, IsEmpty()) << "no write comes by these points";
}

/// An actor that dies behind the seal leaves its operation standing: its successor must not take
/// back what is sealed.
TEST_P(a_crash_at_any_point, behind_the_seal_leaves_the_operation_standing) {
  for (std::string point : {"bucket.published", "bucket.queued"})
    for (auto kind : all_write_kinds) {
      SCOPED_TRACE(point + " in " + std::string{to_string(kind)});
      fault_bench bench{GetParam()};
      std::optional<fault> here{std::in_place, point};
      auto [write, after] = bench.start(kind);
      EXPECT_FALSE(write.wait());
      here.reset();
      EXPECT_THAT(bench.go_on_with(after), IsEmpty());
    }
}

struct a_crash_amid_commits : a_crash_at_any_point {};

/// Two commits are on their way to the disk when a third write crashes the bucket.
TEST_P(a_crash_amid_commits, leaves_what_is_in_flight_alone) {
  std::set<std::string> missed;
  for (auto& point : fault_points_in_sources()) {
    if (in_restart(point))
      continue;
    auto struck = false;
    for (auto kind : all_write_kinds) {
      SCOPED_TRACE(point + " in " + std::string{to_string(kind)});
      fault_bench bench{GetParam()};
      ASSERT_TRUE(bench.db().sync());
      bench.disk().hold();
      auto [first, after_first] = bench.start(write_kind::insert);
      bench.disk().wait_until_held();
      bench.accept(after_first);
      auto [second, after_second] = bench.start(write_kind::update);
      bench.accept(after_second);
      // By message, the second write must not be the one that the fault is for.
      while (bench.db().stats().backlog_commits < 2)
        std::this_thread::yield();
      auto before = bench.model();
      std::optional<fault> here{std::in_place, point};
      auto [third, after_third] = bench.start(kind);
      EXPECT_TRUE(GetParam().level == durability::async || !first.answered());
      bench.disk().release();
      for (auto* sealed : {&first, &second})
        if (auto failed = sealed->wait())
          ADD_FAILURE() << "what is sealed goes on: " << failed->to_string();
      auto failed = third.wait();
      EXPECT_TRUE(bench.db().sync()); // through all that the writer does
      if (here->struck())
        expect_answer(point, failed);
      else if (failed)
        ADD_FAILURE() << "without a fault: " << failed->to_string();
      struck |= here->struck();
      here.reset();
      EXPECT_THAT(bench.go_on_with(failed ? before : after_third), IsEmpty());
      EXPECT_EQ(first.answers() + second.answers() + third.answers(), 3);
      EXPECT_THAT(bench.reopen(true), IsEmpty());
      if (HasFailure())
        return;
    }
    if (!struck && reachable(point))
      missed.insert(point);
  }
  EXPECT_THAT(missed, IsEmpty()) << "no write comes by these points";
}

/// Many threads write while faults strike at random: each write is answered once, and the records
/// of each thread are those that its answers promise.
TEST_P(a_crash_at_any_point, is_survived_by_many_threads) {
  constexpr int threads = 4, writes = 400;
  fault_bench bench{GetParam()};
  auto points = fault_points_in_sources();
  std::atomic<int> crashes{0}, wrong_answers{0}, twice{0};
  auto work = [&](int thread) {
    std::mt19937 random{static_cast<unsigned>(thread)};
    std::map<std::string, std::int64_t> mine;
    for (std::int64_t n = 1; n <= writes; ++n) {
      std::optional<fault> now_and_then;
      if (random() % 20 == 0)
        now_and_then.emplace(points[random() % points.size()], random() % 10);
      auto key = "t" + std::to_string(thread) + "-" + std::to_string(random() % 20);
      auto erases = mine.contains(key) && random() % 3 == 0;
      auto mail = key + "@" + std::to_string(n);
      counted_write w = erases ? counted_write{bench.docs().erase(key)}
                               : counted_write{bench.docs().upsert(
                                     {{"id", key}, {"n", n}, {"mail", mail}, {"role", "x"}})};
      if (auto failed = w.wait()) {
        ++crashes;
        wrong_answers += failed->code() != errc::bucket_crashed;
      } else if (erases) {
        mine.erase(key);
      } else {
        mine[key] = n;
      }
      twice += w.answers() != 1;
    }
    for (auto& [key, n] : mine) {
      auto r = bench.docs().get(key).get();
      EXPECT_TRUE(r && (*r)["n"] == value_view{n}) << key;
    }
    auto prefix = filter::starts_with("id", "t" + std::to_string(thread) + "-");
    EXPECT_EQ(*bench.docs().count(prefix).get(), mine.size());
  };
  std::vector<std::thread> all;
  for (int i = 0; i < threads; ++i)
    all.emplace_back(work, i);
  for (auto& t : all)
    t.join();
  EXPECT_EQ(wrong_answers, 0);
  EXPECT_EQ(twice, 0);
  EXPECT_GT(crashes, 0);
}

const auto over_a_journal = ::testing::Values(
    bench_mode{true, durability::sync, true}, bench_mode{true, durability::sync, false},
    bench_mode{true, durability::group, true}, bench_mode{true, durability::group, false},
    bench_mode{true, durability::async, true}, bench_mode{true, durability::async, false});
const auto in_memory = ::testing::Values(bench_mode{false, durability::none, true},
                                         bench_mode{false, durability::none, false});
const auto name_of = [](auto& param) { return to_string(param.param); };

INSTANTIATE_TEST_SUITE_P(durable, a_crash_at_any_point, over_a_journal, name_of);
INSTANTIATE_TEST_SUITE_P(in_memory, a_crash_at_any_point, in_memory, name_of);
INSTANTIATE_TEST_SUITE_P(durable, a_crash_amid_commits, over_a_journal, name_of);

} // namespace
} // namespace holdfast::testing
