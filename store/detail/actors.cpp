#include <holdfast/store/detail/actors.hpp>

#include <holdfast/runtime/caf.hpp>
#include <holdfast/runtime/fault.hpp>

namespace holdfast::detail {

child_spec bucket_child(ref<bucket_core> core, const store_options& options) {
  child_spec spec;
  spec.id = core->name();
  spec.address = ref<holdfast::address>{&core->address()};
  spec.budget = child_budget{.intensity = options.restart_budget,
                             .period = options.restart_period,
                             .revive_after = options.revive_after};
  spec.start = [core](start_context& context) -> result<caf::actor> {
    return context.system.spawn([core](caf::event_based_actor* self) {
      quiet(self);
      fault_point("bucket.recovering");
      core->recover();
      core->address().publish(self);
    });
  };
  return spec;
}

child_spec persistence_child(std::shared_ptr<pipeline> pipe, ref<address> at) {
  child_spec spec;
  spec.id = "persistence";
  spec.address = at;
  spec.start = [pipe, at](start_context& context) -> result<caf::actor> {
    return context.system.spawn([pipe, at](caf::event_based_actor* self) {
      quiet(self);
      fault_point("persistence.recovering");
      auto ticket = pipe->resume();
      self->attach_functor([pipe, ticket] { pipe->pause(ticket); });
      at->publish(self);
    });
  };
  return spec;
}

} // namespace holdfast::detail
