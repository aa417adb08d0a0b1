#include <holdfast/store/detail/store_state.hpp>

#include <holdfast/runtime/time_limit.hpp>
#include <holdfast/store/detail/actors.hpp>
#include <holdfast/store/detail/guarded_journal.hpp>
#include <holdfast/store/detail/insist.hpp>
#include <holdfast/store/detail/purge.hpp>
#include <holdfast/store/detail/restore.hpp>
#include <holdfast/store/detail/shown.hpp>
#include <holdfast/store/detail/store_operations.hpp>
#include <holdfast/store/detail/ttl_manager.hpp>

#include <algorithm>
#include <exception>
#include <thread>

namespace holdfast::detail {

store_state::store_state(store_options options)
    : options_{std::move(options)},
      runtime_{options_.runtime ? std::shared_ptr<runtime>{options_.runtime, [](runtime*) {}}
                                : std::make_shared<runtime>(options_.runtime_settings)},
      gateway_{std::make_shared<gateway_desk>(*this, options_.gateway_requests,
                                              options_.gateway_subscriptions)} {}

store_state::~store_state() { (void)stop_all(); }

bool store_state::is_waited_for() const noexcept {
  return runtime::inside_actor() || (!options_.runtime && runtime_->executor().runs_here());
}

void store_state::end(std::unique_ptr<store_state> state) noexcept {
  if (!state || !state->is_waited_for())
    return;
  auto* const left = state.release();
  try {
    std::thread{[left] { delete left; }}.detach();
  } catch (const std::exception& e) {
    // Without a thread for it, it stays open, as in a process that crashes.
    left->runtime_->log().write(log_level::error, left->options_.name,
                                std::string{"cannot be ended here: "} + e.what());
  }
}

result<void> store_state::start() {
  if (options_.durability == durability::none && options_.journal)
    return fail(errc::invalid_argument,
                options_.name + ": durability none makes no sense with a journal");
  if (options_.read_only && !options_.journal)
    return fail(errc::invalid_argument,
                options_.name + ": read_only makes no sense without a journal");
  // Else nothing would ever be freed.
  if (!asymmetric_fence::heavy())
    return fail(errc::unavailable,
                options_.name + ": membarrier(2), which this process had when it began, is refused "
                                "now; a filter of system calls must allow it, or be set earlier");
  if (options_.journal)
    if (auto opened = open_journal(); !opened)
      return opened;
  return start_tree();
}

/// With what it holds.
result<void> store_state::open_journal() {
  auto& from = *options_.journal;
  auto done = calling_journal(options_.name, "opened", [&]() -> result<void> {
    from.open_only_if(known_catalog(from.name()));
    auto info = options_.read_only ? from.open_read_only() : from.open();
    return info ? restore(*info) : fail(std::move(info.error()));
  });
  if (!done)
    (void)guarded_journal{from}.close();
  return done;
}

result<void> store_state::start_tree() {
  // Not rest_for_one: buckets depend on the pipeline, which outlives the persistence actor, so its
  // crash is no reason to restart them.
  supervisor_options root{.name = options_.name,
                          .intensity = options_.service_restart_budget,
                          .period = options_.restart_period};
  if (pipe_) {
    persistence_address_ = make_ref<address>(*runtime_, "persistence");
    root.children.push_back(persistence_child(pipe_, persistence_address_));
  }
  // Before the buckets, so that it ends after them: what they did last is told, too.
  std::vector<child_spec> serving{counted(events_.bus().spec()), counted(queries_->spec()),
                                  counted(gateway_->spec())};
  if (options_.ttl_interval > std::chrono::milliseconds{0})
    serving.push_back(counted(ttl_child([this] { return all(); }, options_.ttl_interval)));
  auto services = supervisor::nested(*runtime_, {.name = "services",
                                                 .intensity = options_.service_restart_budget,
                                                 .period = options_.restart_period,
                                                 .children = std::move(serving)});
  if (!services)
    return fail(std::move(services.error()));
  services_sup_ = services->handle;
  root.children.push_back(std::move(services->spec));
  supervisor_options buckets{.name = "buckets",
                             .intensity = options_.service_restart_budget,
                             .period = options_.restart_period,
                             .parallel_stop = true};
  buckets.further_children = [this] {
    std::vector<child_spec> specs;
    for (auto& core : all())
      specs.push_back(bucket_child(core, options_));
    return specs;
  };
  auto nested = supervisor::nested(*runtime_, std::move(buckets));
  if (!nested)
    return fail(std::move(nested.error()));
  buckets_sup_ = nested->handle;
  root.children.push_back(std::move(nested->spec));
  auto started = supervisor::start(*runtime_, std::move(root));
  if (!started)
    return fail(std::move(started.error()));
  root_ = *started;
  return {};
}

/// The same child, whose starts are counted for `stats`.
child_spec store_state::counted(child_spec service) {
  auto count = std::make_shared<std::atomic<std::uint64_t>>(0);
  service_starts_.push_back({service.id, count});
  service.start = [count, start = std::move(service.start)](start_context& context) {
    count->fetch_add(1, std::memory_order_relaxed); // first: others may see it up at once
    auto started = start(context);
    if (!started)
      count->fetch_sub(1, std::memory_order_relaxed);
    return started;
  };
  return service;
}

result<ref<bucket_core>> store_state::find(std::string_view name) const {
  std::lock_guard lock{mutex_};
  auto found = buckets_.find(name);
  if (found == buckets_.end())
    return fail(errc::not_found, options_.name + ": no bucket is named " + shown(name),
                {.bucket = std::string{name}});
  return found->second;
}

result<schema> store_state::published_schema(std::string_view name) const {
  return find(name).map([](const ref<bucket_core>& core) {
    const pin_guard pin{core->line()};
    return core->at(pin.seq()).schema->definition();
  });
}

result<bucket<>> store_state::handle(std::string_view name) const {
  return find(name).map([this](ref<bucket_core> core) {
    return bucket<>{std::move(core), options_.durability};
  });
}

std::vector<ref<bucket_core>> store_state::all() const {
  std::lock_guard lock{mutex_};
  std::vector<ref<bucket_core>> out;
  for (auto& [name, core] : buckets_)
    out.push_back(core);
  return out;
}

std::optional<error> store_state::stopped() const {
  if (!stopped_)
    return std::nullopt;
  return error{errc::stopped, options_.name + ": the store has stopped"};
}

std::vector<std::string> store_state::names() const {
  std::vector<std::string> out;
  for (auto& core : all())
    out.push_back(core->name());
  return out;
}

holdfast::snapshot store_state::snapshot() const {
  return holdfast::snapshot{lines_, runtime_->clock()};
}

result<void> store_state::define_query(std::string_view name, declared_query what) {
  if (auto bucket = find(what.bucket); !bucket)
    return fail(std::move(bucket.error()));
  auto function = function_of(name, std::move(what));
  if (!function)
    return fail(std::move(function.error()));
  auto added = queries_->define(name, *function);
  if (!added || function->check(name, {}))
    return added; // without parameters it cannot be tried
  auto tried = queries_->run(name, {}, {});
  if (tried)
    return {};
  queries_->remove(name);
  return fail(std::move(tried.error()));
}

result<std::uint64_t> store_state::purge() {
  if (auto over = stopped())
    return fail(std::move(*over));
  std::uint64_t removed = 0;
  std::optional<error> failure;
  for (auto& core : all()) {
    auto done = detail::purge(core, options_.durability);
    if (done)
      removed += *done;
    else if (!failure && done.error() != errc::dropped)
      failure = std::move(done.error());
  }
  return failure ? result<std::uint64_t>{fail(std::move(*failure))} : removed;
}

result<void> store_state::sync(std::chrono::milliseconds timeout) {
  return pipe_ ? pipe_->sync(end_of_wait(timeout)) : result<void>{};
}

result<void> store_state::crash(address& at, std::chrono::milliseconds timeout) {
  auto before = at.incarnations();
  (void)pending<void_result>{ref<operation<void_result>>{new crash_operation{at}}}.get(timeout);
  auto up = pending<void_result>{ref<operation<void_result>>{new probe_operation{at}}}.get(timeout);
  if (!up)
    return fail(std::move(up.error()));
  if (at.incarnations() == before)
    return fail(errc::timeout, at.name() + ": the actor did not come back");
  return {};
}

result<void> store_state::crash_persistence(std::chrono::milliseconds timeout) {
  if (!persistence_address_)
    return fail(errc::not_found, options_.name + ": the store has no journal");
  return crash(*persistence_address_, timeout);
}

result<void> store_state::crash_supervisor(std::string_view name) {
  auto which = name == "buckets" ? buckets_sup_ : name == "services" ? services_sup_ : std::nullopt;
  if (!which)
    return fail(errc::not_found, options_.name + ": no supervisor is named " + shown(name) +
                                     "; there are buckets and services");
  (void)which->crash().get();
  auto up = insist(*runtime_, *which, [](auto& it) { return it.up(); });
  return up ? result<void>{} : fail(std::move(up.error()));
}

result<void> store_state::stop() {
  if (is_waited_for())
    return fail(errc::invalid_argument,
                options_.name + ": stop: called in an actor or a callback, which it waits for");
  return stop_all();
}

result<void> store_state::stop_all() {
  gateway_->close(); // first: what it has in hand may define or drop
  std::lock_guard one_at_a_time{stops_};
  {
    // Not any longer: a handler that is waited for below may be about to define or drop.
    std::lock_guard none_under_way{definitions_};
    if (stopped_)
      return {};
    stopped_ = true;
  }
  queries_->close();
  for (auto& core : all())
    core->close(errc::stopped);
  result<void> outcome;
  auto keep_first = [&](auto r) {
    if (!r && outcome)
      outcome = fail(std::move(r.error()));
  };
  auto ended = true;
  if (root_) {
    auto stopped = root_->stop().get(std::chrono::seconds{30});
    ended = stopped.has_value();
    keep_first(std::move(stopped));
  }
  lines_->transactions.close();
  if (pipe_) {
    pipe_->stop();
    if (auto why = pipe_->refusal(); why && !options_.read_only)
      keep_first(result<void>{fail(std::move(*why))});
  }
  // Whoever hangs with a turn keeps what it uses.
  if (ended)
    (void)unlink_references(cores(), time_limit{system_clock(), std::chrono::milliseconds{0}});
  if (options_.journal)
    keep_first(guarded_journal{*options_.journal}.close());
  if (!options_.runtime)
    runtime_->stop();
  return outcome;
}

} // namespace holdfast::detail
