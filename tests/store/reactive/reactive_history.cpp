#include "tests/store/reactive/reactive_history.hpp"

#include "tests/store/reactive/reactive_queries.hpp"
#include "tests/store/reactive/reactive_subscriber.hpp"

#include <holdfast/runtime/fault.hpp>
#include <holdfast/store/memory_journal.hpp>

#include <algorithm>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>

namespace holdfast::testing {
namespace {

class history {
public:
  explicit history(const reactive_options& o)
      : options_{o}, random_{o.seed}, db_{std::move(*store::start(settings()))} {}

  reactive_history run() {
    define();
    remember();
    for (std::size_t i = 0; i < options_.commits && out_.failures.empty(); ++i) {
      if (one_in(6))
        change_subscribers();
      if (options_.crashes && one_in(25))
        crash();
      write();
      remember();
      while (options_.deterministic && one_in(2) && db_.runtime_in_use().run_one()) {
      }
      if (i % 50 == 49)
        check();
    }
    check();
    return out_;
  }

private:
  store_options settings() const {
    auto out = reactive_settings(options_);
    out.runtime_settings.deterministic = options_.deterministic;
    return out;
  }
  bool one_in(int n) { return random_() % static_cast<std::uint64_t>(n) == 0; }
  value key() { return static_cast<std::int64_t>(random_() % reactive_keys); }
  bucket<>& a_bucket() { return buckets_.at(reactive_buckets[random_() % 3]); }
  reactive_view at(const snapshot& when) const {
    return [this, &when](const std::string& name) { return buckets_.at(name).at(when); };
  }

  void define() {
    for (auto& name : reactive_buckets)
      buckets_.emplace(
          name,
          db_.define(random_schema(random_, name, options_.durable && name != "two")).value());
    for (std::size_t i = 0; i < options_.queries; ++i) {
      queries_.push_back(random_query(random_, "q" + std::to_string(i)));
      define(queries_.back());
    }
  }
  void define(const reactive_query& q) {
    auto defined =
        q.declared ? db_.define_query(q.name, *q.declared) : db_.define_query(q.name, function(q));
    if (!defined)
      out_.failures.push_back(q.name + ": " + defined.error().to_string());
  }
  std::function<result<std::string>(query_context&, const object&)>
  function(const reactive_query& q) {
    return [this, &q](query_context& in, const object& with) {
      auto reads = std::make_shared<int>(0);
      return q.run(
          [&](const std::string& name) {
            if (options_.bug == reactive_bug::unread && name == "one")
              return buckets_.at(name);
            if (options_.bug == reactive_bug::torn && ++*reads == 2)
              return buckets_.at(name);
            return in.in(buckets_.at(name));
          },
          with);
    };
  }

  // -- what happens

  void write() {
    ++out_.commits;
    auto& b = a_bucket();
    auto fields = random_fields(random_);
    switch (random_() % 12) {
    case 0:
    case 1:
    case 2:
    case 3:
      fields.set("id", key());
      (void)b.upsert(fields).get();
      break;
    case 4:
    case 5:
    case 6:
      (void)b.update(key(), fields).get();
      break;
    case 7:
    case 8:
      if (one_in(3))
        (void)b.erase_many(an_end_of_an_order(random_)).get();
      else
        (void)b.erase(key()).get();
      break;
    case 9:
      insert_many(b);
      break;
    case 10:
      transact();
      break;
    default:
      if (one_in(8))
        (void)b.clear().get();
      else if (options_.redefine && one_in(4))
        redefine(b.name());
    }
  }
  void insert_many(bucket<>& b) {
    std::vector<object> list;
    for (int i = 0; i < 4; ++i) {
      list.push_back(random_fields(random_));
      list.back().set("id", key());
    }
    (void)b.insert_many(list).get();
  }
  /// Moves a record, so that a query that sees half of it is wrong.
  void transact() {
    auto from = key(), to = key();
    const auto* other = one_in(2) ? "two" : "three"; // also of the other line
    (void)db_.transact([&](transaction& tx) -> result<void> {
      auto a = tx.in(buckets_.at("one")), b = tx.in(buckets_.at(other));
      auto gone = a.erase(from).get();
      if (!gone)
        return fail(gone.error());
      auto fields = gone->to_object();
      fields.set("id", to);
      auto put = b.upsert(fields).get();
      return put ? result<void>{} : fail(put.error());
    });
  }
  void redefine(const std::string& name) {
    bucket_update change;
    one_in(2) ? change.add_field("x" + std::to_string(++fields_), integer())
              : change.add_index("f");
    (void)db_.update_bucket(name, change);
  }
  void crash() {
    ++out_.crashes;
    switch (random_() % 4) {
    case 0:
      (void)db_.crash_queries();
      break;
    case 1:
      (void)db_.crash(reactive_buckets[random_() % 3]);
      break;
    default:
      static const std::vector<std::string> points{"queries.routing", "queries.running",
                                                   "queries.installing", "queries.taking",
                                                   "queries.adjusting"};
      fault_.reset();
      fault_.emplace(points[random_() % points.size()], random_() % 3);
    }
  }

