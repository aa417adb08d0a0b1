#include "tests/store/reactive/reactive_replay.hpp"
#include "tests/store/reactive/reactive_subscriber.hpp"

#include <algorithm>
#include <atomic>
#include <deque>
#include <future>
#include <memory>
#include <thread>

namespace holdfast::testing {
namespace {

constexpr std::chrono::seconds patience{20};
constexpr std::size_t commits_of_burst = 60; ///< about, of all writers

bool once_in(reactive_random& random, int n) {
  return random() % static_cast<std::uint64_t>(n) == 0;
}

/// Writes at random, and waits for half of its writes only when it is done.
class random_writer {
public:
  random_writer(store& db, std::map<std::string, bucket<>>& buckets, deadlines ends,
                std::uint64_t seed)
      : db_{db}, buckets_{buckets}, ends_{ends}, random_{seed} {}
  ~random_writer() {
    for (auto& each : waiting_)
      (void)each.get();
  }
  random_writer(const random_writer&) = delete;
  random_writer& operator=(const random_writer&) = delete;

  void write() {
    auto& b = buckets_.at(reactive_buckets[random_() % 3]);
    auto fields = this->fields();
    switch (random_() % 12) {
    case 0:
    case 1:
    case 2:
    case 3:
    case 4:
      fields.set("id", key());
      return finish(b.upsert(fields, ending()));
    case 5:
    case 6:
      return finish(b.update(key(), fields));
    case 7:
      if (once_in(random_, 3))
        return static_cast<void>(b.erase_many(an_end_of_an_order(random_)).get());
      return finish(b.erase(key()));
    case 8:
      return finish(b.touch(key(), ending()));
    case 9:
      return insert_many(b);
    case 10:
      return transact();
    default:
      if (once_in(random_, 8))
        (void)b.clear().get();
    }
  }

private:
  value key() { return static_cast<std::int64_t>(random_() % reactive_keys); }
  object fields() {
    auto out = random_fields(random_);
    if (once_in(random_, 3))
      out.set("ref", key());
    return out;
  }
  write_options ending() {
    if (ends_ == deadlines::none)
      return {};
    if (once_in(random_, 4))
      return {.expires_in = std::chrono::seconds{1 + random_() % 3}};
    return once_in(random_, 6) ? write_options{.never_expires = true} : write_options{};
  }
  void finish(pending<record> write) {
    if (once_in(random_, 2))
      (void)std::move(write).get();
    else
      waiting_.push_back(std::move(write).as_future());
  }
  void insert_many(bucket<>& b) {
    std::vector<object> list;
    for (int i = 0; i < 3; ++i) {
      list.push_back(fields());
      list.back().set("id", key());
    }
    (void)b.upsert_many(list).get();
  }
  /// Moves a record, so that a query that sees half of it is wrong.
  void transact() {
    const auto from = key(), to = key();
    const auto* other = once_in(random_, 2) ? "two" : "three"; // also of the other line
    (void)db_.transact([&](transaction& tx) -> result<void> {
      auto a = tx.in(buckets_.at("one")), b = tx.in(buckets_.at(other));
      auto gone = a.erase(from).get();
      if (!gone)
        return fail(gone.error());
      auto moved = gone->to_object();
      moved.set("id", to);
      moved.set("ref", nullptr);
      return b.upsert(moved).get().map([](const auto&) {});
    });
  }

  store& db_;
  std::map<std::string, bucket<>>& buckets_;
  const deadlines ends_;
  reactive_random random_;
  std::vector<std::future<result<record>>> waiting_;
};

reactive_moment moment_of(const snapshot& s) { return {s.memory_seq(), s.durable_seq()}; }

class busy_history {
public:
  explicit busy_history(const reactive_options& o)
      : options_{o}, random_{o.seed}, db_{std::move(*store::start(settings()))}, replay_{db_} {}

  reactive_history run() {
    define();
    const auto bursts = std::max<std::size_t>(options_.commits / commits_of_burst, 2);
    for (std::size_t i = 0; i < bursts && out_.failures.empty(); ++i) {
      burst();
      if (once_in(random_, 2)) {
        settle();
        clock_.advance(std::chrono::seconds{1});
        replay_.expire(clock_.now());
        if (once_in(random_, 2))
          burst();
        (void)db_.purge();
      }
      check();
    }
    out_.commits = replay_.commits();
    return out_;
  }

private:
  store_options settings() {
    auto out = reactive_settings(options_);
    out.ttl_interval = std::chrono::milliseconds{0}; // nothing is purged but when a write needs it
    out.runtime_settings.clock = &clock_;
    return out;
  }

