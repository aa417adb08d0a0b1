#include <holdfast/store/detail/store_state.hpp>

#include <holdfast/store/detail/read_view.hpp>

#include <algorithm>
#include <cstdio>

namespace holdfast {
namespace detail {
namespace {

std::uint64_t published_records(bucket_core& core) {
  pin_guard pin{core.line()};
  read_view view{core.at(pin.seq()).data, pin.seq()};
  return view.count() - view.expired_count(core.now().time_since_epoch().count());
}

/// Puts in what concerns the indexes.
void add_indexes(bucket_core& core, bucket_stats& out) {
  pin_guard pin{core.line()};
  auto& now = core.at(pin.seq());
  read_view view{now.data, pin.seq()};
  auto& indexes = now.schema->indexes();
  out.index_bytes = now.data.key_index_bytes() + core.deadline_bytes();
  for (std::size_t i = 0; i < indexes.size(); ++i) {
    const auto unique = indexes[i].type == index_type::unique;
    out.indexes.push_back({indexes[i].name, unique, indexes[i].type == index_type::inverted,
                           unique ? view.unique_size(i) : view.index_size(i),
                           now.data.index_bytes(i)});
    const auto entries = out.indexes.back().entries;
    out.index_entries += entries;
    out.index_bytes += out.indexes.back().bytes;
  }
}

bucket_stats stats_of(bucket_core& core) {
  bucket_stats out;
  out.name = core.name();
  out.life = core.id();
  out.persistent = core.durable();
  out.records = published_records(core);
  add_indexes(core, out);
  out.writes = core.writes();
  out.memory_bytes = core.memory_used();
  out.mapped_bytes = core.memory_mapped();
  out.snapshot_bytes = core.memory_kept();
  auto lives = core.address().incarnations();
  out.restarts = lives == 0 ? 0 : lives - 1;
  out.waiting = core.address().waiting();
  out.state = to_string(core.address().state());
  out.last_failure = core.address().last_failure();
  return out;
}

} // namespace

store_stats store_state::stats() const {
  store_stats out;
  out.name = options_.name;
  out.taken = runtime_->clock().steady();
  out.events = events_.bus().counters();
  out.ttl_interval = std::max(options_.ttl_interval, std::chrono::milliseconds{0});
  out.subscribers = events_.bus().subscribers();
  out.queries = queries_->defined();
  out.live_queries = queries_->subscriptions();
  out.feed_backlog = lines_->feed.backlog();
  add_services(out);
  for (auto& core : all()) {
    out.buckets.push_back(stats_of(*core));
    out.records += out.buckets.back().records;
    out.memory_bytes += out.buckets.back().memory_bytes;
    out.snapshot_bytes += out.buckets.back().snapshot_bytes;
  }
  out.memory_published = lines_->memory.published();
  out.published = lines_->durable.published();
  out.reads = lines_->pins.reads();
  out.snapshots = lines_->memory.snapshot_count();
  if (const auto taken = lines_->memory.oldest_snapshot(); taken != line_snapshot::undated)
    out.oldest_snapshot = std::max(lines_->time.now(runtime_->clock()).time_since_epoch() -
                                       std::chrono::microseconds{taken},
                                   std::chrono::microseconds{0});
  if (pipe_) {
    auto now = pipe_->stats();
    out.persistent = true;
    out.durable = now.durable;
    out.backlog_commits = now.backlog_commits;
    out.backlog_bytes = now.backlog_bytes;
    out.batches = now.batches;
    out.failure = now.failure;
    auto lives = persistence_address_->incarnations();
    out.persistence_restarts = lives == 0 ? 0 : lives - 1;
  }
  return out;
}

/// What serves all buckets.
void store_state::add_services(store_stats& out) const {
  out.event_queues = events_.bus().queues();
  out.query_queues = queries_->queues();
  out.gateway_requests = gateway_->waiting();
  out.gateway_subscriptions = gateway_->subscriptions().size();
  auto& callbacks = runtime_->executor();
  out.callbacks_waiting = callbacks.queued();
  out.callback_threads = callbacks.threads();
  out.callback_failures = callbacks.failures();
  for (auto& each : service_starts_) {
    const auto starts = each.count->load(std::memory_order_relaxed);
    out.services.push_back({each.name, starts == 0 ? 0 : starts - 1});
  }
}

std::string store_state::tree() const { return root_ ? to_string(root_->tree()) : std::string{}; }

} // namespace detail

std::vector<bucket_rate> store_stats::rates_since(const store_stats& earlier) const {
  std::vector<bucket_rate> out;
  auto seconds = std::chrono::duration<double>(taken - earlier.taken).count();
  for (auto& b : buckets)
    for (auto& before : earlier.buckets)
      if (b.name == before.name && b.life == before.life && b.writes >= before.writes &&
          seconds > 0)
        out.push_back({b.name, static_cast<double>(b.writes - before.writes) / seconds});
  return out;
}

double store_stats::reads_per_second_since(const store_stats& earlier) const {
  const auto seconds = std::chrono::duration<double>(taken - earlier.taken).count();
  return seconds > 0 && reads >= earlier.reads
             ? static_cast<double>(reads - earlier.reads) / seconds
             : 0;
}

std::string store_stats::to_string() const {
  char line[256];
  std::string out = "store " + name + ": " + std::to_string(records) + " records, " +
                    std::to_string(memory_bytes / 1024) + " KiB\n";
  std::snprintf(line, sizeof line, "  %-24s %10s %8s %10s %8s  %s\n", "bucket", "records",
                "indexes", "KiB", "restarts", "state");
  out += line;
  for (auto& b : buckets) {
    // Names may be longer than the line.
    out += "  " + b.name + std::string(24 - std::min<std::size_t>(24, b.name.size()), ' ');
    std::snprintf(line, sizeof line, " %10llu %8llu %10zu %8llu  %s%s\n",
                  static_cast<unsigned long long>(b.records),
                  static_cast<unsigned long long>(b.indexes.size()), b.memory_bytes / 1024,
                  static_cast<unsigned long long>(b.restarts), b.state.c_str(),
                  b.persistent ? "" : " (in memory only)");
    out += line;
  }
  if (persistent) {
    std::snprintf(line, sizeof line,
                  "  journal: published %llu, durable %llu, %zu commits wait, %llu batches\n",
                  static_cast<unsigned long long>(published),
                  static_cast<unsigned long long>(durable), backlog_commits,
                  static_cast<unsigned long long>(batches));
    out += line;
  }
  if (snapshots > 0) {
    std::snprintf(line, sizeof line, "  snapshots: %zu, the oldest of %.1f s, %zu KiB kept\n",
                  snapshots, std::chrono::duration<double>(oldest_snapshot).count(),
                  snapshot_bytes / 1024);
    out += line;
  }
  for (auto& each : services)
    if (each.restarts > 0)
      out += "  " + each.name + ": " + std::to_string(each.restarts) + " restarts\n";
  if (failure)
    out += "  writing stopped: " + failure->to_string() + "\n";
  return out;
}

} // namespace holdfast
