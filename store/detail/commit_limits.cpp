// What a commit does to keep a bucket within its capacity.
#include <holdfast/store/detail/commit_scope.hpp>

#include <holdfast/store/detail/read_key.hpp>

#include <algorithm>

namespace holdfast::detail {
namespace {

error full(const bucket_core& b) {
  return error{errc::overloaded,
               b.name() + ": " + std::to_string(b.evictor()->capacity()) +
                   " records are there, which is the capacity, and others refer to each",
               {.bucket = b.name()}};
}

} // namespace

/// Lets records go until the bucket is within its capacity: first those that have expired, then by
/// its policy, and when none of those that were there may go, of those that the commit inserted;
/// but never the last of these: it came when all others were there. Records that must stay because
/// others refer to them are passed over.
result<void> commit_scope::shrink(bucket_core& b) {
  auto& data = b.data();
  const auto capacity = b.evictor()->capacity();
  if (data.live_count() <= capacity) [[likely]]
    return {};
  if (auto expired = expire_some(b, data.live_count() - capacity); !expired)
    return expired;
  if (data.live_count() <= capacity)
    return {};
  evictor::search search{*b.evictor(), data, now_.time_since_epoch().count()};
  const auto kept = [&](const record_block& each) { return kept_until(b, each); };
  while (data.live_count() > capacity) {
    auto* victim = search.next(kept);
    if (!victim)
      victim = search.next_own(kept);
    if (!victim)
      return fail(full(b));
    if (auto gone = erase(b, *victim, cause::eviction); !gone)
      return gone;
  }
  return {};
}

/// Erases expired records, `most` or a few more, in order of deadlines. Those that others keep are
/// looked at once.
result<void> commit_scope::expire_some(bucket_core& b, std::uint64_t most) {
  constexpr std::uint64_t at_once = 64;
  const auto now = now_.time_since_epoch().count();
  auto& keeper = *b.evictor();
  keeper.look_at_time(b.data(), now);
  keeper.begin_expiry();
  auto reached = keeper.expired_kept();
  auto only_kept = true;
  std::vector<record_block*> found;
  for (std::uint64_t gone = 0; gone < most;) {
    found.clear();
    b.data().find_expired(now, reached, std::min(most - gone, at_once), found);
    if (found.empty())
      break;
    for (auto* block : found) {
      reached = {block->expires_at, block->row};
      const auto is_there = block->death.load(std::memory_order_relaxed) == never;
      auto is_kept = is_there && keeper.keeps(block->row);
      if (is_there && !is_kept) {
        const auto until = kept_until(b, *block);
        if (!until) {
          if (auto erased = erase(b, *block, cause::ttl); !erased)
            return erased;
          ++gone;
        } else if (*until > now) {
          keeper.keep(*block, *until);
          is_kept = true;
        }
      }
      // What is erased here may come back.
      only_kept = only_kept && is_kept;
      if (only_kept)
        keeper.expired_kept(reached);
    }
  }
  return {};
}

} // namespace holdfast::detail
