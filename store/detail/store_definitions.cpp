// Buckets come, change and go.
#include <holdfast/store/detail/store_state.hpp>

#include <holdfast/runtime/time_limit.hpp>
#include <holdfast/store/codec.hpp>
#include <holdfast/store/detail/actors.hpp>
#include <holdfast/store/detail/definition_limits.hpp>
#include <holdfast/store/detail/insist.hpp>
#include <holdfast/store/detail/store_operations.hpp>
#include <holdfast/store/detail/validation_check.hpp>

#include <algorithm>

namespace holdfast::detail {

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
  auto started = insist(*runtime_, *buckets_sup_,
                        [&](auto& by) { return by.start_child(bucket_child(core, options_)); });
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
  queries_->bucket_came_or_went(core->name());
  return core;
}

std::vector<bucket_core*> store_state::cores() const {
  std::vector<bucket_core*> out;
  for (auto& core : all()) // the map keeps them alive
    out.push_back(core.get());
  return out;
}

void store_state::link_buckets() { link_references(cores(), coming_); }

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
      coming_ = {};
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
    coming_ = {}; // its links are in place; if it failed, they are of a field that nobody has
  } else if (done) {
    forget(change.core);
  } else {
    change.core->reopen();
    queries_->bucket_came_or_went(change.core->name()); // for those that found it closed
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
  queries_->bucket_came_or_went(core->name()); // who ran since the commit found it closed
  std::erase(unbound_, core);
  auto terminate = [&](auto& by) { return by.terminate_child(core->name()); };
  if (insist(*runtime_, *buckets_sup_, terminate))
    (void)insist(*runtime_, *buckets_sup_, [&](auto& by) { return by.delete_child(core->name()); });
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
  if (!link_references(cores(), coming_, time_limit{system_clock(), timeout})) {
    coming_ = {};
    return fail(
        errc::timeout,
        (*core)->name() + ": not begun within " + std::to_string(timeout.count()) +
            " ms, for a bucket that it is linked with is being written to; nothing happened",
        {.bucket = (*core)->name()});
  }
  op->start();
  return await({definition_change::update, *core, op}, timeout);
}

} // namespace holdfast::detail
