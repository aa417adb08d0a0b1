#include <holdfast/persistence/detail/database.hpp>

#include <holdfast/persistence/detail/files.hpp>
#include <holdfast/persistence/detail/tables.hpp>

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/file_checksum.h>
#include <rocksdb/listener.h>
#include <rocksdb/memtablerep.h>
#include <rocksdb/table.h>
#include <rocksdb/wal_filter.h>
#include <rocksdb/write_batch.h>

namespace holdfast::detail {
namespace {

namespace rdb = ::rocksdb;

// Stops the writing at the first error of a flush or compaction, for good (R5).
class failure_listener final : public rdb::EventListener {
public:
  failure_listener(std::string directory, std::shared_ptr<background_failure> failure)
      : directory_(std::move(directory)), failure_(std::move(failure)) {}

  void OnBackgroundError(rdb::BackgroundErrorReason, rdb::Status* status) override {
    failure_->set(to_error(*status, directory_));
  }
  void OnErrorRecoveryBegin(rdb::BackgroundErrorReason, rdb::Status, bool* automatic) override {
    *automatic = false;
  }

private:
  std::string directory_;
  std::shared_ptr<background_failure> failure_;
};

// A look must not begin a LOG of its own.
class silent_logger final : public rdb::Logger {
public:
  using rdb::Logger::Logv;
  void Logv(const char*, va_list) override {}
};

std::string_view text(rdb::Slice s) { return {s.data(), s.size()}; }
rdb::Slice slice(std::string_view s) { return {s.data(), s.size()}; }

// Lets a read-only open replay nothing of a log but the heads, and a few entries that are asked
// for: the logs are read and their sums checked, but a hundred times less goes into memory, and
// nothing is sorted.
class heads_only final : public rdb::WalFilter {
public:
  explicit heads_only(const journal::precondition& also) : also_(also) {}

  const char* Name() const override { return "holdfast.heads_only"; }

