#include <tests/support/disk/fault_disk.hpp>

#include <tests/support/directory_image.hpp>

#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

#include <condition_variable>
#include <filesystem>
#include <map>
#include <mutex>
#include <set>

namespace holdfast::testing {

namespace {
namespace rdb = ::rocksdb;
namespace fs = std::filesystem;
using rdb::IODebugContext;
using rdb::IOOptions;
using rdb::IOStatus;

struct inode {
  std::string stable;
  bool sync_failed = false;
};
using inodes = std::map<std::string, std::shared_ptr<inode>>; // by file name
} // namespace

class fault_disk::state {
public:
  explicit state(std::string directory) : directory_(std::move(directory)) { settle(); }

  // Takes what is in the directory as stable.
  void settle() {
    current_.clear();
    if (fs::exists(directory_))
      for (auto& [name, bytes] : read_directory(directory_))
        current_[name] = std::make_shared<inode>(inode{bytes});
    stable_ = current_;
  }

  // Counts an operation, and says whether it fails.
  IOStatus begin() {
    std::lock_guard lock(mutex_);
    auto number = ++operations_;
    if (fail_at_ == 0 || number < fail_at_ || (number > fail_at_ && how_long_ == lasting::once))
      return IOStatus::OK();
    return how_ == failure::no_space ? IOStatus::NoSpace("no space, as asked for")
                                     : IOStatus::IOError("failed, as asked for");
  }

  bool holds(const std::string& path) const { return fs::path(path).parent_path() == directory_; }
  static std::string name(const std::string& path) { return fs::path(path).filename().string(); }

  std::shared_ptr<inode> created(const std::string& path) {
    std::lock_guard lock(mutex_);
    return holds(path) ? current_[name(path)] = std::make_shared<inode>() : nullptr;
  }
  std::shared_ptr<inode> opened(const std::string& path) {
    std::lock_guard lock(mutex_);
    return holds(path) ? current_[name(path)] : nullptr;
  }
  void renamed(const std::string& from, const std::string& to) {
    std::lock_guard lock(mutex_);
    if (holds(from)) {
      current_[name(to)] = current_[name(from)];
      current_.erase(name(from));
    }
  }
  void deleted(const std::string& path) {
    std::lock_guard lock(mutex_);
    if (holds(path))
      current_.erase(name(path));
  }
  void directory_synced(const std::string& directory) {
    std::lock_guard lock(mutex_);
    if (fs::path(directory) == directory_)
      stable_ = current_;
  }

  // Syncs a file by `sync`, which is counted; the file's bytes are stable if it succeeds.
  template <class Sync>
  IOStatus synced(inode* node, Sync sync) {
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

  void lose_power(unsigned percent) {
    std::lock_guard lock(mutex_);
    std::map<std::string, std::string> after;
    for (auto& [name, node] : stable_) {
      auto bytes = node->stable;
      auto at = current_.find(name);
      if (at != current_.end() && at->second == node) {
        auto seen = read_bytes(directory_ / name);
        if (seen.size() > bytes.size() && seen.starts_with(bytes))
          bytes = seen.substr(0, bytes.size() + (seen.size() - bytes.size()) * percent / 100);
      }
      after[name] = std::move(bytes);
    }
    write_directory(directory_, after);
    settle();
    fail_at_ = 0;
    ++boots_;
  }

  void wait_if_table(const std::string& path) {
    std::unique_lock lock(mutex_);
    if (!held_ || !path.ends_with(".sst"))
      return;
    waiting_ = true;
    changed_.notify_all();
    changed_.wait(lock, [&] { return !held_; });
    waiting_ = false;
  }

  fs::path directory_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  inodes current_, stable_;
  std::uint64_t operations_ = 0;
  std::uint64_t fail_at_ = 0;
  failure how_ = failure::io;
  lasting how_long_ = lasting::once;
  std::uint64_t repeated_syncs_ = 0;
  std::uint64_t boots_ = 0; // by `lose_power`
  bool lies_ = false;
  bool held_ = false;
  bool waiting_ = false;
};

class fault_disk::file_system_wrapper final : public rdb::FileSystemWrapper {
public:
  explicit file_system_wrapper(std::shared_ptr<state> disk)
      : rdb::FileSystemWrapper(rdb::FileSystem::Default()), disk_(std::move(disk)) {}
  const char* Name() const override { return "fault_disk"; }

