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
    progress_.notify_all();
    return false;
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
    const auto more =
        lines_->feed.read(reader_, commits_per_turn, at.seq, [this](const auto& c) { route(*c); });
    catch_up();
    if (!more || position_.covers(at))
      return more;
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

} // namespace

void live_queries::route(const commit& c) {
  fault_point("queries.routing");
  for (query_tally::place at; at.change < c.changes.size(); ++at.change) {
    auto& one = c.changes[at.change];
    at.seq = one.seq;
    auto found = buckets_.find(one.identity());
    if (found == buckets_.end())
      continue;
    const auto line = one.persistent ? line_kind::durable : line_kind::memory;
    found->second.routes.each(one, [&](query_group& g, read_set::query_read* read) {
      if (g.dirty || g.at.of(line) >= one.seq)
        return;
      if (read && g.tally) {
        if (!g.moved)
          move(g, trigger_of(one, read));
        fault_point("queries.taking");
        if (g.tally->take(at, one.before.block(), one.after.block()))
          return;
      }
      mark(g, trigger_of(one, read));
    });
  }
  position_.of(c.persistent ? line_kind::durable : line_kind::memory) = c.seq;
  if (c.memory_seq > 0)
    position_.of(line_kind::memory) = c.memory_seq;
}

/// Commits that were sealed before the feed was followed come by no other way than being published.
void live_queries::catch_up() {
  auto& routed = position_.of(line_kind::durable);
  if (routed >= unfed_)
    return;
  const auto published = std::min(lines_->durable.published(), unfed_);
  if (published <= routed)
    return;
  for (auto& [key, g] : groups_)
    if (g->at.of(line_kind::durable) < published)
      mark(*g, query_trigger{.seq = published, .persistent = true});
  routed = published;
}

void live_queries::mark(query_group& g, std::optional<query_trigger> why) {
  if (!g.dirty && why)
    g.trigger = std::move(why);
  g.dirty = true;
  enqueue(g);
}

void live_queries::enqueue(query_group& g) {
  if (g.queued)
    return;
  queue_.push_back(g.shared_from_this());
  g.queued = true;
  ++queued_;
}

/// The tally is about to take changes in: what is thrown behind this finds the group in the queue.
void live_queries::move(query_group& g, query_trigger why) {
  enqueue(g);
  g.trigger = std::move(why);
  g.moved = true;
}

/// Tells what the tally has come to, at the moment up to which all is routed.
void live_queries::adjust(query_group& g) {
  auto now = result<query_value>{query_value::of(g.tally->now())};
  const auto same = same_outcome(*g.last, now);
  g.at = position_;
  ++g.counters.adjusted;
  g.counters.unchanged += same ? 1 : 0;
  g.last = std::move(now);
  g.moved = false;
  if (!same)
    tell(g);
}

void live_queries::run_queued(const snapshot_pair& at, std::unique_lock<std::mutex>& lock) {
  const auto now = moment_of(at);
  for (auto most = std::min(queue_.size(), groups_per_pump); most > 0; --most) {
    const auto g = queue_.front();
    if (g->moved && position_ != now) // of no moment that there was
      g->dirty = true;
    if (g->members.empty()) {
      // nobody is left to be told
    } else if (g->dirty) {
      lock.unlock();
      fault_point("queries.running");
      auto done = prepare(*g->of, g->parameters, g->filters, at);
      lock.lock();
      fault_point("queries.installing");
      if (g->dirty && !g->members.empty()) // removed meanwhile, or somebody came who ran it
        install(*g, std::move(done));
    } else if (g->moved) {
      fault_point("queries.adjusting");
      adjust(*g);
    }
    queue_.pop_front();
    g->queued = false;
    ++done_;
    if (g->dirty && !g->members.empty())
      mark(*g, std::nullopt);
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

/// Takes what a run gave as how the group stands, unless it is of an earlier moment.
void live_queries::install(query_group& g, prepared p) {
  auto& run = p.run;
  if (g.last && !run.at.covers(g.at))
    return;
  const auto same = g.last && !g.untold && same_outcome(*g.last, run.outcome);
  g.missing = std::move(run.missing);
  if (!same_reads(g.reads, run.reads)) {
    clear_routes(g);
    g.reads = std::move(run.reads);
    enter_routes(g);
  }
  ++g.counters.runs;
  g.counters.unchanged += same ? 1 : 0;
  g.counters.failures += run.outcome ? 0 : 1;
  g.last = std::move(run.outcome);
  g.at = run.at;
  g.dirty = g.moved = false;
  g.tally = std::nullopt;
  if (g.of->function.declared && g.at.covers(position_))
    g.tally = query_tally::of(*g.of->function.declared, g.reads, *g.last);
  if (!same)
    tell(g);
  auto missed = !g.missing.empty() && buckets_defined_.load() != p.definitions;
  if (missed || !g.at.covers(position_)) {
    mark(g, std::nullopt);
    wake();
  }
}

/// All of them, or none and no reads.
void live_queries::enter_routes(query_group& g) {
  const auto before = buckets_.size();
  try {
    for (auto& reads : g.reads) {
      auto& bucket = buckets_[reads.of->topics().get()];
      bucket.of = reads.of;
      bucket.routes.add(g, reads, g.routes);
      fault_point("queries.entering");
    }
  } catch (...) {
    clear_routes(g);
    g.reads.clear();
    throw;
  }
  if (buckets_.size() != before) {
    want_buckets();
    wake(); // what they have committed meanwhile has woken nobody
  }
}

/// Has the feed wake the manager for the buckets that are read, and no others.
void live_queries::want_buckets() noexcept {
  std::shared_ptr<const feed_interest> interest; // without memory: all
  try {
    feed_interest all;
    for (auto& [topics, bucket] : buckets_)
      all.buckets.push_back(topics);
    std::ranges::sort(all.buckets);
    interest = std::make_shared<const feed_interest>(std::move(all));
  } catch (const std::bad_alloc&) {
  }
  lines_->feed.want(reader_, std::move(interest));
}

void live_queries::clear_routes(query_group& g) {
  g.routes.clear();
  const auto before = buckets_.size();
  for (auto& reads : g.reads) {
    auto at = buckets_.find(reads.of->topics().get());
    if (at != buckets_.end() && at->second.routes.empty())
      buckets_.erase(at);
  }
  if (buckets_.size() != before)
    want_buckets();
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
    if (!g->members.empty())
      continue;
    clear_routes(*g);
    g->reads.clear();
    auto [first, last] = groups_.equal_range(g->key);
    for (auto at = first; at != last; ++at)
      if (at->second == g) {
        groups_.erase(at);
        break;
      }
  }
}

} // namespace holdfast::detail
