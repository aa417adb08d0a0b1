// Directories in which no journal can be: told with the path and the reason, and nothing is left
// behind.
#include <holdfast/persistence/rocksdb.hpp>
#include <holdfast/store/store.hpp>

#include <tests/support/directory_image.hpp>
#include <tests/support/temporary_directory.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/fsuid.h>
#include <sys/mount.h>
#include <unistd.h>

namespace holdfast::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

/// Opens in vain, by hand and by a store, and read-only.
void expect_refusal(const rocksdb_options& options, errc code, const std::string& place,
                    const std::string& reason) {
  auto opened = rocksdb(options)->open();
  ASSERT_FALSE(opened) << place;
  EXPECT_EQ(opened.error(), code) << opened.error().to_string();
  EXPECT_THAT(opened.error().message(), AllOf(StartsWith(place), HasSubstr(reason)));
  store_options from;
  from.journal = rocksdb(options);
  auto started = store::start(std::move(from));
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().to_string(), opened.error().to_string());
  auto looked = rocksdb(options)->open_read_only();
  ASSERT_FALSE(looked);
  EXPECT_THAT(looked.error().message(), StartsWith(place));
}

/// This thread is nobody in particular for the file system: permissions hold for it.
class without_rights {
public:
  without_rights() { ::setfsuid(65534); }
  without_rights(const without_rights&) = delete;
  without_rights& operator=(const without_rights&) = delete;
  ~without_rights() { ::setfsuid(::geteuid()); }
};

struct a_journal_s_directory : ::testing::Test {
  temporary_directory directory;
};

TEST_F(a_journal_s_directory, must_be_named) {
  expect_refusal({.directory = ""}, errc::invalid_argument, "rocksdb: ", "name is empty");
}

TEST_F(a_journal_s_directory, is_not_cut_at_a_nul_byte) {
  auto name = directory / "data";
  name.push_back('\0');
  name += "2024";
  expect_refusal({.directory = name}, errc::invalid_argument,
                 "rocksdb: ", directory / "data goes on behind a NUL byte");
  EXPECT_THAT(read_directory(directory.path()), ::testing::IsEmpty());
}

TEST_F(a_journal_s_directory, is_not_a_file) {
  write_directory(directory.path(), {{"file", "dear"}});
  expect_refusal({.directory = directory / "file"}, errc::io, directory / "file",
                 "Not a directory");
  expect_refusal({.directory = directory / "file/data"}, errc::io, directory / "file/data", "");
  EXPECT_EQ(read_directory(directory.path()).at("file"), "dear");
}

TEST_F(a_journal_s_directory, has_a_name_that_the_system_takes) {
  expect_refusal({.directory = directory / std::string(300, 'x')}, errc::io, directory.path(),
                 "File name too long");
}

TEST_F(a_journal_s_directory, is_one_that_may_be_read_and_written) {
  auto closed = directory / "closed";
  std::filesystem::create_directory(closed);
  std::filesystem::permissions(closed, std::filesystem::perms::none);
  {
    without_rights nobody;
    expect_refusal({.directory = closed}, errc::io, closed, "Permission denied");
    expect_refusal({.directory = closed + "/data"}, errc::io, closed + "/data",
                   "Permission denied");
  }
  std::filesystem::permissions(closed, std::filesystem::perms::owner_all);
  EXPECT_TRUE(std::filesystem::is_empty(closed));
}

TEST_F(a_journal_s_directory, is_not_on_a_file_system_that_is_read_only) {
  auto place = directory / "mounted";
  std::filesystem::create_directory(place);
  if (::mount("none", place.c_str(), "tmpfs", 0, "size=8m") != 0)
    GTEST_SKIP() << "needs the right to mount";
  EXPECT_TRUE(rocksdb({.directory = place + "/old"})->open());
  auto before = read_directory(place + "/old");
  EXPECT_EQ(::mount("none", place.c_str(), "tmpfs", MS_REMOUNT | MS_RDONLY, "size=8m"), 0);
  expect_refusal({.directory = place + "/new"}, errc::io, place + "/new", "Read-only file system");
  auto old = rocksdb({.directory = place + "/old"})->open();
  EXPECT_FALSE(old);
  if (!old) {
    EXPECT_EQ(old.error(), errc::io) << old.error().to_string();
    EXPECT_THAT(old.error().message(),
                AllOf(StartsWith(place + "/old"), HasSubstr("Read-only file system")));
  }
  EXPECT_EQ(read_directory(place + "/old"), before);
  EXPECT_FALSE(std::filesystem::exists(place + "/new"));
  EXPECT_EQ(::umount2(place.c_str(), MNT_DETACH), 0);
}

TEST_F(a_journal_s_directory, is_not_made_for_options_that_cannot_be) {
  auto place = directory / "data";
  expect_refusal({.directory = place, .max_wal_bytes = 0}, errc::invalid_argument, place,
                 "max_wal_bytes 0 is below the minimum 1");
  expect_refusal({.directory = place, .max_wal_bytes = ~std::size_t{0}}, errc::invalid_argument,
                 place, "max_wal_bytes 18446744073709551615 is above the maximum 68719476736");
  EXPECT_FALSE(std::filesystem::exists(place));
}

} // namespace
} // namespace holdfast::testing