  IOStatus NewWritableFile(const std::string& path, const rdb::FileOptions& options,
                           std::unique_ptr<rdb::FSWritableFile>* file,
                           IODebugContext* debug) override;
  IOStatus NewRandomRWFile(const std::string& path, const rdb::FileOptions& options,
                           std::unique_ptr<rdb::FSRandomRWFile>* file,
                           IODebugContext* debug) override;
  IOStatus NewDirectory(const std::string& path, const IOOptions& options,
                        std::unique_ptr<rdb::FSDirectory>* directory,
                        IODebugContext* debug) override;
  IOStatus NewSequentialFile(const std::string& path, const rdb::FileOptions& options,
                             std::unique_ptr<rdb::FSSequentialFile>* file,
                             IODebugContext* debug) override;
  IOStatus RenameFile(const std::string& from, const std::string& to, const IOOptions& options,
                      IODebugContext* debug) override {
    auto s = disk_->begin();
    if (s.ok())
      s = target()->RenameFile(from, to, options, debug);
    if (s.ok())
      disk_->renamed(from, to);
    return s;
  }
  IOStatus DeleteFile(const std::string& path, const IOOptions& options,
                      IODebugContext* debug) override {
    auto s = disk_->begin();
    if (s.ok())
      s = target()->DeleteFile(path, options, debug);
    if (s.ok())
      disk_->deleted(path);
    return s;
  }

private:
  std::shared_ptr<state> disk_;
};

namespace {

template <class State>
class writable final : public rdb::FSWritableFileOwnerWrapper {
public:
  writable(std::unique_ptr<rdb::FSWritableFile> file, std::shared_ptr<State> disk,
           const std::string& path)
      : FSWritableFileOwnerWrapper(std::move(file)), disk_(std::move(disk)),
        node_(disk_->created(path)) {}

  IOStatus Append(const rdb::Slice& data, const IOOptions& options,
                  IODebugContext* debug) override {
    auto s = disk_->begin();
    if (s.ok())
      return target()->Append(data, options, debug);
    target()->Append({data.data(), data.size() / 2}, options, debug).PermitUncheckedError();
    return s;
  }
  IOStatus Append(const rdb::Slice& data, const IOOptions& options,
                  const rdb::DataVerificationInfo&, IODebugContext* debug) override {
    return Append(data, options, debug);
  }
  IOStatus Truncate(std::uint64_t size, const IOOptions& options, IODebugContext* debug) override {
    auto s = disk_->begin();
    return s.ok() ? target()->Truncate(size, options, debug) : s;
  }
  IOStatus Sync(const IOOptions& options, IODebugContext* debug) override {
    return disk_->synced(node_.get(), [&] { return target()->Sync(options, debug); });
  }
  IOStatus Fsync(const IOOptions& options, IODebugContext* debug) override {
    return disk_->synced(node_.get(), [&] { return target()->Fsync(options, debug); });
  }

private:
  std::shared_ptr<State> disk_;
  std::shared_ptr<inode> node_;
};

template <class State>
class overwritable final : public rdb::FSRandomRWFileOwnerWrapper {
public:
  overwritable(std::unique_ptr<rdb::FSRandomRWFile> file, std::shared_ptr<State> disk,
               const std::string& path)
      : FSRandomRWFileOwnerWrapper(std::move(file)), disk_(std::move(disk)),
        node_(disk_->opened(path)) {}

  IOStatus Write(std::uint64_t offset, const rdb::Slice& data, const IOOptions& options,
                 IODebugContext* debug) override {
    auto s = disk_->begin();
    return s.ok() ? target()->Write(offset, data, options, debug) : s;
  }
  IOStatus Sync(const IOOptions& options, IODebugContext* debug) override {
    return disk_->synced(node_.get(), [&] { return target()->Sync(options, debug); });
  }
  IOStatus Fsync(const IOOptions& options, IODebugContext* debug) override {
    return disk_->synced(node_.get(), [&] { return target()->Fsync(options, debug); });
  }

private:
  std::shared_ptr<State> disk_;
  std::shared_ptr<inode> node_;
};

template <class State>
class whole_directory final : public rdb::FSDirectoryWrapper {
public:
  whole_directory(std::unique_ptr<rdb::FSDirectory> target, std::shared_ptr<State> disk,
                  std::string path)
      : FSDirectoryWrapper(std::move(target)), disk_(std::move(disk)), path_(std::move(path)) {}

