#include <holdfast/persistence/detail/files.hpp>

#include <rocksdb/file_system.h>

#include <algorithm>

namespace holdfast::detail {

using ::rocksdb::FileSystem;
using ::rocksdb::IOStatus;

namespace {

// How RocksDB begins when LOCK is taken. The path comes behind, and may have any word in it.
bool says_locked(std::string_view text) {
  return text.starts_with("IO error: While lock file: ") ||
         text.starts_with("IO error: lock hold by current process");
}

// What RocksDB answers when it cannot open CURRENT to find out what the file system can do,
// whatever the reason.
bool says_no_file_was_opened(std::string_view text) {
  return text.find("Direct I/O is not supported by the specified DB") != text.npos ||
         text.find("Found options incompatible with filesystem") != text.npos;
}

} // namespace

::rocksdb::Slice slice(std::string_view text) { return {text.data(), text.size()}; }

error to_error(const ::rocksdb::Status& status, const std::string& where) {
  auto text = status.ToString();
  auto has = [&](std::string_view part) { return text.find(part) != std::string::npos; };
  auto code = errc::io;
  if (says_no_file_was_opened(text))
    text = "IO error: a file that is there could not be opened (" + text + ")";
  else if (status.IsCorruption() || status.IsPathNotFound() || status.IsNotFound() ||
           status.IsInvalidArgument() || status.IsNotSupported() || has("No such file"))
    code = errc::corrupt;
  else if (says_locked(text))
    code = errc::locked;
  return error{code, where + ": " + text};
}

result<std::string> read_file(FileSystem& files, const std::string& path) {
  std::unique_ptr<::rocksdb::FSSequentialFile> file;
  auto s = files.NewSequentialFile(path, {}, &file, nullptr);
  std::string content;
  char buffer[16384];
  while (s.ok()) {
    ::rocksdb::Slice piece;
    s = file->Read(sizeof buffer, {}, &piece, buffer, nullptr);
    if (s.ok() && piece.empty())
      return content;
    content.append(piece.data(), piece.size());
  }
  return fail(to_error(s, path));
}

result<std::vector<std::string>> list_directory(FileSystem& files, const std::string& directory) {
  std::vector<std::string> names;
  if (auto s = files.GetChildren(directory, {}, &names, nullptr); !s.ok())
    return fail(to_error(s, directory));
  std::erase_if(names, [](auto& name) { return name == "." || name == ".."; });
  return names;
}

result<void> sync_directory(FileSystem& files, const std::string& directory) {
  std::unique_ptr<::rocksdb::FSDirectory> handle;
  auto s = files.NewDirectory(directory, {}, &handle, nullptr);
  if (s.ok())
    s = handle->Fsync({}, nullptr);
  if (!s.ok())
    return fail(to_error(s, directory));
  return {};
}

result<void> create_directories(FileSystem& files, const std::string& directory) {
  if (files.FileExists(directory, {}, nullptr).ok())
    return {};
  auto cut = directory.find_last_not_of('/');
  cut = cut == std::string::npos ? cut : directory.find_last_of('/', cut);
  auto parent = cut == std::string::npos ? std::string{"."}
                : cut == 0               ? std::string{"/"}
                                         : directory.substr(0, cut);
  if (auto r = create_directories(files, parent); !r)
    return r;
  if (auto s = files.CreateDirIfMissing(directory, {}, nullptr); !s.ok())
    return fail(error{errc::io, directory + ": cannot be created: " + s.ToString()});
  return sync_directory(files, parent);
}

std::uint64_t boot_identity(FileSystem& files) {
  auto text = read_file(files, "/proc/sys/kernel/random/boot_id");
  if (!text)
    return 0;
  std::uint64_t h = 0xcbf29ce484222325; // FNV-1a
  for (char c : *text)
    h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return h;
}

mark_file::mark_file() = default;
mark_file::mark_file(mark_file&&) noexcept = default;
mark_file& mark_file::operator=(mark_file&&) noexcept = default;
mark_file::~mark_file() = default;

result<mark_file> mark_file::create(FileSystem& files, std::string path, const mark& m) {
  auto content = encode_mark_header();
  for (std::size_t slot = 1; slot <= 2; ++slot) {
    content.resize(slot * mark_page);
    content += encode_mark_slot(m);
  }
  content.resize(mark_size);
  std::unique_ptr<::rocksdb::FSWritableFile> fresh;
  auto s = files.NewWritableFile(path, {}, &fresh, nullptr);
  if (s.ok())
    s = fresh->Append(content, {}, nullptr);
  if (s.ok())
    s = fresh->Fsync({}, nullptr);
  if (s.ok())
    s = fresh->Close({}, nullptr);
  if (!s.ok())
    return fail(to_error(s, path));
  return open(files, std::move(path), m);
}

result<mark_file> mark_file::open(FileSystem& files, std::string path, const mark& m) {
  mark_file opened;
  if (auto s = files.NewRandomRWFile(path, {}, &opened.file_, nullptr); !s.ok())
    return fail(to_error(s, path));
  opened.path_ = std::move(path);
  opened.current_ = m;
  return opened;
}

result<void> mark_file::write(mark next) {
  next.turn = current_.turn + 1;
  auto offset = (1 + next.turn % 2) * mark_page;
  if (auto s = file_->Write(offset, encode_mark_slot(next), {}, nullptr); !s.ok())
    return fail(to_error(s, path_));
  current_ = next;
  return {};
}

result<void> mark_file::write_and_sync(const mark& next) {
  for (int slot = 0; slot < 2; ++slot)
    if (auto r = write(next); !r)
      return r;
  if (auto s = file_->Fsync({}, nullptr); !s.ok())
    return fail(to_error(s, path_));
  return {};
}

} // namespace holdfast::detail
