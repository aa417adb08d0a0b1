#include <holdfast/persistence/detail/database.hpp>

#include <holdfast/persistence/detail/files.hpp>
#include <holdfast/persistence/detail/log.hpp>

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/file_checksum.h>
#include <rocksdb/listener.h>
#include <rocksdb/memtablerep.h>
#include <rocksdb/table.h>

namespace holdfast::detail {
namespace {

namespace rdb = ::rocksdb;

constexpr std::size_t most_wal_bytes = std::size_t{64} << 30;

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

} // namespace

result<void> check_options(const rocksdb_options& options) {
  if (options.directory.empty())
    return fail(errc::invalid_argument, "rocksdb: the directory's name is empty");
  if (auto at = options.directory.find('\0'); at != std::string::npos)
    return fail(errc::invalid_argument,
                "rocksdb: the directory's name " + options.directory.substr(0, at) +
                    " goes on behind a NUL byte, its byte " + std::to_string(at + 1));
  if (options.max_wal_bytes == 0 || options.max_wal_bytes > most_wal_bytes)
    return fail(errc::invalid_argument,
                options.directory + ": max_wal_bytes " + std::to_string(options.max_wal_bytes) +
                    (options.max_wal_bytes == 0
                         ? " is below the minimum 1"
                         : " is above the maximum " + std::to_string(most_wal_bytes)));
  return {};
}

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
  o.info_log = log_of(options.directory);
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

} // namespace holdfast::detail
