#pragma once

#include <holdfast/store/detail/sealed_commit.hpp>

#include <cstddef>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace holdfast::detail {

/// What the commits of a batch write, in memory of its own: kept of what was written and is not on
/// stable storage yet, to be written again if a mended disk has lost it (R5).
class batch_copy {
public:
  /// Throws `std::bad_alloc`.
  explicit batch_copy(const commit_queue& of) {
    bytes_.reserve(of.bytes());
    ends_.reserve(of.size());
    first_ = of.front()->seq;
    of.for_each([this](const sealed_commit& c) { add(c); });
  }

  sequence first() const noexcept { return first_; }
  std::size_t memory() const noexcept {
    return bytes_.capacity() + puts_.capacity() * sizeof(journal_put) +
           ends_.capacity() * sizeof(std::size_t);
  }
  /// Calls `f(seq, puts)` for each commit, in order.
  template <class F>
  void for_each(F&& f) const {
    std::size_t begin = 0;
    for (std::size_t i = 0; i < ends_.size(); begin = ends_[i++])
      f(first_ + i, std::span{puts_}.subspan(begin, ends_[i] - begin));
  }

private:
  void add(const sealed_commit& c) {
    const auto before = puts_.size();
    c.append_to(puts_);
    for (auto i = before; i < puts_.size(); ++i) {
      puts_[i].key = keep(puts_[i].key);
      puts_[i].value = keep(puts_[i].value);
    }
    ends_.push_back(puts_.size());
  }
  std::string_view keep(std::string_view text) {
    const auto at = bytes_.size(); // there is room, so nothing moves
    bytes_.insert(bytes_.end(), text.begin(), text.end());
    return {bytes_.data() + at, text.size()};
  }

  sequence first_ = 0;
  std::vector<char> bytes_;
  std::vector<journal_put> puts_;
  std::vector<std::size_t> ends_; ///< of each commit's puts
};

/// The copies of all batches written since the last sync, in order. Owned by the pipeline's writer.
class unsynced_batches {
public:
  /// For one more; throws `std::bad_alloc`.
  void make_room() { all_.reserve(all_.size() + 1); }
  /// There is room.
  void add(batch_copy copy) noexcept {
    bytes_ += copy.memory();
    all_.push_back(std::move(copy));
  }
  /// All is on stable storage.
  void clear() noexcept {
    all_.clear();
    bytes_ = 0;
  }

  bool empty() const noexcept { return all_.empty(); }
  std::size_t bytes() const noexcept { return bytes_; }
  /// The first commit; there is one.
  sequence first() const noexcept { return all_.front().first(); }
  /// Calls `f(seq, puts)` for each commit, in order.
  template <class F>
  void for_each(F&& f) const {
    for (auto& batch : all_)
      batch.for_each(f);
  }

private:
  std::vector<batch_copy> all_;
  std::size_t bytes_ = 0;
};

} // namespace holdfast::detail
