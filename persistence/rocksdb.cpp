#include <holdfast/persistence/rocksdb.hpp>

#include <holdfast/persistence/detail/database.hpp>
#include <holdfast/persistence/detail/directory_lock.hpp>
#include <holdfast/persistence/detail/files.hpp>
#include <holdfast/persistence/detail/look.hpp>
#include <holdfast/persistence/detail/remains.hpp>
#include <holdfast/persistence/detail/split.hpp>
#include <holdfast/store/detail/journal_chain.hpp>

#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/file_system.h>
#include <rocksdb/write_batch.h>

#include <algorithm>

namespace holdfast {
namespace {

namespace rdb = ::rocksdb;
using detail::to_error;

// What is written between two flushes is limited in bytes by an option, and in puts by this, since
// replaying costs by the put: about 1.5 us each, and up to three generations are replayed.
constexpr std::size_t max_generation_puts = 150'000;

rdb::Slice slice(std::string_view text) { return {text.data(), text.size()}; }

/// Invariants while open and not failed
///   (1) `head_` is the head record of the last batch written, and the mark was written after it;
///   (2) the mark's `durable` never exceeds what was synced before the mark was written;
///   (3) no batch of two generations shares a memtable or a log: `begin_generation` flushes first.
/// Owned by the writing thread, but for `db_`, which is also read by `scan` and `split`.
class rocksdb_journal final : public journal {
public:
  explicit rocksdb_journal(rocksdb_options options) : options_(std::move(options)) {
    if (options_.file_system) {
      files_ = std::static_pointer_cast<rdb::FileSystem>(options_.file_system);
      own_env_ = rdb::NewCompositeEnv(files_);
    } else {
      files_ = rdb::FileSystem::Default();
    }
  }
  // Like a crash: what was written stays written, the next open replays it.
  ~rocksdb_journal() override { db_.reset(); }

  result<journal_info> open() override { return open(false); }
  result<journal_info> open_again() override { return open(true); }
  result<journal_info> open_read_only() override;
  void open_only_if(precondition what) override { only_if_ = std::move(what); }
  result<void> append(const journal_batch& batch, bool synced) override;
  result<void> sync() override;
  result<void> scan(std::string_view first, std::string_view last,
                    const visitor& visit) const override;
  std::vector<std::string> split(std::string_view first, std::string_view last,
                                 unsigned parts) const override;
  sequence durable() const noexcept override { return durable_.load(std::memory_order_acquire); }
  result<void> close() override;
  std::string name() const override { return options_.directory; }

private:
  rdb::Options database() const {
    return detail::database_options(options_, own_env_ ? own_env_.get() : rdb::Env::Default(),
                                    background_);
  }
  std::string path(const char* file) const { return options_.directory + "/" + file; }

  result<journal_info> open(bool only_synced);
  result<void> take_lock();
  result<bool> is_new();
  result<journal_info> look_on(rocksdb_options tolerant);
  result<journal_info> create();
  result<journal_info> take_up(const detail::findings& found);
  result<void> open_database(const rdb::Options& options);
  result<void> begin_epoch(const detail::head& last, std::uint64_t epoch);
  result<void> begin_generation();
  result<void> write_mark(bool synced);
  result<void> writable();
  tl::unexpected<error> stop_writing(error cause);

