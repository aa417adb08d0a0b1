#pragma once

#include <holdfast/persistence/detail/head.hpp>
#include <holdfast/persistence/detail/mark.hpp>
#include <holdfast/persistence/rocksdb.hpp>

#include <atomic>
#include <memory>
#include <mutex>

namespace rocksdb {
class DB;
class Env;
class FileSystem;
struct Options;
struct ReadOptions;
} // namespace rocksdb

namespace holdfast::detail {

/// The first error that RocksDB met on a thread of its own. Set by those threads, read by ours.
class background_failure {
public:
  void set(error e) {
    std::lock_guard lock(mutex_);
    if (!error_)
      error_ = std::move(e);
    set_.store(true, std::memory_order_release);
  }
  /// The error, if there is one; costs one load if not.
  std::optional<error> get() const {
    if (!set_.load(std::memory_order_acquire))
      return {};
    std::lock_guard lock(mutex_);
    return error_;
  }

private:
  mutable std::mutex mutex_;
  std::atomic<bool> set_{false};
  std::optional<error> error_;
};

/// How the journal configures RocksDB, for both its ways of opening it. The reasons are in the
/// .cpp.
::rocksdb::Options database_options(const rocksdb_options& options, ::rocksdb::Env* env,
                                    std::shared_ptr<background_failure> failure);

/// The same for an open that leaves nothing behind: no LOG, no listeners.
::rocksdb::Options quiet_options(const ::rocksdb::Options& database);

/// Read all of what is asked for once, checking every sum, without disturbing a cache.
::rocksdb::ReadOptions scan_options();

/// What a look at an existing journal found.
struct findings {
  mark marked;
  head last;
  sequence promised = 0; ///< the commit that it must reach by the mark
};

/// Finds everything for which an open must refuse, and changes nothing: reads MARK, checks
/// the sum of every byte of every table, opens the database read-only (which reads its logs and
/// opens every table), joins the heads, and compares the last one with the mark. `database` are the
/// options of the open that is to follow. With `only_synced`, what was written and not synced may
/// be missing. What `only_if` says of is shown to it. The caller holds the directory's lock.
result<findings> look(const rocksdb_options& options, const ::rocksdb::Options& database,
                      ::rocksdb::FileSystem& files, bool only_synced,
                      const journal::precondition& only_if = {});

} // namespace holdfast::detail
