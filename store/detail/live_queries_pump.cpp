#include <holdfast/store/detail/live_queries.hpp>

#include <holdfast/runtime/fault.hpp>

#include <algorithm>
#include <new>

namespace holdfast::detail {

namespace {
/// Commits that are routed before others get the mutex, and groups that are brought up to date
/// before other messages of the actor get their turn.
constexpr std::size_t commits_per_turn = 256;
constexpr std::size_t groups_per_pump = 64;
} // namespace

bool live_queries::pump() {
  std::unique_lock lock{mutex_};
  reap();
  if (!following_) {
    progress_.notify_all();
    return false;
  }
  if (groups_.empty() && arriving_ == 0) {
    lines_->feed.stop(reader_);
    following_ = false;
    drop_queued(); // or who settles waits for what nobody runs any more
    progress_.notify_all();
    return false;
  }
  if (some_lost_) {
    for (auto& [key, g] : groups_)
      if (g->dirty)
        enqueue(*g);
    some_lost_ = false;
  }
  const snapshot_pair at{*lines_};
  const auto more = route_until(moment_of(at), lock);
  run_queued(at, lock);
  progress_.notify_all();
  return more || !queue_.empty();
}

/// Routes what is published at that moment; whether there may be more behind it.
bool live_queries::route_until(const query_moment& at, std::unique_lock<std::mutex>& lock) {
  for (;;) {
    const auto done =
        lines_->feed.read(reader_, commits_per_turn, at.seq, [this](const auto& c) { route(*c); });
    if (done != feed::reading::unfinished) {
      catch_up();
      position_.advance_to(at); // what had no entry is of no bucket that is read
      return done != feed::reading::at_end;
    }
    lock.unlock();
    lock.lock();
  }
}

namespace {

query_trigger trigger_of(const change& one, read_set::query_read* read) {
  query_trigger out{.seq = one.seq, .persistent = one.persistent, .bucket = one.bucket()};
  if (read)
    out.read = read->shared_from_this();
  else
    out.key = one.key().materialize();
  return out;
}

/// Of a run for a change that no upkeep has taken in.
run_cause cause_of(const query_group& g, const change& one) {
  if (!one.before && !one.after)
    return run_cause::bucket;
  return g.upkeep ? g.upkeep->lacking() : g.unfollowed;
}

} // namespace

void live_queries::route(const commit& c) {
  fault_point("queries.routing");
  const auto now = lines_->time.now(runtime_.clock()).time_since_epoch().count();
  for (query_upkeep::place at; at.change < c.changes.size(); ++at.change) {
    auto& one = c.changes[at.change];
    at.seq = one.seq;
    auto found = buckets_.find(one.identity());
    if (found == buckets_.end())
      continue;
    const auto line = one.persistent ? line_kind::durable : line_kind::memory;
    found->second.changed = std::max(found->second.changed, one.seq);
    found->second.routes.each(one, now, [&](query_group& g, read_set::query_read* read) {
      if (g.dirty || g.at.of(line) >= one.seq)
        return;
      if (read && g.upkeep) {
        if (!g.moved)
          move(g, trigger_of(one, read));
        fault_point("queries.taking");
        if (g.upkeep->take(at, one.before.block(), one.after.block()))
          return;
      }
      mark(g, cause_of(g, one), trigger_of(one, read));
    });
  }
  position_.of(c.persistent ? line_kind::durable : line_kind::memory) = c.seq;
  if (c.memory_seq > 0)
    position_.of(line_kind::memory) = c.memory_seq;
}

/// Commits that were sealed before their bucket was followed come by no other way than being
/// published.
void live_queries::catch_up() {
  if (!some_unfed_)
    return;
  auto left = false;
  for (auto& [topics, bucket] : buckets_) {
    const auto published = std::min(lines_->durable.published(), bucket.unfed);
    if (published > bucket.fed) {
      // It may be behind the moment at which a run has just begun: that must not count as up to
      // date.
      bucket.changed = std::max(bucket.changed, published);
      mark_readers(bucket, published);
      bucket.fed = published;
    }
    left = left || bucket.fed < bucket.unfed;
  }
  some_unfed_ = left;
}

/// A change of a bucket, of which nothing more is known.
void live_queries::mark_readers(const bucket_routes& of, sequence changed) {
  const auto line = of.of->line().kind();
  const auto reads_it = [&](const query_reads& r) { return r.of == of.of; };
  for (auto& [key, g] : groups_)
    if (g->at.of(line) < changed && std::ranges::any_of(g->reads, reads_it))
      mark(*g, run_cause::meanwhile,
           query_trigger{
               .seq = changed, .persistent = line == line_kind::durable, .bucket = of.of->name()});
}

/// Whether something that a group read may have changed behind its moment, and is routed.
bool live_queries::is_behind(const query_group& g) const {
  return std::ranges::any_of(g.reads, [&](auto& r) {
    const auto found = buckets_.find(r.of->topics().get());
    return found != buckets_.end() && found->second.changed > g.at.of(r.of->line().kind());
  });
}

void live_queries::mark(query_group& g, run_cause cause, std::optional<query_trigger> why) {
  enqueue(g); // first: nothing must be dirty that nobody will run
  if (g.dirty)
    return;
  if (why)
    g.trigger = std::move(why);
  g.cause = cause;
  g.dirty = true;
}

void live_queries::enqueue(query_group& g) {
  if (g.queued)
    return;
  queue_.push_back(g.shared_from_this());
  g.queued = true;
  ++queued_;
}

/// The upkeep is about to take changes in: what is thrown behind this finds the group in the queue.
void live_queries::move(query_group& g, query_trigger why) {
  enqueue(g);
  g.trigger = std::move(why);
  g.moved = true;
}

/// Tells what the upkeep has come to, at the moment up to which all is routed.
void live_queries::adjust(query_group& g) {
  const auto moved = g.upkeep->moved();
  auto now = g.upkeep->now(); // also what looks the same is of this moment from now on
  if (!now) {
    g.dirty = true;
    g.cause = g.upkeep->lacking();
    return;
  }
  const auto same = moved ? !*moved : same_outcome(*g.last, *now);
  g.at = position_;
  ++g.counters.adjusted;
  g.counters.unchanged += same ? 1 : 0;
  g.moved = false;
  g.last = std::move(*now);
  if (same)
    return;
  ++g.number;
  tell(g);
}

/// Leads fewer changes to a group whose upkeep wants to know of no more. If it throws they all go
/// on to come, in vain.
void live_queries::narrow(query_group& g) {
  if (g.dirty || !g.upkeep->narrow())
    return;
  fault_point("queries.narrowing");
  query_routes::entries fresh;
  for (auto& reads : g.reads)
    if (auto found = buckets_.find(reads.of->topics().get()); found != buckets_.end())
      found->second.routes.add(g, reads, fresh);
  g.routes.swap(fresh);
}

/// Of groups that were left by all.
void live_queries::drop_queued() noexcept {
  done_ += queue_.size();
  for (auto& g : queue_)
    g->queued = false;
  queue_.clear();
}

void live_queries::run_queued(const snapshot_pair& at, std::unique_lock<std::mutex>& lock) {
  const auto now = moment_of(at);
  for (auto most = std::min(queue_.size(), groups_per_pump); most > 0; --most) {
    const auto g = queue_.front();
    if (g->moved && !g->dirty && position_ != now) { // of no moment that there was
      g->dirty = true;
      g->cause = run_cause::meanwhile;
    }
    const auto wanted = !g->members.empty(); // else nobody is left to be told
    if (wanted && g->moved && !g->dirty) {
      fault_point("queries.adjusting");
      adjust(*g);
      narrow(*g); // what it throws finds the value told
    }
    if (wanted && g->dirty) { // at once: who settles waits for this turn
      lock.unlock();
      fault_point("queries.running");
      auto done = prepare(*g->of, g->parameters, g->filters, at);
      lock.lock();
      fault_point("queries.installing");
      if (g->dirty && !g->members.empty()) // removed meanwhile, or somebody came who ran it
        install(*g, std::move(done));
    }
    queue_.pop_front();
    g->queued = false;
    ++done_;
    if (g->dirty && !g->members.empty())
      enqueue(*g);
  }
}

namespace {

bool same_read(const read_set::query_read& a, const read_set::query_read& b) {
  if (a.used != b.used || a.last.has_value() != b.last.has_value() || !(a.what == b.what))
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
    auto made = query_upkeep::of(*g.of->function.declared, std::move(basis), g.reads, *g.last);
    const auto ends = std::ranges::any_of(g.reads, &query_reads::may_expire);
    g.unfollowed = ends ? run_cause::deadlines : run_cause::kind;
    return made;
  } catch (...) {
    return nullptr;
  }
}

} // namespace

