#pragma once

#include <holdfast/persistence/rocksdb.hpp>

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>

namespace rocksdb {
class Env;
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

/// Options that no journal can be opened with: `invalid_argument`, before anything is looked at.
result<void> check_options(const rocksdb_options& options);

/// How the journal configures RocksDB, for both its ways of opening it. The reasons are in the
/// .cpp.
::rocksdb::Options database_options(const rocksdb_options& options, ::rocksdb::Env* env,
                                    std::shared_ptr<background_failure> failure);

/// The same for an open that leaves nothing behind: no LOG, no listeners.
::rocksdb::Options quiet_options(const ::rocksdb::Options& database);

/// Read all of what is asked for once, checking every sum, without disturbing a cache.
::rocksdb::ReadOptions scan_options();

} // namespace holdfast::detail
