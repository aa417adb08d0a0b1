#include "tests/store/reactive/reactive_faults.hpp"
#include "tests/store/reactive/reactive_random_writer.hpp"
#include "tests/store/reactive/reactive_replay.hpp"
#include "tests/store/reactive/reactive_subscriber.hpp"

#include <algorithm>
#include <atomic>
#include <deque>
#include <memory>
#include <set>
#include <thread>

namespace holdfast::testing {
namespace {

constexpr std::chrono::seconds patience{20};
constexpr std::size_t commits_of_burst = 40; ///< about, of all writers

bool once_in(reactive_random& random, int n) {
  return random() % static_cast<std::uint64_t>(n) == 0;
}

reactive_moment moment_of(const snapshot& s) { return {s.memory_seq(), s.durable_seq()}; }

class busy_history {
public:
  explicit busy_history(const reactive_options& o)
      : options_{o}, random_{o.seed}, db_{std::move(*store::start(settings()))}, replay_{db_} {}

  reactive_history run() {
    define();
    while (subscribers_.size() < options_.subscribers * 3 / 4 && out_.failures.empty())
      add_subscriber();
    const auto bursts = std::max<std::size_t>(options_.commits / commits_of_burst, 2);
    for (std::size_t i = 0; i < bursts && out_.failures.empty(); ++i) {
      burst();
      if (once_in(random_, 2)) {
        settle();
        clock_.advance(std::chrono::seconds{1});
        replay_.expire(clock_.now());
        if (!once_in(random_, 4))
          burst(once_in(random_, 2));
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
      definitions_.emplace(name, with_endings(random_, plain, ends_));
      buckets_.emplace(name, db_.define(definitions_.at(name)).value());
      replay_.follow(plain.field("ref", integer()), persistent);
    }
    for (auto* name : {"empty", "closed"}) {
      auto plain = random_schema(random_, name, false);
      stand_ins_.emplace(name, db_.define(plain.field("ref", integer())).value());
    }
    (void)db_.drop("closed");
    markers_.push_back(db_.define(marker("last_in_memory").persistent(false)).value());
    if (options_.durable)
      markers_.push_back(db_.define(marker("last_durable")).value());
    replay_.begin(moment_of(db_.snapshot()));
    for (int i = 0; i < 2; ++i)
      filters_.push_back(random_read_filters(random_));
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
    return [this, &q](query_context& in, const object& with) -> result<std::string> {
      auto reads = 0;
      const reactive_view view = [&](const std::string& name) {
        ++reads;
        const bool past = (options_.bug == reactive_bug::unread && name == "one") ||
                          (options_.bug == reactive_bug::torn && reads == 2);
        if (!past && !options_.drops)
          return reactive_reader{in.in(buckets_.at(name))};
        return reader_of(past ? db_.bucket(name) : in.bucket(name));
      };
      return reactive_answer(q, view, with);
    };
  }

  // -- what happens

  /// Quiet: nobody comes and has run anew what was kept up until then.
  void burst(bool quiet = false) {
    const auto each = commits_of_burst / options_.writers;
    std::atomic<unsigned> running{options_.writers};
    std::vector<std::thread> threads;
    for (unsigned t = 0; t < options_.writers; ++t)
      threads.emplace_back([&, seed = random_()] {
        {
          random_writer writer{db_, ends_, seed};
          for (std::size_t i = 0; i < each; ++i)
            writer.write();
        }
        --running;
      });
    do {
      if (!quiet)
        change_subscribers();
      faults_.plant(options_.bug, random_);
      if (options_.crashes && once_in(random_, 4))
        crash();
      if (options_.drops && once_in(random_, 8))
        come_or_go();
    } while (running > 0 && out_.failures.empty());
    for (auto& t : threads)
      t.join();
  }
  /// Of buckets that no other one refers to; and of those in memory, for a definition on disk has a
  /// seq that no event tells of.
  void come_or_go() {
    const std::string name = options_.durable || once_in(random_, 2) ? "two" : "three";
    unsure_.insert(name);
    if (gone_.erase(name) > 0) {
      buckets_.insert_or_assign(name, db_.define(definitions_.at(name)).value());
      return;
    }
    ++out_.drops;
    gone_.insert(name);
    if (auto dropped = db_.drop(name); !dropped || !*dropped)
      out_.failures.push_back(name + ": it cannot be dropped");
  }
  void crash() {
    ++out_.crashes;
    if (once_in(random_, 3))
      faults_.crash_somewhere(random_);
    else if (once_in(random_, 2))
      (void)db_.crash_queries();
    else if (options_.durable && once_in(random_, 3))
      (void)db_.crash_persistence();
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
    add_subscriber();
  }
  void add_subscriber() {
    auto made = std::make_unique<reactive_subscriber>();
    choose(*made, queries_, filters_, subscribers_, random_);
    made->known = "not told";
    groups_.join(*made);
    auto token = subscribe_to(db_, *made, options_.bug, {});
    if (!token) {
      out_.failures.push_back(name_of(*made) + ": " + token.error().to_string());
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
  enum class seen_as { it_was, absent, closed, empty };
  reactive_view as(std::map<std::string, seen_as> how, reactive_view in) const {
    return [this, how = std::move(how), in = std::move(in)](const std::string& name) {
      const auto found = how.find(name);
      if (found == how.end() || found->second == seen_as::it_was)
        return in(name);
      if (found->second == seen_as::absent)
        throw reactive_absence{error{errc::not_found, name + ": it was dropped"}};
      return reactive_reader{stand_ins_.at(found->second == seen_as::closed ? "closed" : "empty")};
    };
  }
  std::map<std::string, seen_as> without_gone() const {
    std::map<std::string, seen_as> out;
    for (auto& name : gone_)
      out.emplace(name, seen_as::absent);
    return out;
  }
  /// All ways in which a moment may have been seen. That a bucket comes, is closed, and is gone
  /// are no moments: a run may come upon each of it, whatever the moment of the run.
  std::vector<reactive_view> views(const reactive_moment& when) const {
    std::vector<std::map<std::string, seen_as>> ways{without_gone()};
    for (auto& name : unsure_)
      for (auto n = ways.size(); n > 0; --n)
        for (auto how : {seen_as::absent, seen_as::closed, seen_as::empty, seen_as::it_was}) {
          ways.push_back(ways[n - 1]);
          ways.back().insert_or_assign(name, how);
        }
    std::vector<reactive_view> out;
    for (auto& base : replay_.at(when))
      for (auto& how : ways)
        out.push_back(as(how, base));
    return out;
  }
  reactive_past past() const {
    return {.outcomes =
                [this](const reactive_subscriber& s, const reactive_moment& when) {
                  std::vector<std::string> out;
                  for (auto& view : views(when))
                    out.push_back(reactive_outcome(*s.of, filtered(view, s.filters), s.with));
                  return out;
                },
            .is_unsure = [this](const reactive_moment&) { return !unsure_.empty(); }};
  }
  void check() {
    const auto last = settle();
    const auto seen = past();
    const auto ends = replay_.at(last);
    if (ends.empty() || !out_.failures.empty())
      return out_.failures.push_back("the end is no moment");
    const auto end = as(without_gone(), ends.back());
    const auto here = as(without_gone(), [this](const std::string& name) {
      return reactive_reader{buckets_.at(name)};
    });
    std::vector<reactive_subscriber*> all;
    for (auto& s : left_) {
      all.push_back(s.get());
      check_told(*s, seen, out_);
    }
    for (auto& s : subscribers_) {
      all.push_back(s.get());
      check_told(*s, seen, out_);
      count_kept_up(*s, db_, out_);
      auto now = reactive_outcome(*s->of, filtered(end, s->filters), s->with);
      if (s->known != now)
        out_.failures.push_back(name_of(*s) + ": it is " + now + " and was told last as " +
                                s->known);
      auto live = reactive_outcome(*s->of, filtered(here, s->filters), s->with);
      if (live != now) // the replay is what the store is
        out_.failures.push_back(name_of(*s) + ": replayed as " + now + " but is " + live);
    }
    groups_.check(all, seen, out_);
    left_.clear();
    unsure_.clear();
    replay_.forget();
  }

  const reactive_options options_;
  const deadlines ends_ = options_.seed % 4 == 0 ? deadlines::none : deadlines::some;
  reactive_history out_;
  reactive_random random_;
  manual_clock clock_;
  std::map<std::string, schema> definitions_;
  std::map<std::string, bucket<>> buckets_;
  std::map<std::string, bucket<>> stand_ins_; ///< an empty one, and one that was dropped
  std::set<std::string> gone_;                ///< buckets that there are not
  std::set<std::string> unsure_;              ///< those that came or went since the last check
  std::vector<bucket<>> markers_;             ///< one in each line
  std::deque<reactive_query> queries_;
  std::vector<read_filters> filters_;
  reactive_faults faults_;
  store db_; ///< after what its queries use
  reactive_replay replay_;
  reactive_groups groups_;
  std::vector<std::unique_ptr<reactive_subscriber>> subscribers_, left_;
};

} // namespace

reactive_history run_reactive_writers(const reactive_options& options) {
  return busy_history{options}.run();
}

} // namespace holdfast::testing
