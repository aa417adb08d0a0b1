#pragma once

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>

namespace holdfast::testing {

/// A directory of its own for one test, removed with all that is in it.
class temporary_directory {
public:
  enum class place : std::uint8_t { disk, memory };
  static constexpr auto in_memory = place::memory;

  /// In memory, if the system offers it: for tests that open thousands of journals.
  explicit temporary_directory(place where = place::disk) {
    std::filesystem::path parent = "/dev/shm";
    if (where == place::disk || !std::filesystem::exists(parent))
      parent = std::filesystem::temp_directory_path();
    auto pattern = (parent / ("holdfast-" + std::string(6, 'X'))).string();
    if (!::mkdtemp(pattern.data()))
      throw std::runtime_error("no temporary directory: " + pattern);
    path_ = pattern;
  }
  temporary_directory(const temporary_directory&) = delete;
  temporary_directory& operator=(const temporary_directory&) = delete;
  ~temporary_directory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  const std::filesystem::path& path() const { return path_; }
  /// The path of `name` in it; `name` need not exist.
  std::string operator/(const std::string& name) const { return (path_ / name).string(); }

private:
  std::filesystem::path path_;
};

} // namespace holdfast::testing
