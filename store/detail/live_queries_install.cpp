// How the outcome of a run becomes that of its group, and the routes those of what it read.
#include <holdfast/store/detail/live_queries.hpp>

#include <holdfast/runtime/fault.hpp>

#include <algorithm>
#include <new>
#include <tuple>

namespace holdfast::detail {

namespace {

bool same_read(const read_set::query_read& a, const read_set::query_read& b) {
  if (a.used != b.used || a.from != b.from || a.last.has_value() != b.last.has_value() ||
      !(a.what == b.what))
    return false;
  return !a.last || (a.last->row == b.last->row && a.last->at == b.last->at);
}

/// Whether a run read what the one before it did: as a rule it does.
bool same_reads(const std::vector<query_reads>& a, const std::vector<query_reads>& b) {
  return std::ranges::equal(a, b, [](auto& x, auto& y) {
    return x.of == y.of && x.schema == y.schema && x.keys == y.keys &&
           x.may_expire == y.may_expire && x.set.has_everything() == y.set.has_everything() &&
           std::ranges::equal(x.set.queries(), y.set.queries(),
                              [](auto& p, auto& q) { return same_read(*p, *q); });
  });
}

} // namespace

/// Leaves what a group has read before, at the end of a scope.
struct live_queries::leaver {
  live_queries& of;
  std::vector<query_reads> reads;
  ~leaver() { of.leave_buckets(reads); }
};

namespace {

/// Without memory for it the query is run instead.
std::unique_ptr<query_upkeep> upkeep_of(query_group& g, query_basis basis) noexcept {
  g.unfollowed = run_cause::fault;
  try {
    fault_point("queries.keeping_up");
    const auto many_end = !basis.ends;
    auto made = query_upkeep::of(*g.of->function.declared, std::move(basis), g.reads, *g.last);
    g.unfollowed = many_end ? run_cause::deadlines : run_cause::kind;
    return made;
  } catch (...) {
    return nullptr;
  }
}

} // namespace

/// Takes what a run gave as how the group stands, unless it is of an earlier moment, or of the same
/// one though there is a later one to be run at: it could differ, for records end in between.
void live_queries::install(query_group& g, prepared p) {
  auto& run = p.run;
  if (g.last && (!run.at.covers(g.at) || (run.at == g.at && is_behind(g))))
    return;
  if (g.untold)
    tell(g);
  const auto same = g.last && !g.uneven && same_outcome(*g.last, run.outcome);
  enter_reads(g, run);
  g.counters.unchanged += same ? 1 : 0;
  if (!same)
    g.number += g.uneven ? 2 : 1; // to some it may be what they have
  g.uneven = false;
  g.untold = !same;
  base_on(g, std::move(p));
  if (!same)
    tell(g); // last: what it throws finds all else done
}

/// Takes a run of the moment at which a group stands as what follows is held against, for whoever
/// ran it is told what it gave. The others are not: each moment is told once.
void live_queries::stand_on(query_group& g, prepared p) {
  enter_reads(g, p.run);
  g.uneven = g.uneven || !same_outcome(*g.last, p.run.outcome);
  base_on(g, std::move(p));
}

void live_queries::enter_reads(query_group& g, query_run& run) {
  g.missing = std::move(run.missing);
  if (same_reads(g.reads, run.reads))
    return;
  g.routes.clear();
  const leaver before{*this, std::exchange(g.reads, std::move(run.reads))};
  enter_routes(g); // first, so that what is read as before is followed without a break
}

/// What a run gave is how the group stands; it is dirty if that may not be so any more.
void live_queries::base_on(query_group& g, prepared p) {
  ++g.counters.runs;
  g.counters.last_run = g.dirty ? g.cause : run_cause::arrival;
  g.counters.failures += p.run.outcome ? 0 : 1;
  g.last = std::move(p.run.outcome);
  g.at = p.run.at;
  g.dirty = g.moved = false;
  g.upkeep = nullptr;
  g.unfollowed = run_cause::kind;
  const auto behind = is_behind(g);
  if (g.of->function.declared && !behind)
    g.upkeep = upkeep_of(g, std::move(p.basis));
  const auto missed = !g.missing.empty() && buckets_defined_.load() != p.definitions;
  if (missed || behind) {
    mark(g, missed ? run_cause::bucket : run_cause::meanwhile);
    wake();
  }
}

/// All of them, or none and no reads.
void live_queries::enter_routes(query_group& g) {
  std::vector<bucket_routes*> fresh;
  try {
    for (auto& reads : g.reads) {
      auto [at, entered] = buckets_.try_emplace(reads.of->topics().get());
      auto& bucket = at->second;
      if (entered) {
        bucket.of = reads.of;
        fresh.push_back(&bucket);
      }
      bucket.routes.add(g, reads, g.routes);
      fault_point("queries.entering");
    }
  } catch (...) {
    clear_routes(g);
    g.dirty = some_lost_ = true; // nothing leads to it any more: it is to be looked for
    g.cause = run_cause::fault;
    wake();
    throw;
  }
  if (fresh.empty())
    return;
  const auto now = want_buckets();
  for (auto* bucket : fresh) {
    const auto line = static_cast<std::size_t>(bucket->of->line().kind());
    bucket->changed = bucket->fed = now.published[line];
    bucket->unfed = now.sealed[line];
    some_unfed_ = some_unfed_ || bucket->fed < bucket->unfed;
  }
}

/// Has the feed give the manager what changes the buckets that are read, and nothing else.
commit_lines::position live_queries::want_buckets() noexcept {
  std::shared_ptr<const feed_interest> interest; // without memory: all
  try {
    feed_interest all;
    for (auto& [topics, bucket] : buckets_)
      all.buckets.push_back(topics);
    std::ranges::sort(all.buckets);
    interest = std::make_shared<const feed_interest>(std::move(all));
  } catch (const std::bad_alloc&) {
  }
  return lines_->follow(reader_, std::move(interest));
}

/// Forgets those of these buckets that nobody reads any more.
void live_queries::leave_buckets(const std::vector<query_reads>& reads) noexcept {
  const auto before = buckets_.size();
  for (auto& each : reads) {
    const auto at = buckets_.find(each.of->topics().get());
    if (at != buckets_.end() && at->second.routes.empty())
      buckets_.erase(at);
  }
  if (buckets_.size() != before)
    want_buckets();
}

void live_queries::clear_routes(query_group& g) {
  g.routes.clear();
  leave_buckets(std::exchange(g.reads, {}));
}

/// Lets go of subscribers whose token has ended, and of groups without any.
void live_queries::reap() {
  decltype(leaving_) gone;
  auto others = false;
  {
    const std::lock_guard leaving{leaving_mutex_};
    gone.swap(leaving_);
    others = std::exchange(some_left_, false);
  }
  const auto take_leave = [this](const group_ptr& g, subscriber_queue* queue) {
    if (auto member = g->members.extract(queue))
      let_go(std::move(member.mapped()));
    forget_if_empty(g);
  };
  for (auto& [weak, queue] : gone)
    if (auto g = weak.lock())
      take_leave(g, queue);
  while (others) {
    group_ptr of;
    subscriber_queue* ended = nullptr;
    for (auto& [key, g] : groups_)
      for (auto& [at, queue] : g->members)
        if (!queue->active())
          std::tie(of, ended) = std::pair{g, queue.get()};
    others = ended != nullptr;
    if (others)
      take_leave(of, ended);
  }
}

void live_queries::forget_if_empty(const group_ptr& g) {
  if (!g->members.empty())
    return;
  clear_routes(*g);
  auto [first, last] = groups_.equal_range(g->key);
  for (auto at = first; at != last; ++at)
    if (at->second == g) {
      let_go(g);
      groups_.erase(at);
      return;
    }
}

/// Without memory for it, it goes here and now.
void live_queries::let_go(std::shared_ptr<const void> what) noexcept {
  try {
    let_go_.push_back(std::move(what));
  } catch (const std::bad_alloc&) {
  }
}

live_queries::freeing::~freeing() {
  std::vector<std::shared_ptr<const void>> gone;
  const std::lock_guard lock{of_.mutex_};
  gone.swap(of_.let_go_); // ends behind the lock
}

} // namespace holdfast::detail
