// Every figure that a store tells is in the text for Prometheus. What is taken apart here has as
// many names as members: who adds one has to say here where it stands.
#include <holdfast/store/store.hpp>

#include <gmock/gmock.h>

#include <set>

namespace holdfast::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

/// Gives each figure another number, and looks for the sample that has it.
class figures_in_turn {
public:
  template <class N>
  void set(N& figure, std::string_view sample) {
    if constexpr (std::integral<N>)
      figure = static_cast<N>(++last_);
    else
      figure = N{++last_};
    expected_.push_back("holdfast_" + std::string{sample} + "} " + std::to_string(last_) + "\n");
  }
  void expect_in(const std::string& text) const {
    for (auto& line : expected_)
      EXPECT_THAT(text, HasSubstr("\n" + line));
  }

private:
  std::int64_t last_ = 1000;
  std::vector<std::string> expected_;
};

void fill(index_stats& out, figures_in_turn& next) {
  auto& [fields, unique, inverted, entries, bytes] = out;
  fields = "role";
  unique = true;
  inverted = false; // both are the type
  const std::string labels = R"({store="app",bucket="users",index="role",type="unique")";
  next.set(entries, "index_entries" + labels);
  next.set(bytes, "index_bytes" + labels);
}

void fill(bucket_stats& out, figures_in_turn& next) {
  auto& [name, life, persistent, records, indexes, index_entries, index_bytes, writes, memory_bytes,
         snapshot_bytes, mapped_bytes, restarts, waiting, state, last_failure] = out;
  name = "users";
  life = 7; // for who compares two looks
  persistent = true;
  state = "quarantined";
  last_failure = "texts are for people";
  fill(indexes.emplace_back(), next);
  const std::string of_bucket = R"({store="app",bucket="users")";
  next.set(records, "bucket_records" + of_bucket);
  next.set(index_entries, "bucket_index_entries" + of_bucket);
  next.set(index_bytes, "bucket_index_bytes" + of_bucket);
  next.set(writes, "bucket_commits_total" + of_bucket);
  next.set(memory_bytes, "bucket_memory_bytes" + of_bucket);
  next.set(snapshot_bytes, "bucket_snapshot_bytes" + of_bucket);
  next.set(mapped_bytes, "bucket_mapped_bytes" + of_bucket);
  next.set(restarts, "bucket_restarts_total" + of_bucket);
  next.set(waiting, "bucket_waiting" + of_bucket);
}

void fill(subscriber_counters& out, std::string_view of, figures_in_turn& next) {
  auto& [waiting, longest, dropped, failures] = out;
  const auto label = R"({store="app",of=")" + std::string{of} + "\"";
  next.set(waiting, "subscriber_waiting" + label);
  next.set(longest, "subscriber_longest_queue" + label);
  next.set(dropped, "subscriber_dropped_total" + label);
  next.set(failures, "subscriber_failures_total" + label);
}

void fill(store_stats& out, figures_in_turn& next) {
  auto& [name, taken, buckets, records, memory_bytes, reads, persistent, published, durable,
         memory_published, backlog_commits, backlog_bytes, batches, persistence_restarts,
         ttl_interval, snapshots, oldest_snapshot, snapshot_bytes, subscribers, queries,
         live_queries, feed_backlog, events, event_queues, query_queues, gateway_requests,
         gateway_subscriptions, callbacks_waiting, callback_threads, callback_failures, services,
         failure] = out;
  auto& [told, refused, delivered, unheard] = events;
  name = "app";
  taken = std::chrono::seconds{1}; // Prometheus has its own
  persistent = true;
  const std::string of_store = R"({store="app")";
  next.set(records, "records" + of_store);
  next.set(memory_bytes, "memory_bytes" + of_store);
  next.set(reads, "reads_total" + of_store);
  next.set(published, "published_seq" + of_store);
  next.set(durable, "durable_seq" + of_store);
  next.set(memory_published, "memory_published_seq" + of_store);
  next.set(backlog_commits, "backlog_commits" + of_store);
  next.set(backlog_bytes, "backlog_bytes" + of_store);
  next.set(batches, "journal_batches_total" + of_store);
  next.set(persistence_restarts, "persistence_restarts_total" + of_store);
  next.set(ttl_interval, "ttl_interval_milliseconds" + of_store);
  next.set(snapshots, "snapshots" + of_store);
  next.set(snapshot_bytes, "snapshot_bytes" + of_store);
  next.set(subscribers, "event_subscribers" + of_store);
  next.set(queries, "queries" + of_store);
  next.set(live_queries, "query_subscriptions" + of_store);
  next.set(feed_backlog, "feed_backlog" + of_store);
  next.set(told, "events_published_total" + of_store);
  next.set(refused, "events_refused_total" + of_store);
  next.set(delivered, "events_delivered_total" + of_store);
  next.set(unheard, "events_unheard_total" + of_store);
  next.set(gateway_requests, "gateway_requests" + of_store);
  next.set(gateway_subscriptions, "gateway_subscriptions" + of_store);
  next.set(callbacks_waiting, "callbacks_waiting" + of_store);
  next.set(callback_threads, "callback_threads" + of_store);
  next.set(callback_failures, "callback_failures_total" + of_store);
  oldest_snapshot = std::chrono::milliseconds{77};
  fill(event_queues, "events", next);
  fill(query_queues, "queries", next);
  fill(buckets.emplace_back(), next);
  next.set(services.emplace_back(service_stats{"gateway", 0}).restarts,
           R"(service_restarts_total{store="app",service="gateway")");
  failure = error{errc::io, "the disk is full"};
}

TEST(text_for_prometheus, has_every_figure_there_is) {
  store_stats all;
  figures_in_turn next;
  fill(all, next);
  const auto text = all.to_prometheus();
  next.expect_in(text);
  for (const std::string line :
       {R"(buckets{store="app"} 1)", R"(persistent{store="app"} 1)",
        R"(writing_stopped{store="app"} 1)", R"(write_failure{store="app",code="io"} 1)",
        R"(oldest_snapshot_milliseconds{store="app"} 77)",
        R"(bucket_persistent{store="app",bucket="users"} 1)",
        R"(bucket_up{store="app",bucket="users"} 0)",
        R"(bucket_state{store="app",bucket="users",state="quarantined"} 1)"})
    EXPECT_THAT(text, HasSubstr("\nholdfast_" + line + "\n"));
  all.failure.reset();
  EXPECT_THAT(all.to_prometheus(), Not(HasSubstr("write_failure")));
}

} // namespace
} // namespace holdfast::testing
