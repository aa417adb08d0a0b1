#pragma once

#include <holdfast/persistence/detail/mark.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace rocksdb {
class FileSystem;
class FSRandomRWFile;
class Slice;
class Status;
} // namespace rocksdb

namespace holdfast::detail {

/// A text as RocksDB takes it; the bytes belong to somebody else.
::rocksdb::Slice slice(std::string_view text);

/// What a failure of RocksDB or of its file system means here: `corrupt` for damaged or missing
/// files, `locked`, else `io`. The text is "<where>: <what RocksDB says>", which names the file.
error to_error(const ::rocksdb::Status& status, const std::string& where);

// The journal's own files go through RocksDB's file system too, so that a test's faults meet both.

result<std::string> read_file(::rocksdb::FileSystem& files, const std::string& path);
result<std::vector<std::string>> list_directory(::rocksdb::FileSystem& files,
                                                const std::string& directory);
/// Makes the entries of `directory` stable.
result<void> sync_directory(::rocksdb::FileSystem& files, const std::string& directory);
/// Creates `directory` and what is missing above it, and makes the new entries stable.
result<void> create_directories(::rocksdb::FileSystem& files, const std::string& directory);

/// What tells this boot of the machine from others; 0 where the system does not say.
std::uint64_t boot_identity(::rocksdb::FileSystem& files);

/// The file MARK (see mark.hpp), open for writing. Owned by the journal's writing thread.
class mark_file {
public:
  mark_file();
  mark_file(mark_file&&) noexcept;
  mark_file& operator=(mark_file&&) noexcept;
  ~mark_file();

  /// A new file with both slots as `m`, on stable storage; its directory entry is not.
  static result<mark_file> create(::rocksdb::FileSystem& files, std::string path, const mark& m);
  /// An existing file, whose current mark is `m`.
  static result<mark_file> open(::rocksdb::FileSystem& files, std::string path, const mark& m);

  const mark& current() const noexcept { return current_; }
  /// Writes `next` (its `turn` is set here) over the older slot.
  result<void> write(mark next);
  /// The same into both slots, and waits until they are on stable storage.
  result<void> write_and_sync(const mark& next);

private:
  std::unique_ptr<::rocksdb::FSRandomRWFile> file_;
  std::string path_;
  mark current_;
};

} // namespace holdfast::detail
