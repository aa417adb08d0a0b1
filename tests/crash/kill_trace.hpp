#pragma once

#include "kill_log.hpp"

#include <holdfast/store/change.hpp>

#include <optional>
#include <string>

namespace holdfast::testing {

/// Hears of every commit, as the store's feed tells it, and writes down the place of each step in
/// the commit order. A lane's commits come in the order of its steps, so counting names them; what
/// the records say of themselves must agree. Used by one thread at a time.
class kill_trace {
public:
  kill_trace(kill_log& log, const kill_log::counts& done) : log_{log}, done_{done}, told_{done} {}

  /// Takes the next change; says what is wrong with it, if something is.
  std::optional<std::string> hear(const change& c) {
    if (!c.persistent)
      return std::nullopt;
    auto lane = lane_of(c);
    if (c.seq != seq_) {
      if (c.seq != (seq_ == 0 ? log_.base.load() : seq_) + 1)
        return c.to_string() + ": came behind commit " + std::to_string(seq_);
      seq_ = c.seq;
      lane_ = lane;
      auto i = static_cast<std::size_t>(++told_[lane] - done_[lane] - 1);
      log_.steps[lane].at(i).seq.store(c.seq);
    } else if (lane != lane_) {
      return c.to_string() + ": is of lane " + std::to_string(lane) + " in a commit of lane " +
             std::to_string(lane_);
    }
    auto mark = c.bucket() == "shared" ? "t" + std::to_string(lane) : "n";
    if (c.after && c.after[mark] != told_[lane])
      return c.to_string() + ": is step " + c.after[mark].to_string() + " of lane " +
             std::to_string(lane) + " and came as step " + std::to_string(told_[lane]);
    return std::nullopt;
  }

private:
  /// Which lane made a change.
  static unsigned lane_of(const change& c) {
    if (c.bucket() == "scratch")
      return 0;
    auto& r = c.after ? c.after : c.before;
    if (c.bucket() != "shared")
      return static_cast<unsigned>(
          r[c.bucket() == "giro" || c.bucket() == "savings" ? "by" : "owner"].as_int());
    unsigned lane = 0;
    for (; lane + 1 < kill_log::lanes; ++lane) {
      auto field = "t" + std::to_string(lane);
      if (c.before[field] != c.after[field])
        break;
    }
    return lane;
  }

  kill_log& log_;
  kill_log::counts done_, told_;
  sequence seq_ = 0;
  unsigned lane_ = 0;
};

} // namespace holdfast::testing
