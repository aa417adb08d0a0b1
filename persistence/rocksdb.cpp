#include <holdfast/persistence/rocksdb.hpp>

#include <holdfast/persistence/detail/batch_writer.hpp>
#include <holdfast/persistence/detail/database.hpp>
#include <holdfast/persistence/detail/directory_lock.hpp>
#include <holdfast/persistence/detail/files.hpp>
#include <holdfast/persistence/detail/look.hpp>
#include <holdfast/persistence/detail/remains.hpp>
#include <holdfast/persistence/detail/split.hpp>

#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

#include <algorithm>

namespace holdfast {
namespace {

namespace rdb = ::rocksdb;
using detail::slice;
using detail::to_error;

/// Opens and closes the database, and reads it; `writer_` writes. Owned by the writing thread, but
/// for `db_`, which is also read by `scan` and `split`.
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
  ~rocksdb_journal() override { let_go(); }

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
  void begin_writing(detail::mark_file mark);
  result<detail::batch_writer*> writer() const;
  void let_go();

  rocksdb_options options_;
  std::shared_ptr<rdb::FileSystem> files_;
  std::unique_ptr<rdb::Env> own_env_;
  std::shared_ptr<detail::background_failure> background_;
  precondition only_if_;
  detail::directory_lock lock_;
  std::unique_ptr<rdb::DB> db_;
  std::unique_ptr<detail::batch_writer> writer_; ///< null when opened read-only
  std::uint64_t boot_ = 0;
  std::atomic<sequence> durable_{0};
};

result<journal_info> rocksdb_journal::open(bool only_synced) {
  if (db_)
    return fail(errc::invalid_argument, name() + ": is open already");
  if (auto sane = detail::check_options(options_); !sane)
    return fail(std::move(sane.error()));
  background_ = std::make_shared<detail::background_failure>();
  boot_ = detail::boot_identity(*files_);
  auto opened = is_new().and_then([&](bool fresh) -> result<journal_info> {
    if (fresh)
      return create();
    return detail::look(options_, database(), *files_, only_synced, only_if_)
        .and_then([&](const detail::findings& found) { return take_up(found); });
  });
  if (!opened)
    let_go();
  return opened;
}

result<journal_info> rocksdb_journal::open_read_only() {
  if (db_)
    return fail(errc::invalid_argument, name() + ": is open already");
  if (auto sane = detail::check_options(options_); !sane)
    return fail(std::move(sane.error()));
  auto tolerant = options_;
  tolerant.accept_loss = true;
  background_ = std::make_shared<detail::background_failure>();
  auto opened = look_on(std::move(tolerant));
  if (!opened)
    let_go();
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
  auto& last = found->last;
  durable_.store(last.last, std::memory_order_release);
  return journal_info{last.last, std::max(found->marked.epoch, last.epoch), last.chain,
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
  options.create_if_missing = true;
  options.error_if_exists = true;
  if (auto r = open_database(options); !r)
    return fail(r.error());
  begin_writing(std::move(*made));
  if (auto r = writer_->begin_epoch({}, 1, boot_); !r)
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
  begin_writing(std::move(*mark));
  auto epoch = std::max(found.marked.epoch, found.last.epoch) + 1;
  if (auto r = writer_->begin_epoch(found.last, epoch, boot_); !r)
    return refuse(r.error());
  return journal_info{found.last.last, epoch, found.last.chain, found.marked.clean, found.promised};
}

result<void> rocksdb_journal::open_database(const rdb::Options& options) {
  rdb::DB* raw = nullptr;
  if (auto s = rdb::DB::Open(options, name(), &raw); !s.ok())
    return fail(to_error(s, name()));
  db_.reset(raw);
  return {};
}

void rocksdb_journal::begin_writing(detail::mark_file mark) {
  writer_ = std::make_unique<detail::batch_writer>(
      detail::batch_writer::place{name(), options_.max_wal_bytes, background_, durable_}, *db_,
      std::move(mark));
}

result<detail::batch_writer*> rocksdb_journal::writer() const {
  if (!db_)
    return fail(errc::stopped, name() + ": the journal is not open");
  if (!writer_)
    return fail(errc::read_only, name() + ": the journal was opened read-only");
  return writer_.get();
}

result<void> rocksdb_journal::append(const journal_batch& batch, bool synced) {
  return writer().and_then([&](auto* w) { return w->append(batch, synced); });
}

result<void> rocksdb_journal::sync() {
  return writer().and_then([](auto* w) { return w->sync(); });
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
  result<void> r;
  if (writer_) {
    r = writer_->flush();
    auto closed = db_->Close();
    db_.reset();
    if (r && !closed.ok())
      r = fail(to_error(closed, name()));
    if (r)
      r = writer_->mark_clean();
  }
  let_go();
  return r;
}

void rocksdb_journal::let_go() {
  writer_.reset();
  db_.reset();
  lock_ = {};
}

} // namespace

std::unique_ptr<journal> rocksdb(rocksdb_options options) {
  return std::make_unique<rocksdb_journal>(std::move(options));
}

} // namespace holdfast
