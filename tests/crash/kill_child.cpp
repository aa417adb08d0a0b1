// The program that a kill test starts and kills: opens a store and writes until it dies.
#include "kill_buckets.hpp"
#include "kill_options.hpp"
#include "kill_trace.hpp"
#include "planted_journal.hpp"

#include <holdfast/runtime/fault.hpp>
#include <holdfast/store/store.hpp>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <future>
#include <mutex>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <thread>
#include <unistd.h>

namespace holdfast::testing {
namespace {

class child {
public:
  explicit child(kill_orders orders) : orders_{std::move(orders)} {
    auto* memory =
        ::mmap(nullptr, sizeof(kill_log), PROT_READ | PROT_WRITE, MAP_SHARED, orders_.log, 0);
    if (memory == MAP_FAILED)
      std::abort();
    log_ = static_cast<kill_log*>(memory);
  }

  void run() {
    say(kill_word::opening);
    store_options options;
    options.journal = std::make_unique<planted_journal>(
        rocksdb({.directory = orders_.directory, .max_wal_bytes = std::size_t{1} << 20}),
        orders_.bug);
    options.durability = orders_.level_of(0);
    auto db = demand(store::start(std::move(options)));
    demand(kill_buckets::define(db));
    buckets_.emplace(db);
    if (orders_.target == 0) {
      say(kill_word::running);
      for (;;)
        ::pause();
    }
    demand(buckets_->prepare());
    log_->base.store(db.snapshot().durable_seq());
    auto trace = follow(db);
    say(kill_word::running);
    std::vector<std::thread> lanes;
    for (unsigned i = 0; i < kill_log::lanes; ++i)
      lanes.emplace_back([this, i, &db] { run_lane(i, db); });
    for (auto& t : lanes)
      t.join();
    say(kill_word::full);
    for (;;)
      ::pause();
  }

private:
  void say(kill_word word) {
    auto c = static_cast<char>(word);
    if (::write(orders_.pipe, &c, 1) != 1)
      std::abort();
  }

  [[noreturn]] void give_up(const std::string& why) {
    std::snprintf(log_->failure.data(), log_->failure.size(), "%s", why.c_str());
    std::_Exit(3);
  }
  template <class T>
  T demand(result<T> r) {
    if (!r)
      give_up(r.error().to_string());
    if constexpr (!std::is_void_v<T>)
      return std::move(*r);
  }

  /// Writes down the commit order as the feed tells it.
  subscription follow(store& db) {
    if (!orders_.traced)
      return {};
    auto trace = std::make_shared<kill_trace>(*log_, orders_.done);
    subscriber_options options;
    options.limit = std::size_t{1} << 17;
    options.on_gap = [this](std::uint64_t n) {
      give_up("the feed left out " + std::to_string(n) + " changes");
    };
    auto hear = [this, trace](const change& c) {
      if (auto wrong = trace->hear(c))
        give_up(*wrong);
    };
    return demand(db.on("bucket.**", hear, std::move(options)));
  }

  kill_log::step& entry(unsigned lane, std::int64_t n) {
    return log_->steps[lane][static_cast<std::size_t>(n - orders_.done[lane] - 1)];
  }
  void attempt(unsigned lane, std::int64_t n) { entry(lane, n).attempted.store(log_->ticket()); }
  void acknowledge(unsigned lane, std::int64_t n, std::int64_t number) {
    auto& e = entry(lane, n);
    e.number.store(number);
    e.acknowledged.store(log_->ticket());
    if (log_->acknowledged.fetch_add(1) + 1 != orders_.target)
      return;
    if (!orders_.fault.empty())
      fault_.emplace(orders_.fault, orders_.skip, [] { ::kill(::getpid(), SIGKILL); });
    say(kill_word::target_reached);
  }

  void replay(lane_model& model, unsigned lane) {
    while (model.done() < orders_.done[lane])
      model.apply(model.next());
    for (auto ticket : {false, true}) {
      std::map<std::int64_t, std::int64_t> numbers;
      demand(
          buckets_->events(ticket)
              .where(filter::compare("owner", filter::kind::eq, lane))
              .visit([&](const record_view& r) { numbers[r["n"].as_int()] = r.key().as_int(); }));
      for (auto& e : model.events(ticket))
        e.number = numbers.at(e.n);
    }
  }

  void run_lane(unsigned lane, store& db) {
    lane_model model{orders_.seed, lane, kill_orders::is_pipelined(lane)};
    replay(model, lane);
    auto level = orders_.level_of(lane);
    auto last = orders_.done[lane] + static_cast<std::int64_t>(kill_log::capacity);
    if (kill_orders::is_pipelined(lane))
      return run_pipelined(model, lane, level, last);
    while (model.done() < last) {
      auto s = model.next();
      attempt(lane, s.n);
      if (orders_.bug == planted::early_answer)
        acknowledge(lane, s.n, 0);
      auto number = demand(buckets_->start(s, model, level).get());
      if (orders_.bug == planted::early_answer)
        entry(lane, s.n).number.store(number);
      else
        acknowledge(lane, s.n, number);
      model.apply(s, number);
      if (lane == 1 && s.n % 64 == 0) {
        auto ticket = log_->ticket();
        demand(db.sync());
        log_->barrier.store(ticket);
      }
    }
  }

  /// Several unwaited steps at a time; one bucket keeps their order.
  void run_pipelined(lane_model& model, unsigned lane, durability level, std::int64_t last) {
    constexpr std::size_t window = 16;
    std::deque<std::pair<std::int64_t, std::future<result<std::int64_t>>>> flying;
    while (model.done() < last) {
      auto s = model.next();
      attempt(lane, s.n);
      flying.emplace_back(s.n, buckets_->start(s, model, level).as_future());
      model.apply(s);
      if (flying.size() < window)
        continue;
      demand(flying.front().second.get());
      acknowledge(lane, flying.front().first, 0);
      flying.pop_front();
    }
  }

  kill_orders orders_;
  kill_log* log_ = nullptr;
  std::optional<fault> fault_;
  std::optional<kill_buckets> buckets_;
};

} // namespace
} // namespace holdfast::testing

int main(int argc, char** argv) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (argc < 11 + static_cast<int>(holdfast::testing::kill_log::lanes))
    return 2;
  holdfast::testing::child{holdfast::testing::kill_orders::from_arguments(argv + 1)}.run();
}
