#pragma once

#include <holdfast/persistence/rocksdb.hpp>
#include <holdfast/store/memory_journal.hpp>

#include <tests/support/journal_driver.hpp>
#include <tests/support/temporary_directory.hpp>

namespace holdfast::testing {

/// Where a kind of journal lives across openings. Each gives `make()`, a journal on the same place.
struct on_memory {
  std::shared_ptr<memory_disk> disk = std::make_shared<memory_disk>();
  std::unique_ptr<journal> make() { return memory_journal(disk); }
};

struct on_rocksdb {
  temporary_directory directory;
  std::unique_ptr<journal> make() { return rocksdb({.directory = directory / "data"}); }
};

/// Every flush of memory comes after a few commits, so that generations join.
struct on_rocksdb_with_small_logs {
  temporary_directory directory;
  std::unique_ptr<journal> make() {
    return rocksdb({.directory = directory / "data", .max_wal_bytes = 600});
  }
};

} // namespace holdfast::testing
