#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast {

/// What an armed fault point throws: inside an actor, a crash.
class injected_fault : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

namespace detail {
inline std::atomic<bool> faults_armed{false};
bool fault_hit(std::string_view name);
bool bug_hit(std::string_view name);
} // namespace detail

/// A named place at which a test may strike. One relaxed load while nothing is armed.
inline void fault_point(std::string_view name) {
  if (detail::faults_armed.load(std::memory_order_relaxed)) [[unlikely]]
    detail::fault_hit(name);
}

/// A named place at which a test may have the code go wrong, in the way that the name says, to see
/// that its checks find it: true when a fault strikes here, unless its action throws something else
/// than `injected_fault`, as they do by default. As cheap as a fault point.
[[nodiscard]] inline bool bug_point(std::string_view name) {
  return detail::faults_armed.load(std::memory_order_relaxed) && detail::bug_hit(name);
}

namespace testing {

/// Strikes at a fault point, from construction to destruction: lets the point be passed `skip`
/// times, then runs `action` (by default it throws `injected_fault`) the next `times` times.
/// Thread-safe. Actions may throw, kill the process, or do something else to the system just there;
/// at a bug point they need do nothing.
class fault {
public:
  explicit fault(std::string name, std::uint64_t skip = 0, std::function<void()> action = {},
                 std::uint64_t times = 1);
  fault(const fault&) = delete;
  fault& operator=(const fault&) = delete;
  ~fault();

  /// True once the action has run.
  bool struck() const;

private:
  std::uint64_t id_;
};

/// How often each point was passed while any fault was armed, by name: shows that a harness reaches
/// every point it speaks of.
std::vector<std::pair<std::string, std::uint64_t>> fault_points_passed();

} // namespace testing
} // namespace holdfast
