#pragma once

#include <holdfast/runtime/clock.hpp>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

namespace holdfast {

/// How much a log entry matters.
enum class log_level : std::uint8_t {
  debug,   ///< for whoever works on the library
  info,    ///< life goes on: a child was started, a journal was opened
  warning, ///< something failed and was dealt with: a restart, a dropped message
  error,   ///< something failed and needs a person: a quarantine, an escalation
  off,     ///< as a threshold only: nothing is logged
};

std::string_view to_string(log_level level) noexcept;

/// One thing that happened. The views live as long as the call of the sink.
struct log_entry {
  log_level level = log_level::info;
  timestamp at{};
  std::string_view component; ///< who speaks, such as `supervisor store/buckets`
  std::string_view message;
};

/// The logging hook: the library writes through one of these and never to a stream of its own.
///
/// Starts with the sink `log_to_stderr` and the threshold `warning`. Thread-safe. A sink is called
/// on the thread that logs, possibly from several at once, and must neither block for long nor call
/// back into the library; what it throws is swallowed.
class logger {
public:
  using sink = std::function<void(const log_entry&)>;

  explicit logger(const clock& time = system_clock());

  /// Replaces the sink and the threshold. An empty sink logs nothing.
  void redirect(sink to, log_level threshold = log_level::info);
  void threshold(log_level level) noexcept { threshold_.store(level, std::memory_order_relaxed); }

  bool enabled(log_level level) const noexcept {
    return level >= threshold_.load(std::memory_order_relaxed) && level != log_level::off;
  }
  /// Does nothing when the level is below the threshold.
  void write(log_level level, std::string_view component, std::string_view message) const noexcept;

private:
  const clock* clock_;
  std::atomic<log_level> threshold_{log_level::warning};
  mutable std::mutex mutex_;
  std::shared_ptr<const sink> sink_;
};

/// One line per entry: `2026-01-31T12:00:00.123Z warning supervisor root: ...`.
void log_to_stderr(const log_entry& entry);

} // namespace holdfast
