#pragma once

#include <tests/support/directory_image.hpp>
#include <tests/support/disk/fault_disk.hpp>

#include <rocksdb/io_status.h>

#include <condition_variable>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

namespace holdfast::testing {

/// What is on stable storage of a file.
struct inode {
  std::string stable;
  bool sync_failed = false;
};
using inodes = std::map<std::string, std::shared_ptr<inode>>; // by file name

/// What a fault_disk remembers of its files, and the faults that it was told. Its own members lock;
/// who touches the data below them locks `mutex_`.
class disk_state {
public:
  explicit disk_state(std::string directory) : directory_(std::move(directory)) { settle(); }

  /// Takes what is in the directory as stable.
  void settle();

  /// Counts an operation, and says whether it fails.
  ::rocksdb::IOStatus begin();

  bool holds(const std::string& path) const {
    return std::filesystem::path(path).parent_path() == directory_;
  }
  static std::string name(const std::string& path) {
    return std::filesystem::path(path).filename().string();
  }

  std::shared_ptr<inode> created(const std::string& path) {
    std::lock_guard lock(mutex_);
    return holds(path) ? current_[name(path)] = std::make_shared<inode>() : nullptr;
  }
  std::shared_ptr<inode> opened(const std::string& path) {
    std::lock_guard lock(mutex_);
    return holds(path) ? current_[name(path)] : nullptr;
  }
  void renamed(const std::string& from, const std::string& to);
  void deleted(const std::string& path) {
    std::lock_guard lock(mutex_);
    if (holds(path))
      current_.erase(name(path));
  }
  void directory_synced(const std::string& directory) {
    std::lock_guard lock(mutex_);
    if (std::filesystem::path(directory) == directory_)
      stable_ = current_;
  }

  /// Syncs a file by `sync`, which is counted; the file's bytes are stable if it succeeds.
  template <class Sync>
  ::rocksdb::IOStatus synced(inode* node, Sync sync) {
    auto s = begin();
    if (s.ok())
      s = sync();
    std::lock_guard lock(mutex_);
    if (!node)
      return s;
    repeated_syncs_ += node->sync_failed;
    node->sync_failed = node->sync_failed || !s.ok();
    for (auto& [name, file] : current_) // it may have been renamed since it was opened
      if (s.ok() && !lies_ && file.get() == node)
        node->stable = read_bytes(directory_ / name);
    return s;
  }

  void lose_power(unsigned percent);
  void wait_if_table(const std::string& path);

  std::filesystem::path directory_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  inodes current_, stable_;
  std::uint64_t operations_ = 0;
  std::uint64_t fail_at_ = 0;
  fault_disk::failure how_ = fault_disk::failure::io;
  fault_disk::lasting how_long_ = fault_disk::lasting::once;
  std::uint64_t repeated_syncs_ = 0;
  std::uint64_t boots_ = 0; // by `lose_power`
  bool lies_ = false;
  bool held_ = false;
  bool waiting_ = false;
};

} // namespace holdfast::testing
