#include <holdfast/runtime/child_spec.hpp>

#include <unordered_set>

namespace holdfast {
namespace {

using std::chrono::milliseconds;

bool siblings_depend(strategy s) {
  return s == strategy::one_for_all || s == strategy::rest_for_one;
}

result<void> refuse(const child_spec& spec, const char* why) {
  return fail(errc::invalid_argument, "child spec \"" + spec.id + "\": " + why);
}

result<void> check_times(const child_spec& spec) {
  if (spec.init_timeout <= milliseconds::zero())
    return refuse(spec, "init_timeout is not positive");
  if (!spec.shutdown.is_brutal() && spec.shutdown.limit() < milliseconds::zero())
    return refuse(spec, "the shutdown timeout is negative");
  if (auto& b = spec.backoff) {
    if (b->min <= milliseconds::zero() || b->min > b->max)
      return refuse(spec, "back-off needs 0 < min <= max");
    if (!(b->jitter >= 0 && b->jitter <= 1))
      return refuse(spec, "the jitter of the back-off is not between 0 and 1");
  }
  if (spec.budget && spec.budget->period <= milliseconds::zero())
    return refuse(spec, "the period of the budget is not positive");
  return {};
}

} // namespace

result<void> check_spec(const child_spec& spec, const supervisor_options& of) {
  if (spec.id.empty())
    return refuse(spec, "the id is empty");
  if (!spec.start)
    return refuse(spec, "there is no start function");
  if (spec.significant && spec.restart == restart_type::permanent)
    return refuse(spec, "a permanent child cannot be significant, it never ends for good");
  if (spec.significant && of.auto_shutdown == auto_shutdown::never)
    return refuse(spec, "significant needs a supervisor whose auto_shutdown is not never");
  if (spec.budget && spec.budget->exhausted == exhausted::quarantine &&
      siblings_depend(of.strategy))
    return refuse(spec, "quarantine needs one_for_one: here siblings depend on each other");
  return check_times(spec);
}

result<void> check_specs(const supervisor_options& options) {
  auto refuse_options = [&](const std::string& why) {
    return fail(errc::invalid_argument, "supervisor \"" + options.name + "\": " + why);
  };
  if (options.name.empty())
    return refuse_options("the name is empty");
  if (options.period <= milliseconds::zero())
    return refuse_options("the period is not positive");
  if (options.kill_grace < milliseconds::zero())
    return refuse_options("kill_grace is negative");
  auto simple = options.strategy == strategy::simple_one_for_one;
  if (simple != options.child_template.has_value())
    return refuse_options("simple_one_for_one and a child template need each other");
  if (simple && (!options.children.empty() || options.further_children))
    return refuse_options("simple_one_for_one has no children but those of its template");
  if (options.parallel_stop && siblings_depend(options.strategy))
    return refuse_options("parallel_stop needs one_for_one: here siblings depend on each other");
  if (options.children.size() > options.max_children)
    return refuse_options("more children than max_children " +
                          std::to_string(options.max_children));
  if (simple)
    return check_spec(*options.child_template, options);
  std::unordered_set<std::string> ids;
  for (auto& spec : options.children) {
    if (auto ok = check_spec(spec, options); !ok)
      return ok;
    if (!ids.insert(spec.id).second)
      return refuse_options("two children have the id \"" + spec.id + "\"");
  }
  return {};
}

} // namespace holdfast