  rocksdb_options options_;
  std::shared_ptr<rdb::FileSystem> files_;
  std::unique_ptr<rdb::Env> own_env_;
  std::shared_ptr<detail::background_failure> background_;
  precondition only_if_;
  detail::directory_lock lock_;
  std::unique_ptr<rdb::DB> db_;
  detail::mark_file mark_;
  detail::head head_;
  std::uint64_t boot_ = 0;
  std::size_t generation_bytes_ = 0;
  std::size_t generation_puts_ = 0;
  std::optional<error> failed_;
  bool read_only_ = false;
  std::atomic<sequence> durable_{0};
  rdb::WriteBatch batch_;  // kept for its memory
  std::string head_value_; // likewise
};

result<journal_info> rocksdb_journal::open(bool only_synced) {
  if (db_)
    return fail(errc::invalid_argument, name() + ": is open already");
  failed_.reset();
  read_only_ = false;
  background_ = std::make_shared<detail::background_failure>();
  boot_ = detail::boot_identity(*files_);
  auto opened = is_new().and_then([&](bool fresh) -> result<journal_info> {
    if (fresh)
      return create();
    return detail::look(options_, database(), *files_, only_synced, only_if_)
        .and_then([&](const detail::findings& found) { return take_up(found); });
  });
  if (!opened) {
    db_.reset();
    mark_ = {};
    lock_ = {};
  }
  return opened;
}

result<journal_info> rocksdb_journal::open_read_only() {
  if (db_)
    return fail(errc::invalid_argument, name() + ": is open already");
  auto tolerant = options_;
  tolerant.accept_loss = true;
  read_only_ = true;
  background_ = std::make_shared<detail::background_failure>();
  auto opened = look_on(std::move(tolerant));
  if (!opened) {
    db_.reset();
    lock_ = {};
  }
  return opened;
}

result<journal_info> rocksdb_journal::look_on(rocksdb_options tolerant) {
  if (!files_->FileExists(path("MARK"), {}, nullptr).ok())
    return fail(errc::invalid_argument,
                path("MARK") + ": is missing: there is no journal to open read-only");
  if (auto mine = take_lock(); !mine)
    return fail(std::move(mine.error()));
  auto found = detail::look(tolerant, database(), *files_, false);
  if (!found)
    return fail(std::move(found.error()));
  rdb::DB* raw = nullptr;
  if (auto s = rdb::DB::OpenForReadOnly(detail::quiet_options(database()), name(), &raw); !s.ok())
    return fail(to_error(s, name()));
  db_.reset(raw);
  head_ = found->last;
  durable_.store(head_.last, std::memory_order_release);
  return journal_info{head_.last, std::max(found->marked.epoch, head_.epoch), head_.chain,
                      found->marked.clean, found->promised};
}

result<void> rocksdb_journal::take_lock() {
  auto lock = detail::directory_lock::take(name());
  if (!lock)
    return fail(lock.error());
  lock_ = std::move(*lock);
  return {};
}

// Takes the lock, and tells whether there is nothing yet. What a creation that was cut short left
// behind is removed: it has MARK.new, which becomes MARK as the last step of creating.
result<bool> rocksdb_journal::is_new() {
  if (auto r = detail::create_directories(*files_, name()); !r)
    return fail(r.error());
  if (auto mine = take_lock(); !mine)
    return fail(std::move(mine.error()));
  auto names = detail::list_directory(*files_, name());
  if (!names)
    return fail(names.error());
  auto has = [&](std::string_view file) { return std::ranges::count(*names, file) > 0; };
  std::erase_if(*names, [](auto& file) { return file == "lost+found"; });
  if (has("MARK"))
    return false;
  if (has("MARK.new")) {
    std::erase(*names, "MARK.new"); // overwritten by `create`
    for (auto& file : *names)
      if (auto s = files_->DeleteFile(path(file.c_str()), {}, nullptr); !s.ok())
        return fail(to_error(s, path(file.c_str())));
    names->clear();
  }
  if (names->empty())
    return true;
  return fail(detail::missing_mark(name(), database(), *files_));
}

result<journal_info> rocksdb_journal::create() {
  auto options = database();
  auto made = detail::mark_file::create(*files_, path("MARK.new"), {.boot = boot_});
  if (!made)
    return fail(made.error());
  mark_ = std::move(*made);
  options.create_if_missing = true;
  options.error_if_exists = true;
  if (auto r = open_database(options); !r)
    return fail(r.error());
  if (auto r = begin_epoch({}, 1); !r)
    return fail(r.error());
  if (auto s = files_->RenameFile(path("MARK.new"), path("MARK"), {}, nullptr); !s.ok())
    return fail(to_error(s, path("MARK.new")));
  if (auto r = detail::sync_directory(*files_, name()); !r)
    return fail(r.error());
  return journal_info{0, 1, 0, true, 0};
}

result<journal_info> rocksdb_journal::take_up(const detail::findings& found) {
  auto refuse = [&](const error& e) {
    return fail(
        detail::saying_what_is_there(e, {.marked = found.marked, .found = found.last.last}));
  };
  if (auto r = open_database(database()); !r)
    return refuse(r.error());
  auto mark = detail::mark_file::open(*files_, path("MARK"), found.marked);
  if (!mark)
    return refuse(mark.error());
  mark_ = std::move(*mark);
  auto epoch = std::max(found.marked.epoch, found.last.epoch) + 1;
  if (auto r = begin_epoch(found.last, epoch); !r)
    return refuse(r.error());
  return journal_info{head_.last, epoch, head_.chain, found.marked.clean, found.promised};
}

result<void> rocksdb_journal::open_database(const rdb::Options& options) {
  rdb::DB* raw = nullptr;
  if (auto s = rdb::DB::Open(options, name(), &raw); !s.ok())
    return fail(to_error(s, name()));
  db_.reset(raw);
  return {};
}

// The first write after an open: an empty generation that carries the epoch. RocksDB has flushed
// what it replayed, so the log is new.
result<void> rocksdb_journal::begin_epoch(const detail::head& last, std::uint64_t epoch) {
  head_ = {last.generation + 1, epoch, last.last + 1, last.last, last.chain, last.chain};
  generation_bytes_ = generation_puts_ = 0;
  batch_.Clear();
  detail::encode_head(head_, head_value_);
  rdb::WriteOptions synced;
  synced.sync = true;
  auto s = batch_.Put(detail::head_key(head_.generation), head_value_);
  if (s.ok())
    s = db_->Write(synced, &batch_);
  if (!s.ok())
    return fail(to_error(s, name()));
  durable_.store(last.last, std::memory_order_release);
  return mark_.write_and_sync({0, epoch, last.last, last.last, last.chain, boot_, false});
}

result<void> rocksdb_journal::begin_generation() {
  rdb::FlushOptions later;
  later.wait = false;
  if (auto s = db_->Flush(later); !s.ok())
    return fail(to_error(s, name()));
  ++head_.generation;
  head_.first = head_.last + 1;
  head_.chain_before = head_.chain;
  generation_bytes_ = generation_puts_ = 0;
  return {};
}

tl::unexpected<error> rocksdb_journal::stop_writing(error cause) {
  failed_ = std::move(cause);
  return fail(*failed_);
}

result<void> rocksdb_journal::writable() {
  if (!db_)
    return fail(errc::stopped, name() + ": the journal is not open");
  if (read_only_)
    return fail(errc::read_only, name() + ": the journal was opened read-only");
  if (!failed_)
    failed_ = background_->get();
  if (failed_)
    return fail(
        error{errc::read_only, name() + ": stopped writing after an error"}.because(*failed_));
  return {};
}

result<void> rocksdb_journal::append(const journal_batch& batch, bool synced) {
  if (auto r = writable(); !r)
    return r;
  if (auto r = detail::check_batch(batch, head_.last, name()); !r)
    return r;
  if (generation_bytes_ >= options_.max_wal_bytes || generation_puts_ >= max_generation_puts)
    if (auto r = begin_generation(); !r)
      return stop_writing(r.error());

  batch_.Clear();
  rdb::Status s;
  for (auto& put : batch.puts) {
    auto key = slice(put.key);
    switch (put.what) {
    case journal_put::kind::put:
      s = batch_.Put(key, slice(put.value));
      break;
    case journal_put::kind::erase:
      s = batch_.Delete(key);
      break;
    case journal_put::kind::erase_range:
      if (auto end = put.value.empty() ? journal_reserved : put.value; put.key < end)
        s = batch_.DeleteRange(key, slice(end));
      break;
    }
    if (!s.ok())
      return stop_writing(to_error(s, name()));
  }
  auto next = head_;
  next.last = batch.last;
  next.chain = detail::extend_chain(head_.chain, batch);
  detail::encode_head(next, head_value_);
  s = batch_.Put(detail::head_key(next.generation), head_value_);
  rdb::WriteOptions options;
  options.sync = synced;
  if (s.ok())
    s = db_->Write(options, &batch_);
  if (!s.ok())
    return stop_writing(to_error(s, name()));
  head_ = next;
  generation_bytes_ += batch_.GetDataSize();
  generation_puts_ += batch.puts.size();
  return write_mark(synced);
}

result<void> rocksdb_journal::write_mark(bool synced) {
  auto m = mark_.current();
  m.written = head_.last;
  m.chain = head_.chain;
  if (synced)
    m.durable = head_.last;
  if (auto r = mark_.write(m); !r)
    return stop_writing(r.error());
  durable_.store(m.durable, std::memory_order_release);
  return {};
}

result<void> rocksdb_journal::sync() {
  if (auto r = writable(); !r)
    return r;
  if (durable() == head_.last)
    return {};
  if (auto s = db_->SyncWAL(); !s.ok())
    return stop_writing(to_error(s, name()));
  return write_mark(true);
}

result<void> rocksdb_journal::scan(std::string_view first, std::string_view last,
                                   const visitor& visit) const {
  if (!db_)
    return fail(errc::stopped, name() + ": the journal is not open");
  auto end = slice(last.empty() || last > journal_reserved ? journal_reserved : last);
  auto options = detail::scan_options();
  options.iterate_upper_bound = &end;
  std::unique_ptr<rdb::Iterator> at(db_->NewIterator(options));
  for (at->Seek(slice(first)); at->Valid(); at->Next())
    if (auto r = visit(at->key().ToStringView(), at->value().ToStringView()); !r)
      return r;
  if (!at->status().ok())
    return fail(to_error(at->status(), name()));
  return {};
}

std::vector<std::string> rocksdb_journal::split(std::string_view first, std::string_view last,
                                                unsigned parts) const {
  if (!db_)
    return {};
  return detail::split_range(*db_, first, last.empty() ? journal_reserved : last, parts);
}

result<void> rocksdb_journal::close() {
  if (!db_)
    return {};
  if (read_only_) {
    db_.reset();
    lock_ = {};
    return {};
  }
  auto r = writable();
  if (!r) {
    r = fail(*failed_);
  } else if (auto s = db_->Flush({}); !s.ok()) {
    r = stop_writing(to_error(s, name()));
  } else if (auto late = background_->get()) {
    r = stop_writing(*late);
  }
  auto closed = db_->Close();
  db_.reset();
  if (r && !closed.ok())
    r = fail(to_error(closed, name()));
  if (r) {
    auto m = mark_.current();
    m.durable = m.written = head_.last;
    m.clean = true;
    r = mark_.write_and_sync(m);
  }
  if (r)
    durable_.store(head_.last, std::memory_order_release);
  mark_ = {};
  lock_ = {};
  return r;
}

} // namespace

std::unique_ptr<journal> rocksdb(rocksdb_options options) {
  return std::make_unique<rocksdb_journal>(std::move(options));
}

} // namespace holdfast
