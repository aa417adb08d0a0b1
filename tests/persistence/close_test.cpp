// What closing in order leaves: tables that hold everything, and logs that hold nothing.
#include "journal_laws.hpp"

#include <holdfast/store/store.hpp>

#include <tests/support/directory_image.hpp>
#include <tests/support/disk/raw_database.hpp>

namespace holdfast::testing {
namespace {

/// Takes the logs away, empty or not: what is left is what the tables hold.
void remove_logs(const std::string& directory) {
  auto files = read_directory(directory);
  std::erase_if(files, [](auto& file) { return file.first.ends_with(".log"); });
  write_directory(directory, files);
}

struct closing : ::testing::TestWithParam<std::size_t> {
  temporary_directory place{temporary_directory::in_memory};
  std::string directory = place / "data";

  std::unique_ptr<journal> make() const {
    return rocksdb({.directory = directory, .max_wal_bytes = GetParam()});
  }
  std::unique_ptr<journal> written() const {
    auto j = make();
    EXPECT_TRUE(j->open());
    for (sequence n = 1; n <= 40; ++n)
      EXPECT_TRUE(workload::commit(*j, n, n % 3 == 0));
    return j;
  }
};

TEST_P(closing, leaves_no_log_to_replay_and_everything_in_tables) {
  ASSERT_TRUE(written()->close());
  EXPECT_EQ(records_to_replay(directory), 0u);
  remove_logs(directory);
  auto j = make();
  auto info = j->open();
  ASSERT_TRUE(info) << info.error().to_string();
  EXPECT_EQ(info->last, 40u);
  EXPECT_TRUE(info->clean);
  EXPECT_EQ(contents(*j), workload::after(40));
}

// The test above can fail: this is what a journal that does not flush leaves.
TEST_P(closing, is_what_empties_the_logs) {
  written().reset();
  EXPECT_GT(records_to_replay(directory), 0u);
  remove_logs(directory);
  EXPECT_EQ(make()->open().error(), errc::data_loss);
}

INSTANTIATE_TEST_SUITE_P(with, closing, ::testing::Values(900, std::size_t{32} << 20),
                         [](auto& p) { return p.param == 900 ? "small_logs" : "one_log"; });

TEST(stopping_a_store, leaves_no_log_to_replay) {
  temporary_directory place{temporary_directory::in_memory};
  const auto directory = place / "data";
  for (auto level : {durability::sync, durability::group, durability::async}) {
    store_options options;
    options.journal = rocksdb({.directory = directory});
    options.durability = level;
    auto db = store::start(std::move(options)).value();
    auto docs = db.define(schema("docs").key("id", string())).value();
    for (int i = 0; i < 100; ++i)
      ASSERT_TRUE(docs.upsert({{"id", std::to_string(i)}}).get());
    ASSERT_TRUE(db.stop());
    EXPECT_EQ(records_to_replay(directory), 0u) << to_string(level);
  }
}

} // namespace
} // namespace holdfast::testing
