#include "people_store.hpp"
#include "rows.hpp"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <latch>
#include <thread>

namespace holdfast::bench {

namespace {

constexpr std::size_t transfers = 100'000;
constexpr std::uint32_t hot_records = 10;

/// Workload W in one bucket, and the balances of the same people in another.
struct bank : people_store {
  bank()
      : accounts{must(db.define(
            schema("accounts").key("id", string()).field("balance", number().required())))} {
    for (auto& person : all()) {
      insert(person);
      must(accounts.insert({{"id", person.id}, {"balance", person.balance}}).get());
    }
  }
  static const std::vector<person>& all() {
    static const auto list = bench::people(people_count);
    return list;
  }
  bucket<> accounts;
};

double balance_of(const record& r, std::size_t slot) { return r.field(slot).as_double(); }

/// Reads a balance of each bucket, and writes both.
result<void> transfer(const bucket<>& from, const bucket<>& to, std::string_view a,
                      std::string_view b) {
  auto debit = balance_of(must(from.get(a).get()), balance_field) - 1;
  auto credit = balance_of(must(to.get(b).get()), 1) + 1;
  static_cast<void>(must(from.update(a, {{"balance", debit}}).get()));
  static_cast<void>(must(to.update(b, {{"balance", credit}}).get()));
  return {};
}

/// A debit and a credit in two buckets, blocking, one thread. Limit: the same reads and updates,
/// not in a transaction.
figure debit_credit(const settings& asked) {
  bank s;
  const auto order = random_order(transfers, people_count);
  auto run = [&](auto&& one) {
    return nanoseconds_per_operation(transfers, [&] {
      for (std::size_t i = 0; i < transfers; ++i)
        one(bank::all()[order[i]].id, bank::all()[order[transfers - 1 - i]].id);
    });
  };
  return compare(
      {.name = "tx_debit_credit", .unit = "ns", .reach = 2}, asked.repetitions(),
      [&] { return run([&](auto& a, auto& b) { must(transfer(s.people, s.accounts, a, b)); }); },
      [&] {
        return run([&](auto& a, auto& b) {
          must(s.db.transact(
              [&](transaction& tx) { return transfer(tx.in(s.people), tx.in(s.accounts), a, b); }));
        });
      });
}

/// The same, in a second. Limit: Tarantool's best.
figure one_thread(const settings& asked) {
  bank s;
  const auto order = random_order(transfers, people_count);
  return measure({.name = "tx_one_thread",
                  .unit = "op/s",
                  .want = goal::at_least,
                  .limit = 76'000,
                  .others = "Tarantool 60-76 k, SQLite in memory 68 k, Redis MULTI 33 k, "
                            "noex-store 29 k, Mnesia 22 k"},
                 asked.repetitions(), [&] {
                   return operations_per_second(transfers, [&] {
                     for (std::size_t i = 0; i < transfers; ++i)
                       must(s.db.transact([&](transaction& tx) {
                         return transfer(tx.in(s.people), tx.in(s.accounts),
                                         bank::all()[order[i]].id,
                                         bank::all()[order[transfers - 1 - i]].id);
                       }));
                   });
                 });
}

/// A read-only transaction of 100 look-ups, per look-up. Limit: the same look-ups outside of one.
figure read_only(const settings& asked) {
  constexpr std::size_t each = 100;
  bank s;
  const auto order = random_order(transfers, people_count);
  double sum = 0;
  const auto look_up = [&](const bucket<>& in, std::size_t from) {
    for (std::size_t i = from; i < from + each; ++i)
      sum += balance_of(must(in.get(bank::all()[order[i]].id).get()), balance_field);
  };
  const auto run = [&](auto&& hundred) {
    return nanoseconds_per_operation(transfers, [&] {
      for (std::size_t i = 0; i < transfers; i += each)
        hundred(i);
    });
  };
  auto row = compare(
      {.name = "tx_read_only", .unit = "ns", .reach = 1.3}, asked.repetitions(),
      [&] { return run([&](std::size_t from) { look_up(s.people, from); }); },
      [&] {
        return run([&](std::size_t from) {
          must(s.db.transact([&](transaction& tx) -> result<void> {
            look_up(tx.in(s.people), from);
            return {};
          }));
        });
      });
  benchmark::DoNotOptimize(sum);
  return row;
}

/// The rate of all threads that move money between a few records, and that of the slowest one over
/// the mean.
std::pair<double, double> contended(std::size_t threads) {
  constexpr auto length = std::chrono::milliseconds{300};
  bank s;
  std::vector<std::size_t> committed(threads);
  std::latch ready{static_cast<std::ptrdiff_t>(threads)};
  {
    std::vector<std::jthread> all;
    for (std::size_t t = 0; t < threads; ++t)
      all.emplace_back([&, t] {
        const auto order = random_order(transfers, hot_records);
        ready.arrive_and_wait();
        const auto end = std::chrono::steady_clock::now() + length;
        for (std::size_t i = 0; std::chrono::steady_clock::now() < end; ++i) {
          auto& a = bank::all()[order[(i + t) % transfers]].id;
          auto& b = bank::all()[order[(i * 7 + t) % transfers]].id;
          must(s.db.transact(
              [&](transaction& tx) { return transfer(tx.in(s.people), tx.in(s.accounts), a, b); }));
          ++committed[t];
        }
      });
  }
  const auto seconds = std::chrono::duration<double>{length}.count();
  double sum = 0;
  for (auto n : committed)
    sum += static_cast<double>(n);
  const auto slowest = static_cast<double>(*std::ranges::min_element(committed));
  return {sum / seconds, slowest * static_cast<double>(threads) / std::max(sum, 1.0)};
}

/// 4 threads, 10 hot records. Limit: 50,000 committed transactions per second.
figure contended_rate(const settings& asked) {
  return measure({.name = "tx_contended", .unit = "op/s", .want = goal::at_least, .limit = 50'000},
                 asked.repetitions(), [] { return contended(4).first; });
}

/// The same: what the slowest thread does of the mean.
figure contended_fairness(const settings& asked) {
  return measure(
      {.name = "tx_contended_slowest", .unit = "share", .want = goal::at_least, .limit = 0.1},
      asked.repetitions(), [] { return contended(4).second; });
}

} // namespace

std::vector<row> transaction_rows() {
  return {{"tx_debit_credit", debit_credit},
          {"tx_one_thread", one_thread},
          {"tx_read_only", read_only},
          {"tx_contended", contended_rate},
          {"tx_contended_slowest", contended_fairness}};
}

} // namespace holdfast::bench