  WalProcessingOption LogRecordFound(unsigned long long, const std::string&,
                                     const rdb::WriteBatch& batch, rdb::WriteBatch* replacement,
                                     bool* replaced) override {
    struct finder final : rdb::WriteBatch::Handler {
      finder(rdb::WriteBatch& to, const journal::precondition& also) : to_(to), also_(also) {}
      bool asked_for(const rdb::Slice& key) const {
        return text(key) >= also_.first && text(key) < also_.last;
      }
      rdb::Status PutCF(std::uint32_t, const rdb::Slice& key, const rdb::Slice& value) override {
        return key.starts_with(slice(journal_reserved)) || asked_for(key) ? to_.Put(key, value)
                                                                          : rdb::Status::OK();
      }
      rdb::Status DeleteCF(std::uint32_t, const rdb::Slice& key) override {
        return asked_for(key) ? to_.Delete(key) : rdb::Status::OK();
      }
      rdb::Status DeleteRangeCF(std::uint32_t, const rdb::Slice& from,
                                const rdb::Slice& to) override {
        return text(from) < also_.last && text(to) > also_.first ? to_.DeleteRange(from, to)
                                                                 : rdb::Status::OK();
      }
      rdb::WriteBatch& to_;
      const journal::precondition& also_;
    } found{*replacement, also_};
    if (!batch.Iterate(&found).ok())
      return WalProcessingOption::kCorruptedRecord;
    *replaced = true;
    return WalProcessingOption::kContinueProcessing;
  }

private:
  const journal::precondition& also_;
};

// The last head, after every one was seen to join the one before.
result<head> read_heads(rdb::DB& db, const std::string& directory) {
  auto options = scan_options();
  std::unique_ptr<rdb::Iterator> at(db.NewIterator(options));
  head last;
  for (at->Seek(head_key(0)); at->Valid(); at->Next()) {
    auto next = decode_head(text(at->key()), text(at->value()));
    if (!next)
      return fail(errc::corrupt, directory + ": a head record is malformed");
    if (auto r = joins(last, *next, directory); !r)
      return fail(r.error());
    last = *next;
  }
  if (!at->status().ok())
    return fail(to_error(at->status(), directory));
  return last;
}

// The commit that the journal must reach by its mark.
sequence promised_by(const mark& m, std::uint64_t boot) {
  auto same_boot = boot != 0 && m.boot == boot;
  return m.clean || same_boot ? std::max(m.written, m.durable) : m.durable;
}

// Whether the journal reaches what the mark promises.
result<void> compare(const mark& m, const head& last, const rocksdb_options& options,
                     std::uint64_t boot) {
  auto expected = promised_by(m, boot);
  if (last.last < expected && !options.accept_loss)
    return fail(errc::data_loss,
                options.directory + ": commits " + std::to_string(last.last + 1) + " to " +
                    std::to_string(expected) + " are missing, which had been " +
                    (expected == m.durable ? "synced" : "written"),
                {}, loss{expected, last.last});
  if (last.last == m.written && last.chain != m.chain)
    return fail(errc::corrupt, options.directory + ": the history up to commit " +
                                   std::to_string(last.last) + " is not the one that MARK records");
  return {};
}

// Shows a precondition the entries that it is about.
result<void> show(rdb::DB& db, const std::string& directory, const journal::precondition& to) {
  std::unique_ptr<rdb::Iterator> at(db.NewIterator(scan_options()));
  for (at->Seek(slice(to.first)); at->Valid() && text(at->key()) < to.last; at->Next())
    if (auto r = to.holds(text(at->key()), text(at->value())); !r)
      return r;
  return at->status().ok() ? result<void>{} : fail(to_error(at->status(), directory));
}

result<findings> examine(const rocksdb_options& options, const rdb::Options& database,
                         const mark& marked, std::uint64_t boot, bool heads_suffice,
                         const journal::precondition& only_if) {
  auto quiet = quiet_options(database);
  heads_only filter{only_if};
  if (heads_suffice)
    quiet.wal_filter = &filter;
  rdb::DB* raw = nullptr;
  if (auto s = rdb::DB::OpenForReadOnly(quiet, options.directory, &raw); !s.ok())
    return fail(to_error(s, options.directory));
  std::unique_ptr<rdb::DB> db(raw);
  auto last = read_heads(*db, options.directory);
  if (!last)
    return fail(last.error());
  if (auto r = compare(marked, *last, options, boot); !r)
    return fail(r.error());
  if (only_if.holds)
    if (auto r = show(*db, options.directory, only_if); !r)
      return fail(std::move(r.error()));
  return findings{marked, *last, std::max(last->last, promised_by(marked, boot))};
}

} // namespace

rdb::Options database_options(const rocksdb_options& options, rdb::Env* env,
                              std::shared_ptr<background_failure> failure) {
  rdb::Options o;
  o.env = env;
  o.create_if_missing = false; // a lost CURRENT must not look like a new journal
  // Keys arrive in random order and nobody reads while writing, so a memtable is a plain vector,
  // sorted once when it is flushed.
  o.memtable_factory = std::make_shared<rdb::VectorRepFactory>();
  o.allow_concurrent_memtable_write = false;
  // The journal itself ends each memtable (a generation, see head.hpp) when its log is full, so
  // RocksDB must never do so: its own limit is out of reach. This one also sizes preallocation.
  o.write_buffer_size = 4 * options.max_wal_bytes + (std::size_t{64} << 20);
  o.max_total_wal_size = options.max_wal_bytes;
  // One filling, one or two being flushed; then appends wait.
  o.max_write_buffer_number = 3;
  // Tables are merged seldom and by size: reads are whole scans, which a few runs more do not slow.
  o.compaction_style = rdb::kCompactionStyleUniversal;
  o.level0_file_num_compaction_trigger = 8;
  o.level0_slowdown_writes_trigger = 24;
  o.level0_stop_writes_trigger = 36;
  o.max_background_jobs = 2;
  o.compression = options.compress ? rdb::kLZ4Compression : rdb::kNoCompression;
  rdb::BlockBasedTableOptions table;
  table.block_size = 32 << 10;
  table.no_block_cache = true;
  o.table_factory.reset(rdb::NewBlockBasedTableFactory(table));
  // A sum over every byte of a table, not only over its blocks: `look` checks it.
  o.file_checksum_gen_factory = rdb::GetFileChecksumGenCrc32cFactory();
  // A log cut short is normal after a crash; whether too much is gone, heads and mark tell.
  o.wal_recovery_mode = rdb::WALRecoveryMode::kPointInTimeRecovery;
  o.skip_stats_update_on_db_open = true;
  o.stats_dump_period_sec = 0;
  o.stats_persist_period_sec = 0;
  o.avoid_flush_during_shutdown = true; // `close` flushes; a failed journal must not
  o.max_bgerror_resume_count = 0;
  o.info_log_level = rdb::WARN_LEVEL;
  o.keep_log_file_num = 4;
  o.max_log_file_size = 4 << 20;
  o.listeners.push_back(std::make_shared<failure_listener>(options.directory, std::move(failure)));
  return o;
}

rdb::Options quiet_options(const rdb::Options& database) {
  auto quiet = database;
  quiet.info_log = std::make_shared<silent_logger>();
  quiet.listeners.clear();
  return quiet;
}

rdb::ReadOptions scan_options() {
  rdb::ReadOptions o;
  o.verify_checksums = true;
  o.fill_cache = false;
  o.readahead_size = 1 << 20;
  return o;
}

result<findings> look(const rocksdb_options& options, const rdb::Options& database,
                      rdb::FileSystem& files, bool only_synced,
                      const journal::precondition& only_if) {
  auto path = options.directory + "/MARK";
  auto content = read_file(files, path);
  if (!content)
    return fail(content.error());
  auto marked = decode_mark(*content, path);
  if (!marked)
    return fail(marked.error());

  if (auto r = verify_tables(files, database.env, options.directory); !r)
    return fail(r.error());

  // What another boot wrote and did not sync may be missing.
  auto boot = only_synced ? 0 : boot_identity(files);
  auto verdict = examine(options, database, *marked, boot, true, only_if);
  // RocksDB decides by counting entries whether it reads on after a damaged log. What it does with
  // all entries is what counts, so a refusal is only believed then.
  return verdict ? verdict : examine(options, database, *marked, boot, false, only_if);
}

} // namespace holdfast::detail
