#pragma once

#include <holdfast/runtime/child_spec.hpp>
#include <holdfast/store/detail/query_member.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace holdfast::detail {

class doorbell;

/// The queries of a store and their subscribers: the state of the query manager, whose actor only
/// calls `pump`. It outlives the actor, so that a crash loses no subscription.
///
/// It follows the feed while there are subscriptions. A commit is *routed*: groups that read what
/// it changed become dirty and are queued. Then each queued group is run, all at one snapshot, and
/// the outcome *installed*: told to its members if it differs from the one before, and its reads
/// entered in the routes in place of the old ones. A group with an upkeep that takes the changes in
/// is queued without being dirty, and *adjusted* instead of run: its value is then that of the
/// moment up to which all is routed.
///
/// Why no change is missed. A group's outcome is of the moment `at`. Commits are routed in order up
/// to `position_`, and those above `at` are held against the group's reads as soon as it is
/// installed; those between `at` and `position_`, which were routed before that, make it dirty at
/// once: each bucket remembers the last of its changes. A bucket is followed when it is first read.
/// What was published before that counts as a change of it, and what was sealed before and is
/// published after is waited for (`unfed`); all else comes by the feed.
///
/// Thread-safe. Functions of queries run without the mutex, on the actor's thread or on that of a
/// subscriber; so do destructors of what functions and handlers hold. `==` of values runs under it.
class live_queries : public std::enable_shared_from_this<live_queries> {
public:
  using handler = std::function<void(const query_update&)>;

  live_queries(runtime& rt, std::shared_ptr<commit_lines> lines, const store_state* in);
  live_queries(const live_queries&) = delete;
  live_queries& operator=(const live_queries&) = delete;
  ~live_queries();

  result<void> define(std::string_view name, query_function what);
  /// False if there is none of that name. Its subscriptions end with `dropped`.
  bool remove(std::string_view name);
  std::vector<query_info> infos() const;
  /// How many are defined.
  std::size_t defined() const;
  result<query_info> info(std::string_view name) const;

  result<query_value> run(std::string_view name, const object& parameters,
                          const read_filters& filters) const;
  /// Makes the queue, for one value, from which the member takes.
  using queue_maker =
      std::function<std::shared_ptr<subscriber_queue>(std::shared_ptr<query_member> member)>;
  result<subscription> subscribe(std::string_view name, object parameters, handler call,
                                 live_options options);
  result<subscription> subscribe(std::string_view name, object parameters, const queue_maker& make,
                                 live_options options);
  result<query_why> why(std::string_view name, const object& parameters,
                        const read_filters& filters) const;
  /// Waits until all that is published when it is called has been told and handled.
  result<void> settle(std::chrono::milliseconds timeout);
  std::size_t subscriptions() const;
  /// Of the subscribers' queues. A value that a later one replaces before it was handled counts as
  /// dropped. O(subscriptions).
  subscriber_counters queues() const;

  /// A bucket of that name is there from now on, or no longer.
  void bucket_came_or_went(std::string_view name);
  /// Takes no more.
  void close();

  /// Routes some commits and runs what they made dirty; whether there may be more to do. One thread
  /// at a time. What it throws leaves it as it was before the step that failed.
  bool pump();
  /// Says that there is something to pump. Never blocks.
  void wake() const;
  /// The actor that pumps.
  child_spec spec();
  /// Crashes that actor and waits for the next one. Error: `timeout`.
  result<void> crash(std::chrono::milliseconds timeout);

private:
  using group_ptr = std::shared_ptr<query_group>;
  using definition_ptr = std::shared_ptr<query_definition>;
  struct bucket_routes {
    ref<bucket_core> of;
    query_routes routes;
    sequence changed = 0; ///< its last change that is routed, or that may have been one
    /// Behind the first, up to the second, durable commits may have no entry in the feed.
    sequence fed = 0, unfed = 0;
  };
  struct prepared {
    query_run run;
    std::uint64_t definitions; ///< of buckets, when it began
    query_basis basis;
  };
  class arrival;
  class entering;
  struct leaver;

