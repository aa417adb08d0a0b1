#include <holdfast/runtime/backoff.hpp>
#include <holdfast/runtime/random.hpp>

#include <algorithm>

namespace holdfast {

std::chrono::nanoseconds backoff::next(random_source& random) {
  using std::chrono::nanoseconds;
  auto delay = std::min<nanoseconds>(options_.min, options_.max);
  for (std::uint32_t i = 0; i < attempts_ && delay < options_.max; ++i)
    delay = std::min<nanoseconds>(delay * 2, options_.max);
  if (delay < options_.max)
    ++attempts_; // beyond the longest delay there is nothing left to count
  if (options_.jitter <= 0)
    return delay;
  auto factor = 1 + options_.jitter * (2 * random.fraction() - 1);
  return nanoseconds{static_cast<nanoseconds::rep>(static_cast<double>(delay.count()) * factor)};
}

void backoff::was_up_for(std::chrono::nanoseconds time) {
  auto enough = options_.reset_after;
  if (enough <= enough.zero())
    enough = (options_.min + options_.max) / 2;
  if (time >= enough)
    reset();
}

} // namespace holdfast
