// What others ask of the pipeline.
#include <holdfast/store/detail/pipeline.hpp>

#include <algorithm>

namespace holdfast::detail {

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

void pipeline::wake_writer() {
  {
    std::lock_guard lock{mutex_};
    sleeping_.store(sleep::no, std::memory_order_relaxed);
  }
  wake_.notify_one();
}

// -- what callers ask

bool pipeline::settle_behind(sealed_commit& c, sequence seq) noexcept {
  if (line_.published() >= seq) [[likely]]
    return false;
  const std::lock_guard lock{line_};
  if (failed_.load(std::memory_order_relaxed) || line_.published() >= seq)
    return false;
  c.retain();
  c.seq = seq;
  behind_.push(&c);
  return true;
}

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

} // namespace holdfast::detail
