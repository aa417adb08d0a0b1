#pragma once

#include <holdfast/runtime/clock.hpp>
#include <holdfast/store/detail/record_block.hpp>
#include <holdfast/store/draft.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace holdfast {

/// A record as a write would store it, before it is: what validators see. Values are in stored form
/// (dates in milliseconds); of an update, also those that it does not change. Valid during the
/// call.
class record_input {
public:
  /// `old` is null for an insert.
  record_input(const draft& input, const detail::record_block* old, timestamp now) noexcept
      : input_{input}, old_{old}, now_{now} {}

  /// The value of a field, inside the schema or outside of it; null if the record would have none.
  value_view operator[](std::string_view name) const noexcept;
  /// The value of a field of the schema by its position there. No check of the position.
  value_view field(std::size_t slot) const noexcept;
  value_view key() const noexcept;

  bool is_update() const noexcept { return old_ != nullptr; }
  /// 1 for an insert.
  std::uint64_t version() const noexcept { return old_ ? old_->version + 1 : 1; }
  timestamp created_at() const noexcept {
    return old_ ? timestamp{std::chrono::microseconds{old_->created_at}} : now_;
  }
  timestamp updated_at() const noexcept { return now_; }

private:
  const draft& input_;
  const detail::record_block* old_;
  timestamp now_;
};

} // namespace holdfast