  static schema marker(const std::string& name) { return schema(name).key("id", integer()); }
  void define() {
    for (auto& name : reactive_buckets) {
      const bool persistent = options_.durable && name != "two";
      auto plain = random_schema(random_, name, persistent);
      buckets_.emplace(name, db_.define(with_endings(random_, plain, ends_)).value());
      replay_.follow(plain.field("ref", integer()), persistent);
    }
    markers_.push_back(db_.define(marker("last_in_memory").persistent(false)).value());
    if (options_.durable)
      markers_.push_back(db_.define(marker("last_durable")).value());
    replay_.begin(moment_of(db_.snapshot()));
    for (std::size_t i = 0; i < options_.queries; ++i) {
      auto& q = queries_.emplace_back(random_query(random_, "q" + std::to_string(i)));
      auto defined = q.declared ? db_.define_query(q.name, *q.declared)
                                : db_.define_query(q.name, function(q));
      if (!defined)
        out_.failures.push_back(q.name + ": " + defined.error().to_string());
    }
  }
  std::function<result<std::string>(query_context&, const object&)>
  function(const reactive_query& q) {
    return [this, &q](query_context& in, const object& with) {
      auto reads = 0;
      return q.run(
          [&](const std::string& name) {
            ++reads;
            const bool past = (options_.bug == reactive_bug::unread && name == "one") ||
                              (options_.bug == reactive_bug::torn && reads == 2);
            return past ? buckets_.at(name) : in.in(buckets_.at(name));
          },
          with);
    };
  }

  // -- what happens

  void burst() {
    const auto each = commits_of_burst / options_.writers;
    std::atomic<unsigned> running{options_.writers};
    std::vector<std::thread> threads;
    for (unsigned t = 0; t < options_.writers; ++t)
      threads.emplace_back([&, seed = random_()] {
        {
          random_writer writer{db_, buckets_, ends_, seed};
          for (std::size_t i = 0; i < each; ++i)
            writer.write();
        }
        --running;
      });
    do {
      change_subscribers();
      if (options_.crashes && once_in(random_, 4))
        crash();
    } while (running > 0 && out_.failures.empty());
    for (auto& t : threads)
      t.join();
  }
  void crash() {
    ++out_.crashes;
    if (once_in(random_, 2))
      (void)db_.crash_queries();
    else
      (void)db_.crash(reactive_buckets[random_() % 3]);
  }
  void change_subscribers() {
    if (subscribers_.size() >= options_.subscribers ||
        (once_in(random_, 3) && !subscribers_.empty())) {
      auto gone =
          subscribers_.begin() + static_cast<std::ptrdiff_t>(random_() % subscribers_.size());
      (*gone)->token.cancel();
      left_.push_back(std::move(*gone)); // what it was told is checked when all is replayed
      subscribers_.erase(gone);
      return;
    }
    auto& q = queries_[random_() % queries_.size()];
    auto made = std::make_unique<reactive_subscriber>();
    made->of = &q;
    made->known = "not told";
    if (!q.parameter.empty())
      made->with.set(q.parameter, static_cast<std::int64_t>(random_() % 6));
    auto token = db_.subscribe(q.name, made->with, reactive_handler(*made, options_.bug));
    if (!token) {
      out_.failures.push_back(q.name + ": " + token.error().to_string());
      return;
    }
    made->token = std::move(*token);
    subscribers_.push_back(std::move(made));
  }

  // -- what is checked

  /// All that was written is told and replayed.
  reactive_moment settle() {
    // Of a commit of one change, all is told when its seq is.
    for (auto& each : markers_)
      if (auto put = each.upsert({{"id", 1}}).get(); !put)
        out_.failures.push_back(put.error().to_string());
    if (auto settled = db_.settle(patience); !settled)
      out_.failures.push_back(settled.error().to_string() + "\n" + db_.tree());
    const auto last = moment_of(db_.snapshot());
    if (!replay_.advance(last, patience))
      out_.failures.push_back("events are missing");
    if (!replay_.fault().empty())
      out_.failures.push_back("replay: " + replay_.fault());
    return last;
  }
  void check() {
    const auto last = settle();
    const auto views = [this](const reactive_moment& when) { return replay_.at(when); };
    const auto end = replay_.at(last);
    if (end.empty() || !out_.failures.empty())
      return out_.failures.push_back("the end is no moment");
    for (auto& s : left_)
      check_told(*s, views, out_);
    left_.clear();
    for (auto& s : subscribers_) {
      check_told(*s, views, out_);
      count_kept_up(*s, db_, out_);
      auto now = reactive_outcome(*s->of, end.back(), s->with);
      if (s->known != now)
        out_.failures.push_back(name_of(*s) + ": it is " + now + " and was told last as " +
                                s->known);
      auto live = reactive_outcome(
          *s->of, [this](const std::string& name) { return buckets_.at(name); }, s->with);
      if (live != now) // the replay is what the store is
        out_.failures.push_back(name_of(*s) + ": replayed as " + now + " but is " + live);
    }
    replay_.forget();
  }

  const reactive_options options_;
  /// Where there are some, nothing is kept up without a run.
  const deadlines ends_ = options_.seed % 3 == 0 ? deadlines::none : deadlines::some;
  reactive_history out_;
  reactive_random random_;
  manual_clock clock_;
  std::map<std::string, bucket<>> buckets_;
  std::vector<bucket<>> markers_; ///< one in each line
  std::deque<reactive_query> queries_;
  store db_; ///< after what its queries use
  reactive_replay replay_;
  std::vector<std::unique_ptr<reactive_subscriber>> subscribers_, left_;
};

} // namespace

reactive_history run_reactive_writers(const reactive_options& options) {
  return busy_history{options}.run();
}

} // namespace holdfast::testing
