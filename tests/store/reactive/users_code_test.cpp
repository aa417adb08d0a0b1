// What users' own code does in live queries, besides to answer: destructors of what functions and
// handlers hold, comparisons of values. None of it may hold up the query manager, or end it.
#include "tests/store/reactive/live_query_fixture.hpp"

#include <atomic>
#include <future>
#include <memory>
#include <stdexcept>
#include <thread>

namespace holdfast {
namespace {

using ::testing::ElementsAre;
using testing::live_query;
using testing::told;

/// Asks the store something when it ends, as what logs or unregisters itself does.
struct session {
  store& db;
  std::promise<std::size_t> ended;
  std::future<std::size_t> when = ended.get_future();
  explicit session(store& of) : db{of} {}
};
std::shared_ptr<session> asking(session& of) {
  return {&of, [](session* s) { s->ended.set_value(s->db.queries().size()); }};
}

/// It was under the manager's mutex, which it waited for.
TEST_F(live_query, frees_what_a_handler_held_where_that_may_use_the_store) {
  ASSERT_TRUE(db.define_query("count", {.bucket = "users", .aggregates = {aggregate::count()}}));
  session mine{db};
  {
    auto held = asking(mine);
    auto token = db.subscribe("count", [held](const query_update&) {}).value();
    held = nullptr;
    settle();
  }
  EXPECT_EQ(mine.when.get(), 1U);
  settle();
}

TEST_F(live_query, frees_what_a_function_held_where_that_may_use_the_store) {
  for (const bool subscribed : {false, true}) {
    session mine{db};
    auto held = asking(mine);
    ASSERT_TRUE(db.define_query("mine", [held](query_context&) { return 1; }));
    held = nullptr;
    std::optional<subscription> token;
    if (subscribed)
      token = db.subscribe("mine", [](const query_update&) {}).value();
    settle();
    ASSERT_TRUE(db.remove_query("mine"));
    token.reset();
    EXPECT_EQ(mine.when.get(), 0U);
  }
}

/// What waited and gave way to a later value counted as handled, so that a busy writer beside could
/// end the wait of who settled.
TEST_F(live_query, is_settled_when_what_took_the_place_of_a_value_is_handled) {
  ASSERT_TRUE(db.define_query("count", {.bucket = "users", .aggregates = {aggregate::count()}}));
  std::atomic<sequence> handled{0};
  auto token = db.subscribe("count", [&](const query_update& now) {
                   for (int i = 0; i < 50; ++i) // long enough for others to come
                     std::this_thread::yield();
                   handled = now.memory_seq;
                 }).value();
  std::atomic<bool> enough{false};
  std::jthread writer{[&] {
    for (int id = 10'000; !enough; ++id)
      (void)users.insert({{"id", id}}).get();
  }};
  for (int id = 10; id < 210 && !HasFailure(); ++id) {
    ASSERT_TRUE(users.insert({{"id", id}}).get());
    const auto behind = db.snapshot().memory_seq();
    settle();
    EXPECT_GE(handled, behind);
  }
  enough = true;
}

/// A value that can be compared only so often.
struct touchy {
  std::uint64_t count = 0;
  std::shared_ptr<std::atomic<int>> compared;
  friend bool operator==(const touchy& a, const touchy&) {
    ++*a.compared;
    throw std::runtime_error{"not this one"};
  }
};

/// The manager crashed at each, and after ten the store ended.
TEST_F(live_query, takes_values_that_cannot_be_compared_for_different_ones) {
  auto compared = std::make_shared<std::atomic<int>>(0);
  ASSERT_TRUE(db.define_query("touchy", [&](query_context& in) -> result<touchy> {
    return touchy{in.in(users).count().get().value(), compared};
  }));
  std::vector<std::uint64_t> seen;
  auto token = db.subscribe("touchy", [&](const query_update& now) {
                   seen.push_back(now.as<touchy>().count);
                 }).value();
  settle();
  for (int i = 4; i <= 30; ++i) {
    add(i, "user", 1);
    settle();
  }
  EXPECT_GT(*compared, 0);
  token.cancel();
  ASSERT_EQ(seen.size(), 28U);
  EXPECT_EQ(seen.back(), 30U);
  for (auto& each : db.stats().services)
    EXPECT_EQ(each.restarts, 0U) << each.name;
}

} // namespace
} // namespace holdfast
