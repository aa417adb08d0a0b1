#include <tests/support/disk/disk_state.hpp>

namespace holdfast::testing {

namespace fs = std::filesystem;
using rocksdb::IOStatus;

void disk_state::settle() {
  current_.clear();
  if (fs::exists(directory_))
    for (auto& [name, bytes] : read_directory(directory_))
      current_[name] = std::make_shared<inode>(inode{bytes});
  stable_ = current_;
}

IOStatus disk_state::begin() {
  std::lock_guard lock(mutex_);
  auto number = ++operations_;
  if (fail_at_ == 0 || number < fail_at_ ||
      (number > fail_at_ && how_long_ == fault_disk::lasting::once))
    return IOStatus::OK();
  return how_ == fault_disk::failure::no_space ? IOStatus::NoSpace("no space, as asked for")
                                               : IOStatus::IOError("failed, as asked for");
}

void disk_state::renamed(const std::string& from, const std::string& to) {
  std::lock_guard lock(mutex_);
  if (holds(from)) {
    current_[name(to)] = current_[name(from)];
    current_.erase(name(from));
  }
}

void disk_state::lose_power(unsigned percent) {
  std::lock_guard lock(mutex_);
  std::map<std::string, std::string> after;
  for (auto& [name, node] : stable_) {
    auto bytes = node->stable;
    auto at = current_.find(name);
    if (at != current_.end() && at->second == node) {
      auto seen = read_bytes(directory_ / name);
      if (seen.size() > bytes.size() && seen.starts_with(bytes))
        bytes = seen.substr(0, bytes.size() + (seen.size() - bytes.size()) * percent / 100);
    }
    after[name] = std::move(bytes);
  }
  write_directory(directory_, after);
  settle();
  fail_at_ = 0;
  ++boots_;
}

void disk_state::wait_if_table(const std::string& path) {
  std::unique_lock lock(mutex_);
  if (!held_ || !path.ends_with(".sst"))
    return;
  waiting_ = true;
  changed_.notify_all();
  changed_.wait(lock, [&] { return !held_; });
  waiting_ = false;
}

} // namespace holdfast::testing
