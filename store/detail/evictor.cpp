#include <holdfast/store/detail/evictor.hpp>

#include <algorithm>
#include <bit>

namespace holdfast::detail {

evictor::evictor(std::uint64_t capacity, evict policy) : capacity_{capacity} {
  if (policy != evict::least_recently_used)
    return;
  constexpr std::uint64_t least_marks = 64;
  const auto wanted = std::clamp<std::uint64_t>(capacity, least_marks, most_marks / 2) * 2;
  const auto marks = std::bit_ceil(wanted);
  marks_ = std::make_unique<std::atomic<std::uint8_t>[]>(marks);
  mask_ = marks - 1;
}

evictor::row_state evictor::state_of(const bucket_data& data, std::uint64_t row) noexcept {
  const record_block* head = data.head(row);
  if (head == nullptr)
    return row_state::gone;
  const auto death = head->death.load(std::memory_order_relaxed);
  if (death == never)
    return row_state::live;
  return death == dying ? row_state::leaving : row_state::gone;
}

/// The rows that were sealed since the last look, and room for what a search puts back.
void evictor::take_in(const bucket_data& data) {
  const auto bound = data.first_open_row();
  for (auto row = data.rows().next_row(seen_, bound); row < bound;
       row = data.rows().next_row(row + 1, bound)) {
    if (state_of(data, row) != row_state::gone) {
      queue_.reserve(1);
      queue_.push(row);
    }
    seen_ = row + 1;
  }
  seen_ = bound;
  // Records that were erased by others leave gaps.
  if (queue_.size() <= 2 * data.live_count() + 1024)
    return;
  for (auto left = queue_.size(); left > 0; --left) {
    const auto row = queue_.front();
    queue_.pop();
    if (state_of(data, row) != row_state::gone)
      queue_.push(row);
  }
  queue_.trim(0);
}

} // namespace holdfast::detail
