#include "people_store.hpp"
#include "rows.hpp"

#include <benchmark/benchmark.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <string>
#include <thread>
#include <vector>

namespace holdfast::bench {

namespace {

constexpr std::uint32_t purged = 100'000;
constexpr std::uint32_t stored = 1'000'000;

/// Inserts people into a bucket; nanoseconds for each.
double insert_all(const bucket<>& to, const std::vector<person>& list) {
  return nanoseconds_per_operation(list.size(), [&] {
    for (auto& p : list)
      static_cast<void>(must(to.insert({{"id", p.id},
                                        {"name", p.name},
                                        {"email", p.email},
                                        {"role", p.role},
                                        {"age", p.age},
                                        {"balance", p.balance}})
                                 .get()));
  });
}

/// Inserts into a bucket that is full, so that each evicts the oldest. Limit: our own inserts into
/// one that is not.
figure insert_full_bucket(const settings& asked) {
  static const auto before = people(people_count, people_count), incoming = people(people_count);
  return compare(
      {.name = "insert_full_bucket", .unit = "ns", .reach = 1.5}, asked.repetitions(),
      [] {
        people_store s;
        insert_all(s.people, before);
        return insert_all(s.people, incoming);
      },
      [] {
        people_store s;
        auto full = must(s.db.define(people_schema("full").capacity(people_count)));
        insert_all(full, before);
        return insert_all(full, incoming);
      });
}

/// Sessions that end by themselves, on a clock that is moved by hand; nothing purges but who asks.
class sessions_store {
public:
  sessions_store() { fill(stored - purged, std::chrono::hours{1'000'000}); }

  /// Makes 100,000 that have expired when it returns.
  void let_some_expire() {
    fill(purged, std::chrono::seconds{1});
    clock_.advance(std::chrono::seconds{2});
  }
  void purge() const {
    if (must(sessions_.purge()) != purged)
      std::abort();
  }
  const bucket<>& sessions() const { return sessions_; }

private:
  static store_options on(clock& c) {
    store_options options;
    options.runtime_settings.clock = &c;
    options.ttl_interval = std::chrono::milliseconds{0};
    return options;
  }
  void fill(std::uint32_t count, std::chrono::milliseconds lasts) {
    for (std::uint32_t i = 0; i < count; ++i, ++next_)
      static_cast<void>(
          must(sessions_
                   .insert({{"id", next_},
                            {"user", order_[static_cast<std::size_t>(next_) % stored]},
                            {"since", i}},
                           {.expires_in = lasts + std::chrono::milliseconds{order_[i] % 1000}})
                   .get()));
  }

  manual_clock clock_;
  store db_ = must(store::start(on(clock_)));
  const std::vector<std::uint32_t> order_ = random_order(stored, stored);
  std::int64_t next_ = 0;
  const bucket<> sessions_ = must(db_.define(schema("sessions")
                                                 .key("id", integer())
                                                 .field("user", integer())
                                                 .field("since", integer())
                                                 .index("user")));
};

/// `purge` of 100,000 of 1,000,000 records, which is 98 commits.
figure purge_100k_of_1m(const settings&) {
  sessions_store s;
  return measure({.name = "purge_100k_of_1m", .unit = "ms", .limit = 150}, 3, [&] {
    s.let_some_expire();
    const auto begin = now();
    s.purge();
    return static_cast<double>(now() - begin) / 1e6;
  });
}

/// Reads by key while another thread purges 100,000 of 1,000,000 records. Limit: the same reads
/// while nothing is purged.
figure reads_during_purge(const settings&) {
  sessions_store s;
  std::size_t found = 0;
  std::uint32_t key = 0;
  auto read_some = [&] {
    for (int i = 0; i < 100; ++i) {
      key = (key * 1'103'515'245u + 12'345u);
      found += s.sessions().contains(std::int64_t{key % (stored - purged)});
    }
  };
  auto rate_while = [&](const std::function<bool()>& going) {
    std::size_t reads = 0;
    const auto begin = now();
    do {
      read_some();
      reads += 100;
    } while (going());
    return static_cast<double>(reads) * 1e9 / static_cast<double>(now() - begin);
  };
  auto row = compare(
      {.name = "reads_during_purge", .unit = "op/s", .reach = 0.5, .want = goal::at_least}, 3,
      [&] {
        const auto end = now() + 100'000'000;
        return rate_while([&] { return now() < end; });
      },
      [&] {
        s.let_some_expire();
        std::atomic<bool> going{true};
        std::thread other{[&] {
          s.purge();
          going = false;
        }};
        const auto rate = rate_while([&] { return going.load(); });
        other.join();
        return rate;
      });
  benchmark::DoNotOptimize(found);
  return row;
}

/// Inserts into a bucket that uses no feature beside its schema, in a store whose other buckets use
/// all: deadlines, capacity, references, checks, subscribers, live queries. Limit: the same in a
/// store that has nothing else.
figure insert_unused_features(const settings& asked) {
  static const auto list = people(people_count);
  auto quiet = [](const auto&) {};
  return compare(
      {.name = "insert_unused_features", .unit = "ns", .reach = 1.1}, asked.repetitions(),
      [] {
        people_store s;
        return insert_all(s.people, list);
      },
      [&] {
        people_store s;
        auto& db = s.db;
        must(db.define(schema("teams").key("id", integer())));
        auto busy = must(
            db.define(schema("busy")
                          .key("id", integer())
                          .field("team", integer().references("teams"))
                          .validate([](const record_input&) { return std::vector<std::string>{}; })
                          .expire_after(std::chrono::hours{1})
                          .capacity(1'000)));
        auto events = must(db.on("bucket.busy.*", quiet));
        must(db.define_query("busy", {.bucket = "busy", .what = query{}.order_by("id").limit(10)}));
        auto live = must(db.subscribe("busy", quiet));
        for (int i = 0; i < 2'000; ++i)
          static_cast<void>(must(busy.insert({{"id", i}}).get()));
        must(db.settle());
        return insert_all(s.people, list);
      });
}

} // namespace

std::vector<row> limits_rows() {
  return {{"insert_full_bucket", insert_full_bucket},
          {"insert_unused_features", insert_unused_features},
          {"purge_100k_of_1m", purge_100k_of_1m, true},
          {"reads_during_purge", reads_during_purge, true}};
}

} // namespace holdfast::bench
