#include "history.hpp"
#include "history_workloads.hpp"
#include "turn_taking.hpp"

#include <holdfast/store/memory_journal.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <functional>
#include <latch>
#include <mutex>
#include <thread>

namespace holdfast::testing {
namespace {

std::string text_of(const record& r) {
  return r.key().to_string() + ":" + r["n"].to_string() + ":" + r["tag"].to_string() + ":" +
         r["list"].to_string() + ":" + r["parent"].to_string();
}

std::string text_of(const records& list) {
  std::string out;
  for (auto& r : list)
    out += text_of(r) + "\n";
  return out;
}

schema items(const std::string& name) {
  return schema(name)
      .key("id", integer())
      .field("n", integer())
      .field("tag", string().unique())
      .field("list", string())
      .index("n");
}

/// The buckets, and what one thread does with them.
struct bench {
  manual_clock time; ///< if there are deadlines
  store db;
  bucket<> left, right, log;
  bool persistent, deadlines;

  explicit bench(const history_options& o)
      : db{start(o, time)}, left{define(items("left"))}, right{define(right_items(o))},
        log{define(schema("log").key("id", integer()))},
        persistent{o.persistent}, deadlines{o.deadlines} {}

  static schema right_items(const history_options& o) {
    auto parent = integer();
    if (!o.both_lines)
      parent.references("left", on_delete::cascade);
    return items("right").field("parent", parent).persistent(!o.both_lines);
  }

  static store start(const history_options& o, manual_clock& time) {
    store_options options;
    if (o.deadlines) {
      options.ttl_interval = std::chrono::milliseconds{0};
      options.runtime_settings.clock = &time;
    }
    options.restart_budget = 1'000'000;
    options.runtime_settings.deterministic = o.deterministic;
    if (o.persistent) {
      options.journal = memory_journal(std::make_shared<memory_disk>());
      options.durability = durability::group;
    }
    auto made = std::move(*store::start(std::move(options)));
    made.runtime_in_use().log().redirect(nullptr, log_level::off);
    return made;
  }
  bucket<> define(const schema& s) { return std::move(*db.define(s)); }
  std::int64_t now() const { return deadlines ? time.now().time_since_epoch().count() : 0; }
  /// Of the one line that has commits, or that counts.
  sequence published() const {
    auto now = db.snapshot();
    return persistent ? now.durable_seq() : now.memory_seq();
  }
};

/// Does steps in one transaction and keeps what they gave.
class actor_of_steps {
public:
  actor_of_steps(bench& on, transaction& tx, planted_bug bug, const std::function<void()>& between)
      : left_{tx.in(on.left)}, right_{tx.in(on.right)}, bug_{bug}, between_{between},
        began_{on.now()}, then_{on.db.snapshot()}, past_left_{on.left.at(then_)},
        past_right_{on.right.at(then_)} {}

  std::string operator()(step s) {
    between_();
    auto& b = s.right ? right_ : left_;
    auto& past = s.right ? past_right_ : past_left_;
    if (auto lasts = 1 + (s.key + s.number) % 8; began_ != 0 && s.right && lasts < 6)
      s.ends = began_ + 1000 * lasts; // of what is inserted or touched
    s.gave = run(s, b, past);
    steps.push_back(s);
    return s.gave;
  }
  std::vector<step> steps;

private:
  std::string run(const step& s, bucket<>& b, bucket<>& past) {
    using what = step::what;
    switch (s.kind) {
    case what::get: {
      auto r = (bug_ == planted_bug::unread_keys ? past : b).get(s.key).get();
      return r ? text_of(*r) : "-";
    }
    case what::insert: {
      object fields{{"id", s.key}, {"n", s.number}};
      if (s.parent)
        fields.set("parent", *s.parent);
      return outcome(b.insert(fields, lasting(s)).get());
    }
    case what::touch:
      return outcome(b.touch(s.key, lasting(s)).get());
    case what::set_number:
      return outcome(b.update(s.key, {{"n", s.number}}).get());
    case what::set_tag:
      return outcome(s.text.empty() ? b.update(s.key, {{"tag", nullptr}}).get()
                                    : b.update(s.key, {{"tag", s.text}}).get());
    case what::append: {
      auto old = b.get(s.key).get();
      if (!old)
        return "not_found";
      auto list =
          (*old)["list"].is_null() ? std::string{} : std::string{(*old)["list"].as_string()};
      return outcome(b.update(s.key, {{"list", list + s.text}}).get());
    }
    case what::erase:
      return outcome(b.erase(s.key).get());
    case what::count: {
      auto& from = bug_ == planted_bug::unread_counts ? past : b;
      return std::to_string(
          from.count(filter::between("n", value{s.key}, value{s.number})).get().value_or(0));
    }
    case what::lowest: {
      auto& from = bug_ == planted_bug::unread_orders ? past : b;
      return text_of(*from.everything().order_by("n").first(s.key).get());
    }
    }
    return {};
  }
  static write_options lasting(const step& s) {
    return s.ends == 0 ? write_options{.never_expires = true}
                       : write_options{.expires_at = timestamp{std::chrono::microseconds{s.ends}}};
  }
  static std::string outcome(const result<record>& r) {
    return r ? "ok" : std::string{to_string(r.error().code())};
  }

