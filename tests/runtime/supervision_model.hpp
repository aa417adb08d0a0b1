#pragma once

#include <holdfast/runtime/child_spec.hpp>

#include <algorithm>
#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace holdfast::testing {

/// OTP's `supervisor` as a plain sequential program, written after supervisor.erl: every call runs
/// to its end before the next one, starts and stops happen at once. What the real rules do between
/// two moments of rest must be what this does.
class otp_model {
public:
  struct kid {
    std::string id;
    restart_type restart{};
    bool significant = false;
    enum class pid { none, live, restarting } state = pid::none;
  };

  strategy how{};
  restart_budget budget;
  enum auto_shutdown auto_shutdown = holdfast::auto_shutdown::never;
  std::vector<kid> kids;
  std::map<std::string, int> failing; ///< how many of the next starts fail
  std::vector<std::string> trace;     ///< "+a" a was started, "-a" a was stopped or has crashed
  bool ended = false;

  void begin() {
    for (auto& k : kids)
      if (!start(k))
        return shut_down();
  }

  bool start_child(kid k) {
    if (ended || find(k.id) != kids.end())
      return false;
    kids.push_back(k);
    if (start(kids.back()))
      return true;
    kids.pop_back();
    return false;
  }

  bool terminate_child(const std::string& id) {
    auto k = find(id);
    if (ended || k == kids.end())
      return false;
    stop(*k);
    if (k->restart == restart_type::temporary || how == strategy::simple_one_for_one)
      kids.erase(k);
    return true;
  }

  bool restart_child(const std::string& id) {
    auto k = find(id);
    return !ended && how != strategy::simple_one_for_one && k != kids.end() &&
           k->state == kid::pid::none && start(*k);
  }

  bool delete_child(const std::string& id) {
    auto k = find(id);
    if (ended || k == kids.end() || k->state != kid::pid::none)
      return false;
    kids.erase(k);
    return true;
  }

  void exited(const std::string& id, exit_kind why, std::chrono::nanoseconds now) {
    auto k = find(id);
    if (ended || k == kids.end() || k->state != kid::pid::live)
      return;
    trace.push_back("-" + id);
    k->state = kid::pid::none;
    if (needs_restart(k->restart, why))
      return restart(id, now);
    auto significant = k->significant;
    if (k->restart == restart_type::temporary || how == strategy::simple_one_for_one)
      kids.erase(k);
    if (significant && wants_shutdown())
      shut_down();
  }

  void shut_down() {
    for (auto k = kids.rbegin(); k != kids.rend(); ++k)
      stop(*k);
    ended = true;
  }

private:
  std::vector<kid>::iterator find(const std::string& id) {
    return std::find_if(kids.begin(), kids.end(), [&](auto& k) { return k.id == id; });
  }

  bool start(kid& k) {
    if (failing[k.id] > 0) {
      --failing[k.id];
      return false;
    }
    trace.push_back("+" + k.id);
    k.state = kid::pid::live;
    return true;
  }

  void stop(kid& k) {
    if (k.state == kid::pid::live)
      trace.push_back("-" + k.id);
    k.state = kid::pid::none;
  }

  bool wants_shutdown() {
    return auto_shutdown == auto_shutdown::any_significant ||
           (auto_shutdown == auto_shutdown::all_significant &&
            std::none_of(kids.begin(), kids.end(),
                         [](auto& k) { return k.significant && k.state != kid::pid::none; }));
  }

  bool add_restart(std::chrono::nanoseconds now) {
    restarts_.push_back(now);
    std::erase_if(restarts_, [&](auto t) { return now - t > budget.period; });
    return restarts_.size() <= budget.intensity;
  }

  /// `restart/2` and `try_again_restart` in a loop.
  void restart(std::string id, std::chrono::nanoseconds now) {
    for (;;) {
      auto k = find(id);
      k->state = kid::pid::none;
      if (!add_restart(now))
        return shut_down();
      auto failed = how == strategy::one_for_all || how == strategy::rest_for_one
                        ? restart_multiple(id)
                        : (start(*k) ? "" : id);
      if (failed.empty())
        return;
      find(failed)->state = kid::pid::restarting;
      id = failed;
    }
  }

  /// Stops and starts the group; returns who failed to start.
  std::string restart_multiple(const std::string& id) {
    auto first = how == strategy::one_for_all ? 0 : find(id) - kids.begin();
    for (auto i = std::ssize(kids) - 1; i >= first; --i) {
      auto& k = kids[static_cast<std::size_t>(i)];
      stop(k);
      if (k.restart == restart_type::temporary && k.id != id)
        kids.erase(kids.begin() + i);
    }
    for (auto i = first; i < std::ssize(kids); ++i)
      if (auto& k = kids[static_cast<std::size_t>(i)]; !start(k))
        return k.id;
    return "";
  }

  std::deque<std::chrono::nanoseconds> restarts_;
};

} // namespace holdfast::testing
