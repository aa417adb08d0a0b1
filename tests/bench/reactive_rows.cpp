#include "people_store.hpp"
#include "rows.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <random>
#include <thread>

namespace holdfast::bench {

namespace {

constexpr std::int64_t item_count = 100'000;
constexpr std::size_t write_count = 20'000;

/// 100,000 records in 10,000 teams, with an indexed score.
struct board {
  board() {
    constexpr std::int64_t per_commit = 1'000;
    for (std::int64_t first = 0; first < item_count; first += per_commit) {
      std::vector<object> list;
      for (auto id = first; id < first + per_commit; ++id)
        list.push_back({{"id", id}, {"team", id % 10'000}, {"score", random_score()}});
      must(items.insert_many(list).get());
    }
    must(db.define_query("item", [this](query_context& in, const object& with) {
      return in.in(items).get(*with.find("id"));
    }));
    must(db.define_query("team", [this](query_context& in, const object& with) {
      return in.in(items).where("team"_f == *with.find("team")).all();
    }));
    must(db.define_query(
        "top10",
        {.bucket = "items", .what = query{}.order_by("score", direction::descending).limit(10)}));
    must(db.define_query(
        "band", {.bucket = "items",
                 .what = query{filter::between("score", parameter("from"), parameter("to"))},
                 .aggregates = {aggregate::count()}}));
    must(db.define_query("sum", {.bucket = "items",
                                 .what = query{"team"_f < 5'000},
                                 .aggregates = {aggregate::sum("score")}}));
    must(db.define_query("list",
                         {.bucket = "items", .what = query{"team"_f < 1'200}.order_by("score")}));
  }

  std::int64_t random_score() { return static_cast<std::int64_t>(random() % 1'000'000'000); }
  std::int64_t random_item() { return static_cast<std::int64_t>(random() % item_count); }
  void write(std::int64_t id) { write(id, random_score()); }
  void write(std::int64_t id, std::int64_t score) {
    must(items.update(id, {{"score", score}}).get());
  }

  /// Nanoseconds per write of an item, until all is told.
  template <class Pick>
  double per_write(Pick&& pick) {
    return nanoseconds_per_operation(write_count, [&] {
      for (std::size_t i = 0; i < write_count; ++i)
        write(pick());
      must(db.settle());
    });
  }
  void subscribe(std::string_view query, const object& with) {
    tokens.push_back(must(db.subscribe(query, with, [this](const query_update&) { ++told; })));
  }

  std::mt19937_64 random{1};
  std::atomic<std::uint64_t> told{0};
  store db = must(store::start());
  bucket<> items = must(db.define(schema("items")
                                      .key("id", integer())
                                      .field("team", integer())
                                      .field("score", integer())
                                      .index("team")
                                      .index("score")));
  std::vector<subscription> tokens;
};

/// Medians of writes that come one by one, with everything asleep before each: how long the writer
/// was busy, and, if somebody has subscribed, how long it took to be told.
struct latencies {
  double writer = 0;
  double notified = 0;
};
latencies paced(board& b) {
  constexpr int rounds = 2'000;
  std::vector<double> writer, notified;
  for (int i = 0; i < rounds; ++i) {
    std::this_thread::sleep_for(std::chrono::microseconds{100});
    const auto before = b.told.load();
    const auto begin = now();
    b.write(7);
    writer.push_back(static_cast<double>(now() - begin));
    if (b.tokens.empty())
      continue;
    while (b.told.load() == before)
      std::this_thread::yield();
    notified.push_back(static_cast<double>(now() - begin));
  }
  return {median(std::move(writer)), notified.empty() ? 0 : median(std::move(notified))};
}

/// From the beginning of a write to the handler, one affected subscription. Limit: 15 us.
figure notify(const settings& asked) {
  board b;
  b.subscribe("item", {{"id", 7}});
  must(b.db.settle());
  return measure({.name = "reactive_notify_p50",
                  .unit = "us",
                  .limit = 15,
                  .others = "noex-store 24-34, Mnesia 46, a Tarantool trigger inside the write 4"},
                 asked.repetitions(), [&] { return paced(b).notified / 1e3; });
}

/// What of it the writer pays, over a write that nobody follows. Limit: 3 us.
figure writer_pays(const settings& asked) {
  return measure({.name = "reactive_writer_pays", .unit = "us", .limit = 3}, asked.repetitions(),
                 [] {
                   board b;
                   const auto plain = paced(b).writer;
                   b.subscribe("item", {{"id", 7}});
                   return (paced(b).writer - plain) / 1e3;
                 });
}

/// A thread that sleeps until it is woken, and sleeps again.
class sleeper {
public:
  sleeper() : thread_{[this] { run(); }} {}
  sleeper(const sleeper&) = delete;
  sleeper& operator=(const sleeper&) = delete;
  ~sleeper() {
    wake(asked_ = -1);
    thread_.join();
  }
  /// Nanoseconds that who wakes it is busy: the median of as many rounds, paced as those above.
  double wake_cost() {
    std::vector<double> out;
    for (int i = 1; i <= 2'000; ++i) {
      std::this_thread::sleep_for(std::chrono::microseconds{100});
      const auto begin = now();
      wake(++asked_);
      out.push_back(static_cast<double>(now() - begin));
      while (woken_.load() != asked_)
        std::this_thread::yield();
    }
    return median(std::move(out));
  }

private:
  void wake(int turn) {
    {
      const std::lock_guard lock{mutex_};
      turn_ = turn;
    }
    signal_.notify_one();
  }
  void run() {
    std::unique_lock lock{mutex_};
    while (turn_ >= 0) {
      signal_.wait(lock, [this] { return turn_ != woken_.load(); });
      woken_ = turn_;
    }
  }

  std::mutex mutex_;
  std::condition_variable signal_;
  int asked_ = 0, turn_ = 0;
  std::atomic<int> woken_{0};
  std::thread thread_; ///< last: it uses the others
};

/// The same against waking a thread by a condition variable, which is the most of it. Limit: 2x.
figure writer_pays_over_waking(const settings& asked) {
  sleeper other;
  return compare(
      {.name = "reactive_writer_pays_waking", .unit = "ns", .reach = 2}, asked.repetitions(),
      [&] { return other.wake_cost(); },
      [] {
        board b;
        const auto plain = paced(b).writer;
        b.subscribe("item", {{"id", 7}});
        return paced(b).writer - plain;
      });
}

/// What a write costs more with so many subscriptions for items and as many for teams, until what
/// it affects is told: in turns one of a team, and one of an item. (With 50,000 of each all teams
/// are followed, so an item's affects both.)
double extra_cost(board& b, std::int64_t affected) {
  const auto some = [&] { return b.random_item(); };
  const auto plain = b.per_write(some);
  for (std::int64_t i = 0; i < affected; ++i) {
    b.subscribe("item", {{"id", affected + i}});
    b.subscribe("team", {{"team", i}});
  }
  must(b.db.settle());
  auto one = [&, turn = std::int64_t{0}]() mutable {
    turn = affected - turn;
    return turn + static_cast<std::int64_t>(b.random() % 1000);
  };
  return (b.per_write(one) - plain) / 1e3;
}

figure two_thousand(const settings& asked) {
  return measure({.name = "reactive_2000_subscriptions", .unit = "us", .limit = 5},
                 std::min(asked.repetitions(), 5), [] {
                   board b;
                   return extra_cost(b, 1'000);
                 });
}

figure hundred_thousand(const settings& asked) {
  return measure({.name = "reactive_100k_subscriptions", .unit = "us", .limit = 10},
                 std::min(asked.repetitions(), 3), [] {
                   board b;
                   return extra_cost(b, 50'000);
                 });
}

/// What a write costs more with live counts of 1,000 ranges, of which it leaves one and enters
/// another, until they are told. Limit: 5 us.
figure thousand_ranges(const settings& asked) {
  return measure({.name = "reactive_1000_ranges", .unit = "us", .limit = 5},
                 std::min(asked.repetitions(), 5), [] {
                   board b;
                   const auto some = [&] { return b.random_item(); };
                   const auto plain = b.per_write(some);
                   constexpr std::int64_t width = 1'000'000;
                   for (std::int64_t i = 0; i < 1'000; ++i)
                     b.subscribe("band", {{"from", i * width}, {"to", (i + 1) * width - 1}});
                   must(b.db.settle());
                   return (b.per_write(some) - plain) / 1e3;
                 });
}

/// A live sum over half of 100,000 records, per write, until all is told. Limit: 10 us.
figure live_sum(const settings& asked) {
  board b;
  b.subscribe("sum", {});
  must(b.db.settle());
  return measure({.name = "reactive_sum", .unit = "us", .limit = 10}, asked.repetitions(),
                 [&] { return b.per_write([&] { return b.random_item(); }) / 1e3; });
}

/// How often a query is run for a commit of 1,000 records, 10 for each of 100 subscriptions.
/// Limit: once.
figure bulk(const settings& asked) {
  constexpr std::int64_t teams = 100;
  board b;
  for (std::int64_t i = 0; i < teams; ++i)
    b.subscribe("team", {{"team", i}});
  const auto runs = [&] {
    must(b.db.settle());
    std::uint64_t all = 0;
    for (std::int64_t i = 0; i < teams; ++i)
      all += must(b.db.why("team", {{"team", i}})).runs;
    return static_cast<double>(all);
  };
  return measure(
      {.name = "reactive_bulk_runs", .unit = "runs", .limit = 1}, asked.repetitions(), [&] {
        const auto before = runs();
        const auto written =
            must(b.items.update_many("team"_f < teams, {{"score", b.random_score()}}).get());
        if (written != 1'000)
          std::abort();
        const auto each = (runs() - before) / static_cast<double>(teams);
        if (each < 1)
          std::abort(); // not told at all is no less to pay
        return each;
      });
}

/// A live list of the 10 best of 100,000, per write, of which every tenth enters the list, until
/// all is told. Limit: 10 us.
figure top10(const settings& asked) {
  board b;
  b.subscribe("top10", {});
  must(b.db.settle());
  std::int64_t best = 1'000'000'000, turn = 0;
  return measure({.name = "reactive_top10",
                  .unit = "us",
                  .limit = 10,
                  .others = "noex-store 42 for one count, 382 for one list of 12,000"},
                 asked.repetitions(), [&] {
                   const auto told = b.told.load();
                   const auto each = nanoseconds_per_operation(write_count, [&] {
                     for (std::size_t i = 0; i < write_count; ++i)
                       b.write(b.random_item(), ++turn % 10 == 0 ? ++best : b.random_score());
                     must(b.db.settle());
                   });
                   if (b.told.load() == told)
                     std::abort();
                   return each / 1e3;
                 });
}

/// A live list of 12,000 of 100,000 in order, per write of one of them, until all is told. Limit:
/// one run of it.
figure list_of_12000(const settings& asked) {
  board b;
  b.subscribe("list", {});
  must(b.db.settle());
  constexpr std::size_t runs = 5, writes = 500;
  const auto one = [&] {
    const auto some = b.random_item();
    return some - some % 10'000 + some % 1'200;
  };
  return compare(
      {.name = "reactive_list_12k", .unit = "ns", .reach = 0.2}, asked.repetitions(),
      [&] {
        return nanoseconds_per_operation(runs, [&] {
          for (std::size_t i = 0; i < runs; ++i)
            static_cast<void>(must(b.db.run("list")));
        });
      },
      [&] {
        return nanoseconds_per_operation(writes, [&] {
          for (std::size_t i = 0; i < writes; ++i) {
            b.write(one());
            must(b.db.settle());
          }
        });
      });
}

/// A live list of the 10 best of 100,000 by a field without an index, per write until it is told,
/// of which every tenth is in it. Limit: one run of it.
figure top10_unindexed(const settings& asked) {
  store db = must(store::start());
  auto items = must(db.define(
      schema("items").key("id", integer()).field("team", integer()).field("score", integer())));
  std::mt19937_64 random{1};
  constexpr std::int64_t per_commit = 1'000, behind = 1'000'000'000;
  for (std::int64_t first = 0; first < item_count; first += per_commit) {
    std::vector<object> list;
    for (auto id = first; id < first + per_commit; ++id)
      list.push_back({{"id", id},
                      {"team", id % 10'000},
                      {"score", static_cast<std::int64_t>(random() % behind)}});
    must(items.insert_many(list).get());
  }
  const auto what = query{}.order_by("score", direction::descending).limit(10);
  must(db.define_query("top10", {.bucket = "items", .what = what}));
  const auto token = must(db.subscribe("top10", [](const query_update&) {}));
  must(db.settle());
  constexpr std::size_t runs = 5, writes = 2'000;
  std::int64_t front = 0, turn = 0;
  return compare(
      {.name = "reactive_top10_unindexed", .unit = "ns", .reach = 0.1}, asked.repetitions(),
      [&] {
        return nanoseconds_per_operation(runs, [&] {
          for (std::size_t i = 0; i < runs; ++i)
            static_cast<void>(must(db.run("top10")));
        });
      },
      [&] {
        return nanoseconds_per_operation(writes, [&] {
          for (std::size_t i = 0; i < writes; ++i) {
            const auto id = static_cast<std::int64_t>(random() % item_count);
            const auto score = ++turn % 10 ? static_cast<std::int64_t>(random() % behind)
                                           : behind + ++front % 1'000;
            must(items.update(id, {{"score", score}}).get());
            must(db.settle());
          }
        });
      });
}

} // namespace

std::vector<row> reactive_rows() {
  return {{"reactive_notify_p50", notify},
          {"reactive_writer_pays", writer_pays},
          {"reactive_writer_pays_waking", writer_pays_over_waking},
          {"reactive_2000_subscriptions", two_thousand},
          {"reactive_100k_subscriptions", hundred_thousand, true},
          {"reactive_1000_ranges", thousand_ranges},
          {"reactive_sum", live_sum},
          {"reactive_bulk_runs", bulk},
          {"reactive_top10", top10},
          {"reactive_top10_unindexed", top10_unindexed},
          {"reactive_list_12k", list_of_12000}};
}

} // namespace holdfast::bench
