#include <holdfast/store/detail/pipeline.hpp>

#include <holdfast/runtime/fault.hpp>

#include <algorithm>

namespace holdfast::detail {

namespace {

/// The line in memory, if one of the commits has a part there.
commit_line* line_in_memory(const commit_queue& of) noexcept {
  commit_line* found = nullptr;
  of.for_each([&](const sealed_commit& c) {
    if (c.also_in)
      found = c.also_in;
  });
  return found;
}

/// So many commits are company enough to write.
constexpr std::size_t company = 512;

bool wants_sync(durability level) noexcept {
  return level == durability::sync || level == durability::group;
}

} // namespace

pipeline::pipeline(commit_line& line, journal& to, pipeline_options options,
                   std::function<void(std::string)> crashed)
    : line_{line}, journal_{to}, options_{options}, crashed_{std::move(crashed)},
      durable_{line.published()}, written_{line.published()} {
  if (options_.read_only) {
    refusal_ = only_reads_;
    failure_settled_ = true;
    failed_.store(true, std::memory_order_release);
  }
  writer_ = std::thread{[this] { loop(); }};
}

pipeline::~pipeline() { stop(); }

bool pipeline::wants_waking(const sealed_commit& c) noexcept {
  backlog_bytes_.fetch_add(c.byte_count(), std::memory_order_relaxed);
  backlog_commits_.fetch_add(1, std::memory_order_relaxed);
  switch (sleeping_.load(std::memory_order_seq_cst)) {
  case sleep::no:
    return false;
  case sleep::for_anything:
    return true;
  case sleep::for_company:
    return delay_of(c.level) < gathering_ || queue_.size() >= company;
  }
  return true;
}

void pipeline::wake_writer() {
  {
    std::lock_guard lock{mutex_};
    sleeping_.store(sleep::no, std::memory_order_relaxed);
  }
  wake_.notify_one();
}

// -- what callers ask

std::optional<error> pipeline::refusal() const {
  if (failed_.load(std::memory_order_acquire)) {
    std::lock_guard lock{mutex_};
    return refusal_;
  }
  return std::nullopt;
}

result<void> pipeline::admit(std::chrono::steady_clock::time_point deadline) {
  std::unique_lock lock{mutex_};
  auto free = room_.wait_until(lock, deadline, [&] { return failed_.load() || has_room(); });
  lock.unlock();
  if (failed_.load())
    return fail_with();
  if (!free)
    return holdfast::fail(errc::overloaded, "store: " + std::to_string(backlog_commits_.load()) +
                                                " commits of " +
                                                std::to_string(backlog_bytes_.load()) +
                                                " bytes wait for the disk; the limits are " +
                                                std::to_string(options_.backlog_commits) + " and " +
                                                std::to_string(options_.backlog_bytes));
  return {};
}

// Of a failure that a caller has seen, though it may be mended by now.
tl::unexpected<error> pipeline::fail_with() const {
  std::lock_guard lock{mutex_};
  return holdfast::fail(refusal_ ? *refusal_ : stopped_writing_);
}

result<void> pipeline::sync(std::chrono::steady_clock::time_point deadline) {
  std::unique_lock lock{mutex_};
  sequence target;
  {
    std::lock_guard guard{line_};
    target = line_.last_seq();
  }
  if (durable_.load() < target) {
    const auto mended = times_mended_;
    auto failed = [&] { return failed_.load() || times_mended_ != mended; };
    sync_target_.store(std::max(sync_target_.load(), target));
    sleeping_.store(sleep::no);
    wake_.notify_one();
    auto done =
        room_.wait_until(lock, deadline, [&] { return failed() || durable_.load() >= target; });
    if (failed()) {
      lock.unlock();
      return fail_with();
    }
    if (!done)
      return holdfast::fail(errc::timeout, "store: sync: the disk did not answer in time");
  }
  return {};
}

result<void> pipeline::wait_published(sequence seq,
                                      std::chrono::steady_clock::time_point deadline) {
  if (line_.published() >= seq)
    return {};
  std::unique_lock lock{mutex_};
  auto done =
      room_.wait_until(lock, deadline, [&] { return failed_.load() || line_.published() >= seq; });
  if (line_.published() >= seq)
    return {};
  if (done) {
    lock.unlock();
    return fail_with();
  }
  return holdfast::fail(errc::timeout,
                        "store: commit " + std::to_string(seq) + " was not published in time");
}

pipeline_stats pipeline::stats() const {
  std::lock_guard lock{mutex_};
  return {
      line_.published(), durable_.load(), backlog_commits_.load(), backlog_bytes_.load(), batches_,
      commits_,          failure_};
}

// -- the persistence actor's side

std::uint64_t pipeline::resume() {
  std::uint64_t ticket;
  {
    std::lock_guard lock{mutex_};
    attached_ = true;
    ticket = ++ticket_;
    sleeping_.store(sleep::no);
  }
  wake_.notify_one();
  return ticket;
}

void pipeline::pause(std::uint64_t ticket) {
  std::lock_guard lock{mutex_};
  if (ticket == ticket_ && !stopping_)
    attached_ = false;
}

void pipeline::stop() {
  {
    std::lock_guard lock{mutex_};
    if (stopping_)
      return;
    stopping_ = true;
    attached_ = true; // what is sealed is written even if no actor is left
    sleeping_.store(sleep::no);
  }
  wake_.notify_one();
  writer_.join();
  while (auto* c = kept_.pop())
    c->let_go();
}

// -- the writer

bool pipeline::has_work() const {
  std::lock_guard lock{line_};
  return phase_ != phase::none || !queue_.empty() || sync_target_.load() > durable_.load();
}

bool pipeline::wait_for_work(std::unique_lock<std::mutex>& lock) {
  for (;;) {
    sleeping_.store(sleep::for_anything, std::memory_order_seq_cst);
    auto work = has_work();
    if ((attached_ || awaited_.load() > 0) && work && !failed_.load())
      break;
    if (stopping_)
      return false;
    wake_.wait(lock);
  }
  linger(lock);
  sleeping_.store(sleep::no, std::memory_order_relaxed);
  return true;
}

/// Lets async and group commits gather, as long as each of them may wait, counted from when the
/// writer came to look. A sync commit, a barrier or enough company ends the wait; a commit that may
/// wait less long than those that are there shortens it.
void pipeline::linger(std::unique_lock<std::mutex>& lock) {
  const auto began = std::chrono::steady_clock::now();
  for (;;) {
    const auto delay = gather();
    if (delay.count() == 0)
      return;
    auto woken = wake_.wait_until(lock, began + delay, [this] {
      return stopping_ || sleeping_.load(std::memory_order_relaxed) == sleep::no;
    });
    if (!woken)
      return;
  }
}

/// How long a commit may wait for company before it is written.
std::chrono::microseconds pipeline::delay_of(durability level) const noexcept {
  switch (level) {
  case durability::group:
    return options_.group_delay;
  case durability::async:
    return options_.async_delay;
  case durability::sync:
  case durability::none:
    break;
  }
  return {};
}

/// How long all that is queued may wait; then the writer is to be woken for what may not. 0: it is
/// to be written now.
std::chrono::microseconds pipeline::gather() {
  std::lock_guard guard{line_};
  if (phase_ != phase::none || stopping_ || sync_target_.load() > durable_.load() ||
      queue_.empty() || queue_.size() >= company)
    return {};
  auto delay = std::chrono::microseconds::max();
  queue_.for_each([&](const sealed_commit& c) { delay = std::min(delay, delay_of(c.level)); });
  if (delay.count() == 0)
    return {};
  gathering_ = delay;
  sleeping_.store(sleep::for_company, std::memory_order_seq_cst);
  return delay;
}

/// Crashes the persistence actor; false if there is no memory for it.
bool pipeline::tell_crash(const char* why) const noexcept {
  try {
    if (crashed_)
      crashed_(why);
    return true;
  } catch (const std::bad_alloc&) {
    return false;
  }
}

void pipeline::loop() {
  std::unique_lock lock{mutex_};
  while (wait_for_work(lock)) {
    lock.unlock();
    try {
      work();
      lock.lock();
    } catch (const std::exception& e) {
      // A fault struck here: the phase tells the next incarnation where to go on.
      lock.lock();
      attached_ = stopping_;
      lock.unlock();
      auto told = tell_crash(e.what());
      lock.lock();
      if (!told) // No memory even for that: without a new incarnation.
        attached_ = true;
      if (!told || awaited_.load() > 0)
        wake_.wait_for(lock, std::chrono::milliseconds{1}); // not at once
    }
  }
}

void pipeline::work() {
  if (phase_ == phase::none) {
    {
      std::lock_guard lock{line_};
      hand_.take(queue_, options_.batch_commits, options_.batch_bytes);
    }
    if (hand_.empty()) {
      if (auto done = make_durable(); !done)
        return fail(done.error());
      keep_copy(std::nullopt, true);
      durable_.store(written_);
      std::lock_guard lock{mutex_};
      room_.notify_all();
      return;
    }
    phase_ = phase::taken;
  }
  if (phase_ == phase::taken) {
    fault_point("persistence.taken");
    auto synced = sync_target_.load() > durable_.load() ||
                  unsynced_bytes_ + hand_.bytes() > options_.unsynced_bytes;
    hand_.for_each([&](const sealed_commit& c) { synced |= wants_sync(c.level); });
    auto done = write_batch(synced);
    if (!done)
      return fail(done.error());
    phase_ = phase::written;
    fault_point("persistence.written");
  }
  publish_hand();
  phase_ = phase::none;
}

result<void> pipeline::write_batch(bool synced) {
  puts_.clear();
  journal_batch batch;
  hand_.for_each([&](const sealed_commit& c) {
    if (batch.first == 0)
      batch.first = c.seq;
    batch.last = c.seq;
    c.append_to(puts_);
  });
  batch.puts = puts_;
  std::optional<batch_copy> copy;
  if (!synced) {
    copy.emplace(hand_);
    unsynced_.reserve(unsynced_.size() + 1);
  }
  auto done = hand_over(batch, synced);
  if (!done)
    return done;
  keep_copy(std::move(copy), synced);
  written_ = batch.last;
  if (synced)
    durable_.store(written_);
  std::lock_guard lock{mutex_};
  ++batches_;
  commits_ += hand_.size();
  return {};
}

/// Tells those who follow of a commit that has just been published, and publishes its part in
/// memory. Under the lock of the line, and of that in memory if it has such a part.
void pipeline::show(sealed_commit& c) noexcept {
  if (!c.also_in) [[likely]]
    return line_.feed_commit(std::move(c.entry), c.seq);
  c.publish_in_memory();
  c.also_in = nullptr;
}

void pipeline::settle(sealed_commit& c, const error* failure) noexcept {
  if (c.published_)
    return;
  if (c.is_awaited) [[unlikely]]
    awaited_.fetch_sub(1);
  c.settled(failure);
}

void pipeline::publish_hand() {
  // Async commits right behind the batch were only waiting for their turn. They stay queued, for
  // they are not written yet; those who wait for them are told now. (Those over both lines wait for
  // their batch: whether there are any is not known before the locks are taken.)
  constexpr std::size_t most_promoted = 1024;
  promoted_.reserve(most_promoted);
  {
    const both_lines lock{line_in_memory(hand_), line_};
    if (line_.published() < written_)
      line_.publish(written_);
    hand_.for_each([&](sealed_commit& c) {
      if (!c.published_)
        show(c);
    });
    queue_.for_each([&](sealed_commit& c) {
      if (c.level == durability::async && line_.published() + 1 == c.seq && !c.is_awaited &&
          promoted_.size() < most_promoted) {
        c.published_ = true;
        c.retain();
        promoted_.push_back(&c);
        line_.publish(c.seq);
        line_.feed_commit(std::move(c.entry), c.seq);
      }
    });
  }
  line_.notify_followers();
  fault_point("persistence.published");
  while (auto* c = hand_.pop()) {
    backlog_bytes_.fetch_sub(c->byte_count(), std::memory_order_relaxed);
    backlog_commits_.fetch_sub(1, std::memory_order_relaxed);
    settle(*c, nullptr);
    c->let_go();
  }
  for (auto* c : promoted_) {
    c->settled(nullptr);
    c->let_go();
  }
  promoted_.clear();
  std::lock_guard lock{mutex_}; // a waiter between its check and its wait must not miss this
  room_.notify_all();
}

void pipeline::keep_copy(std::optional<batch_copy> copy, bool synced) noexcept {
  if (synced) {
    unsynced_.clear();
    unsynced_bytes_ = 0;
  }
  if (copy) {
    unsynced_bytes_ += copy->memory();
    unsynced_.push_back(std::move(*copy)); // there is room
  }
}

/// From here on the batch may be on disk, whatever happens: an exception of the journal is an error
/// like any other (R5), and not a fault after which the batch would be handed over again.
result<void> pipeline::hand_over(const journal_batch& batch, bool synced) const noexcept {
  try {
    return journal_.append(batch, synced);
  } catch (const std::bad_alloc&) {
    return holdfast::fail(journal_starved_);
  } catch (const std::exception&) {
    return holdfast::fail(journal_threw_);
  }
}

result<void> pipeline::make_durable() const noexcept {
  try {
    return journal_.sync();
  } catch (const std::bad_alloc&) {
    return holdfast::fail(journal_starved_);
  } catch (const std::exception&) {
    return holdfast::fail(journal_threw_);
  }
}

/// `what` because of `why`, if there is memory for it.
error pipeline::caused(const error& what, const error& why) const noexcept {
  try {
    return what.because(why);
  } catch (const std::bad_alloc&) {
    return what;
  }
}

void pipeline::fail(error why) noexcept {
  const auto unknown = caused(unknown_, why), refused = caused(stopped_writing_, why);
  {
    std::lock_guard lock{mutex_};
    refusal_ = refused;
    failure_ = std::move(why);
    failure_settled_ = false;
    failed_.store(true, std::memory_order_release);
  }
  phase_ = phase::none;
  handed_ = written_;
  // Those handed over are kept, for they may be on disk; of the others those that are published.
  while (auto* c = hand_.pop()) {
    handed_ = c->seq;
    settle(*c, &unknown);
    kept_.push(c);
  }
  commit_queue behind;
  {
    // Nothing is sealed after this: `seal` looks at the flag under the same lock.
    std::lock_guard lock{line_};
    behind.take(queue_, ~std::size_t{0}, ~std::size_t{0});
    backlog_bytes_.store(0, std::memory_order_relaxed);
    backlog_commits_.store(0, std::memory_order_relaxed);
  }
  while (auto* c = behind.pop()) {
    if (c->published_) {
      kept_.push(c);
      continue;
    }
    settle(*c, &refused);
    c->let_go();
  }
  std::lock_guard lock{mutex_};
  failure_settled_ = true;
  room_.notify_all();
}

} // namespace holdfast::detail
