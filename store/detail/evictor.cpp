#include <holdfast/store/detail/evictor.hpp>

#include <algorithm>
#include <bit>
#include <functional>

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

void evictor::forget() noexcept {
  while (!queue_.empty())
    queue_.pop();
  kept_.clear();
  ends_.clear();
  released_.clear();
  expired_kept_ = expired_kept_sealed_ = {};
  seen_ = 0;
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
  if (queue_.size() + kept_.size() + released_.size() > 2 * data.live_count() + 1024)
    drop_gone(data);
}

void evictor::drop_gone(const bucket_data& data) {
  const auto is_gone = [&](std::uint64_t row) { return state_of(data, row) == row_state::gone; };
  for (auto left = queue_.size(); left > 0; --left) {
    const auto row = queue_.front();
    queue_.pop();
    if (!is_gone(row))
      queue_.push(row);
  }
  queue_.trim(0);
  std::erase_if(kept_, [&](auto& each) { return is_gone(each.first); });
  drop_stale_ends();
  std::erase_if(released_, is_gone);
}

/// Of what is not kept any more, or until another time.
void evictor::drop_stale_ends() {
  std::erase_if(ends_, [&](auto& each) {
    const auto found = kept_.find(each.second);
    return found == kept_.end() || found->second != each.first;
  });
  std::ranges::sort(ends_);
  ends_.erase(std::unique(ends_.begin(), ends_.end()), ends_.end()); // ascending is a heap, too
}

void evictor::keep(const record_block& live, std::int64_t until) {
  kept_.insert_or_assign(live.row, until);
  released_.erase(live.row);
  if (until == always)
    return;
  try {
    if (ends_.size() > 2 * kept_.size() + 1024)
      drop_stale_ends();
    ends_.emplace_back(until, live.row);
  } catch (...) {
    release_all();
    throw;
  }
  std::ranges::push_heap(ends_, std::greater{});
}

void evictor::release(const record_block& live) {
  if (passed_.contains(live.row)) {
    released_.insert(live.row);
    passed_.erase(live.row);
  }
  if (!keeps(live.row))
    return;
  put_back(live.row);
  const deadline_place before{live.expires_at - 1, ~std::uint64_t{0}};
  if (live.expires_at != 0 && live.expires_at <= expired_kept_.at)
    expired_kept_ = before;
}

void evictor::put_back(std::uint64_t row) {
  released_.insert(row);
  kept_.erase(row);
}

evictor::search::~search() {
  auto& aside = of_.aside_;
  of_.passed_.erase(of_.passed_.lower_bound(first_own_), of_.passed_.end());
  of_.released_.erase(of_.released_.lower_bound(first_own_), of_.released_.end());
  aside.insert(aside.end(), of_.passed_.begin(), of_.passed_.end()); // there is room
  of_.passed_.clear();
  if (!of_.marks_) // one may have let an older one go
    std::ranges::sort(aside);
  for (; !aside.empty(); aside.pop_back())
    of_.queue_.push_front(aside.back());
}

void evictor::look_at_time(const bucket_data& data, std::int64_t now) {
  if (kept_.size() + released_.size() > 2 * data.live_count() + 1024)
    drop_gone(data);
  if (all_released_.load(std::memory_order_relaxed) && // mostly not: this is on the way of inserts
      all_released_.exchange(false, std::memory_order_acquire)) {
    expired_kept_ = {};
    try {
      while (!kept_.empty())
        put_back(kept_.begin()->first);
      released_.merge(passed_);
    } catch (...) {
      release_all();
      throw;
    }
    ends_.clear();
  }
  for (; !ends_.empty() && ends_.front().first <= now; ends_.pop_back()) {
    const auto [until, row] = ends_.front();
    if (auto found = kept_.find(row); found != kept_.end() && found->second == until) {
      if (auto* live = data.head(row))
        release(*live);
      else
        kept_.erase(found);
    }
    std::ranges::pop_heap(ends_, std::greater{});
  }
}

} // namespace holdfast::detail
