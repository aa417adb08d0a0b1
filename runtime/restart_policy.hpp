#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace holdfast {

/// Which children a crash restarts.
enum class strategy : std::uint8_t {
  one_for_one,        ///< the child that ended
  one_for_all,        ///< all children
  rest_for_one,       ///< the child that ended and those started after it
  simple_one_for_one, ///< the child that ended; all are made at run time from one template
};

/// When a child is restarted.
enum class restart_type : std::uint8_t {
  permanent, ///< always
  transient, ///< unless it ended by itself (`normal`) or was asked to (`shutdown`)
  temporary, ///< never; its spec is forgotten when it ends
};

enum class child_type : std::uint8_t { worker, supervisor };

/// Whether the end of significant children ends their supervisor.
enum class auto_shutdown : std::uint8_t { never, any_significant, all_significant };

/// What to do with a child that neither its shutdown nor a kill could stop: it is stuck in a
/// handler, and no thread can be ended from outside.
enum class stuck_policy : std::uint8_t {
  abandon,       ///< cut it off: its address is fenced, its messages are not looked at, go on
  abort_process, ///< `std::abort()`
};

/// How a child is stopped: at once by a kill, or by a request to end that is followed by a kill
/// after some time, or by a request alone.
class shutdown_policy {
public:
  static constexpr shutdown_policy brutal_kill() { return shutdown_policy{kind::kill, {}}; }
  static constexpr shutdown_policy infinity() { return shutdown_policy{kind::wait, {}}; }
  static constexpr shutdown_policy timeout(std::chrono::milliseconds after) {
    return shutdown_policy{kind::bounded, after};
  }
  /// What OTP does: 5 s for a worker, without limit for a supervisor.
  constexpr shutdown_policy() = default;

  constexpr bool is_brutal() const { return kind_ == kind::kill; }
  constexpr bool is_unlimited(child_type type) const {
    return kind_ == kind::wait || (kind_ == kind::by_type && type == child_type::supervisor);
  }
  /// Time between the request and the kill; of no meaning when brutal or unlimited.
  constexpr std::chrono::milliseconds limit() const { return after_; }

private:
  enum class kind : std::uint8_t { by_type, kill, bounded, wait };
  constexpr shutdown_policy(kind k, std::chrono::milliseconds after) : kind_(k), after_(after) {}
  kind kind_ = kind::by_type;
  std::chrono::milliseconds after_{5000};
};

/// How an actor ended.
enum class exit_kind : std::uint8_t {
  normal,    ///< by itself, having done its work
  shutdown,  ///< because it was asked to
  killed,    ///< by a kill
  crashed,   ///< by an exception, an error, or because it could not be reached any more
  abandoned, ///< not at all: it is stuck and was given up
};

/// Why an actor ended: the kind decides about restarts, the text is for people.
struct exit_cause {
  exit_kind kind = exit_kind::normal;
  std::string text;

  /// Whether a transient child is restarted after this.
  bool abnormal() const { return kind != exit_kind::normal && kind != exit_kind::shutdown; }
  friend bool operator==(const exit_cause&, const exit_cause&) = default;
};

/// OTP's table: permanent always, transient after an abnormal end, temporary never.
constexpr bool needs_restart(restart_type type, exit_kind kind) {
  return type == restart_type::permanent ||
         (type == restart_type::transient && kind != exit_kind::normal &&
          kind != exit_kind::shutdown);
}

std::string_view to_string(strategy s) noexcept;
std::string_view to_string(restart_type t) noexcept;
std::string_view to_string(child_type t) noexcept;
std::string_view to_string(exit_kind k) noexcept;
/// `crashed: division by zero`.
std::string to_string(const exit_cause& cause);

} // namespace holdfast
