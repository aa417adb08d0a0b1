#pragma once

#include <holdfast/persistence/detail/database.hpp>
#include <holdfast/persistence/detail/files.hpp>
#include <holdfast/persistence/detail/head.hpp>
#include <holdfast/store/journal.hpp>

#include <atomic>
#include <memory>
#include <optional>
#include <string>

namespace rocksdb {
class DB;
class WriteBatch;
} // namespace rocksdb

namespace holdfast::detail {

/// Writes batches to an open database, and keeps the records of how far it came: the head of each
/// generation in the database, the mark beside it. After the first error it writes nothing more.
///
/// Invariants while nothing has failed
///   (1) `head_` is the head record of the last batch written, and the mark was written after it;
///   (2) the mark's `durable` never exceeds what was synced before the mark was written;
///   (3) no batch of two generations shares a memtable or a log: `begin_generation` flushes first.
/// Owned by the writing thread; the database, which outlives its last call, is the journal's.
class batch_writer {
public:
  struct place {
    std::string name;             ///< of the journal, for errors
    std::size_t generation_bytes; ///< most bytes between two flushes
    std::shared_ptr<background_failure> background;
    std::atomic<sequence>& durable; ///< told what is on stable storage; read by other threads
  };
  batch_writer(place at, ::rocksdb::DB& db, mark_file mark);
  batch_writer(const batch_writer&) = delete;
  batch_writer& operator=(const batch_writer&) = delete;
  ~batch_writer();

  /// The first write after an open, behind `last`. RocksDB has flushed what it replayed, so the log
  /// is new.
  result<void> begin_epoch(const head& last, std::uint64_t epoch, std::uint64_t boot);

  result<void> append(const journal_batch& batch, bool synced);
  result<void> sync();

  /// The last write to the database: flushes it. Then it is to be closed, and then
  /// `mark_clean` says so.
  result<void> flush();
  result<void> mark_clean();

  /// The head of the last batch.
  const head& last() const noexcept { return head_; }

private:
  result<void> writable();
  result<void> begin_generation();
  result<void> fill(const journal_batch& batch);
  result<void> write(const head& next, bool synced);
  result<void> write_mark(bool synced);
  tl::unexpected<error> stop_writing(error cause);

  place at_;
  ::rocksdb::DB* db_;
  mark_file mark_;
  head head_;
  std::size_t generation_bytes_ = 0;
  std::size_t generation_puts_ = 0;
  std::optional<error> failed_;
  std::unique_ptr<::rocksdb::WriteBatch> batch_; // kept for its memory
  std::string head_value_;                       // likewise
};

} // namespace holdfast::detail
