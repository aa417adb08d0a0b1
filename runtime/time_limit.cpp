#include <holdfast/runtime/time_limit.hpp>

#include <algorithm>

namespace holdfast {
namespace {

/// Longer than any process lives, and far from the ends of what nanoseconds can count.
constexpr std::chrono::milliseconds longest = std::chrono::hours{24 * 365 * 100};

} // namespace

time_limit::time_limit(const clock& by, std::chrono::milliseconds length) noexcept
    : by_{&by}, length_{length}, ends_{by.steady() + std::clamp(length, -longest, longest)} {}

std::chrono::steady_clock::time_point time_limit::wake_up() const noexcept {
  return std::chrono::steady_clock::now() + (ends_ - by_->steady());
}

} // namespace holdfast
