#include "people_store.hpp"
#include "rows.hpp"

#include <benchmark/benchmark.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

namespace holdfast::bench {

namespace {

/// A bucket of `count` records whose number and text, both indexed, are all different.
struct numbered_store {
  explicit numbered_store(std::uint32_t count)
      : db{must(store::start())}, records{must(db.define(schema("records")
                                                             .key("id", integer())
                                                             .field("n", integer())
                                                             .field("text", string())
                                                             .index("n")
                                                             .index("text")))} {
    for (auto i : shuffled(count))
      static_cast<void>(must(records.insert({{"id", i}, {"n", i}, {"text", text_of(i)}}).get()));
  }
  /// Six digits, so that they sort as the numbers do.
  static std::string text_of(std::uint32_t i) {
    std::array<char, 16> digits{};
    std::snprintf(digits.data(), digits.size(), "%06u", i);
    return digits.data();
  }
  store db;
  bucket<> records;
};

/// Each operator that an index answers, finding about a hundred records; the sum of all it found.
std::int64_t find_by_each_operator(const bucket<>& in) {
  std::int64_t sum = 0;
  auto visit = [&](filter which) {
    must(in.where(std::move(which)).visit([&](const auto& r) { sum += r.key().as_int(); }));
  };
  constexpr std::int64_t from = 5'000, to = 5'100;
  std::vector<value> some;
  for (auto i = from; i < to; ++i) {
    visit("n"_f == i);
    some.emplace_back(i);
  }
  visit(filter::in("n", some));
  visit("n"_f >= from && "n"_f < to);
  visit("n"_f.between(from, to));
  visit("n"_f < 100);
  visit("text"_f.starts_with("0050"));
  visit("n"_f == from || "text"_f.starts_with("0051"));
  return sum;
}

/// In a bucket of 100,000 records. Limit: the same results in one of 10,000.
figure where_in_ten_times_as_many(const settings& asked) {
  constexpr std::size_t rounds = 20;
  const numbered_store few{people_count / 10};
  const numbered_store many{people_count};
  std::int64_t sum = 0;
  auto run = [&](const numbered_store& s) {
    return nanoseconds_per_operation(rounds, [&] {
      for (std::size_t i = 0; i < rounds; ++i)
        sum += find_by_each_operator(s.records);
    });
  };
  auto row = compare(
      {.name = "where_10x_records", .unit = "ns", .reach = 1.5}, asked.repetitions(),
      [&] { return run(few); }, [&] { return run(many); });
  benchmark::DoNotOptimize(sum);
  return row;
}

/// How many of 100,000 lie in a range of an indexed field that holds half of them.
figure count_range(const settings& asked) {
  constexpr std::size_t rounds = 20'000;
  const numbered_store s{people_count};
  std::uint64_t sum = 0;
  auto row =
      measure({.name = "count_range", .unit = "ns", .limit = 2'000}, asked.repetitions(), [&] {
        return nanoseconds_per_operation(rounds, [&] {
          for (std::size_t i = 0; i < rounds; ++i)
            sum += must(s.records.count("n"_f >= 25'000 && "n"_f < 75'000).get());
        });
      });
  benchmark::DoNotOptimize(sum);
  return row;
}

/// The same in a bucket of 1,000,000. Limit: in one of 100,000.
figure count_range_in_ten_times_as_many(const settings& asked) {
  constexpr std::size_t rounds = 20'000;
  const numbered_store few{people_count}, many{10 * people_count};
  std::uint64_t sum = 0;
  auto run = [&](const numbered_store& s, std::int64_t records) {
    const auto half = "n"_f >= records / 4 && "n"_f < 3 * records / 4;
    return nanoseconds_per_operation(rounds, [&] {
      for (std::size_t i = 0; i < rounds; ++i)
        sum += must(s.records.count(half).get());
    });
  };
  auto row = compare(
      {.name = "count_range_10x", .unit = "ns", .reach = 1.5}, asked.repetitions(),
      [&] { return run(few, people_count); }, [&] { return run(many, 10 * people_count); });
  benchmark::DoNotOptimize(sum);
  return row;
}

/// Two groups over the whole workload, with a count and a mean.
figure group_by(const settings& asked) {
  people_store s;
  for (auto& p : people(people_count))
    s.insert(p);
  return measure({.name = "group_by_100k", .unit = "ms", .limit = 15}, asked.repetitions(), [&] {
    const auto begin = now();
    auto found = must(s.people.everything()
                          .group_by({"role"}, {aggregate::count(), aggregate::avg("balance")})
                          .get());
    if (found.size() != 2)
      std::abort();
    return static_cast<double>(now() - begin) / 1e6;
  });
}

constexpr std::uint64_t page_size = 20;

/// Nanoseconds that `read`, which gives a page, takes.
template <class Read>
double for_each_page(Read&& read) {
  constexpr std::size_t rounds = 2'000;
  return nanoseconds_per_operation(rounds, [&] {
    for (std::size_t i = 0; i < rounds; ++i)
      if (read() != page_size)
        std::abort();
  });
}

/// The last of 5,000 pages of 20 records, by its cursor. Limit: the first.
figure page_by_cursor(figure row, const settings& asked, const selection& in_order) {
  std::optional<std::string> cursor;
  for (std::uint32_t i = 1; i < people_count / page_size; ++i) {
    cursor = must(in_order.page_of(page_size, cursor).get()).next;
    if (!cursor)
      std::abort(); // the next one would be the first page again
  }
  auto read = [&](const std::optional<std::string>& after) {
    return for_each_page(
        [&] { return must(in_order.page_of(page_size, after).get()).items.size(); });
  };
  return compare(
      std::move(row), asked.repetitions(), [&] { return read(std::nullopt); },
      [&] { return read(cursor); });
}

/// The same by offset.
figure page_by_offset(figure row, const settings& asked, const selection& in_order) {
  auto read = [&](std::uint64_t offset) {
    return for_each_page([&] {
      auto page = in_order;
      return must(std::move(page).offset(offset).limit(page_size).all().get()).size();
    });
  };
  return compare(
      std::move(row), asked.repetitions(), [&] { return read(0); },
      [&] { return read(people_count - page_size); });
}

/// In the order of an index.
figure page_5000(const settings& asked) {
  const numbered_store s{people_count};
  return page_by_cursor({.name = "page_5000", .unit = "ns", .reach = 1.3}, asked,
                        s.records.everything().order_by("n"));
}

figure page_5000_offset(const settings& asked) {
  const numbered_store s{people_count};
  return page_by_offset({.name = "page_5000_offset", .unit = "ns", .reach = 1.3}, asked,
                        s.records.everything().order_by("n"));
}

/// In the order of insertion.
figure page_5000_as_inserted(const settings& asked) {
  const numbered_store s{people_count};
  return page_by_cursor({.name = "page_5000_as_inserted", .unit = "ns", .reach = 1.3}, asked,
                        s.records.everything());
}

/// Of which every hundredth record was erased and inserted again, so that no row is where its
/// number says: chunks of 1,024 rows are passed by one after the other.
figure page_5000_as_inserted_offset(const settings& asked) {
  const numbered_store s{people_count};
  for (std::uint32_t i = 0; i < people_count; i += 100) {
    must(s.records.erase(i).get());
    static_cast<void>(
        must(s.records.insert({{"id", i}, {"n", i}, {"text", numbered_store::text_of(i)}}).get()));
  }
  return page_by_offset({.name = "page_5000_as_inserted_offset", .unit = "ns", .reach = 1.3}, asked,
                        s.records.everything());
}

/// In the order of keys.
figure page_5000_by_key(const settings& asked) {
  auto db = must(store::start());
  auto records =
      must(db.define(schema("records").key("id", integer()).field("text", string()).ordered()));
  for (auto i : shuffled(people_count))
    static_cast<void>(
        must(records.insert({{"id", i}, {"text", numbered_store::text_of(i)}}).get()));
  return page_by_cursor({.name = "page_5000_by_key", .unit = "ns", .reach = 1.3}, asked,
                        records.everything());
}

} // namespace

std::vector<row> query_rows() {
  return {{"where_10x_records", where_in_ten_times_as_many},
          {"count_range", count_range},
          {"count_range_10x", count_range_in_ten_times_as_many, true},
          {"group_by_100k", group_by},
          {"page_5000", page_5000},
          {"page_5000_offset", page_5000_offset},
          {"page_5000_as_inserted", page_5000_as_inserted},
          {"page_5000_as_inserted_offset", page_5000_as_inserted_offset},
          {"page_5000_by_key", page_5000_by_key}};
}

} // namespace holdfast::bench
