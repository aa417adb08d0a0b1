// What a store tells about reads, about the memory of indexes, and about what snapshots hold.
#include "tests/support/options_at.hpp"

#include <holdfast/store/store.hpp>

#include <gmock/gmock.h>

#include <chrono>
#include <optional>
#include <string>
#include <thread>

namespace holdfast {
namespace {

using std::chrono::seconds;
using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr int two_thousand = 2'000;

struct memory_figures : ::testing::Test {
  manual_clock clock{timestamp{seconds{1'000'000}}};
  store db = opened();
  bucket<> things = db.define(schema("things")
                                  .key("id", integer())
                                  .field("name", string().unique())
                                  .field("n", integer())
                                  .index("n"))
                        .value();

  store opened() {
    auto options = testing::options_at(clock);
    options.name = "app";
    return store::start(std::move(options)).value();
  }
  void add(int from, int count) {
    for (int i = from; i < from + count; ++i)
      ASSERT_TRUE(things.insert({{"id", i}, {"name", "n" + std::to_string(i)}, {"n", i}}).get());
  }
  /// Gives every record another value in the index, which copies its nodes.
  void change_all(int by) {
    for (int i = 0; i < two_thousand; ++i)
      ASSERT_TRUE(things.update(i, {{"n", i + by}}).get());
  }
  bucket_stats now() { return db.stats().buckets.at(0); }
  std::string line(std::string_view name, std::uint64_t figure, std::string_view labels = {}) {
    return "\nholdfast_" + std::string{name} + "{store=\"app\"" + std::string{labels} + "} " +
           std::to_string(figure) + "\n";
  }
};

TEST_F(memory_figures, count_reads_by_key_and_queries_of_all_threads) {
  add(0, 10);
  EXPECT_EQ(db.stats().reads, 0u) << "neither a write is one nor a look at the figures";
  auto read = [&] {
    EXPECT_TRUE(things.get(1).get());
    EXPECT_FALSE(things.get(99).get());
    EXPECT_TRUE(things.contains(2));
    EXPECT_EQ(things.where("n"_f >= 5).all().get()->size(), 5u);
    EXPECT_EQ(things.count("n"_f >= 5).get(), 5u);
    EXPECT_EQ(things.where("name"_f == "n3").all().get()->size(), 1u);
  };
  const auto before = db.stats();
  read();
  EXPECT_EQ(db.stats().reads, 6u);
  std::thread{read}.join();
  EXPECT_EQ(db.stats().reads, 12u) << "a thread that has ended has read all the same";
  EXPECT_TRUE(things.at(db.snapshot()).get(1).get());
  EXPECT_TRUE(db.transact([&](transaction& tx) -> result<void> {
    if (!tx.in(things).get(1).get())
      return fail(errc::not_found, "1");
    return {};
  }));
  const auto after = db.stats();
  EXPECT_EQ(after.reads, 14u);
  EXPECT_THAT(after.to_prometheus(), HasSubstr(line("reads_total", 14)));
  EXPECT_EQ(after.reads_per_second_since(before), 0) << "the clock stands";
  clock.advance(seconds{7});
  EXPECT_DOUBLE_EQ(db.stats().reads_per_second_since(before), 2);
}

TEST_F(memory_figures, tell_the_entries_and_bytes_of_indexes) {
  const auto empty = now();
  EXPECT_EQ(empty.index_entries, 0u);
  add(0, two_thousand);
  const auto full = now();
  ASSERT_EQ(full.indexes.size(), 2u);
  EXPECT_EQ(full.index_entries, 2u * two_thousand);
  std::size_t sum = 0;
  for (auto& index : full.indexes) {
    EXPECT_EQ(index.entries, static_cast<std::uint64_t>(two_thousand)) << index.fields;
    EXPECT_GE(index.bytes, sizeof(std::uint64_t) * two_thousand) << index.fields;
    sum += index.bytes;
  }
  EXPECT_GE(full.index_bytes, sum + sizeof(std::uint64_t) * two_thousand)
      << "and the index of keys";
  EXPECT_LT(full.index_bytes, full.memory_bytes);
  const auto labels = std::string{",bucket=\"things\",index=\"n\",type=\"ordered\""};
  const auto& of_n = full.indexes[1];
  EXPECT_EQ(of_n.fields, "n");
  EXPECT_THAT(
      db.stats().to_prometheus(),
      AllOf(HasSubstr(line("index_bytes", of_n.bytes, labels)),
            HasSubstr(line("bucket_index_bytes", full.index_bytes, ",bucket=\"things\"")),
            HasSubstr(line("bucket_index_entries", 2 * two_thousand, ",bucket=\"things\""))));
  change_all(0);
  EXPECT_EQ(now().index_bytes, full.index_bytes) << "nothing that an index holds was changed";
  ASSERT_TRUE(things.touch(1, {.expires_in = std::chrono::hours{1}}).get());
  EXPECT_GT(now().index_bytes, full.index_bytes) << "the index of deadlines";
  ASSERT_TRUE(things.clear().get());
  EXPECT_EQ(now().indexes[1].bytes, 0u);
  EXPECT_EQ(now().index_entries, 0u);
}

TEST_F(memory_figures, tell_how_old_the_oldest_snapshot_is) {
  auto age = [&] { return db.stats().oldest_snapshot; };
  EXPECT_EQ(age(), seconds{0});
  std::optional<snapshot> first{db.snapshot()};
  clock.advance(seconds{5});
  const auto second = db.snapshot();
  clock.advance(seconds{2});
  EXPECT_EQ(db.stats().snapshots, 2u);
  EXPECT_EQ(age(), seconds{7});
  EXPECT_THAT(db.stats().to_prometheus(),
              AllOf(HasSubstr(line("oldest_snapshot_milliseconds", 7000)),
                    HasSubstr(line("snapshots", 2))));
  EXPECT_THAT(db.stats().to_string(), HasSubstr("snapshots: 2, the oldest of 7.0 s"));
  first.reset();
  EXPECT_EQ(age(), seconds{2});
  ASSERT_TRUE(db.transact([&](transaction& tx) -> result<void> {
    (void)tx;
    clock.advance(seconds{1});
    EXPECT_EQ(db.stats().snapshots, 2u);
    EXPECT_EQ(age(), seconds{3});
    return {};
  }));
}

TEST_F(memory_figures, tell_the_memory_that_only_snapshots_keep) {
  add(0, two_thousand);
  change_all(1);
  EXPECT_EQ(now().snapshot_bytes, 0u);
  std::optional<snapshot> held{db.snapshot()};
  const auto before = now().memory_bytes;
  change_all(2);
  const auto kept = now().snapshot_bytes;
  EXPECT_GT(kept, two_thousand * sizeof(std::uint64_t) * 8) << "one version of each record";
  EXPECT_NEAR(static_cast<double>(now().memory_bytes - before), static_cast<double>(kept),
              static_cast<double>(kept) / 4);
  EXPECT_THAT(db.stats().to_prometheus(),
              AllOf(HasSubstr(line("snapshot_bytes", kept)),
                    HasSubstr(line("bucket_snapshot_bytes", kept, ",bucket=\"things\""))));
  change_all(3);
  EXPECT_NEAR(static_cast<double>(now().snapshot_bytes), static_cast<double>(kept),
              static_cast<double>(kept) / 4)
      << "no snapshot lies between these";
  held.reset();
  change_all(4);
  EXPECT_EQ(now().snapshot_bytes, 0u);
}

TEST_F(memory_figures, count_the_records_that_snapshots_keep_under_an_older_definition) {
  add(0, two_thousand);
  std::optional<snapshot> held{db.snapshot()};
  const auto before = now().memory_bytes;
  ASSERT_TRUE(db.update_bucket("things", bucket_update{}.add_field("extra", integer())));
  EXPECT_GE(now().snapshot_bytes, before * 9 / 10);
  EXPECT_GE(now().memory_bytes, before + now().snapshot_bytes / 2);
  held.reset();
  change_all(1);
  EXPECT_EQ(now().snapshot_bytes, 0u);
}

} // namespace
} // namespace holdfast
