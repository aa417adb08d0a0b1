#include "people_store.hpp"
#include "rows.hpp"

#include <chrono>

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

/// `purge` of 100,000 of 1,000,000 records, which is 98 commits.
figure purge_100k_of_1m(const settings&) {
  manual_clock clock;
  store_options options;
  options.runtime_settings.clock = &clock;
  options.ttl_interval = std::chrono::milliseconds{0};
  auto db = must(store::start(std::move(options)));
  auto sessions = must(db.define(schema("sessions")
                                     .key("id", integer())
                                     .field("user", integer())
                                     .field("since", integer())
                                     .index("user")));
  const auto order = random_order(stored, stored);
  std::int64_t next = 0;
  auto fill = [&](std::uint32_t count, std::chrono::milliseconds lasts) {
    for (std::uint32_t i = 0; i < count; ++i, ++next)
      static_cast<void>(
          must(sessions
                   .insert({{"id", next},
                            {"user", order[static_cast<std::size_t>(next) % stored]},
                            {"since", i}},
                           {.expires_in = lasts + std::chrono::milliseconds{order[i] % 1000}})
                   .get()));
  };
  fill(stored - purged, std::chrono::hours{1'000'000});
  return measure({.name = "purge_100k_of_1m", .unit = "ms", .limit = 150}, 3, [&] {
    fill(purged, std::chrono::seconds{1});
    clock.advance(std::chrono::seconds{2});
    const auto begin = now();
    if (must(sessions.purge()) != purged)
      std::abort();
    return static_cast<double>(now() - begin) / 1e6;
  });
}

} // namespace

std::vector<row> limits_rows() {
  return {{"insert_full_bucket", insert_full_bucket}, {"purge_100k_of_1m", purge_100k_of_1m, true}};
}

} // namespace holdfast::bench
