#include <tests/support/disk/fault_disk.hpp>

#include <tests/support/disk/disk_files.hpp>

#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

namespace holdfast::testing {

namespace rdb = ::rocksdb;

fault_disk::fault_disk(std::string directory)
    : directory_(std::move(directory)), state_(std::make_shared<disk_state>(directory_)),
      files_(files_on(state_)) {}
fault_disk::~fault_disk() = default;

void fault_disk::allow(unsigned disks) {
  rdb::Env::Default()->SetBackgroundThreads(static_cast<int>(disks), rdb::Env::HIGH);
  rdb::Env::Default()->SetBackgroundThreads(static_cast<int>(disks), rdb::Env::LOW);
}

std::shared_ptr<void> fault_disk::file_system() const { return files_; }

void fault_disk::fail(std::uint64_t n, failure how, lasting how_long) {
  std::lock_guard lock(state_->mutex_);
  state_->fail_at_ = n == 0 ? 0 : state_->operations_ + n;
  state_->how_ = how;
  state_->how_long_ = how_long;
}

void fault_disk::lie_about_syncs() {
  std::lock_guard lock(state_->mutex_);
  state_->lies_ = true;
}

std::uint64_t fault_disk::operations() const {
  std::lock_guard lock(state_->mutex_);
  return state_->operations_;
}

std::uint64_t fault_disk::repeated_syncs() const {
  std::lock_guard lock(state_->mutex_);
  return state_->repeated_syncs_;
}

void fault_disk::hold_tables() {
  std::lock_guard lock(state_->mutex_);
  state_->held_ = true;
}

void fault_disk::release_tables() {
  std::lock_guard lock(state_->mutex_);
  state_->held_ = false;
  state_->changed_.notify_all();
}

void fault_disk::wait_until_held() {
  std::unique_lock lock(state_->mutex_);
  state_->changed_.wait(lock, [&] { return state_->waiting_; });
}

void fault_disk::lose_power(unsigned percent_kept) { state_->lose_power(percent_kept); }

} // namespace holdfast::testing
