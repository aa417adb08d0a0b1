#pragma once

#include <holdfast/runtime/supervisor.hpp>
#include <holdfast/store/detail/bucket_core.hpp>
#include <holdfast/store/detail/events.hpp>
#include <holdfast/store/detail/gateway.hpp>
#include <holdfast/store/detail/live_queries.hpp>
#include <holdfast/store/store.hpp>

#include <atomic>
#include <map>
#include <mutex>
#include <optional>

namespace holdfast::detail {

/// What stands behind a `store`. Members are declared in the order in which they are built; what
/// comes later uses what comes before.
class store_state {
public:
  /// What makes no sense in the options; asked before anything is made of them.
  static std::optional<error> fault_in(const store_options& options);
  explicit store_state(store_options options);
  store_state(const store_state&) = delete;
  store_state& operator=(const store_state&) = delete;
  ~store_state();
  /// Destroys a store: here, or in a thread of its own if `stop` must not be called here.
  static void end(std::unique_ptr<store_state> state) noexcept;

  /// Opens the journal, restores, starts the tree.
  result<void> start();
  result<void> stop();

  result<ref<bucket_core>> define(const schema& definition);
  result<ref<bucket_core>> find(std::string_view name) const;
  /// The definition that readers have: one whose commit waits for the disk is not there yet.
  result<schema> published_schema(std::string_view name) const;
  /// A handle with the store's durability.
  result<bucket<>> handle(std::string_view name) const;
  result<bool> drop(std::string_view name, std::chrono::milliseconds timeout);
  result<void> update(std::string_view name, const bucket_update& change,
                      std::chrono::milliseconds timeout);
  std::vector<ref<bucket_core>> all() const;
  std::vector<std::string> names() const;
  holdfast::snapshot snapshot() const;
  result<void> define_query(std::string_view name, declared_query what);

  result<std::uint64_t> purge();
  result<void> sync(std::chrono::milliseconds timeout);
  result<void> revive(std::string_view name);
  result<reopen_report> reopen();
  store_stats stats() const;
  std::string tree() const;
  result<void> crash(address& at, std::chrono::milliseconds timeout);
  result<void> crash_supervisor(std::string_view name);
  result<void> crash_persistence(std::chrono::milliseconds timeout);

  /// Why nothing can be asked for any more, if so.
  std::optional<error> stopped() const;
  const store_options& options() const noexcept { return options_; }
  runtime& owner() const noexcept { return *runtime_; }
  const std::shared_ptr<commit_lines>& lines() const noexcept { return lines_; }
  const restore_report& restored() const noexcept { return restored_; }
  store_events& events() noexcept { return events_; }
  live_queries& queries() const noexcept { return *queries_; }
  const gateway_desk& gateway() const noexcept { return *gateway_; }

private:
  /// Whether this thread is one that a stop waits for.
  bool is_waited_for() const noexcept;
  result<void> stop_all();
  result<void> open_journal();
  result<void> restore(journal_info info);
  result<void> restore_catalog();
  result<void> start_tree();
  child_spec counted(child_spec service);
  void add_services(store_stats& out) const;
  result<ref<bucket_core>> create(std::shared_ptr<const compiled_schema> schema);
  result<ref<bucket_core>> bind(bucket_core& existing,
                                std::shared_ptr<const compiled_schema> schema);
  /// All buckets; good while no other thread defines or drops.
  std::vector<bucket_core*> cores() const;
  void link_buckets();
  void forget(ref<bucket_core> core);
  result<std::vector<bucket_id>> read_catalog();
  void close_dropped(const std::vector<bucket_id>& stored);
  void forget_dropped(const std::vector<bucket_id>& stored);
  result<void> erase_orphans(const std::vector<bucket_id>& stored);
  void writer_crashed(const std::string& why);
  result<void> write_catalog(bucket_id id, const schema& definition);
  result<void> erase_catalog(bucket_id id);

  /// A change of a bucket's definition that has begun.
  struct definition_change {
    enum { drop, update } what;
    ref<bucket_core> core;
    ref<operation<std::monostate>> op;
  };
  /// An update whose outcome nobody has waited for to the end comes before any other change.
  /// Errors: `timeout`, if it has not ended by then; `name` is the bucket for which it waits.
  std::optional<error> settle_update(const std::string& name, std::chrono::milliseconds timeout);
  result<void> await(definition_change change, std::chrono::milliseconds timeout);
  result<void> finish(const definition_change& change);
  void finish_open_changes();

  store_options options_;
  std::shared_ptr<runtime> runtime_; // the user's, or ours
  std::shared_ptr<commit_lines> lines_ = std::make_shared<commit_lines>(options_.feed_commits);
  store_events events_{*runtime_, lines_};
  std::shared_ptr<live_queries> queries_ = std::make_shared<live_queries>(*runtime_, lines_, this);
  std::shared_ptr<pipeline> pipe_; // null: in memory only
  ref<address> persistence_address_;
  std::shared_ptr<gateway_desk> gateway_;
  struct service_starts {
    std::string name;
    std::shared_ptr<std::atomic<std::uint64_t>> count;
  };
  std::vector<service_starts> service_starts_; ///< filled before the tree is started
  std::optional<supervisor> root_;
  std::optional<supervisor> services_sup_;
  std::optional<supervisor> buckets_sup_;
  restore_report restored_;
  std::uint64_t epoch_ = 0; // of the journal

  std::mutex stops_;         // taken before the next
  std::mutex definitions_;   // one define or drop at a time, and none once it has stopped
  mutable std::mutex mutex_; // the map
  std::map<std::string, ref<bucket_core>, std::less<>> buckets_;
  std::vector<ref<bucket_core>> unbound_; // restored with default functions that are not known yet
  std::vector<definition_change> open_changes_; // whose outcome nobody has waited for to the end
  coming_definition coming_;                    // of an update that has begun: at most one has
  bucket_id next_id_ = 1;
  std::atomic<bool> stopped_ = false;
};

} // namespace holdfast::detail
