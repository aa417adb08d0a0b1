#include <holdfast/persistence/detail/tables.hpp>

#include <holdfast/persistence/detail/files.hpp>

#include <rocksdb/env.h>
#include <rocksdb/file_checksum.h>
#include <rocksdb/file_system.h>

#include <cstdio>
#include <limits>

namespace rocksdb {
// Exported by the library, which uses it for its backups, but declared in no public header of 7.8:
// collects the sums that the MANIFEST at `path` records for the tables that it says are live.
Status GetFileChecksumsFromManifest(Env* env, const std::string& path, std::uint64_t size,
                                    FileChecksumList* sums);
} // namespace rocksdb

namespace holdfast::detail {
namespace {

namespace rdb = ::rocksdb;

result<std::string> sum_of(rdb::FileSystem& files, const std::string& path) {
  auto sum = rdb::GetFileChecksumGenCrc32cFactory()->CreateFileChecksumGenerator({path, {}});
  std::unique_ptr<rdb::FSSequentialFile> file;
  auto s = files.NewSequentialFile(path, {}, &file, nullptr);
  std::string buffer(std::size_t{256} << 10, '\0');
  while (s.ok()) {
    rdb::Slice piece;
    s = file->Read(buffer.size(), {}, &piece, buffer.data(), nullptr);
    if (s.ok() && piece.empty()) {
      sum->Finalize();
      return sum->GetChecksum();
    }
    sum->Update(piece.data(), piece.size());
  }
  return fail(to_error(s, path));
}

} // namespace

result<void> verify_tables(rdb::FileSystem& files, rdb::Env* env, const std::string& directory) {
  auto current = read_file(files, directory + "/CURRENT");
  if (!current)
    return fail(current.error());
  if (!current->starts_with("MANIFEST-") || current->back() != '\n')
    return fail(errc::corrupt, directory + "/CURRENT: names no manifest");
  auto manifest = directory + "/" + current->substr(0, current->size() - 1);
  std::unique_ptr<rdb::FileChecksumList> sums(rdb::NewFileChecksumList());
  // With the exact size it would assert that no record of the file is damaged.
  constexpr auto to_the_end = std::numeric_limits<std::uint64_t>::max();
  auto s = rdb::GetFileChecksumsFromManifest(env, manifest, to_the_end, sums.get());
  std::vector<std::uint64_t> numbers;
  std::vector<std::string> expected, kinds;
  if (s.ok())
    s = sums->GetAllFileChecksums(&numbers, &expected, &kinds);
  if (!s.ok())
    return fail(to_error(s, manifest));
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    char name[32];
    std::snprintf(name, sizeof name, "/%06llu.sst", static_cast<unsigned long long>(numbers[i]));
    auto found = sum_of(files, directory + name);
    if (!found)
      return fail(found.error());
    if (kinds[i] == rdb::kStandardDbFileChecksumFuncName && *found != expected[i])
      return fail(errc::corrupt, directory + name + ": its checksum does not match");
  }
  return {};
}

} // namespace holdfast::detail
