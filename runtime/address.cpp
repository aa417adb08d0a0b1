#include <holdfast/runtime/address.hpp>

#include <holdfast/runtime/detail/caller_unit.hpp>
#include <holdfast/runtime/detail/incarnation.hpp>
#include <holdfast/runtime/ensure.hpp>
#include <holdfast/runtime/runtime.hpp>

#include <immintrin.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <thread>
#include <utility>

namespace holdfast {

using detail::incarnation;

namespace {

/// How many messages a caller handles for an actor before it gives the rest to the workers.
constexpr std::size_t caller_budget = 32;
/// A caller that meets a busy actor looks again a moment later and then after each of these naps,
/// before it sends a message: a message costs a sleep and a wake-up, more than many an operation
/// takes. Each look takes the actor's cache line from who has it, some 300 ns, and the actor's data
/// follow it; so looks are few, and whoever has the actor does many operations in a row with its
/// data in its own cache. Asleep, the caller leaves the core to who has the actor should that one
/// have been preempted. (Running the jobs of those that wait along with one's own, as flat
/// combining does, was slower: each job's lines come from another core.)
constexpr std::array naps{std::chrono::microseconds{100}, std::chrono::microseconds{200},
                          std::chrono::microseconds{400}, std::chrono::microseconds{800}};
/// Before the second look: about as long as an operation takes.
constexpr int pauses = 64;

/// Waits a little for the right to run the actor.
bool await_lease(incarnation& life) {
  auto& mailbox = life.raw->mailbox();
  // Looking is a plain load; only when it is worth it the line is taken for writing.
  auto take = [&] { return mailbox.blocked() && mailbox.try_unblock(); };
  if (take())
    return true;
  for (int i = 0; i < pauses; ++i)
    _mm_pause();
  if (take())
    return true;
  for (auto nap : naps) {
    std::this_thread::sleep_for(nap);
    if (take())
      return true;
  }
  return false;
}

/// Lets the calling thread run an idle actor's job without any message.
///
/// `try_unblock` is the step by which a sender wins the right to run an idle actor: whoever makes
/// it has the actor to itself until `try_block`. A blocked mailbox is empty, so nothing is
/// overtaken. When mail arrived meanwhile, `try_block` fails and the actor is run or scheduled as
/// after any other send. A job that throws ends the actor as a throwing handler does: an exit
/// message, which goes before all other mail, and a flag that keeps that mail from running until it
/// is handled.
void run_on_lease(incarnation& life, job& work, detail::caller_unit& unit) {
  auto& mailbox = life.raw->mailbox();
  try {
    life.run(work);
  } catch (...) {
    caf::mailbox_element_ptr exit;
    try {
      exit = detail::exit_element(*life.raw, std::current_exception());
    } catch (const std::bad_alloc&) {
      exit = std::move(life.last_words);
    }
    life.raw->enqueue(std::move(exit), nullptr);
  }
  if (!mailbox.try_block()) {
    caf::intrusive_ptr_add_ref(life.raw->ctrl());
    unit.run(life.raw, caller_budget);
  }
}

} // namespace

std::string_view to_string(address_state s) noexcept {
  switch (s) {
  case address_state::starting:
    return "starting";
  case address_state::up:
    return "up";
  case address_state::restarting:
    return "restarting";
  case address_state::quarantined:
    return "quarantined";
  case address_state::stopped:
    return "stopped";
  }
  return "unknown";
}

caf::mailbox_element_ptr detail::exit_element(caf::scheduled_actor& of, std::exception_ptr why) {
  caf::exit_msg exit{of.address(), crash_reason(std::move(why))};
  return caf::make_mailbox_element(nullptr, caf::make_message_id(caf::message_priority::high), {},
                                   std::move(exit));
}

/// What a crash is told with when there is no memory for its own error; made with the first
/// address.
const error& crashed_without_memory() {
  static const error made{errc::bucket_crashed, "the actor crashed, without memory to say how"};
  return made;
}

void incarnation::fell(job& work, std::string_view why) noexcept {
  crashed.store(true, std::memory_order_release);
  home->retract(this, why);
  try {
    work.reject(error{errc::bucket_crashed, home->name() + ": crashed: " + std::string{why}});
  } catch (const std::bad_alloc&) {
    work.reject(crashed_without_memory());
  }
}

void incarnation::run(job& work) {
  if (crashed.load(std::memory_order_acquire))
    return; // the message's destructor hands the job to the next incarnation
  if (!work.begin())
    return;
  detail::actor_scope inside;
  try {
    work.run();
  } catch (const std::exception& e) {
    fell(work, e.what());
    throw;
  } catch (...) {
    fell(work, "unknown exception");
    throw;
  }
}

detail::job_message::job_message(job* j) noexcept : work{j} {
  work->add_ref();
  if (work->messages_.fetch_add(1, std::memory_order_relaxed) == 0)
    work->to_->mailed_.fetch_add(1, std::memory_order_relaxed);
}

detail::job_message::~job_message() {
  auto to = work->to_;
  if (work->messages_.fetch_sub(1, std::memory_order_acq_rel) == 1) {
    to->mailed_.fetch_sub(1, std::memory_order_relaxed);
    if (work->waits())
      to->bounced(ref<job>{work}, work->receiver_);
  }
  work->release();
}

address::address(runtime& rt, std::string name) : runtime_{rt}, name_{std::move(name)} {
  (void)crashed_without_memory();
}
address::~address() = default;

void address::submit(ref<job> work) {
  gate::pass pass{runtime_.gate()};
  if (!pass && !runtime::inside_actor())
    return work->reject(error{errc::stopped, name_ + ": the runtime is stopping"});
  auto* life = current_.load(std::memory_order_acquire);
  if (!life)
    return park(std::move(work));
  if (!runtime_.caller_runs() || runtime::inside_actor())
    return send(std::move(work), *life, nullptr);
  auto& unit = runtime_.unit();
  // Behind mail, a message is as fast as anything; and nobody's jobs overtake each other.
  const bool mail_waits = mailed_.load(std::memory_order_relaxed) > 0;
  if (!mail_waits && await_lease(*life)) {
    run_on_lease(*life, *work, unit);
    if (!work->began() && life->crashed.load(std::memory_order_acquire))
      bounced(std::move(work), life);
    return;
  }
  unit.arm(life->raw);
  send(std::move(work), *life, &unit);
  unit.run_captured(caller_budget);
}

void address::mail(ref<job> work) {
  gate::pass pass{runtime_.gate()};
  if (!pass && !runtime::inside_actor())
    return work->reject(error{errc::stopped, name_ + ": the runtime is stopping"});
  if (auto* life = current_.load(std::memory_order_acquire))
    return send(std::move(work), *life, nullptr);
  park(std::move(work));
}

void address::send(ref<job> work, incarnation& life, caf::execution_unit* unit) {
  const auto limit = runtime_.options().mailbox_limit;
  if (mailed_.load(std::memory_order_relaxed) >= limit)
    return work->reject(error{errc::overloaded, name_ + ": " + std::to_string(limit) +
                                                    " operations already wait in its mailbox"});
  work->to_ = ref<address>{this};
  work->receiver_ = &life;
  life.raw->enqueue(caf::make_mailbox_element(nullptr, caf::make_message_id(), {},
                                              detail::job_message{work.get()}),
                    unit);
}

void address::park(ref<job> work) {
  {
    std::unique_lock lock{mutex_};
    if (current_.load(std::memory_order_acquire)) {
      lock.unlock();
      return submit(std::move(work));
    }
    auto waits = state_ == address_state::starting || state_ == address_state::restarting ||
                 state_ == address_state::up;
    if (waits && stash_.size() < runtime_.options().stash_limit) {
      stash_.push_back(std::move(work));
      return;
    }
  }
  work->reject(refusal());
}

std::optional<error> address::refused() const {
  if (current_.load(std::memory_order_acquire))
    return std::nullopt;
  auto why = refusal();
  return why == errc::overloaded ? std::nullopt : std::optional{std::move(why)}; // it is coming up
}

error address::refusal() const {
  std::lock_guard lock{mutex_};
  switch (state_) {
  case address_state::quarantined:
    return error{errc::unavailable,
                 name_ + ": quarantined after repeated crashes: " + reason_,
                 {},
                 retry_hint{reason_, retry_after_}};
  case address_state::stopped:
    return error{errc::stopped, name_ + ": stopped" + (reason_.empty() ? "" : ": " + reason_)};
  case address_state::starting:
  case address_state::up:
  case address_state::restarting:
    break;
  }
  return error{errc::overloaded, name_ + ": " + std::to_string(runtime_.options().stash_limit) +
                                     " operations already wait for its restart"};
}

void address::bounced(ref<job> work, incarnation* from) {
  retract(from, "ended with mail in its mailbox");
  park(std::move(work));
}

void address::retract(incarnation* dead, std::string_view why) noexcept {
  std::lock_guard lock{mutex_};
  auto expected = dead;
  if (!current_.compare_exchange_strong(expected, nullptr, std::memory_order_acq_rel))
    return;
  if (state_ == address_state::up)
    state_ = address_state::restarting;
  try {
    failure_ = why;
  } catch (const std::bad_alloc&) {
    failure_.clear(); // the supervisor will tell
  }
}

void address::publish(caf::event_based_actor* self) {
  {
    std::lock_guard lock{mutex_};
    auto given_up = std::find(fenced_.begin(), fenced_.end(), self->id()) != fenced_.end();
    ensure(!given_up, "address::publish: this actor was abandoned by its supervisor");
  }
  if (auto present = runtime_.presence())
    self->attach_functor([present] {});
  auto next = std::make_unique<incarnation>(*this, self);
  auto* life = next.get();
  // The actor owns its address while it lives; termination clears the behaviour, and so the cycle.
  auto alive = std::make_shared<char>();
  life->behaviour = alive;
  self->become([life, alive, home = ref<address>{this}](const detail::job_message& m) {
    life->run(*m.work);
  });
  std::unique_lock lock{mutex_};
  // An incarnation that no caller can still hold a pointer to is let go, unless its actor still
  // has its behaviour: that one may be running, stuck or just dying.
  std::erase_if(all_, [&](auto& past) {
    return past.get() != current_.load(std::memory_order_relaxed) && past->behaviour.expired() &&
           past->grace.over(runtime_.gate());
  });
  all_.push_back(std::move(next));
  state_ = address_state::up;
  ++incarnations_;
  // What waited goes first: until it is mail, callers find no actor and join those that wait.
  while (!stash_.empty()) {
    auto ready = std::exchange(stash_, {});
    lock.unlock();
    for (auto& work : ready)
      send(std::move(work), *life, nullptr);
    lock.lock();
  }
  if (state_ == address_state::up && !life->crashed.load(std::memory_order_relaxed))
    current_.store(life, std::memory_order_release);
}

void address::leave(address_state to, error reason, std::chrono::milliseconds retry_after) {
  std::deque<ref<job>> refused;
  {
    std::lock_guard lock{mutex_};
    current_.store(nullptr, std::memory_order_release);
    state_ = to;
    reason_ = reason.message();
    retry_after_ = retry_after;
    if (to == address_state::restarting || to == address_state::quarantined)
      failure_ = reason.message();
    if (to == address_state::quarantined || to == address_state::stopped)
      refused.swap(stash_);
  }
  for (auto& work : refused)
    work->reject(refusal());
}

void address::starting() {
  std::lock_guard lock{mutex_};
  if (!current_.load(std::memory_order_acquire))
    state_ = address_state::starting;
}
void address::down(error reason) { leave(address_state::restarting, std::move(reason), {}); }
void address::quarantined(error reason, std::chrono::milliseconds retry_after) {
  leave(address_state::quarantined, std::move(reason), retry_after);
}
void address::stopped(error reason) { leave(address_state::stopped, std::move(reason), {}); }

void address::fence(std::uint64_t actor) {
  std::lock_guard lock{mutex_};
  fenced_.push_back(actor);
  for (auto& life : all_) {
    if (life->handle->id() != actor)
      continue;
    life->crashed.store(true, std::memory_order_release);
    auto expected = life.get();
    current_.compare_exchange_strong(expected, nullptr, std::memory_order_acq_rel);
  }
}

address_state address::state() const noexcept {
  std::lock_guard lock{mutex_};
  return state_;
}
std::uint64_t address::incarnations() const noexcept {
  std::lock_guard lock{mutex_};
  return incarnations_;
}
std::size_t address::waiting() const {
  std::lock_guard lock{mutex_};
  return stash_.size() + mailed_.load(std::memory_order_relaxed);
}
std::string address::last_failure() const {
  std::lock_guard lock{mutex_};
  return failure_;
}

} // namespace holdfast