  /// Frees what was let go of. Stands before the lock, so that it ends behind it.
  class freeing {
  public:
    explicit freeing(live_queries& of) noexcept : of_{of} {}
    freeing(const freeing&) = delete;
    freeing& operator=(const freeing&) = delete;
    ~freeing();

  private:
    live_queries& of_;
  };

  result<definition_ptr> find(std::string_view name) const;
  static std::string key_of(const query_definition& of, const object& parameters,
                            const read_filters& filters);
  group_ptr find_group(const std::string& key, const query_definition& of, const object& parameters,
                       const read_filters& filters) const;
  std::optional<query_moment> fresh_at(const query_group& g, const query_moment& now);
  void follow();
  result<void> admitted(const query_definition& of, const object& parameters) const;
  prepared prepare(const query_definition& of, const object& parameters,
                   const read_filters& filters, const snapshot_pair& at) const;
  subscription join(const group_ptr& g, std::shared_ptr<query_event> first, const queue_maker& make,
                    const live_options& options);
  std::shared_ptr<query_event> event_of(const query_group& g, const query_moment& at,
                                        bool initial) const;
  void tell(query_group& g);
  std::string unsettled(const query_moment& target) const;
  bool leaving() const;

  std::int64_t time() const; ///< the store's, as records have their deadlines
  void route(const commit& c);
  void catch_up();
  void mark_readers(const bucket_routes& of, sequence changed);
  bool is_behind(const query_group& g) const;
  void enqueue(query_group& g);
  void mark(query_group& g, run_cause cause, std::optional<query_trigger> why = {});
  void move(query_group& g, query_trigger why);
  void adjust(query_group& g, timestamp now);
  void narrow(query_group& g);
  void install(query_group& g, prepared p);
  void come_upon(query_group& g, prepared p);
  void stand_on(query_group& g, prepared p);
  void enter_reads(query_group& g, query_run& run);
  void base_on(query_group& g, prepared p);
  void enter_routes(query_group& g);
  commit_lines::position want_buckets() noexcept;
  void leave_buckets(const std::vector<query_reads>& reads) noexcept;
  void clear_routes(query_group& g);
  void reap();
  void forget_if_empty(const group_ptr& g);
  void let_go(std::shared_ptr<const void> what) noexcept;
  bool route_until(const query_moment& at, std::unique_lock<std::mutex>& lock);
  void drop_queued() noexcept;
  void run_queued(const snapshot_pair& at, std::unique_lock<std::mutex>& lock);
  query_info describe(const query_definition& d) const;

  runtime& runtime_;
  const std::shared_ptr<commit_lines> lines_;
  const store_state* const in_;
  const std::uint64_t spare_;            ///< records of each list that is cut
  const record_limits most_;             ///< of parameters, too
  const std::shared_ptr<doorbell> bell_; ///< of the query manager
  feed_reader reader_;

  mutable std::mutex mutex_;
  std::condition_variable progress_;
  std::map<std::string, definition_ptr, std::less<>> definitions_;
  std::unordered_multimap<std::string, group_ptr> groups_;
  std::unordered_map<const bucket_topics*, bucket_routes> buckets_;
  std::deque<group_ptr> queue_; ///< to be run
  /// Handlers, functions and values of users that nobody needs any more. What their destructors do
  /// is theirs, so it is not done under the mutex.
  std::vector<std::shared_ptr<const void>> let_go_;
  std::uint64_t queued_ = 0; ///< ever
  std::uint64_t done_ = 0;   ///< of these
  query_moment position_;    ///< routed up to
  bool following_ = false;
  bool some_lost_ = false;   ///< a group is dirty or untold, and may not be queued
  bool some_unfed_ = false;  ///< of a bucket, not all is published
  std::size_t arriving_ = 0; ///< subscribers that are not entered yet
  bool closed_ = false;
  std::shared_ptr<delivery_epoch> epoch_;
  const std::shared_ptr<queue_totals> totals_ = std::make_shared<queue_totals>();
  std::atomic<std::uint64_t> buckets_defined_{0};

  mutable std::mutex leaving_mutex_; ///< taken last
  std::vector<std::pair<std::weak_ptr<query_group>, subscriber_queue*>> leaving_;
  bool some_left_ = false; ///< somebody leaves who is not in there, for want of memory
};

} // namespace holdfast::detail
