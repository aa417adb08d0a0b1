#include "people_store.hpp"
#include "raw_map.hpp"
#include "rows.hpp"

#include <benchmark/benchmark.h>

#include <atomic>
#include <latch>
#include <thread>

namespace holdfast::bench {

namespace {

constexpr std::size_t lookups = 200'000;

const std::vector<person>& all_people() {
  static const auto list = people(people_count);
  return list;
}

const std::vector<std::uint32_t>& lookup_order() {
  static const auto list = random_order(lookups, people_count);
  return list;
}

raw_map full_map() {
  raw_map m;
  for (auto& p : all_people())
    m.insert(p);
  return m;
}

people_store full_store() {
  people_store s;
  for (auto& p : all_people())
    s.insert(p);
  return s;
}

/// Calls `read(key)` with keys in random order, and keeps the sum of what it gives. The key is read
/// from the caller's own record, so both sides pay for that miss alike.
template <class Read>
double read_all(Read&& read) {
  auto& list = all_people();
  double sum = 0;
  auto ns = nanoseconds_per_operation(lookups, [&] {
    for (auto i : lookup_order())
      sum += read(list[i].id);
  });
  benchmark::DoNotOptimize(sum);
  return ns;
}

/// Raw: `unordered_map::find`, then one double of the struct. Ours: an owning handle, then the same
/// double of the record.
figure get_handle(const settings& asked) {
  auto raw = full_map();
  auto ours = full_store();
  return compare(
      {.name = "get_handle", .unit = "ns", .reach = 1.1}, asked.repetitions(),
      [&] { return read_all([&](auto& id) { return raw.find(id)->balance; }); },
      [&] {
        return read_all([&](auto& id) {
          return must(ours.people.get(id).get()).field(balance_field).as_double();
        });
      });
}

/// As above, but ours visits the record without taking a handle.
figure get_visit(const settings& asked) {
  auto raw = full_map();
  auto ours = full_store();
  return compare(
      {.name = "get_visit", .unit = "ns", .reach = 0.9}, asked.repetitions(),
      [&] { return read_all([&](auto& id) { return raw.find(id)->balance; }); },
      [&] {
        return read_all([&](auto& id) {
          double x = 0;
          must(ours.people.visit(id,
                                 [&](const auto& r) { x = r.field(balance_field).as_double(); }));
          return x;
        });
      });
}

/// Both start empty and grow; neither is told how much is to come. Raw: the struct copied into an
/// `unordered_map`, and two index maps. Ours: blocking, every field checked, by name.
figure insert(const settings& asked) {
  return compare(
      {.name = "insert", .unit = "ns", .reach = 0.8}, asked.repetitions(),
      [&] {
        raw_map m;
        return nanoseconds_per_operation(people_count, [&] {
          for (auto& p : all_people())
            if (!m.insert(p))
              std::abort();
        });
      },
      [&] {
        people_store s;
        return nanoseconds_per_operation(people_count, [&] {
          for (auto& p : all_people())
            s.insert(p);
        });
      });
}

/// Raw: find, copy the document, change one double, swap the pointer. Ours: blocking `update` of
/// one field.
figure update(const settings& asked) {
  raw_documents raw;
  for (auto& p : all_people())
    raw.insert(p);
  auto ours = full_store();
  double next = 0;
  auto update_all = [&](auto&& one) {
    auto& list = all_people();
    return nanoseconds_per_operation(lookups, [&] {
      for (auto i : lookup_order())
        one(list[i].id, next += 1);
    });
  };
  return compare(
      {.name = "update", .unit = "ns", .reach = 1.3}, asked.repetitions(),
      [&] { return update_all([&](auto& id, double x) { raw.set_balance(id, x); }); },
      [&] {
        return update_all([&](auto& id, double x) {
          static_cast<void>(must(ours.people.update(id, {{"balance", x}}).get()));
        });
      });
}

/// 1,000 of 100,000 records, one int of each. Raw: walk the index's set of ids, find each. Ours:
/// plan, pin, walk the index.
figure where_indexed(const settings& asked) {
  constexpr std::size_t rounds = 50;
  auto raw = full_map();
  auto ours = full_store();
  std::int64_t sum = 0;
  auto row = compare(
      {.name = "where_indexed", .unit = "ns", .reach = 0.2}, asked.repetitions(),
      [&] {
        return nanoseconds_per_operation(rounds, [&] {
          for (std::size_t i = 0; i < rounds; ++i)
            raw.where_role("admin", [&](const person& p) { sum += p.age; });
        });
      },
      [&] {
        return nanoseconds_per_operation(rounds, [&] {
          for (std::size_t i = 0; i < rounds; ++i)
            must(ours.people.where("role"_f == "admin").visit([&](const auto& r) {
              sum += r.field(age_field).as_int();
            }));
        });
      });
  benchmark::DoNotOptimize(sum);
  return row;
}

/// Inserts per second of `threads` threads that share the workload, into one fresh bucket.
double insert_rate(std::size_t threads) {
  people_store s;
  auto& list = all_people();
  const auto share = list.size() / threads;
  std::latch ready{static_cast<std::ptrdiff_t>(threads) + 1};
  std::vector<std::jthread> writers;
  for (std::size_t t = 0; t < threads; ++t)
    writers.emplace_back([&, t] {
      ready.arrive_and_wait();
      for (auto i = t * share; i < (t + 1) * share; ++i)
        s.insert(list[i]);
    });
  ready.arrive_and_wait();
  return operations_per_second(share * threads, [&] { writers.clear(); });
}

/// Limit: our own rate with one thread.
figure insert_four_threads(const settings& asked) {
  return compare(
      {.name = "insert_4_threads", .unit = "op/s", .reach = 0.8, .want = goal::at_least},
      asked.repetitions(), [] { return insert_rate(1); }, [] { return insert_rate(4); });
}

/// Limit: our own inserts with nobody else there. The scanner takes a snapshot, reads one double of
/// each record, and begins again.
figure insert_while_scanning(const settings& asked) {
  std::atomic<std::uint64_t> scanned{0};
  return compare(
      {.name = "insert_while_scanning", .unit = "op/s", .reach = 0.5, .want = goal::at_least},
      asked.repetitions(), [] { return insert_rate(1); },
      [&] {
        people_store s;
        std::latch ready{2};
        std::jthread scanner{[&](std::stop_token stop) {
          ready.arrive_and_wait();
          while (!stop.stop_requested()) {
            double sum = 0;
            must(s.people.everything().visit(
                [&](const auto& r) { sum += r.field(balance_field).as_double(); }));
            benchmark::DoNotOptimize(sum);
            ++scanned;
          }
        }};
        ready.arrive_and_wait();
        return operations_per_second(people_count, [&] {
          for (auto& p : all_people())
            s.insert(p);
        });
      });
}

/// Live memory per record of a full bucket over that of an empty one; allocator overhead, spare
/// room of the pools and all indexes included.
figure memory_per_record(const settings&) {
  auto& list = all_people();
  return measure({.name = "memory_per_record", .unit = "bytes", .limit = 340}, 5, [&] {
    people_store s;
    auto before = live_memory();
    for (auto& p : list)
      s.insert(p);
    return static_cast<double>(live_memory() - before) / people_count;
  });
}

/// The most that is held, at any of 30 moments, by one snapshot taken before 300,000 updates of
/// 1,000 keys.
figure memory_of_snapshot(const settings& asked) {
  constexpr std::size_t updates = 300'000;
  constexpr std::size_t keys = 1'000;
  return measure(
      {.name = "memory_of_old_snapshot", .unit = "MB", .limit = 5}, asked.quick ? 1 : 5, [&] {
        auto s = full_store();
        auto& list = all_people();
        auto held = s.db.snapshot();
        const auto before = live_memory();
        std::size_t most = before;
        for (std::size_t i = 0; i < updates; ++i) {
          static_cast<void>(must(
              s.people.update(list[i % keys].id, {{"balance", static_cast<double>(i)}}).get()));
          if (i % (updates / 30) == 0)
            most = std::max(most, live_memory());
        }
        must(s.people.at(held).visit(list[0].id, [&](const auto& r) {
          if (r.field(balance_field).as_double() != list[0].balance)
            std::abort();
        }));
        most = std::max(most, live_memory());
        return static_cast<double>(most - before) / 1e6;
      });
}

} // namespace

std::vector<row> memory_rows() {
  return {{"get_handle", get_handle},
          {"get_visit", get_visit},
          {"insert", insert},
          {"update", update},
          {"where_indexed", where_indexed},
          {"insert_4_threads", insert_four_threads},
          {"insert_while_scanning", insert_while_scanning},
          {"memory_per_record", memory_per_record},
          {"memory_of_old_snapshot", memory_of_snapshot}};
}

} // namespace holdfast::bench
