#include <holdfast/runtime/gate.hpp>

#include <gmock/gmock.h>

#include <atomic>
#include <latch>
#include <thread>
#include <vector>

namespace holdfast::testing {
namespace {

TEST(a_gate, lets_in_until_it_is_closed) {
  gate g;
  EXPECT_TRUE(gate::pass{g});
  EXPECT_FALSE(g.closed());
  g.close();
  EXPECT_TRUE(g.closed());
  EXPECT_FALSE(gate::pass{g});
  g.close(); // nobody who was refused counts as inside
}

TEST(a_gate, may_be_entered_again_from_inside) {
  gate g;
  {
    gate::pass outer{g};
    gate::pass inner{g};
    EXPECT_TRUE(outer);
    EXPECT_TRUE(inner);
  }
  g.close();
}

TEST(a_gate, is_closed_only_when_all_have_left) {
  constexpr int threads = 4;
  for (int round = 0; round < 200; ++round) {
    gate g;
    std::atomic<int> inside{0};
    std::latch all_are_there{threads};
    std::vector<std::jthread> callers;
    for (int t = 0; t < threads; ++t)
      callers.emplace_back([&] {
        auto come_and_go = [&] {
          gate::pass pass{g};
          if (!pass)
            return false;
          ++inside;
          std::this_thread::yield();
          --inside;
          return true;
        };
        come_and_go();
        all_are_there.count_down();
        while (come_and_go()) {
        }
      });
    all_are_there.wait();
    g.close();
    ASSERT_EQ(inside, 0) << "in round " << round;
  }
}

TEST(a_gate, knows_when_those_who_were_inside_have_left) {
  gate g;
  gate::grace_period early;
  EXPECT_TRUE(early.over(g)) << "nobody is inside";
  gate::grace_period grace;
  {
    gate::pass pass{g};
    EXPECT_FALSE(grace.over(g));
    EXPECT_TRUE(early.over(g)) << "it has been over, and stays so";
  }
  EXPECT_TRUE(grace.over(g));
}

} // namespace
} // namespace holdfast::testing
