#include "journal_laws.hpp"

#include <thread>

using namespace holdfast;
using namespace holdfast::testing;

namespace {

struct memory_disks : ::testing::Test {
  std::shared_ptr<memory_disk> disk = std::make_shared<memory_disk>();
  std::unique_ptr<journal> j = memory_journal(disk);
  void SetUp() override { ASSERT_TRUE(j->open()); }
};

TEST_F(memory_disks, a_crash_keeps_as_many_unsynced_batches_as_asked_for) {
  for (sequence n = 1; n <= 30; ++n)
    ASSERT_TRUE(workload::commit(*j, n, n == 10));
  EXPECT_EQ(disk->unsynced(), 20u);
  disk->crash(7);
  EXPECT_EQ(workload::commit(*j, 31, true).error(), errc::stopped);
  auto again = memory_journal(disk);
  auto info = again->open();
  EXPECT_EQ(info->last, 17u);
  EXPECT_FALSE(info->clean);
  EXPECT_EQ(contents(*again), workload::after(17));
  disk->crash();
  EXPECT_EQ(disk->last(), 17u);
}

TEST_F(memory_disks, a_failed_append_stops_the_writing_for_good) {
  ASSERT_TRUE(workload::commit(*j, 1, true));
  disk->fail_append(2);
  ASSERT_TRUE(workload::commit(*j, 2, true));
  EXPECT_EQ(workload::commit(*j, 3, true).error(), errc::io);
  EXPECT_EQ(workload::commit(*j, 3, true).error(), errc::read_only);
  EXPECT_EQ(j->sync().error(), errc::read_only);
  EXPECT_EQ(contents(*j), workload::after(2));
  EXPECT_EQ(j->close().error(), errc::io);
  EXPECT_EQ(j->open()->last, 2u);
}

TEST_F(memory_disks, a_failed_append_may_have_been_written) {
  disk->fail_append(1, memory_disk::fate::written);
  EXPECT_EQ(workload::commit(*j, 1, true).error(), errc::io);
  EXPECT_EQ(j->close().error(), errc::io);
  EXPECT_EQ(j->open()->last, 1u);
}

TEST_F(memory_disks, a_failed_sync_acknowledges_nothing) {
  ASSERT_TRUE(workload::commit(*j, 1, false));
  disk->fail_sync();
  EXPECT_EQ(j->sync().error(), errc::io);
  EXPECT_EQ(j->durable(), 0u);
  EXPECT_EQ(j->sync().error(), errc::read_only);
  disk->crash();
  EXPECT_EQ(disk->last(), 0u);
}

TEST_F(memory_disks, a_held_append_waits_until_it_is_released) {
  disk->hold();
  std::thread writer([&] { EXPECT_TRUE(workload::commit(*j, 1, true)); });
  disk->wait_until_held();
  EXPECT_EQ(disk->last(), 0u);
  EXPECT_EQ(disk->appends(), 1u);
  disk->release();
  writer.join();
  EXPECT_EQ(disk->last(), 1u);
}

/// Who held it again before the append had looked held up the same one for good.
TEST_F(memory_disks, a_held_append_goes_on_though_the_disk_is_held_again) {
  disk->hold();
  std::thread writer([&] { EXPECT_TRUE(workload::commit(*j, 1, true)); });
  disk->wait_until_held();
  disk->release();
  disk->hold();
  writer.join();
  EXPECT_EQ(disk->last(), 1u);
  disk->release();
}

TEST_F(memory_disks, a_held_append_fails_when_the_machine_crashes) {
  disk->hold();
  std::thread writer([&] { EXPECT_EQ(workload::commit(*j, 1, true).error(), errc::io); });
  disk->wait_until_held();
  disk->crash();
  writer.join();
  EXPECT_EQ(disk->last(), 0u);
}

TEST_F(memory_disks, a_broken_disk_does_not_open) {
  ASSERT_TRUE(j->close());
  disk->fail_open(true);
  EXPECT_EQ(j->open().error(), errc::io);
  disk->fail_open(false);
  EXPECT_TRUE(j->open());
}

} // namespace
