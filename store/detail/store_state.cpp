#include <holdfast/store/detail/store_state.hpp>

#include <holdfast/runtime/time_limit.hpp>
#include <holdfast/store/codec.hpp>
#include <holdfast/store/detail/actors.hpp>
#include <holdfast/store/detail/definition_limits.hpp>
#include <holdfast/store/detail/guarded_journal.hpp>
#include <holdfast/store/detail/purge.hpp>
#include <holdfast/store/detail/restore.hpp>
#include <holdfast/store/detail/store_operations.hpp>
#include <holdfast/store/detail/ttl_manager.hpp>
#include <holdfast/store/detail/validation_check.hpp>

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
  supervisor_options root{
      .name = options_.name, .intensity = 10, .period = options_.restart_period};
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
                                                 .intensity = 10,
                                                 .period = options_.restart_period,
                                                 .children = std::move(serving)});
  if (!services)
    return fail(std::move(services.error()));
  services_sup_ = services->handle;
  root.children.push_back(std::move(services->spec));
  supervisor_options buckets{
      .name = "buckets", .intensity = 10, .period = options_.restart_period, .parallel_stop = true};
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

result<ref<bucket_core>> store_state::define(const schema& definition) {
  auto compiled = compile(definition, options_.limits);
  if (!compiled)
    return fail(std::move(compiled.error()));
  std::lock_guard one_at_a_time{definitions_};
  if (auto over = stopped())
    return fail(std::move(*over));
  if (auto busy = settle_update(definition.name(), default_timeout))
    return fail(std::move(*busy));
  if (auto existing = find(definition.name()))
    return bind(**existing, *compiled);
  if (auto wrong = beyond_limits(**compiled))
    return fail(std::move(*wrong));
  return create(*compiled);
}

result<ref<bucket_core>> store_state::bind(bucket_core& existing,
                                           std::shared_ptr<const compiled_schema> schema) {
  auto found =
      std::find_if(unbound_.begin(), unbound_.end(), [&](auto& b) { return b.get() == &existing; });
  if (found == unbound_.end())
    return fail(errc::already_exists,
                existing.name() + ": a bucket of this name is defined already",
                {.bucket = existing.name()});
  if (codec::encode_schema(schema->definition()) !=
      codec::encode_schema(existing.schema().definition()))
    return fail(errc::invalid_schema,
                existing.name() + ": the definition differs from the stored one, which is\n" +
                    existing.schema().definition().to_string(),
                {.bucket = existing.name()});
  auto adopted = pending<void_result>{ref<operation<void_result>>{new adopt_operation{
                                          ref<bucket_core>{&existing}, std::move(schema)}}}
                     .get();
  if (!adopted)
    return fail(std::move(adopted.error()));
  unbound_.erase(found);
  return ref<bucket_core>{&existing};
}

result<ref<bucket_core>> store_state::create(std::shared_ptr<const compiled_schema> schema) {
  auto& definition = schema->definition();
  auto persistent = pipe_ && definition.is_persistent();
  if (auto wrong = check_key_types(cores(), definition))
    return fail(std::move(*wrong));
  if (auto apart = check_lines(cores(), definition, persistent))
    return fail(std::move(*apart));
  auto id = next_id_;
  if (persistent)
    if (auto written = write_catalog(id, definition); !written)
      return fail(std::move(written.error()));
  ++next_id_;
  auto core =
      make_ref<bucket_core>(id, std::move(schema), runtime_, lines_, persistent ? pipe_ : nullptr);
  // Before anybody can find it, and write to it what nobody checks.
  auto linked = cores();
  linked.push_back(core.get());
  link_references(linked, coming_);
  {
    // First, so that it is among the buckets with which their supervisor is started again.
    std::lock_guard lock{mutex_};
    buckets_.emplace(core->name(), core);
  }
  auto started =
      insist(*buckets_sup_, [&](auto& by) { return by.start_child(bucket_child(core, options_)); });
  if (!started && started.error() != errc::already_exists) {
    if (persistent)
      (void)erase_catalog(id);
    {
      std::lock_guard lock{mutex_};
      buckets_.erase(core->name());
    }
    unlink_references(linked, *core, coming_);
    return fail(std::move(started.error()));
  }
  queries_->bucket_defined(core->name());
  return core;
}

