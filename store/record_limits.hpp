#pragma once

#include <cstddef>

namespace holdfast {

/// What no record may exceed, whatever its schema says; past it a write is `invalid`, with the
/// field, the size and the limit. The defaults are the greatest that the format allows, so a store
/// may only lower them. Records that are there already stay, and can be read and erased.
///
/// What no definition may exceed; past it, it is `invalid_schema`. Buckets that are there already
/// stay as they are.
///
/// And what no query of a bucket's records may exceed, nor the parameters of a defined query, which
/// are limited as the values of a record are; past it, it is `invalid_argument`.
struct record_limits {
  std::size_t value_bytes = std::size_t{16} << 20;  ///< one text, or one array or object encoded
  std::size_t record_bytes = std::size_t{64} << 20; ///< all values of a record together
  std::size_t key_bytes = 1024;
  /// Of a record, with those outside the schema; of a definition; that a query's `fields` name.
  std::size_t fields = 1024;
  /// The name of a bucket or field. It is UTF-8, not empty, without `.` `/` `\` `*` and control
  /// characters; that of a field does not begin with `$`.
  std::size_t name_bytes = 255;
  unsigned nesting = 10;             ///< of properties and items in one another, in a definition
  unsigned depth = 32;               ///< of arrays and objects in one another
  unsigned filter_depth = 100;       ///< of and and or in one another, around comparisons
  std::size_t filter_terms = 10'000; ///< of these together; and of their operands
  std::size_t order_terms = 8;       ///< fields to order by
  std::size_t group_fields = 64;     ///< keys of `group_by`; and aggregates
  std::size_t issues = 100;          ///< that one error lists; it says how many more there are
};

/// How many fields an index may be over. Not an option: the probes into indexes are arrays of this
/// size, so that a look-up allocates nothing, and a definition with more fields would have to be
/// refused by every store that reads it.
inline constexpr std::size_t max_index_fields = 8;

/// How many bytes a text, and how many items an array may have for an inverted index to tell it
/// apart: one that has more is looked at by every search. Not an option: it bounds what one write
/// costs, and a greater one would be found by other ways before and after a restart.
inline constexpr std::size_t max_parts = 4096;

} // namespace holdfast
