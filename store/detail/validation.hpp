#pragma once

#include <holdfast/runtime/clock.hpp>
#include <holdfast/store/detail/generate.hpp>
#include <holdfast/store/detail/validation_rules.hpp>
#include <holdfast/store/draft.hpp>

#include <cstddef>
#include <optional>
#include <string>

/// From a draft to a record: the part of the write path that looks at values. For the bucket's
/// thread.
///
/// An insert is `complete`, `check_insert`, `block_size`, `build`; an update is `check_update`,
/// `plan_update`, `build_update`. Checks find every violation at once and change nothing but the
/// draft.
namespace holdfast::detail {

/// Fills what an insert was not given: generated fields first of all, else defaults; then makes
/// absent what was given as null, but for names that `check_insert` refuses. Proposes a counter to
/// `from`. Fails with `invalid` if a default function throws or the counter is exhausted.
std::optional<error> complete(draft& input, generator& from, timestamp now);

/// Checks a completed draft against schema and limits. Fails with `invalid`, which lists all
/// violations. `now` is what the user's own checks see as the record's time.
std::optional<error> check_insert(const draft& input, timestamp now = {});

/// Checks the fields an update sets; those it does not set were checked when they were written, so
/// only the user's own checks look at them again: they see the record as it will be. The key and
/// generated fields may be given only with the value they have; they become absent in the draft.
/// Null for a name outside the schema removes it; a name that no new field may have is refused
/// unless the record has it. The fields are counted as they will be.
std::optional<error> check_update(const record_block& old, draft& changes, timestamp now = {});
/// What of that needs no record: for an update of many that finds none. The key and generated
/// fields are refused, since no value of theirs is that of many records.
std::optional<error> check_changes(draft& changes);

/// The bytes that `build` fills; for a draft that passed `check_insert`.
std::size_t block_size(const draft& input) noexcept;

/// Makes the block of an insert in `block_size(input)` bytes aligned to 16: version 1, one
/// reference, born and dying never, row 0, no previous version. `expires_at` is in microseconds, 0
/// for never.
record_block* build(void* memory, const draft& input, timestamp now,
                    std::int64_t expires_at = 0) noexcept;

/// What an update will make of a block: computed once, before memory is asked for.
struct update_plan {
  std::size_t bytes = 0;   ///< of the new block
  bool same_shape = false; ///< every value keeps its place: copy, then overwrite
  std::string extra;       ///< the merged object outside the schema, encoded; empty: none
};
update_plan plan_update(const record_block& old, const draft& changes);

/// Makes the next version of `old` in `plan.bytes` bytes aligned to 16: one more in version, same
/// row, creation and expiry, otherwise as `build` does it. Null removes a value. The hash is the
/// caller's to fill: a version that has a successor keeps another thing there.
record_block* build_update(void* memory, const record_block& old, const draft& changes,
                           const update_plan& plan, timestamp now) noexcept;

} // namespace holdfast::detail
