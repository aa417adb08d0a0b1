#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace holdfast::bench {

/// Exactly what the store hands to its journal for one commit: recorded from the store itself, so
/// that the raw rows write the same bytes under the same keys.
struct commit_bytes {
  struct put {
    std::string key;
    std::string value;
  };
  std::vector<put> puts;
};

/// RocksDB used directly, with its default options and write-ahead log: the limit of every durable
/// row. One column family, no checks, no memory structures beside it.
class raw_rocksdb {
public:
  /// Opens an empty database; removes what is in `directory` before.
  explicit raw_rocksdb(const std::string& directory);
  ~raw_rocksdb();
  raw_rocksdb(const raw_rocksdb&) = delete;
  raw_rocksdb& operator=(const raw_rocksdb&) = delete;

  /// Writes the commits in one WriteBatch. `synced` returns after an fsync of the log. Thread-safe;
  /// concurrent writers are grouped by RocksDB, which is why the raw rows use threads.
  void write(std::span<const commit_bytes> commits, bool synced);

private:
  struct state;
  std::unique_ptr<state> state_;
};

/// Operations per second of `threads` threads that together write `commits`, one synced write each.
double raw_synced_rate(const std::string& directory, std::span<const commit_bytes> commits,
                       std::size_t threads);

/// Operations per second of one thread that writes `commits` unsynced in batches of `batch`.
double raw_unsynced_rate(const std::string& directory, std::span<const commit_bytes> commits,
                         std::size_t batch);

} // namespace holdfast::bench
