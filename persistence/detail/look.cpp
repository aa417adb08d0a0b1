#include <holdfast/persistence/detail/look.hpp>

#include <holdfast/persistence/detail/database.hpp>
#include <holdfast/persistence/detail/files.hpp>
#include <holdfast/persistence/detail/remains.hpp>
#include <holdfast/persistence/detail/tables.hpp>

#include <rocksdb/db.h>
#include <rocksdb/file_system.h>
#include <rocksdb/wal_filter.h>
#include <rocksdb/write_batch.h>

namespace holdfast::detail {
namespace {

namespace rdb = ::rocksdb;

std::string_view text(rdb::Slice s) { return {s.data(), s.size()}; }

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

// Opens to read only: with `filter`, replaying of the logs what that lets through.
result<std::unique_ptr<rdb::DB>>
open_quietly(const std::string& directory, const rdb::Options& database, rdb::WalFilter* filter) {
  auto quiet = quiet_options(database);
  quiet.wal_filter = filter;
  rdb::DB* raw = nullptr;
  if (auto s = rdb::DB::OpenForReadOnly(quiet, directory, &raw); !s.ok())
    return fail(to_error(s, directory));
  return std::unique_ptr<rdb::DB>(raw);
}

// The last head, after every one was seen to join the one before. If one does not, `joined` is what
// the ones before it reach; it stays empty if they cannot be read.
result<head> read_heads(rdb::DB& db, const std::string& directory,
                        std::optional<sequence>& joined) {
  auto options = scan_options();
  std::unique_ptr<rdb::Iterator> at(db.NewIterator(options));
  head last;
  for (at->Seek(head_key(0)); at->Valid(); at->Next()) {
    auto next = decode_head(text(at->key()), text(at->value()));
    auto follows = next ? joins(last, *next, directory)
                        : fail(errc::corrupt, directory + ": a head record is malformed");
    if (!follows) {
      joined = last.last;
      return fail(follows.error());
    }
    last = *next;
  }
  if (!at->status().ok())
    return fail(to_error(at->status(), directory));
  joined = last.last;
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
                         const mark& marked, std::uint64_t boot, rdb::WalFilter* filter,
                         const journal::precondition& only_if) {
  remains known{.marked = marked, .found = {}};
  auto refuse = [&](const error& e) { return fail(saying_what_is_lost(e, known)); };
  auto db = open_quietly(options.directory, database, filter);
  if (!db)
    return refuse(db.error());
  auto last = read_heads(**db, options.directory, known.found);
  if (!last)
    return refuse(last.error());
  if (auto r = compare(marked, *last, options, boot); !r) {
    if (r.error() != errc::data_loss)
      known.found.reset(); // of another history
    return refuse(r.error());
  }
  if (only_if.holds)
    if (auto r = show(**db, options.directory, only_if); !r)
      return refuse(r.error());
  return findings{marked, *last, std::max(last->last, promised_by(marked, boot))};
}

/// What can be told without the mark.
struct rest {
  std::optional<sequence> found; ///< up to which commit all is there
  bool headless = false;         ///< it was read, and is of another program
};

// Tables are read only if they are a journal's.
rest read_rest(const std::string& directory, const rdb::Options& database, rdb::FileSystem& files) {
  const journal::precondition nothing_else;
  heads_only filter{nothing_else};
  rest out;
  auto db = open_quietly(directory, database, &filter);
  if (!db)
    return out;
  auto last = read_heads(**db, directory, out.found);
  out.headless = last && last->generation == 0;
  if (!out.headless && !verify_tables(files, database.env, directory))
    out.found.reset();
  return out;
}

// `why` MARK cannot be read, with what the rest still holds.
error without_mark(const error& why, const std::string& directory, const rdb::Options& database,
                   rdb::FileSystem& files) {
  remains known;
  if (why != errc::newer_format)
    known.found = read_rest(directory, database, files).found;
  return saying_what_is_lost(why, known);
}

std::uint64_t bytes_of_logs(const std::string& directory, rdb::FileSystem& files) {
  std::uint64_t sum = 0;
  if (auto names = list_directory(files, directory))
    for (auto& name : *names) {
      std::uint64_t size = 0;
      if (name.ends_with(".log") &&
          files.GetFileSize(directory + "/" + name, {}, &size, nullptr).ok())
        sum += size;
    }
  return sum;
}

} // namespace

error missing_mark(const std::string& directory, const rdb::Options& database,
                   rdb::FileSystem& files) {
  const auto mark = directory + "/MARK: is missing, ";
  const auto limit = database.write_buffer_size;
  if (auto bytes = bytes_of_logs(directory, files); bytes > limit)
    return error{errc::corrupt,
                 mark + "and the rest is not looked at: its logs have " + std::to_string(bytes) +
                     " bytes, above the limit " + std::to_string(limit) +
                     "; lost: unknown; choose another directory, or restore a backup"};
  const auto rest = read_rest(directory, database, files);
  if (rest.headless)
    return error{errc::corrupt,
                 mark + "and there is no head record: " + directory +
                     " is not a holdfast journal; choose another directory, or restore "
                     "a backup"};
  return saying_what_is_lost(error{errc::corrupt, mark + "though " + directory + " is not empty"},
                             {.marked = {}, .found = rest.found});
}

result<findings> look(const rocksdb_options& options, const rdb::Options& database,
                      rdb::FileSystem& files, bool only_synced,
                      const journal::precondition& only_if) {
  auto path = options.directory + "/MARK";
  auto marked = read_file(files, path).and_then([&](const std::string& content) {
    return decode_mark(content, path);
  });
  if (!marked)
    return fail(without_mark(marked.error(), options.directory, database, files));

  if (auto r = verify_tables(files, database.env, options.directory); !r)
    return fail(saying_what_is_lost(r.error(), {.marked = *marked, .found = {}}));

  // What another boot wrote and did not sync may be missing.
  auto boot = only_synced ? 0 : boot_identity(files);
  heads_only filter{only_if};
  auto verdict = examine(options, database, *marked, boot, &filter, only_if);
  // RocksDB decides by counting entries whether it reads on after a damaged log. What it does with
  // all entries is what counts, so a refusal is only believed then.
  return verdict ? verdict : examine(options, database, *marked, boot, nullptr, only_if);
}

} // namespace holdfast::detail
