#pragma once

#include <holdfast/store/detail/bucket_core.hpp>
#include <holdfast/store/detail/sealed_commit.hpp>

namespace holdfast::detail {

// What a commit leaves in the journal of the buckets that it edits; nothing of those in memory.
// With the turn of the bucket. Each may throw `std::bad_alloc`.

/// A record as it is now.
void put_record(bucket_core& b, sealed_commit& into, const record_block& block);
/// That a record is gone, and its row with it.
void put_erased(bucket_core& b, sealed_commit& into, const record_block& block);
/// That all records are gone.
void put_cleared(bucket_core& b, sealed_commit& into);
/// The counter, if an insert has moved it. It is kept apart from the records, so that erasing the
/// last one does not bring its number back.
void put_counter(bucket_core& b, sealed_commit& into);

} // namespace holdfast::detail
