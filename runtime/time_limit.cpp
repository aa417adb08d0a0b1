#include <holdfast/runtime/time_limit.hpp>

namespace holdfast {

time_limit::time_limit(const clock& by, std::chrono::milliseconds length) noexcept
    : by_{&by}, length_{length}, ends_{by.steady() + bounded(length)} {}

std::chrono::steady_clock::time_point time_limit::wake_up() const noexcept {
  return std::chrono::steady_clock::now() + (ends_ - by_->steady());
}

} // namespace holdfast
