#include <tests/support/disk/disk_files.hpp>

#include <rocksdb/file_system.h>

namespace holdfast::testing {
namespace {

namespace rdb = ::rocksdb;
using rdb::IODebugContext;
using rdb::IOOptions;
using rdb::IOStatus;

/// A file whose syncs the disk knows of.
template <class Wrapper>
class synced_file : public Wrapper {
public:
  template <class File>
  synced_file(std::unique_ptr<File> file, std::shared_ptr<disk_state> disk,
              std::shared_ptr<inode> node)
      : Wrapper(std::move(file)), disk_(std::move(disk)), node_(std::move(node)) {}

  IOStatus Sync(const IOOptions& options, IODebugContext* debug) override {
    return disk_->synced(node_.get(), [&] { return this->target()->Sync(options, debug); });
  }
  IOStatus Fsync(const IOOptions& options, IODebugContext* debug) override {
    return disk_->synced(node_.get(), [&] { return this->target()->Fsync(options, debug); });
  }

protected:
  std::shared_ptr<disk_state> disk_;

private:
  std::shared_ptr<inode> node_;
};

class writable final : public synced_file<rdb::FSWritableFileOwnerWrapper> {
public:
  using synced_file::synced_file;

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
};

class overwritable final : public synced_file<rdb::FSRandomRWFileOwnerWrapper> {
public:
  using synced_file::synced_file;

  IOStatus Write(std::uint64_t offset, const rdb::Slice& data, const IOOptions& options,
                 IODebugContext* debug) override {
    auto s = disk_->begin();
    return s.ok() ? target()->Write(offset, data, options, debug) : s;
  }
};

class whole_directory final : public rdb::FSDirectoryWrapper {
public:
  whole_directory(std::unique_ptr<rdb::FSDirectory> target, std::shared_ptr<disk_state> disk,
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
  std::shared_ptr<disk_state> disk_;
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

class disk_files final : public rdb::FileSystemWrapper {
public:
  explicit disk_files(std::shared_ptr<disk_state> disk)
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
  std::shared_ptr<disk_state> disk_;
};

IOStatus disk_files::NewWritableFile(const std::string& path, const rdb::FileOptions& options,
                                     std::unique_ptr<rdb::FSWritableFile>* file,
                                     IODebugContext* debug) {
  disk_->wait_if_table(path);
  auto s = disk_->begin();
  if (s.ok())
    s = target()->NewWritableFile(path, options, file, debug);
  if (s.ok())
    *file = std::make_unique<writable>(std::move(*file), disk_, disk_->created(path));
  return s;
}

IOStatus disk_files::NewRandomRWFile(const std::string& path, const rdb::FileOptions& options,
                                     std::unique_ptr<rdb::FSRandomRWFile>* file,
                                     IODebugContext* debug) {
  auto s = target()->NewRandomRWFile(path, options, file, debug);
  if (s.ok())
    *file = std::make_unique<overwritable>(std::move(*file), disk_, disk_->opened(path));
  return s;
}

IOStatus disk_files::NewDirectory(const std::string& path, const IOOptions& options,
                                  std::unique_ptr<rdb::FSDirectory>* result,
                                  IODebugContext* debug) {
  auto s = target()->NewDirectory(path, options, result, debug);
  if (s.ok())
    *result = std::make_unique<whole_directory>(std::move(*result), disk_, path);
  return s;
}

IOStatus disk_files::NewSequentialFile(const std::string& path, const rdb::FileOptions& options,
                                       std::unique_ptr<rdb::FSSequentialFile>* file,
                                       IODebugContext* debug) {
  std::lock_guard lock(disk_->mutex_);
  if (!path.ends_with("/boot_id") || disk_->boots_ == 0)
    return target()->NewSequentialFile(path, options, file, debug);
  *file = std::make_unique<given>("boot " + std::to_string(disk_->boots_));
  return IOStatus::OK();
}

} // namespace

std::shared_ptr<rdb::FileSystem> files_on(std::shared_ptr<disk_state> disk) {
  return std::make_shared<disk_files>(std::move(disk));
}

} // namespace holdfast::testing
