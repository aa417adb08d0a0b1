#pragma once

#include <holdfast/persistence/detail/head.hpp>
#include <holdfast/persistence/detail/mark.hpp>
#include <holdfast/persistence/rocksdb.hpp>

namespace rocksdb {
class FileSystem;
struct Options;
} // namespace rocksdb

namespace holdfast::detail {

/// What a look at an existing journal found.
struct findings {
  mark marked;
  head last;
  sequence promised = 0; ///< the commit that it must reach by the mark
};

/// Finds everything for which an open must refuse, and changes nothing: reads MARK, checks
/// the sum of every byte of every table, opens the database read-only (which reads its logs and
/// opens every table), joins the heads, and compares the last one with the mark. `database` are the
/// options of the open that is to follow. With `only_synced`, what was written and not synced may
/// be missing. What `only_if` says of is shown to it. An error says what is lost. The caller holds
/// the directory's lock.
result<findings> look(const rocksdb_options& options, const ::rocksdb::Options& database,
                      ::rocksdb::FileSystem& files, bool only_synced,
                      const journal::precondition& only_if = {});

/// Why a directory that holds something, but no MARK, is refused, with what it still holds of a
/// journal. It may be another program's database: it is read no more than that takes, and not at
/// all if its logs are larger than a journal with the options `database` lets them become.
error missing_mark(const std::string& directory, const ::rocksdb::Options& database,
                   ::rocksdb::FileSystem& files);

} // namespace holdfast::detail
