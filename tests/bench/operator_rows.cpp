#include "people_store.hpp"
#include "rows.hpp"

#include <benchmark/benchmark.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace holdfast::bench {

namespace {

/// How many records a filter finds.
constexpr std::uint32_t small_result = 100;
constexpr std::uint32_t large_result = 10'000;

/// A bucket of 100,000 records with an index on each field but the key. Every tenth has no `name`,
/// but a `rare`.
struct operator_store {
  operator_store()
      : db{must(store::start())}, records{must(db.define(schema("records")
                                                             .key("id", integer())
                                                             .field("n", integer())
                                                             .field("in_100", integer())
                                                             .field("in_10000", integer())
                                                             .field("text", string())
                                                             .field("name", string())
                                                             .field("rare", string())
                                                             .field("label", string())
                                                             .field("tags", array_of())
                                                             .field("code", integer().unique())
                                                             .index("n")
                                                             .index("in_100")
                                                             .index("in_10000")
                                                             .index("text")
                                                             .index("name")
                                                             .index("rare")
                                                             .inverted_index("label")
                                                             .inverted_index("tags")
                                                             .index({"in_100", "name"})
                                                             .index({"in_100", "rare"})))} {
    for (std::uint32_t at = 0; at < people_count; ++at) {
      const auto i = at * 7'919 % people_count; // each once, jumping about
      const auto in_100 = i % (people_count / small_result);
      const auto in_10000 = i % (people_count / large_result);
      object fields{{"id", i},
                    {"n", i},
                    {"in_100", in_100},
                    {"in_10000", in_10000},
                    {"text", text_of(i)},
                    {"label", "of " + std::to_string(in_10000) + ", in " + text_of(in_100)},
                    {"tags", array{in_100, "of " + std::to_string(in_10000)}},
                    {"code", i}};
      fields.set(i % 10 != 0 ? "name" : "rare", text_of(i));
      static_cast<void>(must(records.upsert(fields).get()));
    }
  }
  /// Six digits, so that they sort as the numbers do.
  static std::string text_of(std::int64_t i) {
    std::array<char, 24> digits{};
    std::snprintf(digits.data(), digits.size(), "%06lld", static_cast<long long>(i));
    return digits.data();
  }

  store db;
  bucket<> records;
};

/// What is looked for: the only large result, or a small one out of a hundred that have no record
/// in common, so that both take as many records out of the same memory.
struct wanted {
  std::uint32_t size = large_result;
  std::int64_t part = 0;
  bool is_small() const noexcept { return size == small_result; }
  std::int64_t from() const noexcept { return 50'000 + part * size; }
  std::int64_t to() const noexcept { return from() + size; }
};
/// Filters that each find that many records.
using filters = std::vector<filter> (*)(const wanted&);

std::vector<filter> equal(const wanted& w) {
  return {w.is_small() ? "in_100"_f == w.part : "in_10000"_f == 0};
}

std::vector<filter> one_of(const wanted& w) {
  std::vector<value> some;
  for (std::uint32_t i = 0; i < w.size / small_result; ++i)
    some.emplace_back(w.part + i);
  return {filter::in("in_100", std::move(some))};
}

std::vector<filter> in_a_range(const wanted& w) {
  auto prefix = operator_store::text_of(w.from());
  prefix.resize(w.is_small() ? 4 : 2);
  return {"n"_f >= w.from() && "n"_f < w.to(), "n"_f.between(w.from(), w.to() - 1),
          "text"_f.starts_with(prefix)};
}

std::vector<filter> not_so(const wanted& w) {
  const auto one_more = "n"_f.between(w.from(), w.to());
  return {!("n"_f < w.from()) && !("n"_f >= w.to()), one_more && "n"_f != w.to(),
          one_more && !("n"_f == w.to()), one_more && !filter::in("n", {-1, w.to()})};
}

std::vector<filter> without_a_value(const wanted& w) {
  const auto none = "name"_f.is_null();
  return {w.is_small() ? "in_100"_f == w.part * 10 && none : none};
}

std::vector<filter> with_a_value(const wanted& w) {
  const auto some = "rare"_f.exists();
  return {w.is_small() ? "in_100"_f == w.part * 10 && some : some};
}

std::vector<filter> some_of_the_unique(const wanted& w) {
  std::vector<value> some;
  for (auto i = w.from(); i < w.to(); ++i)
    some.emplace_back(i);
  return {filter::in("code", std::move(some))};
}

std::vector<filter> one_or_the_other(const wanted& w) {
  const auto middle = w.from() + w.size / 2;
  return {("n"_f >= w.from() && "n"_f < middle) || ("text"_f >= operator_store::text_of(middle) &&
                                                    "text"_f < operator_store::text_of(w.to()))};
}

std::vector<filter> with_a_part(const wanted& w) {
  if (w.is_small())
    return {"label"_f.contains("IN " + operator_store::text_of(w.part)), "tags"_f.contains(w.part)};
  return {"label"_f.contains("OF 0,"), "tags"_f.contains("of 0")};
}

std::vector<filter> with_an_end(const wanted& w) {
  return {"label"_f.ends_with(w.is_small() ? operator_store::text_of(w.part) : "0")};
}

/// An index leaves so many records to look into.
std::vector<filter> checked(const wanted& w) {
  const auto range = "n"_f >= w.from() && "n"_f < w.to();
  return {range && "text"_f.contains("05"), range && !("text"_f.ends_with("x"))};
}

/// Per record of the result, when there are 10,000 of 100,000. Limit: when there are 100.
figure where_each(std::string name, filters of, const settings& asked) {
  const operator_store s;
  std::int64_t sum = 0;
  std::vector<filter> small, large = of({});
  for (wanted w{.size = small_result}; w.part < large_result / small_result; ++w.part)
    for (auto& which : of(w))
      small.push_back(std::move(which));
  auto run = [&](const std::vector<filter>& all, std::uint32_t size) {
    return nanoseconds_per_operation(all.size() * size, [&] {
      for (const auto& which : all) {
        const auto found =
            must(s.records.where(which).visit([&](const auto& r) { sum += r.key().as_int(); }));
        if (found != size)
          std::abort();
      }
    });
  };
  auto row = compare(
      {.name = std::move(name), .unit = "ns", .reach = 3}, asked.repetitions(),
      [&] { return run(small, small_result); }, [&] { return run(large, large_result); });
  benchmark::DoNotOptimize(sum);
  return row;
}

row where_row(const char* name, filters of) {
  return {name, [=](const settings& asked) { return where_each(name, of, asked); }};
}

} // namespace

std::vector<row> operator_rows() {
  return {where_row("where_eq", equal),
          where_row("where_in", one_of),
          where_row("where_range", in_a_range),
          where_row("where_not", not_so),
          where_row("where_null", without_a_value),
          where_row("where_exists", with_a_value),
          where_row("where_unique_in", some_of_the_unique),
          where_row("where_or", one_or_the_other),
          where_row("where_contains", with_a_part),
          where_row("where_ends_with", with_an_end),
          where_row("where_checked", checked)};
}

} // namespace holdfast::bench
