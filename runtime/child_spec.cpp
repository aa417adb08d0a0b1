#include <holdfast/runtime/child_spec.hpp>

#include <holdfast/runtime/time_limit.hpp>

#include <initializer_list>
#include <unordered_set>

namespace holdfast {
namespace {

using std::chrono::milliseconds;

bool siblings_depend(strategy s) {
  return s == strategy::one_for_all || s == strategy::rest_for_one;
}

result<void> refuse(const child_spec& spec, const std::string& why) {
  return fail(errc::invalid_argument, "child spec \"" + spec.id + "\": " + why);
}

/// A time that is asked for, and the least that makes sense.
struct asked_time {
  const char* name;
  milliseconds asked, least;
};

/// What is wrong with the first of some times that is; empty if none is.
std::string fault_of(std::initializer_list<asked_time> times) {
  for (auto& [name, asked, least] : times) {
    auto says = std::string{name} + " " + std::to_string(asked.count()) + " ms is ";
    if (asked < least)
      return says + "below the minimum " + std::to_string(least.count()) + " ms";
    if (asked > longest_time)
      return says + "above the maximum " + std::to_string(longest_time.count()) + " ms";
  }
  return {};
}

result<void> check_times(const child_spec& spec) {
  constexpr auto none = milliseconds::zero(), least = milliseconds{1};
  auto wrong = fault_of({{"init_timeout", spec.init_timeout, least}});
  if (wrong.empty() && !spec.shutdown.is_brutal() && !spec.shutdown.is_unlimited(spec.type))
    wrong = fault_of({{"shutdown", spec.shutdown.limit(), none}});
  if (auto& b = spec.backoff; b && wrong.empty())
    wrong = fault_of({{"backoff.min", b->min, least},
                      {"backoff.max", b->max, b->min},
                      {"backoff.reset_after", b->reset_after, none}});
  if (auto& b = spec.budget; b && wrong.empty())
    wrong = fault_of(
        {{"budget.period", b->period, least}, {"budget.revive_after", b->revive_after, none}});
  if (!wrong.empty())
    return refuse(spec, wrong);
  if (auto& b = spec.backoff; b && !(b->jitter >= 0 && b->jitter <= 1))
    return refuse(spec, "backoff.jitter " + std::to_string(b->jitter) + " is not within 0 and 1");
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
  if (auto wrong = fault_of({{"period", options.period, milliseconds{1}},
                             {"kill_grace", options.kill_grace, milliseconds::zero()}});
      !wrong.empty())
    return refuse_options(wrong);
  auto simple = options.strategy == strategy::simple_one_for_one;
  if (simple != options.child_template.has_value())
    return refuse_options("simple_one_for_one and a child template need each other");
  if (simple && (!options.children.empty() || options.further_children))
    return refuse_options("simple_one_for_one has no children but those of its template");
  if (options.parallel_stop && siblings_depend(options.strategy))
    return refuse_options("parallel_stop needs one_for_one: here siblings depend on each other");
  if (options.children.size() > options.max_children)
    return refuse_options(std::to_string(options.children.size()) +
                          " children are more than max_children " +
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
