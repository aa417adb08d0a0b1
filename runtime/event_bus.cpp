#include <holdfast/runtime/event_bus.hpp>

#include <holdfast/runtime/caf.hpp>
#include <holdfast/runtime/detail/doorbell.hpp>
#include <holdfast/runtime/detail/mail_ticket.hpp>
#include <holdfast/runtime/detail/mailed.hpp>
#include <holdfast/runtime/detail/subscriber_queue.hpp>
#include <holdfast/runtime/topic_tree.hpp>

#include <atomic>
#include <mutex>
#include <utility>
#include <vector>

namespace holdfast {
namespace detail {

/// What the handles, the actor and the tokens share. Lock order: this mutex before a queue's.
struct bus_core {
  bus_core(runtime& r, event_bus_options o) : rt{r}, options{std::move(o)} {}

  runtime& rt;
  const event_bus_options options;
  mutable std::mutex mutex;
  topic_tree<std::shared_ptr<subscriber_queue>> tree;
  const std::shared_ptr<doorbell> bell = std::make_shared<doorbell>(rt);
  std::shared_ptr<event_source> source; ///< set before the start

  std::atomic<std::size_t> waiting{0}; ///< events in the actor's mailbox
  std::atomic<std::uint64_t> published{0};
  std::atomic<std::uint64_t> refused{0};
  std::atomic<std::uint64_t> delivered{0};
  std::atomic<std::uint64_t> unheard{0};
  const std::shared_ptr<queue_totals> totals = std::make_shared<queue_totals>();

  void deliver(const delivery& d);
};

/// An event on its way to the bus; counted while it waits, whatever becomes of the message.
struct publication {
  publication(std::shared_ptr<bus_core> c, delivery d) : core{std::move(c)}, event{std::move(d)} {}
  publication(const publication&) = delete;
  publication& operator=(const publication&) = delete;
  ~publication() { core->waiting.fetch_sub(1, std::memory_order_relaxed); }

  std::shared_ptr<bus_core> core;
  delivery event;
};

struct publish_message {
  std::shared_ptr<publication> what;
};

} // namespace detail
} // namespace holdfast

HOLDFAST_LOCAL_MESSAGE(holdfast::detail::publish_message)

namespace holdfast {
namespace detail {

void bus_core::deliver(const delivery& d) {
  std::vector<std::shared_ptr<subscriber_queue>> to;
  {
    std::lock_guard lock{mutex};
    tree.match(*d.where, [&](auto& queue) { to.push_back(queue); });
  }
  for (auto& queue : to)
    if (queue->push(d))
      delivered.fetch_add(1, std::memory_order_relaxed);
  if (to.empty())
    unheard.fetch_add(1, std::memory_order_relaxed);
}

namespace {

class bus_actor final : public caf::event_based_actor {
public:
  bus_actor(caf::actor_config& config, std::shared_ptr<bus_core> core)
      : caf::event_based_actor{config}, core_{std::move(core)} {}

  const char* name() const override { return "holdfast.event_bus"; }

  caf::behavior make_behavior() override {
    quiet(this);
    return {[this](const publish_message& m) {
              mailed(m.what.get());
              core_->deliver(m.what->event);
            },
            [this](const rung&) { pull(); }};
  }

  void on_exit() override { core_.reset(); }

private:
  void pull() {
    if (!core_->source)
      return;
    auto more = core_->source->pull([this](auto where, auto what) {
      core_->published.fetch_add(1, std::memory_order_relaxed);
      core_->deliver({std::move(where), std::move(what)});
    });
    if (more)
      send(this, rung{});
  }

