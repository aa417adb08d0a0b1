#include "history.hpp"
#include "history_bench.hpp"
#include "history_steps.hpp"
#include "history_trouble.hpp"
#include "history_workloads.hpp"
#include "turn_taking.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <functional>
#include <latch>
#include <mutex>
#include <thread>

namespace holdfast::testing {
namespace {

/// What one thread of a history does.
class thread_at_work {
public:
  thread_at_work(bench& on, const history_options& options, unsigned thread,
                 std::atomic<std::uint64_t>& events, const std::function<void()>& between)
      : on_{on}, options_{options}, thread_{thread}, events_{events}, between_{between},
        random_{options.seed * 1000 + thread} {}

  history run() {
    for (std::size_t i = 0; i < options_.transactions; ++i) {
      done_transaction done;
      done.id =
          static_cast<std::int64_t>(thread_) * 1'000'000'000 + static_cast<std::int64_t>(i) + 1;
      const auto seed = random_();
      between_();
      done.began = ++events_;
      done.first = on_.published();
      const bool known = i % 8 == 7   ? write(seed, done)
                         : i % 8 == 3 ? look(seed, done)
                                      : transact(seed, done);
      done.ended = ++events_;
      if (known)
        mine_.all.push_back(std::move(done));
    }
    return std::move(mine_);
  }

private:
  bool write(std::uint64_t seed, done_transaction& done) {
    done.at = on_.now();
    const bool known = plain_write(on_, thread_, seed, done, mine_.failures);
    done.seen = done.last = on_.published();
    return known;
  }
  bool look(std::uint64_t seed, done_transaction& done) {
    plain_look(on_, seed, between_, done);
    done.last = on_.published();
    return true;
  }
  transact_options how(std::uint64_t seed) const {
    transact_options out{
        .retries = 1, .exclusive_retries = 1000, .timeout = std::chrono::seconds{60}};
    if (options_.interleaved) { // who is not on turn cannot give way
      out.retries = 1000;
      out.exclusive_retries = 0;
    }
    constexpr std::array levels{durability::group, durability::sync, durability::async};
    if (options_.persistent)
      out.durability = levels[seed / 3 % levels.size()];
    return out;
  }
  bool transact(std::uint64_t seed, done_transaction& done) {
    int attempts = 0;
    moment before = done.first;
    auto ran = on_.db.transact(
        [&](transaction& tx) -> result<void> {
          ++attempts;
          done.seen = on_.published();
          // An interleaved attempt has had its snapshot on its thread's turn, and nothing else.
          done.first = options_.interleaved ? done.seen : before;
          done.at = on_.now();
          auto outcome = attempt(tx, seed, done);
          before = on_.published();
          return outcome;
        },
        how(seed));
    done.last = on_.published();
    mine_.conflicts += static_cast<std::size_t>(attempts - 1);
    if (ran) {
      done.commit = on_.commit_of(done.id);
      if (done.wrote())
        done.at = on_.now(); // on an interleaved thread nothing else has run since the commit
      return true;
    }
    done.refused = ran.error() == errc::duplicate;
    if (!done.refused && !(options_.crashes && ran.error() == errc::bucket_crashed))
      mine_.failures.push_back(ran.error().to_string());
    if (!done.refused)
      mine_.cut_off.push_back(done);
    return done.refused;
  }
  /// What it writes to a line is noted there.
  result<void> attempt(transaction& tx, std::uint64_t seed, done_transaction& done) {
    std::mt19937_64 same{seed};
    actor_of_steps steps{on_, tx, options_.bug, between_};
    random_work(
        done.id, options_.both_lines ? linking::absent : linking::present, options_.deadlines,
        [&](step s) { return steps(std::move(s)); }, [&](std::uint64_t n) { return same() % n; });
    done.steps = std::move(steps.steps);
    const bucket<>* noted = nullptr;
    for (bool right : {false, true}) {
      auto& log = on_.log_of(right);
      if (!wrote(done, right) || noted == &log)
        continue;
      if (auto logged = tx.in(log).insert({{"id", done.id}}).get(); !logged)
        return fail(logged.error());
      noted = &log;
    }
    return {};
  }
  static bool wrote(const done_transaction& t, bool right) {
    return std::ranges::any_of(t.steps, [&](auto& s) {
      return s.right == right && s.gave == "ok" && s.kind != step::what::get;
    });
  }

