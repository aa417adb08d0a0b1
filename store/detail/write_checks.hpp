#pragma once

#include <holdfast/runtime/result.hpp>
#include <holdfast/store/detail/record_block.hpp>
#include <holdfast/store/detail/validation_rules.hpp>
#include <holdfast/store/value_view.hpp>
#include <holdfast/store/write_options.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace holdfast::detail {

/// Whether the options say anything about the deadline.
inline bool says_deadline(const write_options& how) noexcept {
  return how.expires_in || how.expires_at || how.never_expires;
}

/// The deadline of a record, in microseconds since the epoch, 0 for never: what the options say,
/// else that of the bucket for an insert, or the one that it has. Error: `invalid_argument` if they
/// say two, or one that has come at `now`.
result<std::int64_t> deadline_of_insert(const compiled_schema& schema, const write_options& how,
                                        timestamp now);
result<std::int64_t> deadline_of_update(const record_block& old, const compiled_schema& schema,
                                        const write_options& how, timestamp now);

/// What a touch says by default: the deadline of an insert. Fails if there is none.
std::optional<error> complete_touch(const compiled_schema& schema, write_options& how);

/// What is wrong with the options of a write of many records, or of none: no version fits them all,
/// and a deadline must be one.
std::optional<error> check_bulk(const compiled_schema& schema, const write_options& how,
                                timestamp now);

/// What is wrong if the options expect another version than that of the record found; null stands
/// for none.
std::optional<error> version_error(const std::string& bucket, value_view key,
                                   const record_block* found, const write_options& how);

} // namespace holdfast::detail
