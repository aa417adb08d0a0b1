#include "tests/store/reactive/reactive_history.hpp"

#include "tests/store/reactive/reactive_faults.hpp"
#include "tests/store/reactive/reactive_moments.hpp"
#include "tests/store/reactive/reactive_queries.hpp"
#include "tests/store/reactive/reactive_schedule.hpp"
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
    moments_.remember(db_.snapshot());
    for (std::size_t i = 0; i < options_.commits && out_.failures.empty(); ++i) {
      if (one_in(6))
        change_subscribers();
      if (options_.crashes && one_in(25))
        crash();
      faults_.plant(options_.bug, random_);
      if (options_.drops && one_in(20))
        come_or_go(reactive_buckets[random_() % 3]);
      write();
      moments_.remember(db_.snapshot());
      schedule_.run_some();
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
  /// Any that is there; one at least is.
  bucket<> a_bucket() {
    for (;;)
      if (auto found = buckets_.find(reactive_buckets[random_() % 3]); found != buckets_.end())
        return found->second;
  }
  /// For queries, whose thread is another one.
  bucket<> handle(const std::string& name) const {
    const std::lock_guard lock{mutex_};
    auto found = buckets_.find(name);
    if (found == buckets_.end())
      throw reactive_absence{error{errc::not_found, name + ": it was dropped"}};
    return found->second;
  }
  reactive_view at(const snapshot& when) const {
    return
        [this, &when](const std::string& name) { return reactive_reader{handle(name).at(when)}; };
  }

  void define() {
    for (auto& name : reactive_buckets)
      come(name);
    for (int i = 0; i < 2; ++i)
      filters_.push_back(random_read_filters(random_));
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
    // A handle is of one bucket, a name of whichever has it.
    const auto by_name = options_.drops || one_in(2);
    return [this, &q, by_name](query_context& in, const object& with) -> result<std::string> {
      int reads = 0;
      const reactive_view view = [&](const std::string& name) {
        ++reads;
        if ((options_.bug == reactive_bug::unread && name == "one") ||
            (options_.bug == reactive_bug::torn && reads == 2))
          return reactive_reader{handle(name)};
        if (!by_name)
          return reactive_reader{in.in(handle(name))};
        return reader_of(in.bucket(name));
      };
      return reactive_answer(q, view, with);
    };
  }

  // -- what happens

  void write() {
    ++out_.commits;
    auto b = a_bucket();
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
    if (!buckets_.contains("one") || !buckets_.contains(other))
      return;
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
  void come_or_go(const std::string& name) {
    if (one_in(2))
      check(); // else it goes while queries are run
    moments_.note(subscribers_);
    if (!buckets_.contains(name)) {
      come(name);
      moments_.remember(db_.snapshot());
      moments_.extend(); // a definition changes nothing, though on disk it has a seq
    } else if (buckets_.size() > 1) {
      ++out_.drops;
      if (auto gone = db_.drop(name); !gone || !*gone)
        out_.failures.push_back(name + ": it cannot be dropped");
      moments_.remember(db_.snapshot());
      moments_.note(subscribers_); // it was found when it was closed, and not gone yet
      const std::lock_guard lock{mutex_};
      buckets_.erase(name);
    }
  }
  void come(const std::string& name) {
    auto made = db_.define(random_schema(random_, name, options_.durable && name != "two")).value();
    const std::lock_guard lock{mutex_};
    buckets_.emplace(name, std::move(made));
  }
  void crash() {
    ++out_.crashes;
    // Nobody else runs the actor that is waited for.
    const auto patience = std::chrono::seconds{options_.deterministic ? 0 : 20};
    switch (random_() % 4) {
    case 0:
      if (!options_.deterministic && one_in(4))
        (void)db_.crash_supervisor(one_in(2) ? "buckets" : "services");
      else
        (void)db_.crash_queries(patience);
      break;
    case 1:
      (void)(options_.durable && one_in(3) ? db_.crash_persistence()
                                           : db_.crash(reactive_buckets[random_() % 3]));
      break;
    default:
      faults_.crash_somewhere(random_);
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
    auto made = std::make_unique<reactive_subscriber>();
    choose(*made, queries_, filters_, subscribers_, random_);
    made->known = moments_.outcome_now(*made);
    made->at = moments_.newest_moment();
    const bool skip = one_in(3);
    groups_.join(*made);
    auto token = subscribe_to(db_, *made, options_.bug, {.skip_initial = skip});
    if (!token) {
      out_.failures.push_back(name_of(*made) + ": " + token.error().to_string());
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

  void complain(const reactive_subscriber& s, const std::string& what) {
    out_.failures.push_back(name_of(s) + ": " + what);
  }
  std::string story(const reactive_subscriber& s) const {
    auto why = db_.why(s.of->name, s.with, s.filters);
    if (!why)
      return ", " + why.error().to_string();
    return ", run " + std::to_string(why->runs) + " times, at last for " +
           (why->last ? why->last->to_string() : "nothing");
  }
  void check_values(reactive_subscriber& s) { check_told(s, moments_.past(), out_); }
  void check() {
    if (options_.deterministic) {
      schedule_.run_all();
      faults_.let_crash_be(); // or the time must pass while it is waited for
      schedule_.run_all();
    }
    if (auto settled = db_.settle(std::chrono::seconds{20}); !settled)
      out_.failures.push_back(settled.error().to_string());
    std::vector<reactive_subscriber*> all;
    for (auto& s : subscribers_) {
      all.push_back(s.get());
      check_values(*s);
      count_kept_up(*s, db_, out_);
      auto now = moments_.outcome_now(*s);
      if (s->known != now)
        complain(*s, "it is " + now + " and was told last as " + s->known + story(*s));
    }
    groups_.check(all, moments_.past(), out_);
    moments_.forget();
  }

  const reactive_options options_;
  reactive_history out_;
  reactive_random random_;
  mutable std::mutex mutex_;
  std::map<std::string, bucket<>> buckets_; ///< those that are there; changed under the mutex
  std::deque<reactive_query> queries_;
  std::vector<read_filters> filters_;
  reactive_faults faults_;
  store db_; ///< after what its queries use
  reactive_schedule schedule_{db_.runtime_in_use(), random_};
  reactive_moments moments_{[this](const snapshot& when) { return at(when); }};
  reactive_groups groups_;
  std::vector<std::unique_ptr<reactive_subscriber>> subscribers_;
  int fields_ = 0;
};

} // namespace

store_options reactive_settings(const reactive_options& options) {
  store_options out;
  out.restart_period = std::chrono::milliseconds{1}; // as many crashes as are asked for
  out.live_list_spare = options.seed % 4;
  out.runtime_settings.callback_threads = 1 + options.seed % 2;
  if (options.durable)
    out.journal = memory_journal();
  return out;
}

reactive_history run_reactive(const reactive_options& options) { return history{options}.run(); }

} // namespace holdfast::testing
