#pragma once

#include <string>

namespace package_index {

/// The text to load and where it came from, for people.
struct input {
  std::string name;
  std::string text;
};

/// The package index of this machine: what `apt-cache dumpavail` prints, or /var/lib/dpkg/status
/// where that is nothing. With a `path`, that file. `name` says which; `text` is empty if there is
/// nothing to read, and `name` then says why.
input read_input(const std::string& path);

} // namespace package_index
