#pragma once

#include <holdfast/store/journal.hpp>

#include <cstddef>
#include <memory>
#include <string>

namespace holdfast {

/// Where and how `rocksdb()` keeps a journal. What cannot be is `invalid_argument` when it is
/// opened.
struct rocksdb_options {
  /// Created if absent; must be given, without NUL bytes. Holds nothing but this journal; one
  /// process at a time opens it.
  std::string directory;
  /// The most that is written between two flushes of memory into tables. It bounds what a restart
  /// after a crash has to replay (at most three times as much), and half of the memory RocksDB
  /// takes. 1 byte to 64 GiB.
  std::size_t max_wal_bytes = std::size_t{32} << 20;
  /// LZ4 for the tables: smaller on disk, slower to write.
  bool compress = false;
  /// Opens although commits are missing at the end, where `open` would say `data_loss`: what is
  /// left is a prefix of the commits. For an operator who has no other copy; not for daily use.
  bool accept_loss = false;
  /// For tests: a `rocksdb::FileSystem` to use instead of the machine's, fault injection included.
  std::shared_ptr<void> file_system = {};
};

/// A journal in a RocksDB database; the laws are those of `journal`. Nothing happens before `open`.
///
/// Throughput comes from batches: an append is one WriteBatch and one write of its log; with
/// `synced` also one fdatasync. `scan` reads what is not flushed slowly while appends go on, and at
/// full speed after `open`.
std::unique_ptr<journal> rocksdb(rocksdb_options options);

} // namespace holdfast
