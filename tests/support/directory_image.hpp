#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>

namespace holdfast::testing {

/// The files of a directory, by name.
using directory_image = std::map<std::string, std::string>;

inline std::string read_bytes(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

/// What is in `directory`, without RocksDB's LOG and LOCK, which a refused open may touch.
inline directory_image read_directory(const std::filesystem::path& directory) {
  directory_image image;
  for (auto& entry : std::filesystem::directory_iterator(directory)) {
    auto name = entry.path().filename().string();
    if (!name.starts_with("LOG") && name != "LOCK")
      image[name] = read_bytes(entry.path());
  }
  return image;
}

/// Makes `directory` hold just that.
inline void write_directory(const std::filesystem::path& directory, const directory_image& image) {
  std::filesystem::create_directories(directory);
  for (auto& entry : std::filesystem::directory_iterator(directory))
    std::filesystem::remove_all(entry.path());
  for (auto& [name, bytes] : image)
    std::ofstream(directory / name, std::ios::binary)
        .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

} // namespace holdfast::testing