/// Takes what a run gave as how the group stands, unless it is of an earlier moment.
void live_queries::install(query_group& g, prepared p) {
  auto& run = p.run;
  if (g.last && !run.at.covers(g.at))
    return;
  const auto same = g.last && !g.untold && same_outcome(*g.last, run.outcome);
  g.missing = std::move(run.missing);
  if (!same_reads(g.reads, run.reads)) {
    g.routes.clear();
    const leaver before{*this, std::exchange(g.reads, std::move(run.reads))};
    enter_routes(g); // first, so that what is read as before is followed without a break
  }
  ++g.counters.runs;
  g.counters.last_run = g.dirty ? g.cause : run_cause::arrival;
  g.counters.unchanged += same ? 1 : 0;
  g.counters.failures += run.outcome ? 0 : 1;
  if (!same)
    g.number += g.untold ? 2 : 1; // some may have the one before, and this may be the one before it
  g.last = std::move(run.outcome);
  g.at = run.at;
  g.dirty = g.moved = false;
  g.upkeep = nullptr;
  g.unfollowed = run_cause::kind;
  const auto behind = is_behind(g);
  if (g.of->function.declared && !behind)
    g.upkeep = upkeep_of(g, std::move(p.basis));
  if (!same)
    tell(g);
  auto missed = !g.missing.empty() && buckets_defined_.load() != p.definitions;
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
  {
    const std::lock_guard leaving{leaving_mutex_};
    gone.swap(leaving_);
  }
  for (auto& [weak, queue] : gone) {
    auto g = weak.lock();
    if (!g)
      continue;
    g->members.erase(queue);
    forget_if_empty(g);
  }
}

void live_queries::forget_if_empty(const group_ptr& g) {
  if (!g->members.empty())
    return;
  clear_routes(*g);
  auto [first, last] = groups_.equal_range(g->key);
  for (auto at = first; at != last; ++at)
    if (at->second == g) {
      groups_.erase(at);
      return;
    }
}

} // namespace holdfast::detail
