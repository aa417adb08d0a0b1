#include <holdfast/store/detail/commit_line.hpp>

#include <algorithm>
#include <thread>

namespace holdfast::detail {

namespace {

/// Looks at the clock that commits of others have made worthless. Each takes about as long as a
/// commit.
constexpr unsigned most_tries = 8;

/// Locks `line` at the time that it gives: one at which `published()` was what it is now.
template <class Line, class Published, class Now>
timestamp lock_at_moment(Line& line, Published published, Now now) {
  for (unsigned tries = 0;; ++tries) {
    const auto seen = published();
    const auto time = now();
    line.lock();
    if (published() == seen)
      return time;
    if (tries == most_tries)
      return now(); // nobody gets in between any more
    line.unlock();
  }
}

} // namespace

void spin_lock::wait() noexcept {
  constexpr int spins_before_yield = 100;
  do {
    for (int i = 0; flag_.load(std::memory_order_relaxed); ++i) {
      if (i < spins_before_yield)
        __builtin_ia32_pause();
      else
        std::this_thread::yield();
    }
  } while (flag_.exchange(true, std::memory_order_acquire));
}

line_moment commit_line::moment(store_time& time, const clock& by) noexcept {
  for (unsigned tries = 0; tries < most_tries; ++tries) {
    const auto seq = published();
    const auto now = time.now(by);
    if (published() == seq)
      return {seq, now};
  }
  const std::lock_guard guard(*this);
  return {published(), time.now(by)};
}

void commit_line::add_snapshot(line_snapshot& s, std::int64_t taken) noexcept {
  s.seq_ = published();
  s.taken_ = taken;
  s.older_ = newest_;
  s.newer_ = nullptr;
  (newest_ != nullptr ? newest_->newer_ : oldest_) = &s;
  newest_ = &s;
  snapshot_count_.fetch_add(1, std::memory_order_relaxed);
}

void commit_line::copy_snapshot(line_snapshot& s, line_snapshot& of) noexcept {
  s.seq_ = of.seq_;
  s.taken_ = of.taken_;
  s.newer_ = &of;
  s.older_ = of.older_;
  (s.older_ != nullptr ? s.older_->newer_ : oldest_) = &s;
  of.older_ = &s;
  snapshot_count_.fetch_add(1, std::memory_order_relaxed);
}

void commit_line::drop_snapshot(line_snapshot& s) noexcept {
  const std::lock_guard guard(*this);
  (s.older_ != nullptr ? s.older_->newer_ : oldest_) = s.newer_;
  (s.newer_ != nullptr ? s.newer_->older_ : newest_) = s.older_;
  snapshot_count_.fetch_sub(1, std::memory_order_relaxed);
  snapshots_dropped_.fetch_add(1, std::memory_order_release);
}

std::int64_t commit_line::oldest_snapshot() noexcept {
  const std::lock_guard guard(*this);
  const line_snapshot* s = oldest_;
  while (s != nullptr && s->taken_ == line_snapshot::undated)
    s = s->newer_;
  return s != nullptr ? s->taken_ : line_snapshot::undated;
}

bool commit_line::horizon::needed(std::uint64_t birth, std::uint64_t death) const noexcept {
  const auto first = std::lower_bound(snapshots.begin(), snapshots.end(), birth);
  return first != snapshots.end() && *first < death;
}

void commit_line::look(horizon& out) {
  const std::uint64_t seq = published();
  // Without the fence nothing may be freed.
  out.pinned = asymmetric_fence::heavy() ? pins_.oldest(kind_) : 0;
  out.ended = std::min(seq, out.pinned);
  out.snapshots.clear();
  for (;;) {
    // Memory is found outside the lock.
    out.snapshots.reserve(snapshot_count());
    const std::lock_guard guard(*this);
    if (snapshot_count() > out.snapshots.capacity())
      continue;
    for (const line_snapshot* s = newest_; s != nullptr; s = s->older_)
      if (out.snapshots.empty() || out.snapshots.back() != s->seq_)
        out.snapshots.push_back(s->seq_);
    break;
  }
  std::reverse(out.snapshots.begin(), out.snapshots.end());
}

line_hold::line_hold(commit_line& line, store_time& time, const clock& by) noexcept
    : line_(line), time_(lock_at_moment(
                       line, [&] { return line.published(); }, [&] { return time.now(by); })) {
  const std::lock_guard guard(line_, std::adopt_lock);
  line_.add_snapshot(snapshot_);
}

snapshot_pair::snapshot_pair(commit_lines& lines) noexcept : lines_(lines) {
  const std::lock_guard both(lines);
  enter(line_snapshot::undated);
}

snapshot_pair::snapshot_pair(commit_lines& lines, const clock& by) noexcept : lines_(lines) {
  time_ = lock_at_moment(
      lines,
      [&] {
        return std::pair{lines.memory.published(), lines.durable.published()};
      },
      [&] { return lines.time.now(by); });
  const std::lock_guard both(lines, std::adopt_lock);
  enter(time_.time_since_epoch().count());
}

void snapshot_pair::enter(std::int64_t taken) noexcept {
  lines_.memory.add_snapshot(memory_, taken);
  lines_.durable.add_snapshot(durable_, taken);
}

snapshot_pair::snapshot_pair(const snapshot_pair& other) noexcept
    : lines_(other.lines_), time_(other.time_) {
  auto& from = const_cast<snapshot_pair&>(other);
  const std::lock_guard both(lines_);
  lines_.memory.copy_snapshot(memory_, from.memory_);
  lines_.durable.copy_snapshot(durable_, from.durable_);
}

snapshot_pair::~snapshot_pair() {
  lines_.memory.drop_snapshot(memory_);
  lines_.durable.drop_snapshot(durable_);
}

} // namespace holdfast::detail
