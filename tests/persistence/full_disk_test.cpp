// What an open says of a disk that takes no more, or of a lock that RocksDB finds.
#include "journal_laws.hpp"

#include <holdfast/persistence/detail/files.hpp>
#include <holdfast/persistence/detail/log.hpp>

#include <tests/support/directory_image.hpp>
#include <tests/support/disk/fault_disk.hpp>

#include <rocksdb/db.h>

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

namespace holdfast::testing {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* nothing = "; lost: nothing, while commits 1 to 9 are there; free some space "
                                "or mend the disk, and open it again";

/// A journal of 9 commits, in a place that is named after a lock.
struct a_healthy_journal : ::testing::Test {
  temporary_directory place{temporary_directory::in_memory};
  std::string directory = place / "blocks";

  static void fill(const std::string& where) {
    auto j = rocksdb({.directory = where});
    ASSERT_TRUE(j->open());
    for (sequence n = 1; n <= 9; ++n)
      ASSERT_TRUE(workload::commit(*j, n, true));
  }
  static void expect_all(const std::string& where) {
    auto j = rocksdb({.directory = where});
    auto info = j->open();
    ASSERT_TRUE(info) << info.error().to_string();
    EXPECT_EQ(contents(*j), workload::after(9));
  }
};

TEST_F(a_healthy_journal, is_said_to_have_lost_nothing_whatever_cannot_be_written_on_opening) {
  fill(directory);
  const auto before = read_directory(directory);
  unsigned refused = 0;
  for (auto how : {fault_disk::failure::no_space, fault_disk::failure::io}) {
    bool opened = false;
    for (std::uint64_t n = 1; !opened; ++n) {
      SCOPED_TRACE("operation " + std::to_string(n));
      write_directory(directory, before);
      {
        fault_disk disk(directory);
        disk.fail(n, how, fault_disk::lasting::for_good);
        auto j = rocksdb({.directory = directory, .file_system = disk.file_system()});
        auto info = j->open();
        opened = info.has_value();
        refused += !opened;
        if (!opened) {
          EXPECT_EQ(info.error(), errc::io);
          EXPECT_THAT(info.error().message(), EndsWith(nothing));
        }
      }
      expect_all(directory);
    }
  }
  EXPECT_GT(refused, 10u);
}

// Found in review: RocksDB's own logger ended the process on such a disk. A faulty disk of ours
// does not show that, as it refuses to create LOG.
TEST_F(a_healthy_journal, is_refused_and_no_more_on_a_disk_without_a_free_byte) {
  std::filesystem::create_directory(directory);
  if (::mount("none", directory.c_str(), "tmpfs", 0, "size=2m") != 0)
    GTEST_SKIP() << "needs the right to mount; the test before covers the rest with faults";
  const auto data = directory + "/data";
  const auto filler = directory + "/filler";
  fill(data);
  if (auto fd = ::open(filler.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600); fd >= 0) {
    const std::string block(4096, 'x');
    while (::write(fd, block.data(), block.size()) > 0) {
    }
    ::close(fd);
  }
  auto info = rocksdb({.directory = data})->open();
  EXPECT_FALSE(info);
  if (!info) {
    EXPECT_EQ(info.error(), errc::io) << info.error().to_string();
    EXPECT_THAT(info.error().message(), AllOf(HasSubstr("No space left"), EndsWith(nothing)));
  }
  std::filesystem::remove(filler);
  expect_all(data);
  EXPECT_EQ(::umount2(directory.c_str(), MNT_DETACH), 0);
}

TEST_F(a_healthy_journal, is_locked_when_rocksdb_says_so) {
  fill(directory);
  ::rocksdb::DB* raw = nullptr;
  ASSERT_TRUE(::rocksdb::DB::Open({}, directory, &raw).ok());
  std::unique_ptr<::rocksdb::DB> other(raw);
  auto info = rocksdb({.directory = directory})->open();
  ASSERT_FALSE(info);
  EXPECT_EQ(info.error(), errc::locked);
  EXPECT_THAT(info.error().message(), Not(HasSubstr("lost")));
}

TEST_F(a_healthy_journal, is_locked_when_another_process_holds_the_lock_of_rocksdb) {
  fill(directory);
  int ready[2], done[2];
  ASSERT_EQ(::pipe(ready), 0);
  ASSERT_EQ(::pipe(done), 0);
  const auto child = ::fork();
  if (child == 0) {
    struct flock all {};
    all.l_type = F_WRLCK;
    const auto fd = ::open((directory + "/LOCK").c_str(), O_RDWR | O_CLOEXEC);
    char byte = ::fcntl(fd, F_SETLK, &all) == 0 ? 'y' : 'n';
    ::close(done[1]);
    ::_exit(::write(ready[1], &byte, 1) == 1 && ::read(done[0], &byte, 1) == 0 ? 0 : 1);
  }
  ASSERT_GT(child, 0);
  ::close(ready[1]);
  char byte = 'n';
  EXPECT_EQ(::read(ready[0], &byte, 1), 1);
  EXPECT_EQ(byte, 'y');
  auto info = rocksdb({.directory = directory})->open();
  ::close(done[1]); // lets the child end
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  ::close(ready[0]);
  ::close(done[0]);
  ASSERT_FALSE(info);
  EXPECT_EQ(info.error(), errc::locked) << info.error().to_string();
  EXPECT_THAT(info.error().message(), Not(HasSubstr("lost")));
}

TEST(an_error_of_rocksdb, is_not_a_lock_because_of_a_word_in_a_path) {
  const auto code = [](const char* context) {
    const auto s = ::rocksdb::Status::IOError(context, "Input/output error");
    return detail::to_error(s, "/srv/blocks").code();
  };
  EXPECT_EQ(code("While appending to file: /srv/blocks/000012.log"), errc::io);
  EXPECT_EQ(code("While open a file for random read: /lock hold by current process/1"), errc::io);
  EXPECT_EQ(code("While lock file: /srv/blocks/LOCK"), errc::locked);
  EXPECT_EQ(code("lock hold by current process, acquire time 1: /srv/blocks/LOCK"), errc::locked);
}

struct warnings : ::testing::Test {
  temporary_directory place{temporary_directory::in_memory};
  std::filesystem::path log = place.path() / "LOG";
  std::filesystem::path old = place.path() / "LOG.old";
};

TEST_F(warnings, go_behind_those_that_are_in_the_log_already) {
  for (auto text : {"first", "second"})
    ::rocksdb::Warn(detail::log_of(place.path()), "%s: %d", text, 7);
  ::rocksdb::Info(detail::log_of(place.path()), "no warning");
  EXPECT_THAT(read_bytes(log), ::testing::MatchesRegex("[0-9TZ:-]* .WARN. first: 7\n"
                                                       "[0-9TZ:-]* .WARN. second: 7\n"));
}

TEST_F(warnings, never_take_much_more_than_two_mebibytes) {
  auto logger = detail::log_of(place.path());
  const std::string text(3000, 'x');
  for (int i = 0; i < 1000; ++i)
    ::rocksdb::Warn(logger, "%d %s", i, text.c_str());
  ::rocksdb::Warn(logger, "%s", std::string(100'000, 'y').c_str());
  EXPECT_GT(std::filesystem::file_size(old), 1u << 20);
  EXPECT_LT(std::filesystem::file_size(old), (1u << 20) + 4096);
  EXPECT_LT(std::filesystem::file_size(log), (1u << 20) + 4096);
  EXPECT_THAT(read_bytes(log), AllOf(HasSubstr("] 999 x"), EndsWith("yy\n")));
}

TEST_F(warnings, that_cannot_be_written_are_dropped) {
  std::filesystem::create_symlink("/dev/full", log);
  auto full = detail::log_of(place.path());
  ::rocksdb::Warn(full, "nobody reads this");
  ::rocksdb::Warn(detail::log_of(place / "nowhere"), "nor this");
  EXPECT_FALSE(std::filesystem::exists(place / "nowhere"));
  EXPECT_FALSE(std::filesystem::exists(old));
}

} // namespace
} // namespace holdfast::testing
