#pragma once

#include <holdfast/store/detail/adder.hpp>
#include <holdfast/store/detail/match.hpp>
#include <holdfast/store/detail/reader.hpp>
#include <holdfast/store/query.hpp>

#include <cstdint>
#include <string_view>

/// One number over the records of a query; see execute.hpp for what all of these have in common.
/// Null values do not count. `invalid_argument` for an unknown field, or one whose values cannot be
/// added or ordered.
namespace holdfast::detail {

/// The place of a field whose values can be added, or of one whose values have an order; what is
/// behind a path may be anything, and only what fits counts.
result<bound_field> find_numbers(const record_layout& layout, std::string_view name);
result<bound_field> find_ordered(const record_layout& layout, std::string_view name);

/// The numbers of a number field: their sum, and their mean.
result<adder> add_up(const reader& from, std::string_view field, const query& q, std::int64_t now);
/// The sum of a number field: an integer, as long as all values are integers and it fits into one;
/// else the real nearest to the exact sum, whatever the order. 0 of no values.
result<value> sum(const reader& from, std::string_view field, const query& q, std::int64_t now);
/// The mean of a number field as a real: the real nearest to the sum, divided by the count; null of
/// no values.
result<value> avg(const reader& from, std::string_view field, const query& q, std::int64_t now);
/// The least and greatest value of a field that has an order (numbers, dates, texts, flags); null
/// of no values. O(log n) with an index on the field and a filter that does not narrow.
result<value> min(const reader& from, std::string_view field, const query& q, std::int64_t now);
result<value> max(const reader& from, std::string_view field, const query& q, std::int64_t now);

} // namespace holdfast::detail
