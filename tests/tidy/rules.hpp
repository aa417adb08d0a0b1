#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace holdfast::testing {

/// One breach of the house rules. `line` counts from 1; 0 means the whole file.
struct finding {
  std::string path;
  int line = 0;
  std::string what;
  friend bool operator==(const finding&, const finding&) = default;
};

/// `path:line: what`, as compilers print it.
std::string to_string(const finding& f);

/// Checks one file against the house rules. `path` is relative to the top of the tree and selects
/// the rules: layout for every text, words and includes for C++, more for headers and for tests.
std::vector<finding> check_file(std::string_view path, std::string_view text);

} // namespace holdfast::testing