/// Calls a verb of a supervisor until one is there to answer it: one that has crashed is down for a
/// moment, and what it had in hand fails with `stopped`.
template <class Verb>
result<child_info> store_state::insist(const supervisor& by, Verb verb) {
  const time_limit until{runtime_->clock(), default_timeout};
  for (;;) {
    const auto life = by.lives();
    auto answer = verb(by).get();
    auto is_down =
        !answer && (answer.error() == errc::unavailable || answer.error() == errc::stopped);
    if (!is_down || until.passed() || !by.wait_for_life_after(life, default_timeout))
      return answer;
  }
}

std::vector<bucket_core*> store_state::cores() const {
  std::vector<bucket_core*> out;
  for (auto& core : all()) // the map keeps them alive
    out.push_back(core.get());
  return out;
}

void store_state::link_buckets() { link_references(cores(), coming_); }

void store_state::update_ended() {
  coming_ = {};
  link_buckets();
}

result<void> store_state::write_catalog(bucket_id id, const schema& definition) {
  auto op = ref<catalog_operation>{new catalog_operation{*runtime_, *pipe_}};
  op->put(bucket_prefix('c', id), codec::encode_schema(definition));
  op->put(format_key, format_value(id + 1));
  auto done = pending<void_result>{ref<operation<void_result>>{op.get()}}.get();
  if (!done)
    return fail(done.error().at({.bucket = definition.name()}));
  return {};
}

result<void> store_state::erase_catalog(bucket_id id) {
  auto op = ref<catalog_operation>{new catalog_operation{*runtime_, *pipe_}};
  op->erase(bucket_prefix('c', id));
  op->put(format_key, format_value(next_id_));
  auto done = pending<void_result>{ref<operation<void_result>>{op.get()}}.get();
  return done ? result<void>{} : fail(std::move(done.error()));
}

result<bool> store_state::drop(std::string_view name, std::chrono::milliseconds timeout) {
  std::lock_guard one_at_a_time{definitions_};
  if (auto over = stopped())
    return fail(std::move(*over));
  auto begun = std::ranges::find_if(open_changes_, [&](auto& c) {
    return c.what == definition_change::drop && c.core->name() == name;
  });
  if (begun != open_changes_.end()) {
    auto change = std::move(*begun);
    open_changes_.erase(begun);
    return await(std::move(change), timeout).map([] { return true; });
  }
  finish_open_changes();
  auto core = find(name);
  if (!core)
    return core.error() == errc::not_found ? result<bool>{false} : fail(std::move(core.error()));
  auto op = ref<operation<void_result>>{new drop_operation{*core, options_.durability}};
  op->start();
  return await({definition_change::drop, *core, op}, timeout).map([] { return true; });
}

/// Waits for the outcome of a change that was begun, and does what follows from it. When the time
/// is over first, it is either taken back, exactly, or kept for whoever comes next.
result<void> store_state::await(definition_change change, std::chrono::milliseconds timeout) {
  ensure(!runtime::inside_actor(), "store: a blocking change of a definition inside an actor");
  auto& op = *change.op;
  if (op.ready() || op.wait_until(end_of_wait(timeout)))
    return finish(change);
  auto& name = change.core->name();
  auto after = " within " + std::to_string(timeout.count()) + " ms";
  if (op.give_up()) {
    if (change.what == definition_change::update)
      update_ended();
    return fail(errc::timeout, name + ": not begun" + after + "; nothing happened",
                {.bucket = name});
  }
  open_changes_.push_back(change);
  return fail(errc::outcome_unknown, name + ": no answer" + after + "; it may still happen",
              {.bucket = name});
}

