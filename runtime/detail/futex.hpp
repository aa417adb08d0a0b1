#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

namespace holdfast::detail {

/// Blocks while `word == seen`, until woken or `deadline` (steady clock; max() means none).
/// False after the deadline. May wake for no reason, as a condition variable does.
bool futex_wait(const std::atomic<std::uint32_t>& word, std::uint32_t seen,
                std::chrono::steady_clock::time_point deadline) noexcept;
void futex_wake_all(const std::atomic<std::uint32_t>& word) noexcept;

} // namespace holdfast::detail
