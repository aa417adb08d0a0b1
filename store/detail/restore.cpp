#include <holdfast/store/detail/restore.hpp>

#include <holdfast/store/codec.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <new>
#include <optional>
#include <system_error>
#include <thread>

namespace holdfast::detail {
namespace {

/// More pieces than threads, so that a thread with light pieces helps on.
constexpr unsigned pieces_per_thread = 4;
/// How often the caller hears of progress.
constexpr std::chrono::milliseconds progress_interval{50};

/// What one thread has read.
struct share {
  explicit share(const record_layout& layout) : decoder{layout} {}
  pool memory;
  codec::record_decoder decoder;
  std::vector<record_block*> blocks;
};

/// A record's key as its user knows it, from its key in the journal (see journal_keys.hpp).
std::string shown_key(std::string_view key) {
  constexpr std::size_t prefix = 5;
  if (key.size() <= prefix)
    return "without a key";
  const auto rest = key.substr(prefix + 1);
  if (key[prefix] == 't')
    return "\"" + std::string{rest} + "\"";
  const auto number = read_big_endian(rest) ^ (std::uint64_t{1} << 63);
  return std::to_string(static_cast<std::int64_t>(number));
}

/// A record that `where` holds and that cannot be read: the place, the record, and what is lost.
error unreadable(const error& why, const std::string& where, std::string_view key) {
  auto text = where + ": record " + shown_key(key) + ": " + why.message();
  if (why == errc::corrupt)
    text += "; lost: this record, perhaps others; restore a backup";
  return error{why.code(), std::move(text), why.where()}.at({.key = shown_key(key)});
}

class restore_job {
public:
  restore_job(const journal& from, bucket_core& into, unsigned threads) : from_{from}, into_{into} {
    for (unsigned i = 0; i < threads; ++i)
      shares_.emplace_back(into.schema().layout());
    auto first = bucket_prefix('s', into.id());
    auto last = bucket_prefix('s', into.id() + 1);
    bounds_.push_back(first);
    for (auto& cut : from.split(first, last, threads * pieces_per_thread))
      bounds_.push_back(std::move(cut));
    bounds_.push_back(last);
  }

  void run(const std::function<void(std::uint64_t)>& progress) {
    std::vector<std::thread> others;
    others.reserve(shares_.size());
    working_ = shares_.size();
    for (auto& s : shares_)
      if (!start_thread(others, s)) { // there are no more to be had
        std::lock_guard lock{mutex_};
        working_ -= shares_.size() - others.size();
        break;
      }
    if (others.empty())
      work_safely(shares_.front());
    std::unique_lock lock{mutex_};
    while (!done_.wait_for(lock, progress_interval, [this] { return working_ == 0; }))
      if (progress) {
        lock.unlock();
        progress(read_.load(std::memory_order_relaxed));
        lock.lock();
      }
    lock.unlock();
    for (auto& t : others)
      t.join();
  }

  /// Puts the shares together; the first failure if there was one.
  result<std::vector<record_block*>> collect() {
    if (failure_)
      return fail(std::move(*failure_));
    std::vector<record_block*> all;
    all.reserve(read_.load());
    for (auto& s : shares_) {
      all.insert(all.end(), s.blocks.begin(), s.blocks.end());
      into_.data().memory().adopt(std::move(s.memory));
    }
    return all;
  }

private:
  bool start_thread(std::vector<std::thread>& into, share& mine) {
    try {
      into.emplace_back([this, &mine] {
        work_safely(mine);
        std::lock_guard lock{mutex_};
        if (--working_ == 0)
          done_.notify_one();
      });
      return true;
    } catch (const std::system_error&) {
      return false;
    }
  }

  void note(error why) {
    std::lock_guard lock{mutex_};
    if (!failed_.exchange(true))
      failure_ = std::move(why);
  }

  /// An exception must not end the process, also not one of a user's journal.
  void work_safely(share& mine) noexcept {
    try {
      work(mine);
    } catch (const std::bad_alloc&) {
      note(error{errc::out_of_memory, from_.name() + ": there is no memory to read it"});
    } catch (const std::exception& e) {
      note(error{errc::io, from_.name() + ": reading it threw: " + e.what()});
    } catch (...) {
      note(error{errc::io, from_.name() + ": reading it threw something unknown"});
    }
  }

  void work(share& mine) {
    mine.memory.keep(into_.schema().shared_layout());
    for (;;) {
      auto piece = next_.fetch_add(1);
      if (piece + 1 >= bounds_.size() || failed_.load(std::memory_order_relaxed))
        return;
      auto done = from_.scan(
          bounds_[piece], bounds_[piece + 1],
          [&](std::string_view key, std::string_view bytes) { return add(mine, key, bytes); });
      if (!done)
        return note(std::move(done.error()));
    }
  }

  result<void> add(share& mine, std::string_view key, std::string_view bytes) {
    auto size = mine.decoder.parse(bytes);
    if (!size)
      return fail(unreadable(size.error(), from_.name(), key).at({.bucket = into_.name()}));
    auto* b = mine.decoder.build(mine.memory.allocate(*size));
    b->hash = hash_of(*b, into_.key_slot());
    mine.blocks.push_back(b);
    read_.fetch_add(1, std::memory_order_relaxed);
    return {};
  }

  const journal& from_;
  bucket_core& into_;
  std::deque<share> shares_;
  std::vector<std::string> bounds_;
  std::atomic<std::size_t> next_{0};
  std::atomic<std::uint64_t> read_{0};
  std::atomic<bool> failed_{false};
  std::mutex mutex_;
  std::condition_variable done_;
  std::size_t working_ = 0; // guarded by mutex_
  std::optional<error> failure_;
};

} // namespace

result<std::uint64_t> restore_bucket(const journal& from, bucket_core& into, sequence at,
                                     unsigned threads,
                                     const std::function<void(std::uint64_t)>& progress) {
  restore_job job{from, into, threads};
  job.run(progress);
  auto blocks = job.collect();
  if (!blocks)
    return fail(std::move(blocks.error()));
  if (auto rows = into.restore_rows(from); !rows)
    return fail(std::move(rows.error()));
  into.data().load(*blocks, at);
  into.note_memory();
  if (auto counted = into.restore_counter(from, *blocks); !counted)
    return fail(std::move(counted.error()));
  return blocks->size();
}

} // namespace holdfast::detail
