#include "people_store.hpp"
#include "rows.hpp"

#include <benchmark/benchmark.h>

#include <chrono>
#include <cstdlib>
#include <span>
#include <string>
#include <vector>

namespace holdfast::bench {

namespace {

constexpr std::size_t random_reads = 200'000;

const std::vector<person>& incoming() {
  static const auto list = people(people_count);
  return list;
}

/// Inserts people into a bucket; nanoseconds for each.
double insert_all(const bucket<>& to, std::span<const person> list) {
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

/// Those that a bucket is full of before `incoming` are inserted.
const std::vector<person>& people_before() {
  static const auto list = people(people_count, people_count);
  return list;
}

/// Inserts into a bucket that is full, so that each evicts the oldest. Limit: our own inserts into
/// one that is not.
figure insert_full_bucket(const settings& asked) {
  return compare(
      {.name = "insert_full_bucket", .unit = "ns", .reach = 1.5}, asked.repetitions(),
      [] {
        people_store s;
        insert_all(s.people, people_before());
        return insert_all(s.people, incoming());
      },
      [] {
        people_store s;
        auto full = must(s.db.define(people_schema("full").capacity(people_count)));
        insert_all(full, people_before());
        return insert_all(full, incoming());
      });
}

/// The same, with reads that are not timed, of a quarter of the records that were there before:
/// each once at first, then about four times in all, between every 100 inserts. Nanoseconds for
/// each insert.
double insert_between_reads(const bucket<>& to) {
  constexpr std::size_t together = 100, read_often = people_count / 4;
  insert_all(to, people_before());
  auto read = [&](std::size_t i) { static_cast<void>(to.get(people_before()[i].id).get()); };
  for (std::size_t i = 0; i < read_often; ++i)
    read(i);
  const std::span<const person> list{incoming()};
  const auto order = random_order(people_count, read_often);
  double sum = 0;
  for (std::size_t i = 0; i < list.size(); i += together) {
    sum += insert_all(to, list.subspan(i, together));
    for (auto each = i; each < i + together; ++each)
      read(order[each]);
  }
  return sum / static_cast<double>(people_count / together);
}

/// Inserts into a full bucket that lets go what was not used for long. Limit: our own inserts, with
/// the same reads in between, into one that is not full.
figure insert_full_bucket_lru(const settings& asked) {
  return compare(
      {.name = "insert_full_bucket_lru", .unit = "ns", .reach = 1.5}, asked.repetitions(),
      [] {
        people_store s;
        return insert_between_reads(s.people);
      },
      [] {
        people_store s;
        auto full = must(
            s.db.define(people_schema("full").capacity(people_count, evict::least_recently_used)));
        const auto ns = insert_between_reads(full);
        // Of the oldest quarter, none were left if it had not been read.
        std::size_t kept = 0;
        for (std::size_t i = 0; i < people_count / 4; ++i)
          kept += full.contains(people_before()[i].id);
        if (kept < people_count / 8 || must(full.count().get()) != people_count)
          std::abort();
        return ns;
      });
}

/// Workload W in a store whose other buckets use all that there is: deadlines, capacity,
/// references, checks, subscribers, live queries.
class busy_store : public people_store {
public:
  busy_store() {
    must(db.define(schema("teams").key("id", integer())));
    auto busy =
        must(db.define(schema("busy")
                           .key("id", integer())
                           .field("team", integer().references("teams"))
                           .validate([](const record_input&) { return std::vector<std::string>{}; })
                           .expire_after(std::chrono::hours{1})
                           .capacity(1'000)));
    must(db.define_query("busy", {.bucket = "busy", .what = query{}.order_by("id").limit(10)}));
    auto quiet = [](const auto&) {};
    events_ = must(db.on("bucket.busy.*", quiet));
    live_ = must(db.subscribe("busy", quiet));
    for (int i = 0; i < 2'000; ++i)
      static_cast<void>(must(busy.insert({{"id", i}}).get()));
    must(db.settle());
  }

private:
  subscription events_, live_;
};

/// Inserts into a bucket that uses no feature beside its schema, in a store whose other buckets use
/// all. Limit: the same in a store that has nothing else.
figure insert_unused_features(const settings& asked) {
  return compare(
      {.name = "insert_unused_features", .unit = "ns", .reach = 1.1}, asked.repetitions(),
      [] {
        people_store s;
        return insert_all(s.people, incoming());
      },
      [] {
        busy_store s;
        return insert_all(s.people, incoming());
      });
}

/// Calls `one(key)` for records in random order; nanoseconds for each.
template <class One>
double for_some(One&& one) {
  static const auto order = random_order(random_reads, people_count);
  return nanoseconds_per_operation(random_reads, [&] {
    for (auto i : order)
      one(incoming()[i].id);
  });
}

/// As above, of updates of one field.
figure update_unused_features(const settings& asked) {
  people_store bare;
  busy_store busy;
  insert_all(bare.people, incoming());
  insert_all(busy.people, incoming());
  double next = 0;
  auto update = [&](const people_store& s) {
    return for_some([&](auto& id) {
      static_cast<void>(must(s.people.update(id, {{"balance", next += 1}}).get()));
    });
  };
  return compare(
      {.name = "update_unused_features", .unit = "ns", .reach = 1.1}, asked.repetitions(),
      [&] { return update(bare); }, [&] { return update(busy); });
}

/// As above, of reads by key.
figure get_unused_features(const settings& asked) {
  people_store bare;
  busy_store busy;
  insert_all(bare.people, incoming());
  insert_all(busy.people, incoming());
  double sum = 0;
  auto get = [&](const people_store& s) {
    return for_some(
        [&](auto& id) { sum += must(s.people.get(id).get()).field(balance_field).as_double(); });
  };
  auto row = compare(
      {.name = "get_unused_features", .unit = "ns", .reach = 1.1}, asked.repetitions(),
      [&] { return get(bare); }, [&] { return get(busy); });
  benchmark::DoNotOptimize(sum);
  return row;
}

} // namespace

std::vector<row> limits_rows() {
  return {{"insert_full_bucket", insert_full_bucket},
          {"insert_full_bucket_lru", insert_full_bucket_lru},
          {"insert_unused_features", insert_unused_features},
          {"update_unused_features", update_unused_features},
          {"get_unused_features", get_unused_features}};
}

} // namespace holdfast::bench
