#pragma once

#include <holdfast/store/detail/commit_line.hpp>

namespace holdfast::detail {

/// Has the lock of the line, and of that in memory if a commit has a part there.
class both_lines {
public:
  both_lines(commit_line* memory, commit_line& line) noexcept : memory_{memory}, line_{line} {
    if (memory_) [[unlikely]]
      memory_->lock();
    line_.lock();
  }
  both_lines(const both_lines&) = delete;
  both_lines& operator=(const both_lines&) = delete;
  ~both_lines() {
    line_.unlock();
    if (memory_) [[unlikely]]
      memory_->unlock();
  }

private:
  commit_line* memory_;
  commit_line& line_;
};

} // namespace holdfast::detail
