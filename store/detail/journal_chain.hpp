#pragma once

#include <holdfast/store/journal.hpp>

namespace holdfast::detail {

/// The chain after `batch`, given the chain before it: a 64-bit hash over the batch's sequences and
/// every byte of its writes, each with its length. Part of the durable format: it never changes.
/// About 5 GB/s; not for use against an adversary.
std::uint64_t extend_chain(std::uint64_t chain, const journal_batch& batch) noexcept;

/// What every journal checks before it writes: that `batch` follows `last`, is not empty in
/// sequences, and stays out of the reserved keys. `name` begins the error's text.
result<void> check_batch(const journal_batch& batch, sequence last, std::string_view name);

} // namespace holdfast::detail
