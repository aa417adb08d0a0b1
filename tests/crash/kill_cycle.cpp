#include "kill_cycle.hpp"

#include "kill_buckets.hpp"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <poll.h>
#include <spawn.h>
#include <stdexcept>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

namespace holdfast::testing {

namespace {

/// The same directory is taken up so many times.
constexpr unsigned cycles_per_directory = 5;
constexpr std::uint64_t least_acknowledgements = 1000;
constexpr int patience_ms = 60'000;

/// Where a child kills itself in some cycles; which of the last two it reaches depends on the
/// level.
constexpr const char* deadly_points[] = {
    "persistence.taken", "persistence.written", "persistence.published", "bucket.started",
    "bucket.applied",    "bucket.sealing",      "bucket.queued",         "bucket.published"};

/// A child process and the pipe on which it speaks; killed at the end at the latest.
class process {
public:
  explicit process(kill_orders orders) {
    int ends[2];
    if (::pipe(ends) != 0)
      throw std::runtime_error("pipe failed");
    pipe_ = ends[0];
    orders.pipe = ends[1];
    std::vector<std::string> words{HOLDFAST_KILL_CHILD};
    for (auto& w : orders.to_arguments())
      words.push_back(w);
    std::vector<char*> argv;
    for (auto& w : words)
      argv.push_back(w.data());
    argv.push_back(nullptr);
    auto failed = ::posix_spawn(&id_, argv[0], nullptr, nullptr, argv.data(), environ);
    ::close(ends[1]);
    if (failed != 0)
      throw std::runtime_error(words[0] + ": " + std::strerror(failed));
  }
  process(const process&) = delete;
  process& operator=(const process&) = delete;
  ~process() {
    kill();
    ::close(pipe_);
  }

  /// Waits for a word; false if the child died without saying it.
  bool hear(kill_word word) {
    for (;;) {
      char c = 0;
      if (!wait(patience_ms))
        throw std::runtime_error("the child said nothing for a minute");
      if (::read(pipe_, &c, 1) != 1)
        return false;
      if (c == static_cast<char>(word))
        return true;
    }
  }
  /// Lets it go on for a while, or until it ends.
  void let_run(std::uint64_t microseconds) {
    timespec time{0, static_cast<long>(microseconds) * 1000};
    pollfd end{pipe_, 0, 0};
    (void)::ppoll(&end, 1, &time, nullptr);
  }
  /// Waits until it ends by itself, or has nothing to do.
  void let_end() { (void)hear(kill_word::full); }
  /// Kills it if it is still there; how it ended, as `waitpid` says.
  int kill() {
    if (id_ > 0) {
      ::kill(id_, SIGKILL);
      ::waitpid(id_, &status_, 0);
      id_ = -1;
    }
    return status_;
  }

private:
  bool wait(int ms) {
    pollfd readable{pipe_, POLLIN, 0};
    int n = 0;
    while ((n = ::poll(&readable, 1, ms)) < 0 && errno == EINTR) {
    }
    return n > 0;
  }

  pid_t id_ = -1;
  int pipe_ = -1;
  int status_ = 0;
};

} // namespace

/// A `kill_log` that both processes see.
struct kill_cycles::shared_log {
  shared_log() : file{::memfd_create("kill_log", 0)} {
    if (file < 0 || ::ftruncate(file, sizeof(kill_log)) != 0)
      throw std::runtime_error("no shared memory");
    memory = ::mmap(nullptr, sizeof(kill_log), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (memory == MAP_FAILED)
      throw std::runtime_error("no shared memory");
  }
  shared_log(const shared_log&) = delete;
  shared_log& operator=(const shared_log&) = delete;
  ~shared_log() {
    ::munmap(memory, sizeof(kill_log));
    ::close(file);
  }
  kill_log& content() { return *static_cast<kill_log*>(memory); }

  int file;
  void* memory = nullptr;
};

kill_cycles::kill_cycles(std::uint64_t seed, int level, planted bug)
    : random_{seed}, level_{level}, bug_{bug} {}

void kill_cycles::begin_directory() {
  directory_ = std::make_unique<temporary_directory>();
  directory_seed_ = random_();
  checker_ = std::make_unique<kill_checker>(directory_seed_);
  cycles_here_ = 0;
}

kill_orders kill_cycles::new_orders() {
  kill_orders orders;
  orders.directory = *directory_ / "data";
  orders.level = level_;
  orders.bug = bug_;
  orders.seed = directory_seed_;
  orders.done = checker_->done();
  return orders;
}

void kill_cycles::kill_while_opening() {
  shared_log log;
  auto orders = new_orders();
  orders.log = log.file;
  process child{orders};
  if (child.hear(kill_word::opening))
    child.let_run(roll(40'000));
}

std::vector<std::string> kill_cycles::next() {
  if (!directory_ || cycles_here_++ == cycles_per_directory)
    begin_directory();
  if (bug_ == planted::nothing)
    for (auto n = roll(3); n > 1; --n)
      kill_while_opening();
  shared_log log;
  auto orders = new_orders();
  orders.log = log.file;
  // Now and then nobody follows the feed, so that commits make nothing for it.
  orders.traced = bug_ != planted::nothing || roll(4) != 0;
  orders.target = least_acknowledgements + roll(1000);
  if (roll(3) == 0) {
    constexpr auto last = std::size(deadly_points) - 1;
    auto at = roll(last);
    orders.fault = deadly_points[level_ == 2 && at + 1 == last ? last : at];
    orders.skip = roll(20);
  }
  auto wrong = run_and_kill(orders, log);
  if (!wrong.empty())
    directory_.reset();
  return wrong;
}

std::vector<std::string> kill_cycles::run_and_kill(const kill_orders& orders, shared_log& log) {
  auto& told = log.content();
  {
    process child{orders};
    if (child.hear(kill_word::target_reached)) {
      if (orders.fault.empty())
        child.let_run(roll(4) * roll(1000));
      else
        child.let_end();
    }
    auto status = child.kill();
    if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
      return {"the child ended by itself, status " + std::to_string(status) + ": " +
              told.failure.data()};
  }
  acknowledged_ += told.acknowledged.load();
  least_ = std::min(least_, told.acknowledged.load());
  store_options options;
  options.journal = rocksdb({.directory = orders.directory});
  options.durability = durability::sync;
  auto db = store::start(std::move(options));
  if (!db)
    return {"the store does not open: " + db.error().to_string()};
  if (auto defined = kill_buckets::define(*db); !defined)
    return {defined.error().to_string()};
  auto wrong = checker_->check(*db, db->restored().last, told, orders);
  if (auto stopped = db->stop(); !stopped)
    wrong.push_back("stop: " + stopped.error().to_string());
  return wrong;
}

} // namespace holdfast::testing
