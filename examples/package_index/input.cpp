#include "input.hpp"

#include <cstdio>
#include <fstream>
#include <iterator>
#include <memory>

namespace package_index {

namespace {

std::string read_file(const std::string& path) {
  std::ifstream in{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

std::string read_command(const char* command) {
  struct close_pipe {
    void operator()(std::FILE* f) const { pclose(f); }
  };
  std::unique_ptr<std::FILE, close_pipe> pipe{popen(command, "r")};
  std::string out;
  if (!pipe)
    return out;
  char chunk[1 << 16];
  while (auto n = std::fread(chunk, 1, sizeof chunk, pipe.get()))
    out.append(chunk, n);
  return out;
}

} // namespace

input read_input(const sources& from) {
  if (!from.file.empty()) {
    auto text = read_file(from.file);
    return {text.empty() ? from.file + ": empty, or not readable" : from.file, std::move(text)};
  }
  if (auto text = read_command("apt-cache dumpavail 2>/dev/null </dev/null"); !text.empty())
    return {"apt-cache dumpavail", std::move(text)};
  auto text = read_file(from.status);
  return {text.empty() ? "neither apt-cache dumpavail nor " + from.status + " has packages"
                       : from.status,
          std::move(text)};
}

} // namespace package_index
