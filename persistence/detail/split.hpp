#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace rocksdb {
class DB;
} // namespace rocksdb

namespace holdfast::detail {

/// Keys that cut `[first, last)` into at most `parts` pieces of about equal bytes, as tables tell
/// (what is not flushed does not count). Reads index blocks only, which are in memory.
std::vector<std::string> split_range(::rocksdb::DB& db, std::string_view first,
                                     std::string_view last, unsigned parts);

/// A key between `low` and `high` (`low < high`), about in the middle; `low` if none is found.
std::string middle(std::string_view low, std::string_view high);

} // namespace holdfast::detail
