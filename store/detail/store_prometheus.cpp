#include <holdfast/store/store.hpp>

#include <initializer_list>
#include <utility>

namespace holdfast {
namespace {

using label = std::pair<std::string_view, std::string_view>;

/// Writes one metric after the other: its help and type once, then a line for each sample.
class exposition {
public:
  explicit exposition(const std::string& store) : store_{store} {}

  void metric(std::string_view name, std::string_view type, std::string_view help) {
    name_ = name;
    out_.append("# HELP holdfast_").append(name).append(" ").append(help).append("\n");
    out_.append("# TYPE holdfast_").append(name).append(" ").append(type).append("\n");
  }
  void sample(std::uint64_t content, std::initializer_list<label> labels = {}) {
    out_.append("holdfast_").append(name_).append("{");
    add({"store", store_});
    for (auto& l : labels) {
      out_ += ',';
      add(l);
    }
    out_.append("} ").append(std::to_string(content)).append("\n");
  }
  /// A metric of the store itself.
  void single(std::string_view name, std::string_view type, std::string_view help,
              std::uint64_t content) {
    metric(name, type, help);
    sample(content);
  }
  std::string take() { return std::move(out_); }

private:
  void add(const label& l) {
    out_.append(l.first).append("=\"");
    for (char c : l.second) {
      if (c == '\\' || c == '"')
        out_ += '\\';
      out_ += c; // `start` and `define` refuse names with line ends
    }
    out_ += '"';
  }

