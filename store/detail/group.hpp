#pragma once

#include <holdfast/store/aggregate.hpp>
#include <holdfast/store/detail/reader.hpp>
#include <holdfast/store/query.hpp>

#include <cstdint>
#include <span>

namespace holdfast::detail {

/// The records of a query in groups; see `selection::group_by` and execute.hpp. `invalid_argument`
/// for an unknown field, one whose values cannot be added or ordered, and for more than 64 keys or
/// aggregates. O(records), without allocating per record.
result<groups> group_by(const reader& from, const query& q, std::span<const field_name> keys,
                        std::span<const aggregate> what, std::int64_t now);

} // namespace holdfast::detail
