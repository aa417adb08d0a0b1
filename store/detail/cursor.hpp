#pragma once

#include <holdfast/runtime/result.hpp>
#include <holdfast/store/query.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::detail {

/// Where a walk stands: behind the record with these values, one per term of the order, and this
/// row, whether or not that record still exists.
struct position {
  std::vector<value> at;
  std::uint64_t row = 0;
};

/// A number for (bucket, order), so that a cursor of another walk is noticed.
std::uint32_t cursor_scope(std::uint64_t bucket, const query& q) noexcept;

/// The position as opaque text; see the format in cursor.cpp.
std::string encode_cursor(std::uint32_t scope, const position& where);

/// The position back, of an order with so many terms. Anything that `encode_cursor` did not make
/// for this scope is `invalid_argument`.
result<position> decode_cursor(std::uint32_t scope, std::size_t terms, std::string_view text);

} // namespace holdfast::detail
