#include "journal_laws.hpp"

#include <holdfast/store/store.hpp>

#include <tests/support/disk/fault_disk.hpp>
#include <tests/support/in_parallel.hpp>

#include <algorithm>
#include <mutex>
#include <set>

using namespace holdfast;
using namespace holdfast::testing;
using failure = fault_disk::failure;
using lasting = fault_disk::lasting;

namespace {

/// A journal on a disk with faults, and what a caller was told.
struct faults : ::testing::Test {
  struct told {
    sequence attempted = 0; ///< the last append that was begun
    sequence written = 0;   ///< the last that succeeded
    sequence synced = 0;    ///< the last that is promised to be stable
  };

  // Opens, appends 40 commits of which some are synced, over several generations, and closes; goes
  // on after the first failure, to see that nothing is acknowledged any more.
  static told run(fault_disk& disk) {
    told t;
    auto j = rocksdb(
        {.directory = disk.directory(), .max_wal_bytes = 900, .file_system = disk.file_system()});
    auto info = j->open();
    if (!info)
      return t;
    t.attempted = t.written = t.synced = info->last;
    bool failed = false;
    for (sequence n = info->last + 1; n <= info->last + 40; ++n) {
      if (!failed)
        t.attempted = n;
      auto r = n % 13 == 0 ? workload::commit(*j, n, false).and_then([&] { return j->sync(); })
                           : workload::commit(*j, n, n % 3 == 0);
      EXPECT_FALSE(failed && r) << "commit " << n << " was acknowledged after a failure";
      if (failed && !r) {
        EXPECT_EQ(r.error(), errc::read_only);
      }
      failed = failed || !r;
      if (r)
        t.written = n;
      if (r)
        t.synced = j->durable();
    }
    auto seen = contents(*j);
    EXPECT_TRUE(seen) << seen.error().to_string();
    auto r = j->close();
    EXPECT_FALSE(failed && r);
    if (r)
      t.synced = t.written;
    return t;
  }

  // Opens without faults: at least `least` is there, and exactly that.
  static void expect_prefix(fault_disk& disk, sequence least, const told& t) {
    auto j = rocksdb({.directory = disk.directory(), .file_system = disk.file_system()});
    auto info = j->open();
    ASSERT_TRUE(info) << info.error().to_string();
    EXPECT_GE(info->last, least);
    EXPECT_LE(info->last, t.attempted);
    EXPECT_EQ(contents(*j), workload::after(info->last));
  }

  // Calls `body(k, disk)` with a disk of its own for every operation k of a run without faults, or
  // for a third of them. RocksDB sleeps a second after an error in the background: hence many at
  // once.
  template <class Body>
  void at_operations(Body body) const {
    constexpr unsigned threads = 24;
    fault_disk::allow(threads);
    fault_disk faultless(directory / "faultless");
    EXPECT_EQ(run(faultless).synced, 40u);
    auto all = faultless.operations();
    EXPECT_GT(all, 100u);
    std::size_t stride = every_case() ? 1 : 3;
    in_parallel(all / stride + 1, threads, [&](std::size_t i) {
      auto k = i * stride + 1;
      SCOPED_TRACE("operation " + std::to_string(k) + " of " + std::to_string(all));
      auto path = directory / std::to_string(k);
      {
        fault_disk disk(path);
        body(k, disk);
      }
      std::filesystem::remove_all(path);
      return !HasFailure();
    });
  }

  std::string path() const { return directory / "data"; }
  temporary_directory directory{temporary_directory::in_memory};
};

struct failing_operation : faults, ::testing::WithParamInterface<std::pair<failure, lasting>> {};

TEST_P(failing_operation, loses_nothing_that_was_written_and_stops_the_writing) {
  at_operations([&](std::uint64_t k, fault_disk& disk) {
    disk.fail(k, GetParam().first, GetParam().second);
    auto t = run(disk);
    EXPECT_EQ(disk.repeated_syncs(), 0u);
    disk.fail(0, {}, {});
    expect_prefix(disk, t.written, t);
  });
}
INSTANTIATE_TEST_SUITE_P(every, failing_operation,
                         ::testing::Values(std::pair{failure::io, lasting::once},
                                           std::pair{failure::io, lasting::for_good},
                                           std::pair{failure::no_space, lasting::once},
                                           std::pair{failure::no_space, lasting::for_good}));

struct power_loss : faults, ::testing::WithParamInterface<unsigned> {};

TEST_P(power_loss, at_any_operation_keeps_what_was_synced_and_a_prefix) {
  at_operations([&](std::uint64_t k, fault_disk& disk) {
    disk.fail(k, failure::io, lasting::for_good);
    auto t = run(disk);
    disk.lose_power(GetParam());
    expect_prefix(disk, t.synced, t);
  });
}
INSTANTIATE_TEST_SUITE_P(keeping_percent, power_loss, ::testing::Values(0u, 50u, 100u));

// The checker must be able to fail: a disk that does not do what a sync says is found out.
TEST_F(faults, power_loss_on_a_disk_that_lies_about_syncs_loses_what_was_synced) {
  fault_disk disk(path());
  auto options = [&] {
    return rocksdb_options{.directory = path(), .file_system = disk.file_system()};
  };
  {
    auto j = rocksdb(options());
    ASSERT_TRUE(j->open());
    disk.lie_about_syncs();
    for (sequence n = 1; n <= 10; ++n)
      ASSERT_TRUE(workload::commit(*j, n, true));
    EXPECT_EQ(j->durable(), 10u);
  }
  disk.lose_power();
  auto info = rocksdb(options())->open();
  EXPECT_TRUE(!info || info->last < 10u);
}

TEST_F(faults, a_disk_that_forgets_a_synced_log_is_reported_as_data_loss) {
  {
    fault_disk disk(path());
    auto j = rocksdb({.directory = path(), .file_system = disk.file_system()});
    ASSERT_TRUE(j->open());
    ASSERT_TRUE(workload::commit(*j, 1, true));
  }
  for (auto& entry : std::filesystem::directory_iterator(path()))
    if (entry.path().extension() == ".log")
      std::filesystem::resize_file(entry.path(), 0);
  auto r = rocksdb({.directory = path()})->open();
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error(), errc::data_loss);
  EXPECT_EQ(std::get<loss>(r.error().detail()).expected, 1u);
  EXPECT_EQ(std::get<loss>(r.error().detail()).found, 0u);
}

