#pragma once

#include <holdfast/runtime/result.hpp>
#include <holdfast/store/detail/bucket_core.hpp>
#include <holdfast/store/journal.hpp>

#include <cstdint>
#include <functional>
#include <string>

namespace holdfast::detail {

/// Fills an empty bucket from the journal, reading on several threads: each builds records in a
/// pool of its own, which the bucket then takes over. `progress` is told the records read so far,
/// on the calling thread, and must not throw. Gives their number. Errors: those of `journal::scan`,
/// also for what it throws; `corrupt` for a record that cannot be read, with its key;
/// `out_of_memory`.
result<std::uint64_t> restore_bucket(const journal& from, bucket_core& into, sequence at,
                                     unsigned threads,
                                     const std::function<void(std::uint64_t)>& progress);

/// What the store asks of a journal before anything in it is changed: a format and schemas that it
/// can read.
journal::precondition known_catalog(const std::string& where);

} // namespace holdfast::detail
