#include <holdfast/store/detail/live_queries.hpp>

#include <holdfast/runtime/detail/doorbell.hpp>
#include <holdfast/store/detail/name_fault.hpp>
#include <holdfast/store/detail/parameter_check.hpp>
#include <holdfast/store/detail/shown.hpp>
#include <holdfast/store/detail/store_state.hpp>

#include <algorithm>
#include <thread>

namespace holdfast::detail {

live_queries::live_queries(runtime& rt, std::shared_ptr<commit_lines> lines, const store_state* in)
    : runtime_{rt}, lines_{std::move(lines)}, in_{in}, spare_{in ? in->options().live_list_spare
                                                                 : store_options{}.live_list_spare},
      most_{in ? in->options().limits : record_limits{}}, bell_{std::make_shared<doorbell>(rt)},
      reader_{[bell = bell_] { bell->ring(); }}, epoch_{std::make_shared<delivery_epoch>(
                                                     std::make_shared<delivery_signal>())} {}

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
  const freeing behind{*this};
  const std::lock_guard lock{mutex_};
  auto found = definitions_.find(name);
  if (found == definitions_.end())
    return false;
  some_lost_ = true; // if what follows throws, the query stays: its groups are found and run
  wake();
  const auto each = [&](auto&& f) {
    for (auto& [key, g] : groups_)
      if (g->of == found->second)
        f(*g);
  };
  each([&](query_group& g) {
    g.last = result<query_value>{
        fail(errc::dropped, shown_name(g.of->name) + ": the query was removed from its store",
             {.query = g.of->name})};
    g.at = moment_of(snapshot_pair{*lines_}); // behind all that was told
    g.number += 2;
    g.moved = false;
    g.upkeep = nullptr;
    g.dirty = true;
    g.cause = run_cause::fault;
    tell(g);
  });
  each([](query_group& g) {
    g.dirty = false;
    for (auto& [at, queue] : g.members)
      queue->disconnect(); // what waits is still told
  });
  let_go(std::move(found->second));
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
  return run_query(*lines_, runtime_, in_, *of, parameters, filters,
                   snapshot_pair{*lines_, runtime_.clock()}, nullptr)
      .outcome;
}

result<void> live_queries::admitted(const query_definition& of, const object& parameters) const {
  if (auto wrong = fault_in_parameters(of.name, parameters, most_))
    return fail(std::move(*wrong));
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
  return some_left_ || !leaving_.empty();
}

void live_queries::bucket_came_or_went(std::string_view name) {
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