  void change_subscribers() {
    if (subscribers_.size() >= options_.subscribers || (one_in(3) && !subscribers_.empty())) {
      auto gone =
          subscribers_.begin() + static_cast<std::ptrdiff_t>(random_() % subscribers_.size());
      if (options_.deterministic)
        await_first(**gone);
      (*gone)->token.cancel();
      check_values(**gone);
      subscribers_.erase(gone);
      return;
    }
    auto& q = queries_[random_() % queries_.size()];
    auto made = std::make_unique<reactive_subscriber>();
    made->of = &q;
    if (!q.parameter.empty())
      made->with.set(q.parameter, static_cast<std::int64_t>(random_() % 6));
    auto& newest = *snapshots_.rbegin();
    made->known = reactive_outcome(q, at(newest.second), made->with);
    made->at = newest.first;
    const bool skip = one_in(3);
    auto token = db_.subscribe(q.name, made->with, reactive_handler(*made, options_.bug),
                               {.skip_initial = skip});
    if (!token) {
      out_.failures.push_back(q.name + ": " + token.error().to_string());
      return;
    }
    made->token = std::move(*token);
    if (!skip || made->known.starts_with("failed with")) // errors are told in any case
      made->known = "not told";
    subscribers_.push_back(std::move(made));
  }
  /// Callbacks have a thread of their own also where actors have none: a schedule must not be over
  /// before that one has run at all.
  static void await_first(reactive_subscriber& s) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds{20};
    auto told = [&] {
      const std::lock_guard lock{s.mutex};
      return s.received > 0;
    };
    while (s.known == "not told" && !told() && std::chrono::steady_clock::now() < until)
      std::this_thread::yield();
  }
  // -- what is checked

  void remember() {
    auto now = db_.snapshot();
    snapshots_.insert_or_assign(reactive_moment{now.memory_seq(), now.durable_seq()}, now);
  }
  void complain(const reactive_subscriber& s, const std::string& what) {
    out_.failures.push_back(name_of(s) + ": " + what);
  }
  std::string story(const reactive_subscriber& s) const {
    auto why = db_.why(s.of->name, s.with);
    if (!why)
      return ", " + why.error().to_string();
    return ", run " + std::to_string(why->runs) + " times, at last for " +
           (why->last ? why->last->to_string() : "nothing");
  }
  void check_values(reactive_subscriber& s) {
    check_told(
        s,
        [&](const reactive_moment& when) {
          auto found = snapshots_.find(when);
          return found == snapshots_.end() ? std::vector<reactive_view>{}
                                           : std::vector{at(found->second)};
        },
        out_);
  }
  void check() {
    if (auto settled = db_.settle(std::chrono::seconds{20}); !settled)
      out_.failures.push_back(settled.error().to_string());
    auto newest = *snapshots_.rbegin();
    for (auto& s : subscribers_) {
      check_values(*s);
      count_kept_up(*s, db_, out_);
      auto now = reactive_outcome(*s->of, at(newest.second), s->with);
      if (s->known != now)
        complain(*s, "it is " + now + " and was told last as " + s->known + story(*s));
    }
    snapshots_.clear();
    snapshots_.insert(newest);
  }

  const reactive_options options_;
  reactive_history out_;
  reactive_random random_;
  std::map<std::string, bucket<>> buckets_;
  std::deque<reactive_query> queries_;
  store db_;                                      ///< after what its queries use
  std::map<reactive_moment, snapshot> snapshots_; ///< each moment there was since the last check
  std::vector<std::unique_ptr<reactive_subscriber>> subscribers_;
  std::optional<fault> fault_;
  int fields_ = 0;
};

} // namespace

store_options reactive_settings(const reactive_options& options) {
  store_options out;
  out.restart_period = std::chrono::milliseconds{1}; // as many crashes as are asked for
  out.live_list_spare = options.seed % 4;
  if (options.durable)
    out.journal = memory_journal();
  return out;
}

reactive_history run_reactive(const reactive_options& options) { return history{options}.run(); }

} // namespace holdfast::testing
