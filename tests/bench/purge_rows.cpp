#include "people_store.hpp"
#include "rows.hpp"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <thread>
#include <utility>
#include <vector>

namespace holdfast::bench {

namespace {

constexpr std::uint32_t purged = 100'000;
constexpr std::uint32_t stored = 1'000'000;

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

/// One reader on a thread of its own core (two threads in all, as many as the smallest machine that
/// this is for has cores): what the reader shares with the purge is the bucket, the last cache and
/// the memory, not its time. Each read is timed, the clock's 25 ns included.
class purge_reader {
public:
  /// Reads while `going`; nanoseconds of each, sorted.
  using reads = std::function<std::vector<double>(const std::function<bool()>& going)>;

  /// Gets of random keys that do not expire.
  static reads gets(const sessions_store& s) {
    return [&s](auto& going) {
      return each_of(going, [&](std::uint32_t random) {
        benchmark::DoNotOptimize(s.sessions().get(std::int64_t{random % (stored - purged)}).get());
      });
    };
  }
  /// Queries that an index answers, of 100 users and so of about as many records, of which those
  /// that have expired are left out.
  static reads queries(const sessions_store& s) {
    return [&s](auto& going) {
      return each_of(going, [&](std::uint32_t random) {
        const std::int64_t from = random % (stored - 100);
        std::int64_t sum = 0;
        must(
            s.sessions().where("user"_f >= from && "user"_f < from + 100).visit([&](const auto& r) {
              sum += r.key().as_int();
            }));
        benchmark::DoNotOptimize(sum);
      });
    };
  }

  /// For 100 ms, in which nothing is purged.
  static std::vector<double> quiet(const reads& read) {
    const auto end = now() + 100'000'000;
    return read([&] { return now() < end; });
  }
  /// From before another thread begins to purge until it is done.
  static std::vector<double> during_purge(sessions_store& s, const reads& read) {
    s.let_some_expire();
    std::atomic<bool> going{true};
    std::thread other{[&] {
      s.purge();
      going = false;
    }};
    auto times = read([&] { return going.load(); });
    other.join();
    return times;
  }

private:
  template <class Read>
  static std::vector<double> each_of(const std::function<bool()>& going, Read&& read) {
    std::vector<double> times;
    times.reserve(1'000'000); // so that no read waits for it to grow
    std::uint32_t random = 0;
    do {
      random = random * 1'103'515'245u + 12'345u;
      const auto begin = now();
      read(random >> 4);
      times.push_back(static_cast<double>(now() - begin));
    } while (going());
    std::sort(times.begin(), times.end());
    return times;
  }
};

double p99(const std::vector<double>& sorted) { return sorted[sorted.size() * 99 / 100]; }

/// How long one of 100 reads takes at least while 100,000 of 1,000,000 records are purged. Limit:
/// the same reads while nothing is.
figure p99_during_purge(figure row, purge_reader::reads (*which)(const sessions_store&)) {
  sessions_store s;
  const auto read = which(s);
  return compare(
      std::move(row), 3, [&] { return p99(purge_reader::quiet(read)); },
      [&] { return p99(purge_reader::during_purge(s, read)); });
}

/// The longest of all reads of a purge. The limit is one time slice of the system's scheduler,
/// which any thread may have to wait for, and so far from the whole of the purge, which a reader
/// that waited for a lock would see.
figure longest_during_purge(figure row, purge_reader::reads (*which)(const sessions_store&)) {
  sessions_store s;
  const auto read = which(s);
  return measure(std::move(row), 3,
                 [&] { return purge_reader::during_purge(s, read).back() / 1e6; });
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

figure get_p99_during_purge(const settings&) {
  return p99_during_purge({.name = "get_p99_during_purge", .unit = "ns", .reach = 2},
                          purge_reader::gets);
}

figure get_longest_during_purge(const settings&) {
  return longest_during_purge({.name = "get_longest_during_purge", .unit = "ms", .limit = 10},
                              purge_reader::gets);
}

figure where_p99_during_purge(const settings&) {
  return p99_during_purge({.name = "where_p99_during_purge", .unit = "ns", .reach = 2},
                          purge_reader::queries);
}

figure where_longest_during_purge(const settings&) {
  return longest_during_purge({.name = "where_longest_during_purge", .unit = "ms", .limit = 10},
                              purge_reader::queries);
}

} // namespace

std::vector<row> purge_rows() {
  return {{"purge_100k_of_1m", purge_100k_of_1m, true},
          {"reads_during_purge", reads_during_purge, true},
          {"get_p99_during_purge", get_p99_during_purge, true},
          {"get_longest_during_purge", get_longest_during_purge, true},
          {"where_p99_during_purge", where_p99_during_purge, true},
          {"where_longest_during_purge", where_longest_during_purge, true}};
}

} // namespace holdfast::bench