TEST_F(faults, without_a_table_to_write_to_appends_wait_rather_than_grow_the_log) {
  fault_disk disk(path());
  auto j = rocksdb({.directory = path(), .max_wal_bytes = 900, .file_system = disk.file_system()});
  ASSERT_TRUE(j->open());
  disk.hold_tables();
  sequence n = 0;
  for (; n < 8; ++n)
    ASSERT_TRUE(workload::commit(*j, n + 1, false));
  disk.wait_until_held();
  disk.release_tables();
  for (; n < 60; ++n)
    ASSERT_TRUE(workload::commit(*j, n + 1, false));
  ASSERT_TRUE(j->close());
  EXPECT_EQ(j->open()->last, 60u);
}

/// A store on a disk that breaks, and what its writers were told.
struct broken_store : faults, ::testing::WithParamInterface<durability> {
  static std::set<std::string> keys_of(const bucket<>& docs) {
    std::set<std::string> out;
    auto all = docs.all().get();
    EXPECT_TRUE(all) << all.error().to_string();
    for (auto& r : *all)
      out.emplace(r.key().as_string());
    return out;
  }

  static store start(fault_disk& disk) {
    store_options options;
    options.journal = rocksdb({.directory = disk.directory(), .file_system = disk.file_system()});
    options.durability = GetParam();
    auto started = store::start(std::move(options));
    EXPECT_TRUE(started) << started.error().to_string();
    return std::move(*started);
  }

  /// Writes from three threads until the disk breaks; the keys that were acknowledged.
  static std::set<std::string> write_until_it_breaks(const store& db, const bucket<>& docs) {
    std::mutex mutex;
    std::set<std::string> acknowledged;
    std::vector<std::thread> writers;
    for (int w = 0; w < 3; ++w)
      writers.emplace_back([&, w] {
        for (int i = 0; !db.stats().failure; ++i) {
          auto key = std::to_string(w) + "-" + std::to_string(i);
          auto r = docs.insert({{"id", key}}).get();
          std::lock_guard lock{mutex};
          if (r)
            acknowledged.insert(key);
        }
      });
    for (auto& w : writers)
      w.join();
    return acknowledged;
  }
};

TEST_P(broken_store, takes_up_writing_with_all_that_was_acknowledged_once_the_disk_is_mended) {
  static constexpr std::uint64_t breaks_at[] = {1, 2, 3, 6, 11, 20};
  fault_disk::allow(std::size(breaks_at));
  in_parallel(std::size(breaks_at), std::size(breaks_at), [&](std::size_t i) {
    SCOPED_TRACE("operation " + std::to_string(breaks_at[i]));
    fault_disk disk(directory / std::to_string(i));
    std::set<std::string> last;
    {
      auto db = start(disk);
      auto docs = *db.define(schema("docs").key("id", string()));
      disk.fail(breaks_at[i], failure::io, lasting::for_good);
      auto acknowledged = write_until_it_breaks(db, docs);
      EXPECT_FALSE(db.reopen()) << "the disk is still broken";
      EXPECT_EQ(docs.insert({{"id", "refused"}}).get().error(), errc::read_only);
      disk.fail(0, {}, {});
      auto report = db.reopen();
      EXPECT_TRUE(report) << report.error().to_string();
      auto found = keys_of(docs);
      EXPECT_TRUE(std::ranges::includes(found, acknowledged)) << "what was acknowledged is there";
      EXPECT_TRUE(docs.insert({{"id", "afterwards"}}).get());
      EXPECT_FALSE(found.contains("refused"));
      last = keys_of(docs);
      EXPECT_TRUE(db.stop());
    }
    auto again = start(disk);
    EXPECT_EQ(keys_of(*again.bucket("docs")), last);
    return !HasFailure();
  });
}
INSTANTIATE_TEST_SUITE_P(, broken_store,
                         ::testing::Values(durability::sync, durability::group, durability::async),
                         [](auto& p) { return std::string{to_string(p.param)}; });

} // namespace
