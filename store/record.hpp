#pragma once

#include <holdfast/runtime/clock.hpp>
#include <holdfast/store/detail/record_layout.hpp>
#include <holdfast/store/detail/release.hpp>
#include <holdfast/store/value_view.hpp>

#include <iosfwd>
#include <iterator>
#include <optional>
#include <string>
#include <utility>

namespace holdfast {

/// One version of one record: an owning handle of one pointer to immutable, shared memory.
///
/// Copying is one relaxed addition; a record may outlive its bucket and its store. Views of its
/// fields are valid while any handle to this version lives. Thread-safe as a `shared_ptr` is:
/// different handles to one record may be used by different threads. A default-constructed record
/// is empty: test with `if (r)`, and call nothing else on it.
class record {
public:
  class iterator;

  record() noexcept = default;
  record(const record& other) noexcept : block_(other.block_) { retain(); }
  record(record&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
  record& operator=(record other) noexcept {
    std::swap(block_, other.block_);
    return *this;
  }
  ~record() {
    if (block_ && block_->refs.fetch_sub(1, std::memory_order_acq_rel) == 1)
      detail::release_block(block_);
  }

  explicit operator bool() const noexcept { return block_ != nullptr; }

  /// The value of the key field: a string or an integer.
  value_view key() const noexcept { return detail::key_of(*block_); }
  /// 1 after the insert, one more after each update, also that by which `update_bucket` fills a new
  /// field; a transaction is one, however often it writes the record.
  std::uint64_t version() const noexcept { return block_->version; }
  timestamp created_at() const noexcept { return at(block_->created_at); }
  timestamp updated_at() const noexcept { return at(block_->updated_at); }
  /// When the record ends by itself, if it does.
  std::optional<timestamp> expires_at() const noexcept {
    return block_->expires_at == 0 ? std::nullopt : std::optional(at(block_->expires_at));
  }

  /// The value of a field, inside the schema or outside of it; null if the record does not have it.
  value_view operator[](std::string_view name) const noexcept;
  /// The value of a field of the schema by its position there. No check of the position.
  value_view field(std::size_t slot) const noexcept { return detail::view_of(*block_, slot); }

  /// The fields that are not null: those of the schema in its order, then the others as they were
  /// written. `for (auto [name, value] : rec)`.
  iterator begin() const noexcept;
  std::default_sentinel_t end() const noexcept { return {}; }

  /// A copy of the fields that are not null.
  object to_object() const;
  /// The fields as JSON text, for people; `null` for an empty handle.
  std::string to_string() const;
  friend std::ostream& operator<<(std::ostream& out, const record& r);

  /// For the store's own parts: a handle that takes over one reference, or adds one.
  static record adopt(detail::record_block* block) noexcept { return record(block); }
  static record share(detail::record_block* block) noexcept {
    record r(block);
    r.retain();
    return r;
  }
  const detail::record_block* block() const noexcept { return block_; }

private:
  explicit record(detail::record_block* block) noexcept : block_(block) {}
  static timestamp at(std::int64_t us) noexcept { return timestamp{std::chrono::microseconds{us}}; }
  void retain() noexcept {
    if (block_)
      block_->refs.fetch_add(1, std::memory_order_relaxed);
  }

  detail::record_block* block_ = nullptr;
};

/// Walks the fields of a record that are not null.
class record::iterator {
public:
  using value_type = member_view;
  using difference_type = std::ptrdiff_t;
  using reference = member_view;
  using iterator_category = std::input_iterator_tag;

  iterator() noexcept = default;
  explicit iterator(const detail::record_block* block) noexcept;
  member_view operator*() const noexcept { return current_; }
  iterator& operator++() noexcept {
    ++slot_;
    find_next();
    return *this;
  }
  iterator operator++(int) noexcept {
    auto old = *this;
    ++*this;
    return old;
  }
  bool operator==(std::default_sentinel_t) const noexcept { return !block_; }

private:
  void find_next() noexcept;

  const detail::record_block* block_ = nullptr;
  std::size_t slot_ = 0;
  detail::view_iterator<member_view> extra_;
  member_view current_;
};

inline record::iterator record::begin() const noexcept { return iterator(block_); }

} // namespace holdfast
