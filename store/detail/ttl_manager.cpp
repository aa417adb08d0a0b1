#include <holdfast/store/detail/ttl_manager.hpp>

#include <holdfast/runtime/caf.hpp>
#include <holdfast/runtime/fault.hpp>
#include <holdfast/store/detail/purge.hpp>

#include <memory>
#include <set>
#include <utility>

namespace holdfast::detail {

struct ttl_tick_message {};

/// A commit of a purge has ended.
struct purge_step_message {
  std::shared_ptr<purge_pass> pass;
  std::shared_ptr<const result<purge_step>> outcome;
};

} // namespace holdfast::detail

HOLDFAST_LOCAL_MESSAGE(holdfast::detail::ttl_tick_message)
HOLDFAST_LOCAL_MESSAGE(holdfast::detail::purge_step_message)

namespace holdfast::detail {
namespace {

class ttl_actor final : public caf::event_based_actor {
public:
  ttl_actor(caf::actor_config& config, std::function<std::vector<ref<bucket_core>>()> buckets,
            std::chrono::milliseconds interval)
      : caf::event_based_actor{config}, buckets_{std::move(buckets)}, interval_{interval} {}

  const char* name() const override { return "holdfast.ttl_manager"; }

  caf::behavior make_behavior() override {
    quiet(this);
    delayed_send(this, interval_, ttl_tick_message{});
    return {[this](const ttl_tick_message&) { tick(); },
            [this](const purge_step_message& m) {
              m.pass->took(*m.outcome);
              if (m.pass->ended())
                busy_.erase(m.pass->of()->id());
              else
                advance(m.pass);
            }};
  }

  void on_exit() override {
    buckets_ = nullptr;
    busy_.clear();
  }

private:
  void tick() {
    fault_point("ttl.tick");
    delayed_send(this, interval_, ttl_tick_message{});
    for (auto& b : buckets_()) {
      b->lines().way.release_late();
      if (b->is_open() && !busy_.contains(b->id()) && purge_pass::is_due(*b)) {
        busy_.insert(b->id());
        // What expired is hidden whether or not the disk knows that it is gone.
        advance(std::make_shared<purge_pass>(b, durability::async));
      }
    }
  }

  void advance(const std::shared_ptr<purge_pass>& pass) {
    auto answer = [pass, weak = caf::actor_cast<caf::actor_addr>(this)](result<purge_step> step) {
      if (auto self = caf::actor_cast<caf::actor>(weak))
        caf::anon_send(self, purge_step_message{pass, std::make_shared<const result<purge_step>>(
                                                          std::move(step))});
    };
    pass->next().on_completion(std::move(answer));
  }

  std::function<std::vector<ref<bucket_core>>()> buckets_;
  std::chrono::milliseconds interval_;
  std::set<bucket_id> busy_; ///< being purged
};

} // namespace

child_spec ttl_child(std::function<std::vector<ref<bucket_core>>()> buckets,
                     std::chrono::milliseconds interval) {
  child_spec spec;
  spec.id = "ttl_manager";
  spec.start = [buckets = std::move(buckets),
                interval](start_context& context) -> result<caf::actor> {
    return caf::actor_cast<caf::actor>(context.system.spawn<ttl_actor>(buckets, interval));
  };
  spec.backoff =
      backoff_options{.min = std::chrono::milliseconds{10}, .max = std::chrono::milliseconds{1000}};
  return spec;
}

} // namespace holdfast::detail
