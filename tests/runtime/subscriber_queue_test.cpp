// The queue before a subscriber when there is no memory to ask that it be drained.
#include <holdfast/runtime/detail/subscriber_queue.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <barrier>
#include <future>
#include <new>
#include <numeric>
#include <set>
#include <thread>

namespace holdfast::detail {
namespace {

using ::testing::ElementsAre;

struct counted final : event {
  explicit counted(int n) : number{n} {}
  int number;
};

struct a_subscriber_queue : ::testing::Test {
  int asked = 0;             ///< how often the queue asked to be drained
  std::set<int> unfortunate; ///< at these times there is no memory
  std::vector<int> handled;
  std::shared_ptr<subscriber_queue> queue = std::make_shared<subscriber_queue>(
      [this](auto&) {
        if (unfortunate.contains(++asked))
          throw std::bad_alloc{};
        return true;
      },
      1000, overflow::drop_newest);

  bool push(int n) { return queue->push({nullptr, std::make_shared<counted>(n)}); }
  void drain() {
    queue->drain([this](const delivery& d) {
      handled.push_back(static_cast<const counted&>(*d.what).number);
    });
  }
};

TEST_F(a_subscriber_queue, asks_again_at_the_next_event_when_it_could_not_ask) {
  unfortunate = {1};
  EXPECT_THROW(push(1), std::bad_alloc);
  EXPECT_EQ(queue->waiting(), 1u) << "it is not lost";
  EXPECT_TRUE(push(2));
  EXPECT_EQ(asked, 2);
  EXPECT_TRUE(push(3));
  EXPECT_EQ(asked, 2) << "somebody is about to come";
  drain();
  EXPECT_THAT(handled, ElementsAre(1, 2, 3));
  EXPECT_TRUE(push(4));
  EXPECT_EQ(asked, 3);
}

TEST_F(a_subscriber_queue, is_drained_on_at_once_when_it_cannot_ask_for_the_rest) {
  constexpr int many = 200; // more than two batches
  unfortunate = {2, 3};
  std::vector<int> pushed(many);
  std::iota(pushed.begin(), pushed.end(), 0);
  for (int n : pushed)
    EXPECT_TRUE(push(n));
  EXPECT_EQ(asked, 1);
  drain();
  EXPECT_EQ(asked, 4) << "once for each batch that left a rest, and then it could";
  EXPECT_GT(queue->waiting(), 0u);
  drain();
  EXPECT_EQ(handled, pushed) << "in order, each once";
  EXPECT_TRUE(push(many));
  EXPECT_EQ(asked, 5) << "nobody comes any more who was not asked";
}

/// With something that is to be held until the event has been handled, or what came in its place.
struct pledged final : event {
  std::shared_ptr<int> pledge = std::make_shared<int>(0);
};

TEST(a_queue_that_hands_on, holds_what_the_first_of_the_dropped_held_until_the_next_is_handled) {
  for (const std::size_t limit : {1U, 2U, 3U}) {
    SCOPED_TRACE(limit);
    auto queue = std::make_shared<subscriber_queue>([](auto&) { return true; }, limit,
                                                    overflow::drop_oldest);
    queue->hand_on([](const event& e) { return static_cast<const pledged&>(e).pledge; });
    std::vector<std::weak_ptr<int>> pledges;
    for (int i = 0; i < 6; ++i) {
      auto one = std::make_shared<pledged>();
      pledges.push_back(one->pledge);
      EXPECT_TRUE(queue->push({nullptr, std::move(one)}));
    }
    EXPECT_FALSE(pledges[0].expired()) << "its place was taken by those behind";
    std::size_t handled = 0;
    queue->drain([&](const delivery&) {
      EXPECT_EQ(pledges[0].expired(), handled > 0) << "held while the next is handled";
      ++handled;
    });
    EXPECT_EQ(handled, limit);
    for (auto& each : pledges)
      EXPECT_TRUE(each.expired());
  }
}

/// So many queues, of which each handler ends the next one's subscription while all are running.
void end_each_other(std::size_t many) {
  std::vector<std::shared_ptr<subscriber_queue>> queues;
  for (std::size_t i = 0; i < many; ++i) {
    queues.push_back(
        std::make_shared<subscriber_queue>([](auto&) { return true; }, 10, overflow::drop_newest));
    ASSERT_TRUE(queues[i]->push({nullptr, std::make_shared<counted>(1)}));
  }
  std::barrier all_run{static_cast<std::ptrdiff_t>(many)};
  std::vector<std::jthread> threads;
  for (std::size_t i = 0; i < many; ++i)
    threads.emplace_back([&, i] {
      queues[i]->drain([&](const delivery&) {
        all_run.arrive_and_wait();
        queues[(i + 1) % many]->cancel();
      });
    });
  threads.clear();
  for (auto& each : queues)
    EXPECT_FALSE(each->active());
}

TEST(subscriber_queues, whose_handlers_end_each_other_do_not_wait_for_ever) {
  for (int round = 0; round < 200; ++round)
    for (std::size_t many : {1, 2, 3, 5})
      end_each_other(many);
}

/// Its own handler does not wait; who is outside, or in the handler of another, does.
TEST(subscriber_queues, are_waited_for_by_all_but_their_own_handler) {
  auto make = [] {
    return std::make_shared<subscriber_queue>([](auto&) { return true; }, 10,
                                              overflow::drop_newest);
  };
  auto slow = make(), other = make();
  for (auto& each : {slow, other})
    ASSERT_TRUE(each->push({nullptr, std::make_shared<counted>(1)}));
  std::promise<void> entered;
  std::atomic<bool> ended{false};
  std::jthread runs{[&] {
    slow->drain([&](const delivery&) {
      slow->cancel();
      entered.set_value();
      while (other->active()) // its handler is about to wait, or waits
        std::this_thread::yield();
      ended = true;
    });
  }};
  entered.get_future().wait();
  other->drain([&](const delivery&) {
    other->cancel();
    slow->cancel();
    EXPECT_TRUE(ended);
  });
  slow->cancel();
}

} // namespace
} // namespace holdfast::detail
