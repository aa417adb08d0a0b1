#include <holdfast/persistence/detail/batch_writer.hpp>

#include <holdfast/store/detail/journal_chain.hpp>

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include <utility>

namespace holdfast::detail {
namespace {

namespace rdb = ::rocksdb;

// What is written between two flushes is limited in bytes by an option, and in puts by this, since
// replaying costs by the put: about 1.5 us each, and up to three generations are replayed.
constexpr std::size_t max_generation_puts = 150'000;

rdb::Status add(rdb::WriteBatch& to, const journal_put& put) {
  auto key = slice(put.key);
  switch (put.what) {
  case journal_put::kind::put:
    return to.Put(key, slice(put.value));
  case journal_put::kind::erase:
    return to.Delete(key);
  case journal_put::kind::erase_range:
    if (auto end = put.value.empty() ? journal_reserved : put.value; put.key < end)
      return to.DeleteRange(key, slice(end));
    break;
  }
  return rdb::Status::OK();
}

} // namespace

batch_writer::batch_writer(place at, rdb::DB& db, mark_file mark)
    : at_{std::move(at)}, db_{&db}, mark_{std::move(mark)},
      batch_{std::make_unique<rdb::WriteBatch>()} {}

batch_writer::~batch_writer() = default;

result<void> batch_writer::begin_epoch(const head& last, std::uint64_t epoch, std::uint64_t boot) {
  // An empty generation that carries the epoch.
  head_ = {last.generation + 1, epoch, last.last + 1, last.last, last.chain, last.chain};
  generation_bytes_ = generation_puts_ = 0;
  batch_->Clear();
  encode_head(head_, head_value_);
  rdb::WriteOptions synced;
  synced.sync = true;
  auto s = batch_->Put(head_key(head_.generation), head_value_);
  if (s.ok())
    s = db_->Write(synced, batch_.get());
  if (!s.ok())
    return fail(to_error(s, at_.name));
  at_.durable.store(last.last, std::memory_order_release);
  return mark_.write_and_sync({0, epoch, last.last, last.last, last.chain, boot, false});
}

result<void> batch_writer::append(const journal_batch& batch, bool synced) {
  if (auto r = writable(); !r)
    return r;
  if (auto r = check_batch(batch, head_.last, at_.name); !r)
    return r;
  if (generation_bytes_ >= at_.generation_bytes || generation_puts_ >= max_generation_puts)
    if (auto r = begin_generation(); !r)
      return stop_writing(r.error());
  if (auto r = fill(batch); !r)
    return stop_writing(r.error());
  auto next = head_;
  next.last = batch.last;
  next.chain = extend_chain(head_.chain, batch);
  if (auto r = write(next, synced); !r)
    return stop_writing(r.error());
  head_ = next;
  generation_bytes_ += batch_->GetDataSize();
  generation_puts_ += batch.puts.size();
  return write_mark(synced);
}

result<void> batch_writer::fill(const journal_batch& batch) {
  batch_->Clear();
  for (auto& put : batch.puts)
    if (auto s = add(*batch_, put); !s.ok())
      return fail(to_error(s, at_.name));
  return {};
}

result<void> batch_writer::write(const head& next, bool synced) {
  encode_head(next, head_value_);
  auto s = batch_->Put(head_key(next.generation), head_value_);
  rdb::WriteOptions options;
  options.sync = synced;
  if (s.ok())
    s = db_->Write(options, batch_.get());
  if (!s.ok())
    return fail(to_error(s, at_.name));
  return {};
}

result<void> batch_writer::sync() {
  if (auto r = writable(); !r)
    return r;
  if (mark_.current().durable == head_.last)
    return {};
  if (auto s = db_->SyncWAL(); !s.ok())
    return stop_writing(to_error(s, at_.name));
  return write_mark(true);
}

result<void> batch_writer::flush() {
  if (!writable())
    return fail(*failed_);
  if (auto s = db_->Flush({}); !s.ok())
    return stop_writing(to_error(s, at_.name));
  if (auto late = at_.background->get())
    return stop_writing(*late);
  return {};
}

result<void> batch_writer::mark_clean() {
  auto m = mark_.current();
  m.durable = m.written = head_.last;
  m.clean = true;
  if (auto r = mark_.write_and_sync(m); !r)
    return r;
  at_.durable.store(head_.last, std::memory_order_release);
  return {};
}

result<void> batch_writer::begin_generation() {
  rdb::FlushOptions later;
  later.wait = false;
  if (auto s = db_->Flush(later); !s.ok())
    return fail(to_error(s, at_.name));
  ++head_.generation;
  head_.first = head_.last + 1;
  head_.chain_before = head_.chain;
  generation_bytes_ = generation_puts_ = 0;
  return {};
}

result<void> batch_writer::write_mark(bool synced) {
  auto m = mark_.current();
  m.written = head_.last;
  m.chain = head_.chain;
  if (synced)
    m.durable = head_.last;
  if (auto r = mark_.write(m); !r)
    return stop_writing(r.error());
  at_.durable.store(m.durable, std::memory_order_release);
  return {};
}

result<void> batch_writer::writable() {
  if (!failed_)
    failed_ = at_.background->get();
  if (failed_)
    return fail(
        error{errc::read_only, at_.name + ": stopped writing after an error"}.because(*failed_));
  return {};
}

tl::unexpected<error> batch_writer::stop_writing(error cause) {
  failed_ = std::move(cause);
  return fail(*failed_);
}

} // namespace holdfast::detail
