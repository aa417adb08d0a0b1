#pragma once

#include <holdfast/runtime/error.hpp>
#include <holdfast/store/durability.hpp>
#include <holdfast/store/journal.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::detail {

class commit_line;
struct feed_entry;

/// A commit of the durable line on its way to the disk: what to write, and whom to tell.
///
/// Filled by the bucket before it is sealed, then owned by the pipeline until it is settled. One
/// object serves as the operation, its queue entry and its completion, so that sealing allocates
/// nothing: the queue is intrusive.
class sealed_commit {
public:
  /// Called once, on any thread, when the commit is published (`failure == nullptr`) or will never
  /// be.
  virtual void settled(const error* failure) noexcept = 0;
  /// Of a commit over both lines: seals the part in memory and makes it visible. Under the locks of
  /// both lines, at the moment at which the rest becomes visible.
  virtual void publish_in_memory() noexcept {}
  /// After an error of the disk, of a commit that was settled with `outcome_unknown` and turned out
  /// to be on disk: makes its part in memory once more, to be published like the first time.
  /// Throws `std::bad_alloc`, and then nothing was made.
  virtual void make_again() {}
  /// Takes that back.
  virtual void unmake() noexcept {}
  /// Behind `outcome_unknown`, once it is known whether the commit stands: it does if it has been
  /// made again, and is published then.
  virtual void known() noexcept {}
  /// Keep the object alive while the pipeline holds it.
  virtual void retain() noexcept = 0;
  virtual void let_go() noexcept = 0;

  durability level = durability::group;
  sequence seq = 0;
  /// What it tells those who follow the feed; null while nobody wants it. Taken when it is
  /// published.
  std::shared_ptr<feed_entry> entry;
  /// The generation of the feed at which nobody wanted it.
  std::uint64_t unwanted = 0;
  static constexpr std::uint64_t of_no_bucket = ~std::uint64_t{0}; ///< nobody ever will
  /// Where it has another part, which is not published yet; null: nowhere.
  commit_line* also_in = nullptr;
  /// Writers wait until it is settled: it is written even while no persistence actor is there.
  bool is_awaited = false;

  void put(std::string_view key, std::string_view value) {
    add(journal_put::kind::put, key, value);
  }
  void erase(std::string_view key) { add(journal_put::kind::erase, key, {}); }
  void erase_range(std::string_view first, std::string_view last) {
    add(journal_put::kind::erase_range, first, last);
  }
  /// Appends an entry whose value is encoded in place: `begin_put`, write to `bytes()`, `end_put`.
  void begin_put(std::string_view key);
  std::string& bytes() noexcept { return bytes_; }
  void end_put();

  /// Appends this commit's writes to a batch; the views are good while the commit lives.
  void append_to(std::vector<journal_put>& out) const;
  std::size_t byte_count() const noexcept { return bytes_.size(); }

protected:
  virtual ~sealed_commit() = default;

private:
  friend class pipeline;
  friend class commit_queue;

  struct span {
    journal_put::kind what;
    std::uint32_t key, value, end; ///< offsets into bytes_
  };
  void add(journal_put::kind what, std::string_view key, std::string_view value);

  std::string bytes_;
  std::vector<span> spans_;
  sealed_commit* next_ = nullptr;
  bool published_ = false; ///< guarded by the line's lock
};

/// A first-in-first-out list of commits through their own links. Not thread-safe.
class commit_queue {
public:
  bool empty() const noexcept { return !first_; }
  std::size_t size() const noexcept { return size_; }
  std::size_t bytes() const noexcept { return byte_count_; }
  sealed_commit* front() const noexcept { return first_; }

  void push(sealed_commit* c) noexcept;
  sealed_commit* pop() noexcept;
  /// Moves commits from the front of `from` until either limit is passed; at least one.
  void take(commit_queue& from, std::size_t max_commits, std::size_t max_bytes) noexcept;

  template <class F>
  void for_each(F&& f) const {
    for (auto* c = first_; c; c = c->next_)
      f(*c);
  }

private:
  sealed_commit* first_ = nullptr;
  sealed_commit* last_ = nullptr;
  std::size_t size_ = 0;
  std::size_t byte_count_ = 0;
};

} // namespace holdfast::detail
