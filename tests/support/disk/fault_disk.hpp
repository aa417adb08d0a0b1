#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace holdfast::testing {

class disk_state;

/// A disk under a RocksDB journal that fails on demand, and that can lose its power.
///
/// Everything goes to real files in one directory. Beside them it remembers what is on stable
/// storage: of each file the bytes at its last sync, of the directory the entries at its last sync.
/// Counted as operations are those that change the disk: creating, appending, overwriting, syncing,
/// truncating, renaming and deleting files, and syncing the directory. Thread-safe.
class fault_disk {
public:
  enum class failure : std::uint8_t { io, no_space };
  enum class lasting : std::uint8_t { once, for_good };

  /// What is in `directory` already is on stable storage. It need not exist.
  explicit fault_disk(std::string directory);
  ~fault_disk();

  /// Lets that many of them work at once in this process: RocksDB's databases share their threads.
  static void allow(unsigned disks);
  const std::string& directory() const { return directory_; }

  /// For `rocksdb_options::file_system`; may outlive this object.
  std::shared_ptr<void> file_system() const;

  /// The `n`-th operation from here (1 is the next) fails, and with `for_good` all after it. A
  /// failing append may still write half of its bytes.
  void fail(std::uint64_t n, failure how, lasting how_long);
  /// From here on a sync of a file says that it succeeded, and makes nothing stable.
  void lie_about_syncs();
  /// How many operations were begun.
  std::uint64_t operations() const;
  /// How often a file was synced again after a sync of it had failed, which must never happen.
  std::uint64_t repeated_syncs() const;

  /// Creating a table (*.sst) waits until `release_tables()`.
  void hold_tables();
  void release_tables();
  /// Returns when the creation of a table is waiting.
  void wait_until_held();

  /// The machine loses its power and starts again: the directory holds what was stable, and of each
  /// stable file's appended bytes that were not synced the given percentage. Faults end. All
  /// journals on this disk must have been destroyed.
  void lose_power(unsigned percent_kept = 0);

private:
  std::string directory_;
  std::shared_ptr<disk_state> state_;
  std::shared_ptr<void> files_; ///< a rocksdb::FileSystem
};

} // namespace holdfast::testing
