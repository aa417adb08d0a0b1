#pragma once

#include <holdfast/runtime/result.hpp>
#include <holdfast/store/filter.hpp>
#include <holdfast/store/json_limits.hpp>
#include <holdfast/store/query.hpp>

#include <string>
#include <string_view>

/// Filters and queries as JSON text, for tools and for the wire. All functions are thread-safe.
namespace holdfast {

/// Reads a filter:
///
///     {"age": {"$gte": 18, "$lt": 65}, "address.city": "Brno",
///      "$or": [{"role": "admin"}, {"tags": {"$contains": "vip"}}], "$not": {"name": "Ann"}}
///
/// A field (or a path) with a plain value compares equal; null is `is_null`. An object whose names
/// all begin with `$`, of which there is at least one, is a list of operators that must all hold:
///
/// | operator | operand | as |
/// | --- | --- | --- |
/// | `$eq` `$gt` `$gte` `$lt` `$lte` | a value | `==` `>` `>=` `<` `<=` |
/// | `$neq` | a value | the negation of `==`: also where there is nothing |
/// | `$differs` | a value | `!=`: there is a value, and it differs |
/// | `$in` `$nin` | a list of values | `in`, and its negation |
/// | `$between` | `[low, high]` | `between` |
/// | `$contains` | a text, or an item of an array field | `contains` |
/// | `$startsWith` `$endsWith` | a text | `starts_with`, `ends_with` |
/// | `$exists` | true or false | `exists`, `is_null` |
/// | `$not` | a value or operators | the negation |
///
/// At the top, `$or` and `$and` take a list of filters and `$not` one; all that stands in one
/// object must hold. `{}` is every record. No field has a name that begins with `$`.
///
/// `invalid_argument` for everything else, with the place in the text: `filter.age.$gte: ...`.
/// Above 1 MiB, 100,000 values or a depth of 256, or other `limits`, it is refused. Whether the
/// fields exist is seen when the filter is used.
result<filter> filter_from_json(std::string_view text, const json_limits& limits = {});

/// The filter in that form, without blanks; `filter_from_json` gives an equal one back. But for
/// what no bucket takes:
///   - operands that JSON cannot say: an infinity is written as the greatest finite number, a NaN
///     as the text "nan", and bytes that are no UTF-8 as U+FFFD;
///   - fields that none can have: an empty name is refused when it is read, one that begins with
///     `$` is refused or means an operator, one that is no UTF-8 comes back as another;
///   - a filter that is deeper or has more terms than stores take by default (`record_limits`),
///     whose text may be past the limits of `filter_from_json`.
std::string to_json(const filter& which);

/// Reads a query, in which every part may be left out:
///
///     {"filter": {"age": {"$gte": 18}}, "sort": [{"field": "age", "direction": "desc"}, "name"],
///      "offset": 20, "limit": 10, "fields": ["name", "address.city"]}
///
/// A field in `sort` without a direction is ascending, as with `asc`. Errors as above, under
/// `query`.
result<query> query_from_json(std::string_view text, const json_limits& limits = {});

/// The query in that form.
std::string to_json(const query& q);

} // namespace holdfast
