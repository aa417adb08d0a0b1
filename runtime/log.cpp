#include <holdfast/runtime/log.hpp>

#include <array>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <exception>
#include <utility>

namespace holdfast {

std::string_view to_string(log_level level) noexcept {
  switch (level) {
  case log_level::debug:
    return "debug";
  case log_level::info:
    return "info";
  case log_level::warning:
    return "warning";
  case log_level::error:
    return "error";
  case log_level::off:
    return "off";
  }
  return "unknown";
}

logger::logger(const clock& time)
    : clock_(&time), sink_(std::make_shared<const sink>(&log_to_stderr)) {}

void logger::redirect(sink to, log_level threshold) {
  auto next = to ? std::make_shared<const sink>(std::move(to)) : nullptr;
  {
    std::lock_guard lock{mutex_};
    sink_.swap(next);
  }
  threshold_.store(threshold, std::memory_order_relaxed);
}

void logger::write(log_level level, std::string_view component,
                   std::string_view message) const noexcept {
  if (!enabled(level))
    return;
  try {
    std::shared_ptr<const sink> to;
    {
      std::lock_guard lock{mutex_};
      to = sink_;
    }
    if (to)
      (*to)(log_entry{level, clock_->now(), component, message});
  } catch (const std::exception&) {
    // A log that fails must not become a second failure.
  }
}

void log_to_stderr(const log_entry& entry) {
  using namespace std::chrono;
  auto seconds_part = floor<seconds>(entry.at);
  auto millis = duration_cast<milliseconds>(entry.at - seconds_part).count();
  std::time_t when = seconds_part.time_since_epoch().count();
  std::tm parts{};
  gmtime_r(&when, &parts);
  std::array<char, 32> stamp{};
  std::strftime(stamp.data(), stamp.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  auto level = to_string(entry.level);
  std::fprintf(stderr, "%s.%03dZ %.*s %.*s: %.*s\n", stamp.data(), static_cast<int>(millis),
               static_cast<int>(level.size()), level.data(),
               static_cast<int>(entry.component.size()), entry.component.data(),
               static_cast<int>(entry.message.size()), entry.message.data());
}

} // namespace holdfast
