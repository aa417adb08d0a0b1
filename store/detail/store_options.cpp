// What makes no sense in the options of a store.
#include <holdfast/store/detail/store_state.hpp>

#include <holdfast/runtime/time_limit.hpp>
#include <holdfast/store/detail/validation_check.hpp>
#include <holdfast/store/detail/validation_rules.hpp>

#include <array>
#include <limits>

namespace holdfast::detail {

namespace {

/// The first limit that cannot be.
std::optional<error> check_limits(const store_options& asked) {
  struct limit {
    std::string_view name;
    std::size_t asked, most;
  };
  constexpr auto any = std::numeric_limits<std::size_t>::max();
  auto& mine = asked.limits;
  auto& settings = asked.runtime_settings;
  auto& most = limits.record;
  const std::array all{limit{"limits.value_bytes", mine.value_bytes, most.value_bytes},
                       limit{"limits.record_bytes", mine.record_bytes, most.record_bytes},
                       limit{"limits.key_bytes", mine.key_bytes, most.key_bytes},
                       limit{"limits.fields", mine.fields, most.fields},
                       limit{"limits.name_bytes", mine.name_bytes, most.name_bytes},
                       limit{"limits.nesting", mine.nesting, most.nesting},
                       limit{"limits.depth", mine.depth, most.depth},
                       limit{"limits.filter_depth", mine.filter_depth, most.filter_depth},
                       limit{"limits.filter_terms", mine.filter_terms, most.filter_terms},
                       limit{"limits.order_terms", mine.order_terms, most.order_terms},
                       limit{"limits.group_fields", mine.group_fields, most.group_fields},
                       limit{"limits.issues", mine.issues, most.issues},
                       limit{"runtime_settings.mailbox_limit", settings.mailbox_limit, any},
                       limit{"feed_commits", asked.feed_commits, any},
                       limit{"backlog_commits", asked.backlog_commits, any},
                       limit{"backlog_bytes", asked.backlog_bytes, any},
                       limit{"gateway_requests", asked.gateway_requests, any},
                       limit{"gateway_subscriptions", asked.gateway_subscriptions, any}};
  for (auto& one : all)
    if (one.asked == 0 || one.asked > one.most)
      return error{errc::invalid_argument,
                   asked.name + ": " + std::string{one.name} + " " + std::to_string(one.asked) +
                       (one.most == any ? " is below the minimum 1"
                                        : " is not within 1 and " + std::to_string(one.most))};
  return std::nullopt;
}

/// The first number of threads or time that cannot be.
std::optional<error> check_threads_and_times(const store_options& asked) {
  struct bounds {
    std::string_view name;
    std::int64_t asked, least, most;
    std::string_view unit;
  };
  constexpr std::int64_t most_threads = 1024;
  auto& settings = asked.runtime_settings;
  auto time = [](std::string_view name, auto given, std::int64_t least, std::string_view unit) {
    return bounds{name, given.count(), least, decltype(given){longest_time}.count(), unit};
  };
  const std::array all{
      bounds{"restore_threads", asked.restore_threads, 0, most_threads, ""},
      bounds{"runtime_settings.threads", settings.threads, 0, most_threads, ""},
      bounds{"runtime_settings.callback_threads", settings.callback_threads, 0, most_threads, ""},
      time("group_delay", asked.group_delay, 0, " us"),
      time("async_delay", asked.async_delay, 0, " us"),
      time("restart_period", asked.restart_period, 1, " ms"),
      time("revive_after", asked.revive_after, 0, " ms"),
      time("ttl_interval", asked.ttl_interval, -longest_time.count(), " ms")};
  for (auto& one : all) {
    if (one.asked >= one.least && one.asked <= one.most)
      continue;
    const auto unit = std::string{one.unit};
    const auto low = one.asked < one.least;
    return error{errc::invalid_argument,
                 asked.name + ": " + std::string{one.name} + " " + std::to_string(one.asked) +
                     unit + (low ? " is below the minimum " : " is above the maximum ") +
                     std::to_string(low ? one.least : one.most) + unit};
  }
  return std::nullopt;
}

/// Names stand in messages, trees and metrics, one line each.
std::optional<error> check_name(const std::string& name) {
  if (auto wrong = line_fault(name); !wrong.empty())
    return error{errc::invalid_argument, "store: the name " + wrong};
  return std::nullopt;
}

} // namespace

std::optional<error> store_state::fault_in(const store_options& options) {
  if (auto wrong = check_name(options.name))
    return wrong;
  if (options.durability > durability::none)
    return error{errc::invalid_argument, options.name + ": durability " +
                                             std::to_string(static_cast<int>(options.durability)) +
                                             " is none of those that there are"};
  if (auto wrong = check_limits(options))
    return wrong;
  return check_threads_and_times(options);
}

} // namespace holdfast::detail
