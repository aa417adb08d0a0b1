#include <holdfast/store/detail/live_queries.hpp>

#include <holdfast/runtime/detail/doorbell.hpp>
#include <holdfast/runtime/fault.hpp>
#include <holdfast/store/detail/store_state.hpp>
#include <holdfast/store/detail/validation_check.hpp>

#include <algorithm>
#include <thread>

namespace holdfast::detail {

live_queries::live_queries(runtime& rt, std::shared_ptr<commit_lines> lines, const store_state* in)
    : runtime_{rt}, lines_{std::move(lines)}, in_{in}, spare_{in ? in->options().live_list_spare
                                                                 : store_options{}.live_list_spare},
      bell_{std::make_shared<doorbell>(rt)}, reader_{[bell = bell_] { bell->ring(); }},
      epoch_{std::make_shared<delivery_epoch>(std::make_shared<delivery_signal>())} {}

live_queries::~live_queries() { lines_->feed.stop(reader_); }

void live_queries::close() {
  const std::lock_guard lock{mutex_};
  closed_ = true;
  progress_.notify_all();
}

// -- definitions

result<void> live_queries::define(std::string_view name, query_function what) {
  if (auto wrong = line_fault(name); !wrong.empty())
    return fail(errc::invalid_argument, "query: the name " + wrong);
  const std::lock_guard lock{mutex_};
  auto made = std::make_shared<query_definition>();
  made->name = name;
  made->function = std::move(what);
  if (!definitions_.emplace(name, std::move(made)).second)
    return fail(errc::already_exists,
                shown_name(name) + ": a query of this name is defined already",
                {.query = std::string{name}});
  return {};
}

bool live_queries::remove(std::string_view name) {
  const std::lock_guard lock{mutex_};
  auto found = definitions_.find(name);
  if (found == definitions_.end())
    return false;
  for (auto& [key, g] : groups_) {
    if (g->of != found->second)
      continue;
    g->last = result<query_value>{
        fail(errc::dropped, shown_name(g->of->name) + ": the query was removed from its store",
             {.query = g->of->name})};
    g->at = moment_of(snapshot_pair{*lines_}); // behind all that was told
    g->number += 2;
    g->dirty = g->moved = false;
    g->upkeep = nullptr;
    tell(*g);
    for (auto& [at, queue] : g->members)
      queue->disconnect(); // what waits is still told
  }
  definitions_.erase(found);
  wake();
  return true;
}

result<live_queries::definition_ptr> live_queries::find(std::string_view name) const {
  if (closed_)
    return fail(errc::stopped, shown_name(name) + ": the store has stopped",
                {.query = std::string{name}});
  auto found = definitions_.find(name);
  if (found == definitions_.end())
    return fail(errc::not_found, shown_name(name) + ": no query of this name is defined",
                {.query = std::string{name}});
  return found->second;
}

query_info live_queries::describe(const query_definition& d) const {
  query_info out{.name = d.name, .declared = d.function.declared};
  for (auto& [key, g] : groups_)
    if (g->of.get() == &d) {
      auto active = std::ranges::count_if(g->members, [](auto& m) { return m.second->active(); });
      out.groups += active > 0 ? 1 : 0;
      out.subscriptions += static_cast<std::size_t>(active);
    }
  out.runs = d.runs.load(std::memory_order_relaxed);
  out.delivered = d.delivered.load(std::memory_order_relaxed);
  return out;
}

std::vector<query_info> live_queries::infos() const {
  const std::lock_guard lock{mutex_};
  std::vector<query_info> out;
  for (auto& [name, d] : definitions_)
    out.push_back(describe(*d));
  return out;
}

std::size_t live_queries::defined() const {
  const std::lock_guard lock{mutex_};
  return definitions_.size();
}

result<query_info> live_queries::info(std::string_view name) const {
  const std::lock_guard lock{mutex_};
  return find(name).map([this](const definition_ptr& d) { return describe(*d); });
}

std::size_t live_queries::subscriptions() const {
  const std::lock_guard lock{mutex_};
  std::size_t out = 0;
  for (auto& [key, g] : groups_)
    for (auto& [at, queue] : g->members)
      out += queue->active() ? 1 : 0;
  return out;
}

subscriber_counters live_queries::queues() const {
  const std::lock_guard lock{mutex_};
  return counters_of(*totals_, [this](auto&& look) {
    for (auto& [key, g] : groups_)
      for (auto& [at, queue] : g->members)
        look(*queue);
  });
}

result<query_why> live_queries::why(std::string_view name, const object& parameters,
                                    const read_filters& filters) const {
  const std::lock_guard lock{mutex_};
  auto of = find(name);
  if (!of)
    return fail(std::move(of.error()));
  auto g = find_group(key_of(**of, parameters, filters), **of, parameters, filters);
  if (!g)
    return fail(errc::not_found,
                shown_name(name) + ": nobody has subscribed to it with these parameters",
                {.query = std::string{name}});
  auto out = g->counters;
  if (g->trigger)
    out.last = g->trigger->reason();
  return out;
}

// -- running

result<query_value> live_queries::run(std::string_view name, const object& parameters,
                                      const read_filters& filters) const {
  definition_ptr of;
  {
    const std::lock_guard lock{mutex_};
    auto found = find(name);
    if (!found)
      return fail(std::move(found.error()));
    of = std::move(*found);
  }
  if (auto fit = admitted(*of, parameters); !fit)
    return fail(std::move(fit.error()));
  of->runs.fetch_add(1, std::memory_order_relaxed);
  return run_query(*lines_, runtime_, in_, *of, parameters, filters, snapshot_pair{*lines_},
                   nullptr)
      .outcome;
}

result<void> live_queries::admitted(const query_definition& of, const object& parameters) const {
  if (of.function.check)
    if (auto wrong = of.function.check(of.name, parameters))
      return fail(wrong->at({.query = of.name}));
  return {};
}

live_queries::prepared live_queries::prepare(const query_definition& of, const object& parameters,
                                             const read_filters& filters,
                                             const snapshot_pair& at) const {
  prepared out{.run = {}, .definitions = buckets_defined_.load(), .basis = {.spare = spare_}};
  of.runs.fetch_add(1, std::memory_order_relaxed);
  out.run = run_query(*lines_, runtime_, in_, of, parameters, filters, at, &out.basis);
  return out;
}

// -- subscribing

/// Keeps the feed followed while a subscriber is on its way in.
class live_queries::arrival {
public:
  /// Under the mutex.
  explicit arrival(live_queries& to) : to_{to} {
    to_.follow();
    ++to_.arriving_;
  }
  arrival(const arrival&) = delete;
  arrival& operator=(const arrival&) = delete;
  ~arrival() {
    const std::lock_guard lock{to_.mutex_};
    --to_.arriving_;
  }

private:
  live_queries& to_;
};

/// Lets go of a group again that nobody has come to be a member of. Under the mutex.
class live_queries::entering {
public:
  entering(live_queries& to, const group_ptr& g) : to_{to}, group_{g} {}
  entering(const entering&) = delete;
  entering& operator=(const entering&) = delete;
  ~entering() { to_.forget_if_empty(group_); }

private:
  live_queries& to_;
  const group_ptr& group_;
};

void live_queries::follow() {
  if (following_)
    return;
  position_.seq = lines_->follow(reader_, std::make_shared<const feed_interest>()).published;
  following_ = true;
}

/// The parameters in one form, whatever their order.
std::string live_queries::key_of(const query_definition& of, const object& parameters,
                                 const read_filters& filters) {
  std::vector<const member*> sorted;
  for (auto& each : parameters)
    sorted.push_back(&each);
  std::ranges::sort(sorted, {}, &member::name);
  auto out = of.name;
  for (auto* each : sorted)
    out += '\n' + each->name + '=' + each->content.to_string();
  for (auto& [bucket, filter] : filters)
    out += '\n' + bucket + ':' + filter.to_string();
  return out;
}

live_queries::group_ptr live_queries::find_group(const std::string& key, const query_definition& of,
                                                 const object& parameters,
                                                 const read_filters& filters) const {
  auto [first, last] = groups_.equal_range(key);
  for (auto at = first; at != last; ++at)
    if (at->second->of.get() == &of && at->second->parameters == parameters &&
        at->second->filters == filters)
      return at->second;
  return nullptr;
}

/// The moment up to which a group is known to stand as it does, if that is not before `now`.
std::optional<query_moment> live_queries::fresh_at(const query_group& g, const query_moment& now) {
  if (!lines_->feed.has_read(reader_, now.seq))
    return std::nullopt;
  catch_up();
  if (!queue_.empty())
    wake();
  if (!g.last || g.dirty || g.moved)
    return std::nullopt;
  // Time is part of a moment: what had not ended at the group's may have at this one.
  if (std::ranges::any_of(g.reads, &query_reads::may_expire))
    return std::nullopt;
  return g.at.covers(now) ? g.at : now;
}

result<subscription> live_queries::subscribe(std::string_view name, object parameters, handler call,
                                             live_options options) {
  const queue_maker on_callback_threads = [&](std::shared_ptr<query_member> member) {
    return std::make_shared<subscriber_queue>(
        runtime_.executor(),
        [member = std::move(member), call = std::move(call)](const delivery& d) {
          member->take(static_cast<const query_event&>(*d.what), call);
        },
        std::size_t{1}, overflow::drop_oldest); // the latest value wins
  };
  return subscribe(name, std::move(parameters), on_callback_threads, std::move(options));
}

result<subscription> live_queries::subscribe(std::string_view name, object parameters,
                                             const queue_maker& make, live_options options) {
  std::optional<arrival> arriving; // leaves when the mutex is free
  std::unique_lock lock{mutex_};
  auto found = find(name);
  if (!found)
    return fail(std::move(found.error()));
  const auto of = std::move(*found);
  arriving.emplace(*this);
  lock.unlock();
  if (auto fit = admitted(*of, parameters); !fit)
    return fail(std::move(fit.error()));
  const auto key = key_of(*of, parameters, options.filters);
  lock.lock();
  auto g = find_group(key, *of, parameters, options.filters);
  auto at = g ? fresh_at(*g, moment_of(snapshot_pair{*lines_})) : std::nullopt;
  std::optional<prepared> first;
  if (!at) {
    lock.unlock();
    first = prepare(*of, parameters, options.filters, snapshot_pair{*lines_});
    lock.lock();
    g = find_group(key, *of, parameters, options.filters);
    if (!g) {
      g = std::make_shared<query_group>();
      g->key = key;
      g->of = of;
      g->parameters = std::move(parameters);
      g->filters = options.filters;
      groups_.emplace(key, g);
    }
  }
  const entering until_joined{*this, g};
  std::optional<result<query_value>> own;
  if (first) {
    // Since the group's run nothing may have happened but that records ended. Who comes now is not
    // shown them; those who are there are told by the commit that purges them, for each commit is
    // told once.
    if (g->last && !g->dirty && !g->moved && g->at == first->run.at) {
      own = std::move(first->run.outcome);
      // The group's next run may give what it has, and yet not what this one has.
      g->untold = g->untold || !same_outcome(*own, *g->last);
    } else
      install(*g, std::move(*first));
    at = g->at;
  }
  if (auto still = find(name); !still || *still != of)
    return fail(errc::not_found, shown_name(name) + ": the query was removed meanwhile",
                {.query = std::string{name}});
  auto e = event_of(*g, *at, true);
  if (own) {
    e->outcome = std::move(*own);
    e->number = 0; // the group's next may be the same
  }
  return join(g, std::move(e), make, options);
}

subscription live_queries::join(const group_ptr& g, std::shared_ptr<query_event> first,
                                const queue_maker& make, const live_options& options) {
  auto member = std::make_shared<query_member>(g->of);
  const auto skips = options.skip_initial && first->outcome;
  if (skips)
    member->knows(first->outcome, first->number);
  auto queue = make(member);
  queue->count_in(totals_);
  queue->when_closed([weak = weak_from_this(), of = std::weak_ptr{g}](auto& closed) {
    auto self = weak.lock();
    if (!self)
      return;
    {
      const std::lock_guard lock{self->leaving_mutex_};
      self->leaving_.emplace_back(of, closed.get());
    }
    self->wake();
  });
  subscription token{queue}; // first: who is entered and gets nothing is let go of
  g->members.emplace(queue.get(), queue);
  if (!skips)
    queue->push({nullptr, std::move(first)});
  return token;
}

std::shared_ptr<query_event> live_queries::event_of(const query_group& g, const query_moment& at,
                                                    bool initial) const {
  auto e = std::make_shared<query_event>();
  e->outcome = *g.last;
  e->at = at;
  e->number = g.number;
  e->initial = initial;
  e->epoch = epoch_;
  return e;
}

/// Tells the group's members how it stands. If it throws, the group is to be run again, and then
/// all are told, though it gives the same; members pass over what they have.
void live_queries::tell(query_group& g) {
  g.untold = true;
  try {
    const auto e = event_of(g, g.at, false);
    for (auto& [key, queue] : g.members) {
      fault_point("queries.telling");
      queue->push({nullptr, e});
    }
    g.untold = false;
  } catch (...) {
    g.dirty = some_lost_ = true; // the queue may have no room either
    g.cause = run_cause::fault;
    enqueue(g);
    wake();
    throw;
  }
}

// -- waiting

result<void> live_queries::settle(std::chrono::milliseconds timeout) {
  const auto until = end_of_wait(timeout);
  auto late = [&](std::string what) {
    return fail(errc::timeout, "settle: not all is told within " + std::to_string(timeout.count()) +
                                   " ms: " + std::move(what));
  };
  // Under the deterministic scheduler nobody else runs the manager.
  auto waits = [&](std::unique_lock<std::mutex>& lock, std::condition_variable& signal) {
    if (!runtime_.options().deterministic)
      return signal.wait_until(lock, until) == std::cv_status::no_timeout;
    lock.unlock();
    if (!runtime_.run_one())
      std::this_thread::yield();
    lock.lock();
    return std::chrono::steady_clock::now() < until;
  };
  const query_moment target{{lines_->memory.published(), lines_->durable.published()}};
  std::unique_lock lock{mutex_};
  std::optional<std::uint64_t> last; // of the runs to wait for
  wake();
  for (;;) {
    if (!last && (!following_ || position_.covers(target)))
      last = queued_;
    if ((last && done_ >= *last && !leaving()) || closed_)
      break;
    if (!waits(lock, progress_))
      return late(unsettled(target));
  }
  auto ending = std::exchange(epoch_, epoch_->begin_next());
  const std::weak_ptr<delivery_epoch> told{ending};
  const auto signal = ending->signal();
  ending = nullptr;
  lock.unlock();
  std::unique_lock waiting{signal->mutex};
  while (!told.expired())
    if (!waits(waiting, signal->ended))
      return late("a handler has not come to its end");
  return {};
}

/// What settling waits for.
std::string live_queries::unsettled(const query_moment& target) const {
  const auto shown = [](const query_moment& m) {
    return std::to_string(m.of(line_kind::memory)) + "/" + std::to_string(m.of(line_kind::durable));
  };
  auto out = bell_->owner() ? std::string{} : std::string{"the query manager is not up; "};
  if (leaving())
    out += "subscribers wait to be let go of; ";
  return out + "commits are routed up to " + shown(position_) + " (in memory/durable) of " +
         shown(target) + ", and " + std::to_string(queue_.size()) + " queries are to be run";
}

bool live_queries::leaving() const {
  const std::lock_guard lock{leaving_mutex_};
  return !leaving_.empty();
}

void live_queries::bucket_defined(std::string_view name) {
  buckets_defined_.fetch_add(1);
  const std::lock_guard lock{mutex_};
  auto found = false;
  for (auto& [key, g] : groups_)
    if (std::ranges::find(g->missing, name) != g->missing.end()) {
      found = true;
      mark(*g, run_cause::bucket, query_trigger{.bucket = std::string{name}});
    }
  if (found)
    wake();
}

} // namespace holdfast::detail
