#pragma once

namespace holdfast::detail {

struct record_block;

/// Gives the memory of a block whose reference count has dropped to 0 back to the pool it came
/// from. Called by whoever dropped the last reference, on any thread; lock-free.
void release_block(record_block* block) noexcept;

} // namespace holdfast::detail