  bench& on_;
  const history_options& options_;
  const unsigned thread_;
  std::atomic<std::uint64_t>& events_;
  const std::function<void()>& between_;
  std::mt19937_64 random_;
  history mine_;
};

/// A record in both buckets, by one commit.
void begin_with(bench& on, const first_item& each, history& out) {
  done_transaction first;
  first.first = first.seen = on.published();
  auto both = on.db.transact([&](transaction& tx) -> result<void> {
    const object item{{"id", each.key}, {"n", each.number}};
    auto left = tx.in(on.left).insert(item).get(), right = tx.in(on.right).insert(item).get();
    return left && right ? result<void>{} : fail((left ? right : left).error());
  });
  if (!both)
    out.failures.push_back(both.error().to_string());
  for (bool right : {false, true}) {
    auto& in = right ? on.right : on.left;
    const auto place = on.place(right, in.get(each.key).get()->block()->birth.load());
    first.commit = {std::max(first.commit.memory, place.memory),
                    std::max(first.commit.durable, place.durable)};
    first.steps.push_back({step::what::insert, right, each.key, each.number, {}, {}, "ok"});
  }
  first.last = on.published();
  out.all.push_back(std::move(first));
}

void add(history&& from, history& to) {
  std::ranges::move(from.all, std::back_inserter(to.all));
  std::ranges::move(from.failures, std::back_inserter(to.failures));
  std::ranges::move(from.cut_off, std::back_inserter(to.cut_off));
  to.conflicts += from.conflicts;
}

} // namespace

history run_history(const history_options& options) {
  bench on{options};
  history out;
  for (bool right : {false, true})
    out.durable[right] = on.durable(right);
  for (auto& each : first_items())
    begin_with(on, each, out);
  std::optional<trouble> outside{std::in_place, on, options};
  turn_taking turns{options.threads, options.seed};
  auto between = [&](unsigned thread) {
    if (!options.interleaved)
      return;
    turns.pass(thread);
    outside->maybe([&] { return turns.draw(); });
    if (auto drawn = options.deadlines ? turns.draw() % 16 : 15; drawn < 4)
      on.time.advance(std::chrono::milliseconds{1});
    else if (drawn == 4)
      (void)on.db.purge();
    while (options.deterministic && turns.draw() % 2 == 0 && on.db.runtime_in_use().run_one()) {
    }
  };
  std::mutex guard;
  std::atomic<unsigned> running{options.threads};
  std::atomic<std::uint64_t> events{0};
  std::latch begin{options.threads};
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < options.threads; ++t)
    threads.emplace_back([&, t] {
      begin.arrive_and_wait();
      if (options.interleaved)
        turns.enter(t);
      const std::function<void()> before_steps = [&, t] { between(t); };
      auto mine = thread_at_work{on, options, t + 1, events, before_steps}.run();
      if (options.interleaved)
        turns.leave(t);
      const std::lock_guard lock{guard};
      add(std::move(mine), out);
      --running;
    });
  if (!options.interleaved)
    outside->go_on_while(running);
  for (auto& t : threads)
    t.join();
  outside.reset();
  for (auto& t : out.cut_off)
    if (const auto at = on.commit_of(t.id); at != moment{})
      out.failures.push_back("transaction " + std::to_string(t.id) +
                             " was told of a crash and is commit " + std::to_string(at.memory) +
                             "/" + std::to_string(at.durable));
  out.at = on.now();
  out.left = text_of(*on.left.all().get());
  out.right = text_of(*on.right.all().get());
  return out;
}

} // namespace holdfast::testing
