#pragma once

#include <holdfast/store/detail/record_layout.hpp>

#include <cstddef>

namespace holdfast::detail {

/// Begins a block in fresh memory: one reference, born and dying never, no previous version. The
/// times, row, hash, version, slots and tail are the caller's to fill. Member by member, since the
/// atomics of another block are never copied.
record_block* begin_block(void* memory, std::size_t bytes, std::size_t slots,
                          const record_layout& layout) noexcept;

/// The content of a block, its times, row, hash and version, in `from.bytes` bytes of fresh memory.
record_block* copy_block(void* memory, const record_block& from) noexcept;

/// Describes the encoded object of the fields outside the schema, `size` bytes that stand at
/// `tail_used` of the tail, in the slot behind those of the schema.
void put_extra(record_block& block, std::size_t tail_used, std::size_t size) noexcept;

} // namespace holdfast::detail
