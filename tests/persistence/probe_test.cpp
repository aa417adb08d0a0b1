// RocksDB looks what the file system can do by opening a file. That it could not was told as
// damage, with the advice to restore a backup.
#include <holdfast/persistence/rocksdb.hpp>
#include <holdfast/store/store.hpp>

#include <tests/support/temporary_directory.hpp>

#include <gmock/gmock.h>
#include <rocksdb/file_system.h>

#include <atomic>

namespace holdfast::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

/// Fails to open CURRENT for reading anywhere, so many times.
class unopened_current final : public rocksdb::FileSystemWrapper {
public:
  explicit unopened_current(int times)
      : FileSystemWrapper{rocksdb::FileSystem::Default()}, left_{times} {}
  const char* Name() const override { return "unopened_current"; }
  rocksdb::IOStatus NewRandomAccessFile(const std::string& path, const rocksdb::FileOptions& how,
                                        std::unique_ptr<rocksdb::FSRandomAccessFile>* file,
                                        rocksdb::IODebugContext* debug) override {
    if (path.ends_with("/CURRENT") && left_.fetch_sub(1) > 0)
      return rocksdb::IOStatus::IOError("the cable is loose");
    return FileSystemWrapper::NewRandomAccessFile(path, how, file, debug);
  }
  bool has_failed() const { return left_ <= 0; }

private:
  std::atomic<int> left_;
};

TEST(a_file_that_cannot_be_opened, is_no_damage) {
  temporary_directory place{temporary_directory::in_memory};
  const auto start = [&](std::shared_ptr<void> files) {
    store_options options;
    options.journal = rocksdb({.directory = place / "data", .file_system = std::move(files)});
    return store::start(std::move(options));
  };
  {
    auto db = start({}).value();
    ASSERT_TRUE(db.define(schema("things").key("id", integer()))->insert({{"id", 1}}).get());
    ASSERT_TRUE(db.stop());
  }
  for (const int times : {1, 2}) { // RocksDB looks again, in another way
    auto files = std::make_shared<unopened_current>(times);
    const auto failed = start(files);
    ASSERT_TRUE(files->has_failed());
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error(), errc::io) << failed.error().to_string();
    EXPECT_THAT(failed.error().to_string(), HasSubstr("could not be opened"));
    EXPECT_THAT(failed.error().to_string(), HasSubstr("mend the disk"));
    EXPECT_THAT(failed.error().to_string(), Not(HasSubstr("backup")));
  }
  auto db = start({}).value();
  EXPECT_TRUE(db.bucket("things")->contains(1));
}

} // namespace
} // namespace holdfast::testing
