// What an open says of a directory that another program filled.
#include <holdfast/persistence/rocksdb.hpp>

#include <tests/support/directory_image.hpp>
#include <tests/support/temporary_directory.hpp>

#include <rocksdb/db.h>

#include <gmock/gmock.h>

namespace holdfast::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

struct a_foreign_database : ::testing::Test {
  temporary_directory place{temporary_directory::in_memory};
  std::string directory = place / "data";

  /// A database with records in its log, or in a table.
  void fill(bool flushed) const {
    ::rocksdb::Options options;
    options.create_if_missing = true;
    options.avoid_flush_during_shutdown = true;
    ::rocksdb::DB* raw = nullptr;
    ASSERT_TRUE(::rocksdb::DB::Open(options, directory, &raw).ok());
    std::unique_ptr<::rocksdb::DB> db(raw);
    for (int i = 0; i < 100; ++i)
      ASSERT_TRUE(db->Put({}, "key " + std::to_string(i), "of somebody else").ok());
    if (flushed) {
      ASSERT_TRUE(db->Flush({}).ok());
    }
  }

  error refused() const {
    const auto before = read_directory(directory);
    auto opened = rocksdb({.directory = directory})->open();
    EXPECT_EQ(read_directory(directory), before);
    return opened ? error{errc::cancelled, "was not refused"} : opened.error();
  }
};

TEST_F(a_foreign_database, is_called_no_journal_and_not_a_damaged_one) {
  for (auto flushed : {false, true}) {
    std::filesystem::remove_all(directory);
    fill(flushed);
    const auto why = refused();
    EXPECT_EQ(why, errc::corrupt);
    EXPECT_THAT(why.message(),
                AllOf(StartsWith(directory + "/MARK: is missing"),
                      HasSubstr(directory + " is not a holdfast journal"), Not(HasSubstr("lost"))));
  }
}

TEST_F(a_foreign_database, is_not_read_when_its_logs_are_larger_than_a_journals) {
  fill(false);
  const auto log = std::filesystem::path(directory) / "009999.log";
  std::ofstream(log).flush();
  std::filesystem::resize_file(log, 1 << 30); // of holes
  auto opened = rocksdb({.directory = directory})->open();
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error(), errc::corrupt);
  EXPECT_THAT(opened.error().message(),
              AllOf(HasSubstr("not looked at: its logs have 1073"), HasSubstr("above the limit ")));
}

TEST_F(a_foreign_database, is_told_from_a_journal_without_its_mark_and_commits) {
  ASSERT_TRUE(rocksdb({.directory = directory})->open());
  std::filesystem::remove(directory + "/MARK");
  EXPECT_THAT(refused().message(), HasSubstr("; lost: all commits, if there were any"));
}

} // namespace
} // namespace holdfast::testing