result<void> store_state::finish(const definition_change& change) {
  auto done = change.op->take();
  if (change.what == definition_change::update) {
    update_ended();
  } else if (done) {
    forget(change.core);
  } else {
    change.core->reopen();
    queries_->bucket_defined(change.core->name()); // for those that found it closed
  }
  return done ? result<void>{} : fail(std::move(done.error()));
}

void store_state::finish_open_changes() {
  std::erase_if(open_changes_, [this](auto& change) {
    auto ended = change.op->ready();
    if (ended)
      (void)finish(change);
    return ended;
  });
}

std::optional<error> store_state::settle_update(const std::string& name,
                                                std::chrono::milliseconds timeout) {
  finish_open_changes();
  auto open = std::ranges::find(open_changes_, definition_change::update, &definition_change::what);
  if (open == open_changes_.end())
    return std::nullopt;
  if (!open->op->wait_until(end_of_wait(timeout)))
    return error{errc::timeout,
                 name + ": not begun within " + std::to_string(timeout.count()) +
                     " ms, for the update of " + open->core->name() +
                     ", which is on its way, has not ended; nothing happened",
                 {.bucket = name}};
  finish_open_changes();
  return std::nullopt;
}

/// A bucket is gone from data and disk: it goes from the store as well.
void store_state::forget(ref<bucket_core> core) {
  unlink_references(cores(), *core, coming_);
  {
    std::lock_guard lock{mutex_};
    buckets_.erase(core->name());
  }
  std::erase(unbound_, core);
  auto terminate = [&](auto& by) { return by.terminate_child(core->name()); };
  if (insist(*buckets_sup_, terminate))
    (void)insist(*buckets_sup_, [&](auto& by) { return by.delete_child(core->name()); });
}

result<void> store_state::update(std::string_view name, const bucket_update& change,
                                 std::chrono::milliseconds timeout) {
  std::lock_guard one_at_a_time{definitions_};
  if (auto over = stopped())
    return fail(std::move(*over));
  auto core = find(name);
  if (!core)
    return fail(std::move(core.error()));
  if (auto busy = settle_update((*core)->name(), timeout))
    return fail(std::move(*busy));
  auto definition = change.applied_to((*core)->schema().definition());
  if (!definition)
    return fail(std::move(definition.error()));
  auto next = compile(*definition, options_.limits);
  if (!next)
    return fail(std::move(next.error()));
  if (auto wrong = beyond_limits(**next))
    return fail(std::move(*wrong));
  if (auto wrong = check_key_types(cores(), *definition))
    return fail(std::move(*wrong));
  if (auto apart = check_lines(cores(), *definition, (*core)->durable()))
    return fail(std::move(*apart));
  auto op = ref<operation<void_result>>{
      new redefine_operation{*core, options_.durability, *next, change.fill()}};
  coming_ = {*core, *next};
  link_buckets();
  op->start();
  return await({definition_change::update, *core, op}, timeout);
}

result<ref<bucket_core>> store_state::find(std::string_view name) const {
  std::lock_guard lock{mutex_};
  auto found = buckets_.find(name);
  if (found == buckets_.end())
    return fail(errc::not_found, options_.name + ": no bucket is named " + shown(name),
                {.bucket = std::string{name}});
  return found->second;
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
  auto up = insist(*which, [](auto& it) { return it.up(); });
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
  std::lock_guard one_at_a_time{definitions_};
  if (stopped_)
    return {};
  stopped_ = true;
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
  if (ended) // else somebody may hold turns for ever
    unlink_references(cores());
  if (options_.journal)
    keep_first(guarded_journal{*options_.journal}.close());
  if (!options_.runtime)
    runtime_->stop();
  return outcome;
}

} // namespace holdfast::detail
