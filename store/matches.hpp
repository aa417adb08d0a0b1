#pragma once

#include <holdfast/runtime/result.hpp>
#include <holdfast/store/filter.hpp>
#include <holdfast/store/record.hpp>

namespace holdfast {

/// Whether `where(which)` would find a record that is in its bucket as it is here, its deadline
/// aside; for records that come another way: with an event, from a list, out of a transaction.
///
///     options.filter = [](const change& c) {
///       return c.after && matches("role"_f == "admin", c.after).value_or(false);
///     };
///
/// The schema is that which the record was written under. Errors: `invalid_argument` as of `where`,
/// and for an empty handle; `errc::invalid_argument` too for parameters, which a query fills in.
/// Looks the names up each time: O(terms + operands). Throws `std::bad_alloc`. Thread-safe.
result<bool> matches(const filter& which, const record& in);

} // namespace holdfast