  bucket<> left_, right_;
  planted_bug bug_;
  const std::function<void()>& between_;
  std::int64_t began_;
  snapshot then_;
  bucket<> past_left_, past_right_;
};

/// A write without a transaction; false if it came to nothing.
bool plain_write(bench& on, const history_options& options, unsigned thread, std::uint64_t seed,
                 done_transaction& done) {
  step s{step::what::set_number,
         thread % 2 == 0 && !options.both_lines,
         static_cast<std::int64_t>(seed % key_count),
         static_cast<std::int64_t>(seed % 97),
         {}};
  auto wrote = (s.right ? on.right : on.left).update(s.key, {{"n", s.number}}).get();
  if (!wrote)
    return false;
  s.gave = "ok";
  done.seq = wrote->block()->birth.load();
  done.at = on.now();
  done.steps.push_back(s);
  return true;
}

/// The log record tells the commit of a transaction. `between` is called before each step.
void run_thread(bench& on, const history_options& options, unsigned thread,
                const std::function<void()>& between, history& out, std::mutex& guard) {
  std::mt19937_64 random{options.seed * 1000 + thread};
  history mine;
  transact_options how{
      .retries = 1, .exclusive_retries = 1000, .timeout = std::chrono::seconds{60}};
  if (options.interleaved) // who is not on turn cannot give way
    how = {.retries = 1000, .exclusive_retries = 0, .timeout = how.timeout};
  for (std::size_t i = 0; i < options.transactions; ++i) {
    done_transaction done;
    done.id = static_cast<std::int64_t>(thread) * 1'000'000'000 + static_cast<std::int64_t>(i) + 1;
    const auto seed = random();
    between();
    if (i % 8 == 7) {
      if (plain_write(on, options, thread, seed, done))
        mine.all.push_back(std::move(done));
      continue;
    }
    done.first = on.published();
    int attempts = 0;
    auto ran = on.db.transact(
        [&](transaction& tx) -> result<std::vector<step>> {
          ++attempts;
          if (options.interleaved) // nothing else has run since this attempt's snapshot
            done.first = on.published();
          done.at = on.now();
          std::mt19937_64 same{seed};
          actor_of_steps steps{on, tx, options.bug, between};
          random_work(
              done.id, options.both_lines ? linking::absent : linking::present, options.deadlines,
              [&](step s) { return steps(std::move(s)); },
              [&](std::uint64_t n) { return same() % n; });
          auto writes = std::ranges::any_of(
              steps.steps, [](auto& s) { return s.gave == "ok" && s.kind != step::what::get; });
          if (writes)
            if (auto logged = tx.in(on.log).insert({{"id", done.id}}).get(); !logged)
              return fail(logged.error());
          return steps.steps;
        },
        how);
    done.last = on.published();
    mine.conflicts += static_cast<std::size_t>(attempts - 1);
    if (!ran) {
      mine.failures.push_back(ran.error().to_string());
      continue;
    }
    done.steps = std::move(*ran);
    if (auto logged = on.log.get(done.id).get()) {
      done.seq = logged->block()->birth.load();
      done.at = on.now(); // nothing else has run since the commit
    } else if (options.deadlines) {
      done.last = done.first; // it read at one moment, which is known
    }
    mine.all.push_back(std::move(done));
  }
  std::lock_guard lock{guard};
  std::ranges::move(mine.all, std::back_inserter(out.all));
  std::ranges::move(mine.failures, std::back_inserter(out.failures));
  out.conflicts += mine.conflicts;
}

/// A record in both buckets, by one commit.
void begin_with(bench& on, const first_item& each, history& out) {
  auto both = on.db.transact([&](transaction& tx) -> result<void> {
    const object item{{"id", each.key}, {"n", each.number}};
    auto left = tx.in(on.left).insert(item).get(), right = tx.in(on.right).insert(item).get();
    return left && right ? result<void>{} : fail((left ? right : left).error());
  });
  if (!both)
    out.failures.push_back(both.error().to_string());
  done_transaction first{0, on.left.get(each.key).get()->block()->birth.load(), 0, 0, {}};
  for (bool right : {false, true})
    first.steps.push_back({step::what::insert, right, each.key, each.number, {}, {}, "ok"});
  out.all.push_back(std::move(first));
}

} // namespace

history run_history(const history_options& options) {
  bench on{options};
  history out;
  for (auto& each : first_items())
    begin_with(on, each, out);
  auto crash = [&](std::size_t which) {
    constexpr std::array names{"left", "right", "log"};
    (void)on.db.crash(names[which % names.size()]);
  };
  turn_taking turns{options.threads, options.seed};
  auto between = [&](unsigned thread) {
    if (!options.interleaved)
      return;
    turns.pass(thread);
    if (auto drawn = turns.draw(); options.crashes && drawn % 32 == 0)
      crash(drawn / 32);
    if (auto drawn = options.deadlines ? turns.draw() % 16 : 15; drawn < 4)
      on.time.advance(std::chrono::milliseconds{1});
    else if (drawn == 4)
      (void)on.db.purge();
    while (options.deterministic && turns.draw() % 2 == 0 && on.db.runtime_in_use().run_one()) {
    }
  };
  std::mutex guard;
  std::atomic<unsigned> running{options.threads};
  std::latch begin{options.threads};
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < options.threads; ++t)
    threads.emplace_back([&, t] {
      begin.arrive_and_wait();
      if (options.interleaved)
        turns.enter(t);
      run_thread(
          on, options, t + 1, [&, t] { between(t); }, out, guard);
      if (options.interleaved)
        turns.leave(t);
      --running;
    });
  for (std::size_t n = 0; options.crashes && !options.interleaved && running > 0; ++n)
    crash(n);
  for (auto& t : threads)
    t.join();
  out.at = on.now();
  out.left = text_of(*on.left.all().get());
  out.right = text_of(*on.right.all().get());
  return out;
}

} // namespace holdfast::testing
