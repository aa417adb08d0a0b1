#include "tests/store/reactive/reactive_history.hpp"

#include "tests/store/reactive/reactive_queries.hpp"

#include <holdfast/runtime/fault.hpp>
#include <holdfast/store/memory_journal.hpp>

#include <deque>
#include <mutex>
#include <thread>
#include <utility>

namespace holdfast::testing {
namespace {

using moment = std::pair<sequence, sequence>; ///< in memory, durable

/// One subscription and what came of it.
struct subscriber {
  const reactive_query* of;
  object with;
  std::string known; ///< how it stood last, as far as it was told, or when it began
  moment at;         ///< of that
  bool told = false;

  struct value {
    moment at;
    std::string text;
  };
  std::mutex mutex;
  std::deque<value> waiting; ///< not checked yet
  std::string fault;         ///< found by the handler itself
  std::size_t received = 0;
  subscription token; ///< last, so that it ends first
};

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
    store_options out;
    out.restart_period = std::chrono::milliseconds{1}; // as many crashes as are asked for
    out.runtime_settings.deterministic = options_.deterministic;
    if (options_.durable)
      out.journal = memory_journal();
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
    auto made = std::make_unique<subscriber>();
    made->of = &q;
    if (!q.parameter.empty())
      made->with.set(q.parameter, static_cast<std::int64_t>(random_() % 6));
    auto& newest = *snapshots_.rbegin();
    made->known = reactive_outcome(q, at(newest.second), made->with);
    made->at = newest.first;
    const bool skip = one_in(3);
    auto token = db_.subscribe(q.name, made->with, handler(*made), {.skip_initial = skip});
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
  static void await_first(subscriber& s) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds{20};
    auto told = [&] {
      const std::lock_guard lock{s.mutex};
      return s.received > 0;
    };
    while (s.known == "not told" && !told() && std::chrono::steady_clock::now() < until)
      std::this_thread::yield();
  }
  std::function<void(const query_update&)> handler(subscriber& to) {
    return [this, &to](const query_update& now) {
      const std::lock_guard lock{to.mutex};
      ++to.received;
      if (options_.bug == reactive_bug::lost && to.received % 3 == 0)
        return;
      subscriber::value v{{now.memory_seq, now.durable_seq}, reactive_outcome(now.outcome)};
      if (options_.bug == reactive_bug::stale && to.received % 3 == 0)
        v.text = to.waiting.empty() ? "" : to.waiting.back().text;
      if (options_.bug == reactive_bug::backwards && to.received == 4 && !to.waiting.empty())
        v = to.waiting.front();
      if (auto wrong = wrong_changes(now))
        to.fault = *wrong;
      to.waiting.push_back(std::move(v));
      if (to.received % 5 == 0)
        throw std::runtime_error{"a handler may throw"};
    };
  }
  /// Whether the changes of a list lead from the one to the other.
  static std::optional<std::string> wrong_changes(const query_update& now) {
    auto* list = now.outcome ? now.outcome->if_a<query_list>() : nullptr;
    if (!list)
      return std::nullopt;
    auto* before = now.before ? now.before->if_a<query_list>() : nullptr;
    const auto changes = now.changes();
    std::vector<value> keys;
    for (std::size_t i = 0; before && i < before->items.size(); ++i) {
      auto is = [&](auto& s) { return s.before == i; };
      if (std::ranges::find(changes.removed, i) == changes.removed.end() &&
          std::ranges::none_of(changes.moved, is))
        keys.push_back(before->items[i].key().materialize());
    }
    std::map<std::size_t, value> put; // in order of place
    for (auto j : changes.added)
      put.emplace(j, list->items.at(j).key().materialize());
    for (auto& step : changes.moved)
      put.emplace(step.after, before->items.at(step.before).key().materialize());
    for (auto& [place, key] : put)
      keys.insert(keys.begin() + static_cast<std::ptrdiff_t>(std::min(place, keys.size())), key);
    for (std::size_t j = 0; j < list->items.size(); ++j)
      if (keys.size() != list->items.size() || keys[j] != list->items[j].key())
        return "the changes of a list do not lead from one value to the next";
    return std::nullopt;
  }

  // -- what is checked

  void remember() {
    auto now = db_.snapshot();
    snapshots_.insert_or_assign(moment{now.memory_seq(), now.durable_seq()}, now);
  }
  void complain(const subscriber& s, const std::string& what) {
    out_.failures.push_back(s.of->name + value{s.with}.to_string() + ": " + what);
  }
  std::string story(const subscriber& s) const {
    auto why = db_.why(s.of->name, s.with);
    if (!why)
      return ", " + why.error().to_string();
    return ", run " + std::to_string(why->runs) + " times, at last for " +
           (why->last ? why->last->to_string() : "nothing");
  }
  void check_values(subscriber& s) {
    std::deque<subscriber::value> values;
    {
      const std::lock_guard lock{s.mutex};
      values.swap(s.waiting);
      if (!s.fault.empty())
        complain(s, s.fault);
    }
    for (auto& v : values) {
      ++out_.values;
      out_.errors += v.text.starts_with("failed with") ? 1 : 0;
      auto when = snapshots_.find(v.at);
      auto place = std::to_string(v.at.first) + "/" + std::to_string(v.at.second);
      if (when == snapshots_.end()) {
        complain(s, "a value of " + place + ", which was no moment");
        continue;
      }
      auto fresh = reactive_outcome(*s.of, at(when->second), s.with);
      if (fresh != v.text)
        complain(s, "told " + v.text + " at " + place + ", where it is " + fresh);
      if (s.told && !(s.at.first <= v.at.first && s.at.second <= v.at.second && s.at != v.at))
        complain(s, "the seqs do not increase at " + place);
      if (v.text == s.known)
        complain(s, "told the same again at " + place + ": " + v.text);
      s.at = v.at;
      s.known = std::move(v.text);
      s.told = true;
    }
  }
  void check() {
    if (auto settled = db_.settle(std::chrono::seconds{20}); !settled)
      out_.failures.push_back(settled.error().to_string());
    auto newest = *snapshots_.rbegin();
    for (auto& s : subscribers_) {
      check_values(*s);
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
  store db_;                             ///< after what its queries use
  std::map<moment, snapshot> snapshots_; ///< each moment there was since the last check
  std::vector<std::unique_ptr<subscriber>> subscribers_;
  std::optional<fault> fault_;
  int fields_ = 0;
};

} // namespace

reactive_history run_reactive(const reactive_options& options) { return history{options}.run(); }

} // namespace holdfast::testing
