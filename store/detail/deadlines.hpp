#pragma once

#include <holdfast/store/detail/order_tree.hpp>

#include <cstdint>

/// The deadlines of a bucket's records: an ordered index over no field, in which records without a
/// deadline have no entry.
namespace holdfast::detail {

/// Stands for a record's deadline where an index names its slot.
inline constexpr std::uint32_t deadline_slot = ~std::uint32_t{0};

/// A place among the deadlines of a bucket.
inline order_probe deadline_probe(std::int64_t at, std::uint64_t row) noexcept {
  return {index_kind::integer, key_view{at}, row};
}

/// A place among the deadlines of a bucket to go on behind; by default in front of all.
struct deadline_place {
  std::int64_t at = 0;
  std::uint64_t row = 0;
  auto operator<=>(const deadline_place&) const = default;
};

/// How they compare: the prefixes decide, so that no record is read.
inline entry_order deadline_order(const row_table& rows) noexcept {
  return {&rows, index_kind::integer, deadline_slot, never};
}

} // namespace holdfast::detail