  const std::string& store_;
  std::string_view name_;
  std::string out_;
};

void buckets_to(exposition& out, const store_stats& s) {
  auto each = [&](std::string_view name, std::string_view type, std::string_view help,
                  auto&& content) {
    out.metric(name, type, help);
    for (auto& b : s.buckets)
      out.sample(content(b), {{"bucket", b.name}});
  };
  each("bucket_records", "gauge", "Published records", [](auto& b) { return b.records; });
  each("bucket_commits_total", "counter", "Commits since the start",
       [](auto& b) { return b.writes; });
  each("bucket_memory_bytes", "gauge", "Records and indexes",
       [](auto& b) { return b.memory_bytes; });
  each("bucket_index_entries", "gauge", "Published entries of all indexes but those of keys",
       [](auto& b) { return b.index_entries; });
  each("bucket_index_bytes", "gauge", "All indexes, those of keys and of deadlines included",
       [](auto& b) { return b.index_bytes; });
  each("bucket_snapshot_bytes", "gauge", "Records and indexes that only snapshots keep",
       [](auto& b) { return b.snapshot_bytes; });
  each("bucket_mapped_bytes", "gauge", "Mapped for records and indexes in huge pages",
       [](auto& b) { return b.mapped_bytes; });
  each("bucket_persistent", "gauge", "Whether the bucket is kept in the journal",
       [](auto& b) { return b.persistent ? 1U : 0U; });
  each("bucket_restarts_total", "counter", "Restarts of the bucket's actor",
       [](auto& b) { return b.restarts; });
  each("bucket_waiting", "gauge", "Operations that wait for the bucket's actor",
       [](auto& b) { return b.waiting; });
  each("bucket_up", "gauge", "Whether the bucket's actor is up",
       [](auto& b) { return b.state == "up" ? 1U : 0U; });
  out.metric("bucket_state", "gauge", "1 for the state that the bucket's actor is in");
  for (auto& b : s.buckets)
    out.sample(1, {{"bucket", b.name}, {"state", b.state}});
  auto each_index = [&](std::string_view name, std::string_view help, auto&& content) {
    out.metric(name, "gauge", help);
    for (auto& b : s.buckets)
      for (auto& i : b.indexes)
        out.sample(content(i), {{"bucket", b.name},
                                {"index", i.fields},
                                {"type", i.unique     ? "unique"
                                         : i.inverted ? "inverted"
                                                      : "ordered"}});
  };
  each_index("index_entries", "Published entries of an index, of a unique one without nulls",
             [](auto& i) { return i.entries; });
  each_index("index_bytes", "Memory of an index", [](auto& i) { return i.bytes; });
}

void queues_to(exposition& out, const std::pair<label, const subscriber_counters&> (&kinds)[2]) {
  auto each = [&](std::string_view name, std::string_view type, std::string_view help,
                  auto&& content) {
    out.metric(name, type, help);
    for (auto& [kind, counters] : kinds)
      out.sample(content(counters), {kind});
  };
  each("subscriber_waiting", "gauge", "Events or values that wait for subscribers",
       [](auto& c) { return c.waiting; });
  each("subscriber_longest_queue", "gauge", "Those that wait for one subscriber, at most",
       [](auto& c) { return c.longest; });
  each("subscriber_dropped_total", "counter",
       "Events that subscribers missed, values that later ones replaced",
       [](auto& c) { return c.dropped; });
  each("subscriber_failures_total", "counter", "Times that a subscriber's handler threw",
       [](auto& c) { return c.failures; });
}

void services_to(exposition& out, const store_stats& s) {
  out.single("gateway_requests", "gauge", "Requests of actors that wait for their answers",
             s.gateway_requests);
  out.single("gateway_subscriptions", "gauge", "Subscriptions that actors have",
             s.gateway_subscriptions);
  out.single("callbacks_waiting", "gauge", "Callbacks that wait for a thread", s.callbacks_waiting);
  out.single("callback_threads", "gauge", "Threads for callbacks", s.callback_threads);
  out.single("callback_failures_total", "counter", "Callbacks that threw", s.callback_failures);
  queues_to(out, {{{"of", "events"}, s.event_queues}, {{"of", "queries"}, s.query_queues}});
  out.metric("service_restarts_total", "counter", "Restarts of an actor that serves all buckets");
  for (auto& each : s.services)
    out.sample(each.restarts, {{"service", each.name}});
}

} // namespace

std::string store_stats::to_prometheus() const {
  exposition out{name};
  out.single("buckets", "gauge", "Buckets", buckets.size());
  out.single("records", "gauge", "Published records", records);
  out.single("memory_bytes", "gauge", "Memory of all buckets", memory_bytes);
  out.single("persistent", "gauge", "Whether the store has a journal", persistent ? 1 : 0);
  out.single("ttl_interval_milliseconds", "gauge", "Between purges; 0: none by itself",
             static_cast<std::uint64_t>(ttl_interval.count()));
  out.single("reads_total", "counter", "Reads by key and runs of queries", reads);
  out.single("snapshots", "gauge", "Snapshots that are held", snapshots);
  out.single("oldest_snapshot_milliseconds", "gauge", "Age of the oldest snapshot; 0: none",
             static_cast<std::uint64_t>(
                 std::chrono::duration_cast<std::chrono::milliseconds>(oldest_snapshot).count()));
  out.single("snapshot_bytes", "gauge", "Memory that only snapshots keep", snapshot_bytes);
  out.single("published_seq", "counter", "Last visible commit of persistent buckets", published);
  out.single("durable_seq", "counter", "Last commit on stable storage", durable);
  out.single("memory_published_seq", "counter", "Last visible commit of buckets in memory",
             memory_published);
  out.single("backlog_commits", "gauge", "Commits that wait for the disk", backlog_commits);
  out.single("backlog_bytes", "gauge", "Bytes that wait for the disk", backlog_bytes);
  out.single("journal_batches_total", "counter", "Writes to the journal", batches);
  out.single("persistence_restarts_total", "counter", "Restarts of the persistence actor",
             persistence_restarts);
  out.single("writing_stopped", "gauge", "Whether writing stopped after an error of the disk",
             failure ? 1 : 0);
  if (failure) {
    out.metric("write_failure", "gauge", "1 for the code of the error that stopped writing");
    out.sample(1, {{"code", holdfast::to_string(failure->code())}});
  }
  out.single("event_subscribers", "gauge", "Subscribers of events", subscribers);
  out.single("queries", "gauge", "Queries that are defined", queries);
  out.single("query_subscriptions", "gauge", "Subscriptions of queries", live_queries);
  out.single("events_published_total", "counter", "Changes told to the event bus",
             events.published);
  out.single("events_refused_total", "counter", "Changes that the event bus did not take",
             events.refused);
  out.single("events_unheard_total", "counter", "Changes that nobody had subscribed to",
             events.unheard);
  out.single("events_delivered_total", "counter", "Changes put into a subscriber's queue",
             events.delivered);
  out.single("feed_backlog", "gauge", "Commits that followers have still to read", feed_backlog);
  services_to(out, *this);
  buckets_to(out, *this);
  return out.take();
}

} // namespace holdfast
