#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace holdfast::testing {

/// One entry of a RocksDB database, in one of its columns.
struct raw_entry {
  std::string column;
  std::string key;
  std::string content;
};

/// Everything in the database, a journal's own entries included, without our code.
std::vector<raw_entry> raw_entries(const std::string& directory);

/// How many records its logs hold that an open would have to replay.
std::size_t records_to_replay(const std::string& directory);

} // namespace holdfast::testing
