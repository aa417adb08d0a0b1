#include <holdfast/runtime/detail/child_work.hpp>

#include <gmock/gmock.h>

#include <algorithm>
#include <set>

namespace holdfast::detail {
namespace {

using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

class child_work_order : public ::testing::Test {
protected:
  static child_work work(std::string id, request_id request) {
    return {.id = std::move(id), .request = request};
  }

  /// The requests of all that may begin; what was begun ends at once.
  std::vector<request_id> run_all() {
    std::vector<request_id> out;
    while (auto w = next()) {
      out.push_back(w->request);
      queue.freed(w->id);
    }
    return out;
  }

  std::optional<child_work> next() {
    return queue.next([&](const std::string& id) { return busy.contains(id); },
                      [&] { return busy.empty(); });
  }

  child_work_queue queue;
  std::set<std::string> busy;
};

TEST_F(child_work_order, is_that_of_coming) {
  queue.push(work("a", 1));
  queue.push(work("b", 2));
  queue.push(work("a", 3));
  EXPECT_THAT(run_all(), ElementsAre(1, 2, 3));
}

TEST_F(child_work_order, lets_a_busy_child_delay_no_other) {
  busy = {"a"};
  queue.push(work("a", 1));
  queue.push(work("b", 2));
  EXPECT_THAT(run_all(), ElementsAre(2));
  busy.clear();
  EXPECT_FALSE(next()) << "nobody has said that the child is free";
  queue.freed("a");
  EXPECT_THAT(run_all(), ElementsAre(1));
}

TEST_F(child_work_order, keeps_work_on_all_children_until_none_is_busy) {
  busy = {"a"};
  queue.push_behind_all(work("b", 1));
  EXPECT_FALSE(next());
  busy.clear();
  EXPECT_THAT(run_all(), ElementsAre(1));
}

TEST_F(child_work_order, lets_nothing_overtake_work_on_all_children) {
  busy = {"a"};
  queue.push_behind_all(work("b", 1));
  queue.push(work("b", 2));
  queue.push(work("c", 3));
  EXPECT_FALSE(next());
  busy.clear();
  EXPECT_THAT(run_all(), ElementsAre(1, 2, 3));
}

TEST_F(child_work_order, gives_all_that_waits_to_who_takes_it) {
  busy = {"a"};
  queue.push(work("a", 1));
  queue.push(work("b", 2));
  queue.push_behind_all(work("a", 3));
  std::vector<request_id> taken;
  for (auto& w : queue.take_all())
    taken.push_back(w.request);
  EXPECT_THAT(taken, UnorderedElementsAre(1, 2, 3));
  busy.clear();
  queue.freed("a");
  EXPECT_THAT(run_all(), ElementsAre());
}

} // namespace
} // namespace holdfast::detail
