#pragma once

#include "kill_log.hpp"

#include <holdfast/persistence/rocksdb.hpp>
#include <holdfast/store/options.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace holdfast::testing {

/// What the parent of a kill test tells its child: on the command line, in this order.
struct kill_orders {
  std::string directory;
  int log = -1;  ///< file descriptor of the shared `kill_log`
  int pipe = -1; ///< file descriptor to say `kill_word`s to
  /// 0 to 3: sync, group, async, and a mixture by lane.
  int level = 0;
  planted bug = planted::nothing;
  bool traced = true; ///< the child writes down the commit order, which lets it follow the feed
  std::uint64_t seed = 0;
  std::uint64_t target = 0; ///< acknowledgements until `target_reached`; 0: writes nothing
  std::string fault;        ///< SIGKILL itself at this fault point behind the target, if not empty
  std::uint64_t skip = 0;   ///< how often that point is passed first
  kill_log::counts done{};  ///< steps that the directory holds

  std::vector<std::string> to_arguments() const {
    std::vector<std::string> out{directory,
                                 std::to_string(log),
                                 std::to_string(pipe),
                                 std::to_string(level),
                                 std::to_string(static_cast<int>(bug)),
                                 std::to_string(traced),
                                 std::to_string(seed),
                                 std::to_string(target),
                                 fault.empty() ? "-" : fault,
                                 std::to_string(skip)};
    for (auto n : done)
      out.push_back(std::to_string(n));
    return out;
  }

  static kill_orders from_arguments(char** at) {
    kill_orders o;
    o.directory = *at++;
    o.log = std::stoi(*at++);
    o.pipe = std::stoi(*at++);
    o.level = std::stoi(*at++);
    o.bug = static_cast<planted>(std::stoi(*at++));
    o.traced = std::stoi(*at++) != 0;
    o.seed = std::stoull(*at++);
    o.target = std::stoull(*at++);
    o.fault = *at++;
    if (o.fault == "-")
      o.fault.clear();
    o.skip = std::stoull(*at++);
    for (auto& n : o.done)
      n = std::stoll(*at++);
    return o;
  }

  /// The last lane does not wait for each step.
  static bool is_pipelined(unsigned lane) noexcept { return lane + 1 == kill_log::lanes; }

  durability level_of(unsigned lane) const noexcept {
    constexpr durability levels[] = {durability::sync, durability::group, durability::async};
    return levels[level < 3 ? static_cast<unsigned>(level) : lane % 3];
  }
};

} // namespace holdfast::testing