  IOStatus Fsync(const IOOptions& options, IODebugContext* debug) override {
    auto s = disk_->begin();
    if (s.ok())
      s = FSDirectoryWrapper::Fsync(options, debug);
    if (s.ok())
      disk_->directory_synced(path_);
    return s;
  }
  IOStatus FsyncWithDirOptions(const IOOptions& options, IODebugContext* debug,
                               const rdb::DirFsyncOptions&) override {
    return Fsync(options, debug);
  }

private:
  std::shared_ptr<State> disk_;
  std::string path_;
};

// A file whose content is given: the identity of the machine's boot.
class given final : public rdb::FSSequentialFile {
public:
  explicit given(std::string content) : content_(std::move(content)) {}
  IOStatus Read(std::size_t n, const IOOptions&, rdb::Slice* result, char* buffer,
                IODebugContext*) override {
    n = content_.copy(buffer, n);
    content_.erase(0, n);
    *result = {buffer, n};
    return IOStatus::OK();
  }
  IOStatus Skip(std::uint64_t n) override {
    content_.erase(0, n);
    return IOStatus::OK();
  }

private:
  std::string content_;
};

} // namespace

IOStatus fault_disk::file_system_wrapper::NewWritableFile(
    const std::string& path, const rdb::FileOptions& options,
    std::unique_ptr<rdb::FSWritableFile>* file, IODebugContext* debug) {
  disk_->wait_if_table(path);
  auto s = disk_->begin();
  if (s.ok())
    s = target()->NewWritableFile(path, options, file, debug);
  if (s.ok())
    *file = std::make_unique<writable<state>>(std::move(*file), disk_, path);
  return s;
}

IOStatus fault_disk::file_system_wrapper::NewRandomRWFile(
    const std::string& path, const rdb::FileOptions& options,
    std::unique_ptr<rdb::FSRandomRWFile>* file, IODebugContext* debug) {
  auto s = target()->NewRandomRWFile(path, options, file, debug);
  if (s.ok())
    *file = std::make_unique<overwritable<state>>(std::move(*file), disk_, path);
  return s;
}

IOStatus fault_disk::file_system_wrapper::NewDirectory(const std::string& path,
                                                       const IOOptions& options,
                                                       std::unique_ptr<rdb::FSDirectory>* result,
                                                       IODebugContext* debug) {
  auto s = target()->NewDirectory(path, options, result, debug);
  if (s.ok())
    *result = std::make_unique<whole_directory<state>>(std::move(*result), disk_, path);
  return s;
}

IOStatus fault_disk::file_system_wrapper::NewSequentialFile(
    const std::string& path, const rdb::FileOptions& options,
    std::unique_ptr<rdb::FSSequentialFile>* file, IODebugContext* debug) {
  std::lock_guard lock(disk_->mutex_);
  if (!path.ends_with("/boot_id") || disk_->boots_ == 0)
    return target()->NewSequentialFile(path, options, file, debug);
  *file = std::make_unique<given>("boot " + std::to_string(disk_->boots_));
  return IOStatus::OK();
}

fault_disk::fault_disk(std::string directory)
    : directory_(std::move(directory)), state_(std::make_shared<state>(directory_)),
      files_(std::make_shared<file_system_wrapper>(state_)) {}
fault_disk::~fault_disk() = default;

void fault_disk::allow(unsigned disks) {
  rdb::Env::Default()->SetBackgroundThreads(static_cast<int>(disks), rdb::Env::HIGH);
  rdb::Env::Default()->SetBackgroundThreads(static_cast<int>(disks), rdb::Env::LOW);
}

std::shared_ptr<void> fault_disk::file_system() const {
  return std::shared_ptr<rdb::FileSystem>{files_};
}

void fault_disk::fail(std::uint64_t n, failure how, lasting how_long) {
  std::lock_guard lock(state_->mutex_);
  state_->fail_at_ = n == 0 ? 0 : state_->operations_ + n;
  state_->how_ = how;
  state_->how_long_ = how_long;
}

void fault_disk::lie_about_syncs() {
  std::lock_guard lock(state_->mutex_);
  state_->lies_ = true;
}

std::uint64_t fault_disk::operations() const {
  std::lock_guard lock(state_->mutex_);
  return state_->operations_;
}

std::uint64_t fault_disk::repeated_syncs() const {
  std::lock_guard lock(state_->mutex_);
  return state_->repeated_syncs_;
}

void fault_disk::hold_tables() {
  std::lock_guard lock(state_->mutex_);
  state_->held_ = true;
}

void fault_disk::release_tables() {
  std::lock_guard lock(state_->mutex_);
  state_->held_ = false;
  state_->changed_.notify_all();
}

void fault_disk::wait_until_held() {
  std::unique_lock lock(state_->mutex_);
  state_->changed_.wait(lock, [&] { return state_->waiting_; });
}

void fault_disk::lose_power(unsigned percent_kept) { state_->lose_power(percent_kept); }

} // namespace holdfast::testing
