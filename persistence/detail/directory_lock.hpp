#pragma once

#include <holdfast/runtime/result.hpp>

#include <string>
#include <utility>

namespace holdfast::detail {

/// An exclusive hold on a directory, by process and by object, until it is destroyed or the process
/// dies. It locks the directory itself, so it writes nothing: RocksDB's own LOCK is taken only by
/// an open for writing, and we must look before that.
class directory_lock {
public:
  directory_lock() = default;
  directory_lock(directory_lock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  directory_lock& operator=(directory_lock&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~directory_lock();

  /// `locked` names the directory and the process that holds it, if the system says which.
  static result<directory_lock> take(const std::string& directory);

private:
  explicit directory_lock(int fd) : fd_(fd) {}
  int fd_ = -1;
};

} // namespace holdfast::detail
