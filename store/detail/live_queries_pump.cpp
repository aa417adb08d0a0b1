#include <holdfast/store/detail/live_queries.hpp>

#include <holdfast/runtime/fault.hpp>

#include <algorithm>

namespace holdfast::detail {

namespace {
/// Commits that are routed before others get the mutex, and groups that are brought up to date
/// before other messages of the actor get their turn.
constexpr std::size_t commits_per_turn = 256;
constexpr std::size_t groups_per_pump = 64;
} // namespace

bool live_queries::pump() {
  const freeing behind{*this};
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
      if (g->dirty || g->untold)
        enqueue(*g);
    some_lost_ = false;
  }
  const snapshot_pair at{*lines_, runtime_.clock()};
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

std::int64_t live_queries::time() const {
  return lines_->time.now(runtime_.clock()).time_since_epoch().count();
}

void live_queries::route(const commit& c) {
  fault_point("queries.routing");
  const auto now = time();
  for (query_upkeep::place at; at.change < c.changes.size(); ++at.change) {
    auto& one = c.changes[at.change];
    at.seq = one.seq;
    auto found = buckets_.find(one.identity());
    if (found == buckets_.end())
      continue;
    const auto line = one.persistent ? line_kind::durable : line_kind::memory;
    found->second.changed = std::max(found->second.changed, one.seq);
    found->second.routes.each(one, now, [&](query_group& g, read_set::query_read* read) {
      if (g.dirty || g.at.of(line) >= one.seq || bug_point("queries.left_out"))
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
  if (!g.dirty) {
    if (why)
      g.trigger = std::move(why);
    g.cause = cause;
    g.dirty = true;
  }
  enqueue(g);
}

/// If it throws, the group is found by looking at all.
void live_queries::enqueue(query_group& g) {
  if (g.queued)
    return;
  try {
    queue_.push_back(g.shared_from_this());
  } catch (...) {
    some_lost_ = true;
    wake();
    throw;
  }
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
void live_queries::adjust(query_group& g, timestamp at) {
  std::optional<bool> moved;
  std::optional<query_value> now;
  if (g.upkeep->advance_to(at.time_since_epoch().count())) {
    moved = g.upkeep->moved();
    now = g.upkeep->now(); // also what looks the same is of this moment from now on
  }
  if (!now) {
    g.dirty = true;
    g.cause = g.upkeep->lacking();
    return;
  }
  const auto same = !g.uneven && (moved ? !*moved : same_outcome(*g.last, *now));
  g.at = position_;
  ++g.counters.adjusted;
  g.counters.unchanged += same ? 1 : 0;
  g.moved = false;
  g.last = std::move(*now);
  if (same)
    return;
  g.number += g.uneven ? 2 : 1; // as after a run
  g.uneven = false;
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
  for (auto& g : queue_) {
    g->queued = false;
    let_go(std::move(g));
  }
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
    if (wanted && g->untold)
      tell(*g);
    if (wanted && g->moved && !g->dirty) {
      fault_point("queries.adjusting");
      adjust(*g, at.time());
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
    if (g->members.empty())
      let_go(g); // it may be the last that holds it
    else if (g->dirty)
      enqueue(*g);
  }
}

} // namespace holdfast::detail
