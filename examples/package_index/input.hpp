#pragma once

#include <string>

namespace package_index {

/// The text to load and where it came from, for people.
struct input {
  std::string name;
  std::string text;
};

/// Where to look for a package index.
struct sources {
  std::string file;                            ///< if given, nowhere else
  std::string status = "/var/lib/dpkg/status"; ///< where apt-cache has nothing to say
};

/// The package index of this machine: what `apt-cache dumpavail` prints, or dpkg's status file
/// where that is nothing; or the file that was asked for. `name` says which; `text` is empty if
/// there is nothing to read, and `name` then says why.
input read_input(const sources& from);

} // namespace package_index
