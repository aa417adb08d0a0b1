#include <holdfast/store/detail/store_state.hpp>

#include <holdfast/store/codec.hpp>
#include <holdfast/store/detail/actors.hpp>
#include <holdfast/store/detail/store_operations.hpp>

#include <algorithm>

namespace holdfast::detail {

store_state::store_state(store_options options)
    : options_{std::move(options)},
      runtime_{options_.runtime ? std::shared_ptr<runtime>{options_.runtime, [](runtime*) {}}
                                : std::make_shared<runtime>(options_.runtime_settings)},
      gateway_{std::make_shared<gateway_desk>(
          [this](std::string_view name) { return handle(name); }, options_.gateway_requests)} {}

store_state::~store_state() { (void)stop(); }

result<void> store_state::start() {
  if (options_.durability == durability::none && options_.journal)
    return fail(errc::invalid_argument,
                options_.name + ": durability none makes no sense with a journal");
  if (options_.journal) {
    auto info = options_.journal->open();
    if (!info)
      return fail(std::move(info.error()));
    if (auto done = restore(*info); !done) {
      (void)options_.journal->close();
      return done;
    }
  }
  return start_tree();
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
  auto services =
      supervisor::nested(*runtime_, {.name = "services",
                                     .intensity = 10,
                                     .period = options_.restart_period,
                                     .children = {events_.bus().spec(), gateway_->spec()}});
  if (!services)
    return fail(std::move(services.error()));
  root.children.push_back(std::move(services->spec));
  supervisor_options buckets{
      .name = "buckets", .intensity = 10, .period = options_.restart_period, .parallel_stop = true};
  for (auto& [name, core] : buckets_)
    buckets.children.push_back(bucket_child(core, options_));
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

namespace {

/// A definition may say what no bucket does yet: to be refused, for it must not be taken for done.
std::optional<error> not_supported(const schema& s) {
  auto refuse = [&](std::string_view what) {
    return error{errc::invalid_schema,
                 s.name() + ": " + std::string{what} + " is not supported by this version",
                 {.bucket = s.name()}};
  };
  if (s.expires_after())
    return refuse("expire_after");
  if (s.max_records())
    return refuse("capacity");
  return std::nullopt;
}

} // namespace

result<ref<bucket_core>> store_state::define(const schema& definition) {
  auto compiled = compile(definition);
  if (!compiled)
    return fail(std::move(compiled.error()));
  if (auto refused = not_supported(definition))
    return fail(std::move(*refused));
  std::lock_guard one_at_a_time{definitions_};
  if (stopped_)
    return fail(errc::stopped, options_.name + ": the store has stopped");
  if (auto existing = find(definition.name()))
    return bind(**existing, *compiled);
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
  if (auto apart = check_lines(cores(), definition, persistent))
    return fail(std::move(*apart));
  auto id = next_id_;
  if (persistent)
    if (auto written = write_catalog(id, definition); !written)
      return fail(std::move(written.error()));
  ++next_id_;
  auto core =
      make_ref<bucket_core>(id, std::move(schema), runtime_, lines_, persistent ? pipe_ : nullptr);
  auto started = buckets_sup_->start_child(bucket_child(core, options_)).get();
  if (!started)
    return fail(std::move(started.error()));
  {
    std::lock_guard lock{mutex_};
    buckets_.emplace(core->name(), core);
  }
  link_buckets();
  return core;
}

std::vector<bucket_core*> store_state::cores() const {
  std::vector<bucket_core*> out;
  for (auto& core : all()) // the map keeps them alive
    out.push_back(core.get());
  return out;
}

void store_state::link_buckets() { link_references(cores()); }

result<void> store_state::write_catalog(bucket_id id, const schema& definition) {
  auto op = ref<catalog_operation>{new catalog_operation{*runtime_, *pipe_}};
  op->put(bucket_prefix('c', id), codec::encode_schema(definition));
  op->put(format_key, format_value(id + 1));
  auto done = pending<void_result>{ref<operation<void_result>>{op.get()}}.get();
  if (!done)
    return fail(done.error().at({.bucket = definition.name()}));
  return {};
}

result<bool> store_state::drop(std::string_view name) {
  std::lock_guard one_at_a_time{definitions_};
  auto core = find(name);
  if (!core)
    return core.error() == errc::not_found ? result<bool>{false} : fail(std::move(core.error()));
  auto dropped = pending<void_result>{ref<operation<void_result>>{
                                          new drop_operation{*core, options_.durability}}}
                     .get();
  if (!dropped) {
    (*core)->reopen();
    return fail(std::move(dropped.error()));
  }
  forget(*core);
  return true;
}

/// A bucket is gone from data and disk: it goes from the store as well.
void store_state::forget(ref<bucket_core> core) {
  unlink_references(cores(), *core);
  {
    std::lock_guard lock{mutex_};
    buckets_.erase(core->name());
  }
  std::erase(unbound_, core);
  auto ended = buckets_sup_->terminate_child(core->name()).get();
  if (ended)
    (void)buckets_sup_->delete_child(core->name()).get();
}

result<void> store_state::update(std::string_view name, const bucket_update& change,
                                 std::chrono::milliseconds timeout) {
  std::lock_guard one_at_a_time{definitions_};
  auto core = find(name);
  if (!core)
    return fail(std::move(core.error()));
  auto definition = change.applied_to((*core)->schema().definition());
  if (!definition)
    return fail(std::move(definition.error()));
  auto next = compile(*definition);
  if (!next)
    return fail(std::move(next.error()));
  if (auto refused = not_supported(*definition))
    return fail(std::move(*refused));
  if (auto apart = check_lines(cores(), *definition, (*core)->durable()))
    return fail(std::move(*apart));
  auto done = pending<void_result>{ref<operation<void_result>>{new redefine_operation{
                                       *core, options_.durability, *next, change.fill()}}}
                  .get(timeout);
  if (!done)
    return fail(std::move(done.error()));
  link_buckets();
  return {};
}

result<ref<bucket_core>> store_state::find(std::string_view name) const {
  std::lock_guard lock{mutex_};
  auto found = buckets_.find(name);
  if (found == buckets_.end())
    return fail(errc::not_found, options_.name + ": no bucket is named " + std::string{name},
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

result<void> store_state::sync(std::chrono::milliseconds timeout) {
  return pipe_ ? pipe_->sync(std::chrono::steady_clock::now() + timeout) : result<void>{};
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

result<void> store_state::stop() {
  std::lock_guard one_at_a_time{definitions_};
  if (stopped_)
    return {};
  stopped_ = true;
  gateway_->close();
  for (auto& core : all())
    core->close(errc::stopped);
  result<void> outcome;
  auto keep_first = [&](auto r) {
    if (!r && outcome)
      outcome = fail(std::move(r.error()));
  };
  if (root_)
    keep_first(root_->stop().get(std::chrono::seconds{30}));
  if (pipe_) {
    pipe_->stop();
    if (auto why = pipe_->refusal())
      keep_first(result<void>{fail(std::move(*why))});
  }
  if (options_.journal)
    keep_first(options_.journal->close());
  if (!options_.runtime)
    runtime_->stop();
  return outcome;
}

} // namespace holdfast::detail
