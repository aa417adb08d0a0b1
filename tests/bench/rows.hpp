#pragma once

#include "figure.hpp"

#include <functional>
#include <string>
#include <vector>

namespace holdfast::bench {

/// A figure that can be measured on its own.
struct row {
  std::string name;
  std::function<figure(const settings&)> measure;
  bool slow = false; ///< left out by --quick
};

/// The figures of a store in memory: reads, writes, scans, memory.
std::vector<row> memory_rows();

/// The figures of queries that indexes answer, of groups and of pages.
std::vector<row> query_rows();

/// The figures of `where` with each operator: time per record of its result.
std::vector<row> operator_rows();

/// The figures of full buckets, and of what one pays for the features of others.
std::vector<row> limits_rows();

/// The figures of purges, and of those who read meanwhile.
std::vector<row> purge_rows();

/// The figures of transactions in memory.
std::vector<row> transaction_rows();

/// The figures of subscribed queries in memory.
std::vector<row> reactive_rows();

/// The figures of a store with a journal: `async` and `sync` inserts against RocksDB itself.
std::vector<row> durable_rows();

/// How long a start takes after a clean close and after SIGKILL.
std::vector<row> restore_rows();

/// What the restore rows run in a process of its own: fills a store in `directory` with `count`
/// records, then closes it or, if `killed`, ends by SIGKILL with writes in flight. Before the end
/// come the writes of a load: `updates`, one after the other, or `commits` of all records at once;
/// none if it is empty.
int fill_directory(const std::string& directory, std::uint32_t count, bool killed,
                   std::string_view load);

} // namespace holdfast::bench
