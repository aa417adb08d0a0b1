#pragma once

#include <holdfast/runtime/child_spec.hpp>

#include <any>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace holdfast::detail {

/// Names one child for the time it is known; never used again.
using child_key = std::uint64_t;
/// Names a call that waits for an answer; 0: nobody waits.
using request_id = std::uint64_t;

/// A child as messages name it.
inline std::string child_named(const std::string& id) { return "child \"" + id + "\""; }

/// A piece of work on one child, not begun yet.
struct child_work {
  enum class kind : std::uint8_t {
    start,
    terminate,
    restart,
    remove,
    revive,
    crash,
    retry,
    auto_revive
  };
  kind what{};
  std::string id;
  request_id request = 0;
  child_key key = 0;                        ///< crash, retry, auto_revive
  std::uint64_t incarnation = 0;            ///< crash
  std::shared_ptr<const child_spec> spec{}; ///< start
  std::any argument{};                      ///< start
};

/// Work that waits for its turn.
///
/// Invariants
///   (1) work on one child is given out in the order in which it came;
///   (2) behind work that has to wait for all children waits all that comes later;
///   (3) a child with work that need only wait for itself is in `ready_`, unless it is busy: then
///       `freed` puts it there.
/// Owned by the supervisor's actor.
class child_work_queue {
public:
  /// Work that waits for its child only, unless some that waits for all children is before it.
  void push(child_work w);
  /// Work that waits until no child is busy.
  void push_behind_all(child_work w) { backlog_.push_back(std::move(w)); }

  /// No piece of work has this child any more.
  void freed(std::string id) { ready_.push_back(std::move(id)); }

  /// The next piece that may begin, if there is one: of a child that is not `busy(id)`, and of
  /// those that wait for all children only if `all_free()`.
  template <class Busy, class AllFree>
  std::optional<child_work> next(Busy busy, AllFree all_free) {
    for (;;) {
      while (!ready_.empty()) {
        auto id = std::move(ready_.front());
        ready_.pop_front();
        if (waiting_.contains(id) && !busy(id))
          return pop(id);
      }
      if (backlog_.empty() || !all_free())
        return {};
      auto w = std::move(backlog_.front());
      backlog_.pop_front();
      wait_for_child(std::move(w));
    }
  }

  /// All that waits; nothing does any more.
  std::vector<child_work> take_all();

private:
  void wait_for_child(child_work w);
  child_work pop(const std::string& id);

  std::deque<child_work> backlog_;                                  ///< for all children
  std::unordered_map<std::string, std::deque<child_work>> waiting_; ///< for the same child
  std::deque<std::string> ready_; ///< children whose waiting work may be looked at
};

} // namespace holdfast::detail
