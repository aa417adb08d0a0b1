#include <holdfast/store/store.hpp>

#include <holdfast/runtime/caf.hpp>
#include <holdfast/store/detail/store_state.hpp>

namespace holdfast {

store::store(std::unique_ptr<detail::store_state> state) : state_{std::move(state)} {}
store::store(store&&) noexcept = default;
store& store::operator=(store&& other) noexcept {
  if (this != &other) {
    detail::store_state::end(std::move(state_));
    state_ = std::move(other.state_);
  }
  return *this;
}
store::~store() { detail::store_state::end(std::move(state_)); }

result<store> store::start(store_options options) {
  ensure(!runtime::inside_actor(), "store::start: it waits for its actors, inside an actor");
  if (auto wrong = detail::store_state::fault_in(options))
    return fail(std::move(*wrong));
  auto state = std::make_unique<detail::store_state>(std::move(options));
  if (auto started = state->start(); !started)
    return fail(std::move(started.error()));
  return store{std::move(state)};
}

result<holdfast::bucket<>> store::define(const schema& definition) {
  return state_->define(definition).map([this](ref<detail::bucket_core> core) {
    return holdfast::bucket<>{std::move(core), state_->options().durability};
  });
}

result<holdfast::bucket<>> store::bucket(std::string_view name) const {
  return state_->handle(name);
}

bool store::has_bucket(std::string_view name) const { return state_->find(name).has_value(); }

std::vector<std::string> store::bucket_names() const { return state_->names(); }

result<schema> store::bucket_schema(std::string_view name) const {
  return state_->published_schema(name);
}

result<void> store::update_bucket(std::string_view name, const bucket_update& change,
                                  std::chrono::milliseconds timeout) {
  return state_->update(name, change, timeout);
}

result<bool> store::drop(std::string_view name, std::chrono::milliseconds timeout) {
  return state_->drop(name, timeout);
}
snapshot store::snapshot() const { return state_->snapshot(); }
result<void> store::run_transaction(const transact_options& options,
                                    detail::transaction_body body) {
  return detail::transact(*state_->lines(), state_->owner(), state_.get(),
                          state_->options().durability, options, body);
}
result<std::uint64_t> store::purge() { return state_->purge(); }
result<void> store::sync(std::chrono::milliseconds timeout) { return state_->sync(timeout); }
result<reopen_report> store::reopen() { return state_->reopen(); }
result<void> store::revive(std::string_view bucket) { return state_->revive(bucket); }
store_stats store::stats() const { return state_->stats(); }
const restore_report& store::restored() const noexcept { return state_->restored(); }
std::string store::tree() const { return state_->tree(); }

namespace {

template <class Receiver>
result<subscription> follow(detail::store_state& state, std::string_view pattern, Receiver&& to,
                            subscriber_options options) {
  auto parsed = topic_pattern::parse(pattern);
  if (!parsed)
    return fail(std::move(parsed.error()));
  if (auto over = state.stopped())
    return fail(std::move(*over));
  return state.events().subscribe(
      *parsed, std::move(options), [&](const event_bus& bus, subscriber_options how) {
        return bus.subscribe(*parsed, std::forward<Receiver>(to), std::move(how));
      });
}

} // namespace

result<subscription> store::on(std::string_view pattern, std::function<void(const change&)> call,
                               subscriber_options options) {
  if (!call)
    return fail(errc::invalid_argument, state_->options().name + ": on: the handler is empty");
  event_bus::handler handler = [call = std::move(call)](const topic&, const event& e) {
    call(static_cast<const change&>(e));
  };
  return follow(*state_, pattern, std::move(handler), std::move(options));
}

result<subscription> store::on(std::string_view pattern, const caf::actor& subscriber,
                               subscriber_options options) {
  if (!subscriber)
    return fail(errc::invalid_argument, state_->options().name + ": on: the subscriber is null");
  return follow(*state_, pattern, subscriber, std::move(options));
}

event_bus_counters store::event_counters() const { return state_->events().bus().counters(); }

result<void> store::crash(std::string_view bucket, std::chrono::milliseconds timeout) {
  auto core = state_->find(bucket);
  if (!core)
    return fail(std::move(core.error()));
  return state_->crash((*core)->address(), timeout);
}

result<void> store::crash_supervisor(std::string_view name) {
  return state_->crash_supervisor(name);
}

result<void> store::crash_persistence(std::chrono::milliseconds timeout) {
  return state_->crash_persistence(timeout);
}

result<void> store::stop() { return state_->stop(); }
runtime& store::runtime_in_use() const noexcept { return state_->owner(); }
const detail::gateway_desk& store::gateway() const noexcept { return state_->gateway(); }

} // namespace holdfast
