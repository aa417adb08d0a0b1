#pragma once

#include <holdfast/runtime/pending.hpp>
#include <holdfast/store/detail/bucket_core.hpp>
#include <holdfast/store/durability.hpp>
#include <holdfast/store/record.hpp>
#include <holdfast/store/value.hpp>

/// For who changes a record by what it is, and has no thread that may wait.
namespace holdfast::detail {

/// Updates a record if it still is the very one that was read. Its version alone would not say so:
/// versions begin anew when a key is inserted anew. Errors: as of an update; `conflict` if it is
/// not (detail: `commit_conflict`), told when what it is by now can be read.
pending<record> update_as_read(const ref<bucket_core>& in, durability level, record read,
                               const object& changes);

} // namespace holdfast::detail
