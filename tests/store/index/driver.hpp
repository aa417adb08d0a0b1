#pragma once

#include "model.hpp"

#include <memory>
#include <random>

namespace holdfast::testing {

/// Counts the allocations in its scope against a fuse that goes on in the next scope.
class fuse_guard {
public:
#ifdef NDEBUG
  explicit fuse_guard(std::uint64_t&) {}
#else
  explicit fuse_guard(std::uint64_t& left) : left_(left) { detail::pool::set_fuse(left); }
  fuse_guard(const fuse_guard&) = delete;
  fuse_guard& operator=(const fuse_guard&) = delete;
  ~fuse_guard() {
    left_ = detail::pool::fuse();
    detail::pool::set_fuse(0);
  }

private:
  std::uint64_t& left_;
#endif
};

/// A bucket driven by random operations, beside its model.
class driver {
public:
  explicit driver(std::uint64_t seed, std::size_t key_space = 60) : random_(seed) {
    for (std::size_t i = 0; i < key_space; ++i) {
      keys_.push_back("key-" + std::to_string(i) +
                      (i % 2 == 0 ? "-which-is-longer-than-a-slot" : ""));
      uniques_.push_back("u" + std::to_string(i) + "@example.org");
    }
  }

  std::uint64_t below(std::uint64_t n) { return random_() % n; }

  cell ordered_text() {
    switch (below(4)) {
    case 0:
      return {};
    case 1:
      return std::string(below(4), 'a');
    case 2:
      return "a-common-prefix-" + std::to_string(below(20));
    default:
      return "prefix" + std::string(below(5), '\0');
    }
  }
  cell number() {
    switch (below(4)) {
    case 0:
      return {};
    case 1:
      return static_cast<std::int64_t>(below(8)) + 9007199254740990;
    case 2:
      return static_cast<double>(below(8)) + 9007199254740990.0;
    default:
      return static_cast<double>(below(10)) / 4 - 1;
    }
  }
  cell integer() {
    return below(5) == 0 ? cell{} : cell{static_cast<std::int64_t>(below(20)) - 10};
  }
  cell free_unique(const model& m) {
    const auto& u = uniques_[below(uniques_.size())];
    return below(4) == 0 || m.uniques.count(u) != 0 ? cell{} : cell{u};
  }
  cells record(const std::string& key) {
    return {key, free_unique(open_), ordered_text(), integer(), number()};
  }

  /// One random edit of the open operation.
  void edit() {
    const auto& key = keys_[below(keys_.size())];
    detail::record_block* head =
        data_.find_head(std::string_view(key), detail::hash_of(std::string_view(key)));
    ASSERT_EQ(head != nullptr, open_.keys.count(key) != 0);
    if (below(one_clear_in_) == 0) {
      const fuse_guard counted(fuse_);
      data_.clear();
      open_.clear();
    } else if (head == nullptr) {
      const cells c = record(key);
      {
        const fuse_guard counted(fuse_);
        data_.insert(make_block(data_.memory(), c));
      }
      open_.insert(c);
    } else if (below(3) == 0) {
      {
        const fuse_guard counted(fuse_);
        data_.erase(head);
      }
      open_.erase(key);
    } else {
      cells c = cells_of(*head);
      if (below(3) == 0)
        c[1] = free_unique(open_);
      if (below(2) == 0)
        c[2] = ordered_text();
      if (below(2) == 0)
        c[3] = integer();
      if (below(2) == 0)
        c[4] = number();
      {
        const fuse_guard counted(fuse_);
        data_.replace(head, make_block(data_.memory(), c));
      }
      open_.replace(c);
    }
  }

  void edits() {
    for (auto n = 1 + below(most_edits_); n > 0; --n)
      edit();
  }
  void sealed_operation() {
    edits();
    model next = open_;
    {
      const fuse_guard counted(fuse_);
      data_.seal();
    }
    sealed_ = std::move(next);
  }
  void operation() {
    if (below(6) != 0)
      return sealed_operation();
    edits();
    data_.rollback();
    open_ = sealed_;
    ASSERT_EQ(data_.live_count(), open_.rows.size());
  }

  void check_now() {
    const detail::pin_guard pin(lines_.memory);
    expect_equal(detail::read_view(data_, pin.seq()), sealed_, keys_, uniques_);
  }
  void take_snapshot() {
    held_.push_back({std::make_unique<detail::snapshot_pair>(lines_), sealed_});
  }
  void drop_snapshot() {
    if (!held_.empty())
      held_.erase(held_.begin() + static_cast<std::ptrdiff_t>(below(held_.size())));
  }
  void check_snapshots() {
    const detail::pin_guard pin(lines_.memory);
    for (const auto& [snapshot, m] : held_)
      expect_equal(detail::read_view(data_, snapshot->seq(detail::line_kind::memory)), m, keys_,
                   uniques_);
  }

  struct held {
    std::unique_ptr<detail::snapshot_pair> snapshot;
    model contents;
  };

  std::mt19937_64 random_;
  std::uint64_t fuse_ = 0;       ///< the n-th allocation of the bucket from here on fails, if not 0
  std::uint64_t most_edits_ = 4; ///< of one operation
  std::uint64_t one_clear_in_ = 200; ///< edits
  std::vector<std::string> keys_;
  std::vector<std::string> uniques_;
  detail::commit_lines lines_;
  detail::bucket_data data_{lines_.memory, five_slots()};
  model open_;
  model sealed_;
  std::vector<held> held_;
};

} // namespace holdfast::testing
