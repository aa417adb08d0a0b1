#pragma once

#include <holdfast/store/record.hpp>

namespace holdfast {

/// A look at a record during a visit: valid until the visitor returns, and free of reference
/// counts. `keep` turns it into a handle that lasts.
class record_view {
public:
  explicit record_view(const detail::record_block& block) noexcept : block_{&block} {}

  value_view key() const noexcept { return detail::key_of(*block_); }
  std::uint64_t version() const noexcept { return block_->version; }
  timestamp created_at() const noexcept {
    return timestamp{std::chrono::microseconds{block_->created_at}};
  }
  timestamp updated_at() const noexcept {
    return timestamp{std::chrono::microseconds{block_->updated_at}};
  }
  /// The value of a field; null if the record does not have it.
  value_view operator[](std::string_view name) const noexcept {
    auto at = block_->layout->find(name);
    return at != detail::record_layout::npos ? detail::view_of(*block_, at)
                                             : detail::extra_of(*block_)[name];
  }
  /// The value of a field by its position in the schema. No check of the position.
  value_view field(std::size_t position) const noexcept {
    return detail::view_of(*block_, position);
  }
  /// The value of a field by its name, quicker if it stands at that position in the schema.
  value_view field(std::string_view name, std::size_t position) const noexcept {
    auto at = block_->layout->find(name, position);
    return at != detail::record_layout::npos ? detail::view_of(*block_, at)
                                             : detail::extra_of(*block_)[name];
  }
  /// The name of its bucket.
  const std::string& bucket() const noexcept { return block_->layout->bucket(); }

  record keep() const noexcept {
    return record::share(const_cast<detail::record_block*>(block_)); // counts; the rest is const
  }

private:
  const detail::record_block* block_;
};

} // namespace holdfast