  std::shared_ptr<bus_core> core_;
};

result<caf::actor> start_bus(const std::shared_ptr<bus_core>& core, start_context& context) {
  auto started = context.system.spawn<bus_actor>(core);
  core->bell->give_to(caf::actor_cast<caf::actor>(started));
  return started;
}

subscription enter(const std::shared_ptr<bus_core>& core, const topic_pattern& pattern,
                   std::shared_ptr<subscriber_queue> queue) {
  queue->count_in(core->totals);
  queue->when_closed([weak = std::weak_ptr{core}, pattern](auto& closed) {
    if (auto still = weak.lock()) {
      std::lock_guard lock{still->mutex};
      still->tree.erase(pattern, closed);
    }
  });
  std::lock_guard lock{core->mutex};
  core->tree.insert(pattern, queue);
  return subscription{std::move(queue)};
}

} // namespace
} // namespace detail

void event_mail::take(const std::function<void(const topic&, const event&)>& f) const {
  ticket_->take([&](const detail::delivery& d) { f(*d.where, *d.what); });
}

event_bus::event_bus(runtime& rt, event_bus_options options)
    : core_{std::make_shared<detail::bus_core>(rt, std::move(options))} {}

child_spec event_bus::spec() const {
  return {
      .id = core_->options.name,
      .start = [core = core_](start_context& context) { return detail::start_bus(core, context); },
      .backoff = backoff_options{.min = std::chrono::milliseconds{10},
                                 .max = std::chrono::milliseconds{1000}}};
}

result<void> event_bus::publish(topic where, std::shared_ptr<const event> what) const {
  auto refuse = [&](errc code, const char* why) {
    core_->refused.fetch_add(1, std::memory_order_relaxed);
    return fail(code, core_->options.name + ": " + why);
  };
  gate::pass pass{core_->rt.gate()};
  if (!pass && !runtime::inside_actor())
    return refuse(errc::stopped, "the runtime is stopping");
  const auto to = core_->bell->owner();
  if (!to)
    return refuse(errc::unavailable, "not running");
  auto waiting = core_->waiting.fetch_add(1, std::memory_order_relaxed);
  auto sent = std::make_shared<detail::publication>(
      core_, detail::delivery{std::make_shared<const topic>(std::move(where)), std::move(what)});
  if (waiting >= core_->options.limit)
    return refuse(errc::overloaded, "its limit of waiting events is reached");
  detail::before_mailing(sent.get());
  core_->published.fetch_add(1, std::memory_order_relaxed);
  caf::anon_send(to, detail::publish_message{std::move(sent)});
  return {};
}

void event_bus::pull_from(std::shared_ptr<event_source> source) const {
  core_->source = std::move(source);
}

void event_bus::wake() const { core_->bell->ring(); }

subscription event_bus::subscribe(const topic_pattern& pattern, handler call,
                                  subscriber_options options) const {
  auto queue = std::make_shared<detail::subscriber_queue>(
      core_->rt.executor(),
      [call = std::move(call)](const detail::delivery& d) { call(*d.where, *d.what); },
      options.limit, options.overflow);
  return enter(pattern, std::move(queue), std::move(options));
}

subscription event_bus::subscribe(const topic_pattern& pattern, const caf::actor& subscriber,
                                  subscriber_options options) const {
  auto notify = [weak = caf::actor_cast<caf::actor_addr>(subscriber)](
                    const std::shared_ptr<detail::subscriber_queue>& queue) {
    auto to = caf::actor_cast<caf::actor>(weak);
    if (to)
      caf::anon_send(to, event_mail{std::make_shared<detail::mail_ticket>(queue)});
    return to != nullptr;
  };
  auto queue = std::make_shared<detail::subscriber_queue>(std::move(notify), options.limit,
                                                          options.overflow);
  return enter(pattern, std::move(queue), std::move(options));
}

subscription event_bus::enter(const topic_pattern& pattern,
                              std::shared_ptr<detail::subscriber_queue> queue,
                              subscriber_options options) const {
  queue->accept_only(std::move(options.accept));
  queue->tell_gaps(std::move(options.on_gap));
  return detail::enter(core_, pattern, std::move(queue));
}

event_bus_counters event_bus::counters() const {
  auto read = [](auto& n) { return n.load(std::memory_order_relaxed); };
  return {read(core_->published), read(core_->refused), read(core_->delivered),
          read(core_->unheard)};
}

std::size_t event_bus::subscribers() const {
  std::lock_guard lock{core_->mutex};
  return core_->tree.size();
}

subscriber_counters event_bus::queues() const {
  std::lock_guard lock{core_->mutex};
  return detail::counters_of(*core_->totals, [this](auto&& look) {
    core_->tree.each([&](auto& queue) { look(*queue); });
  });
}

} // namespace holdfast
