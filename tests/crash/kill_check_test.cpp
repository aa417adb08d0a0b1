#include "kill_buckets.hpp"
#include "kill_check.hpp"

#include <gmock/gmock.h>

#include <memory>
#include <numeric>
#include <string>
#include <vector>

/// The oracle of the kill test on what no kill gives reliably: stores that hold what the test says,
/// and children that told what the test says.
namespace holdfast::testing {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

struct kill_oracle : ::testing::Test {
  static constexpr std::uint64_t seed = 7;

  store db = *store::start();
  std::unique_ptr<kill_buckets> buckets;
  std::unique_ptr<kill_log> log = std::make_unique<kill_log>();
  std::vector<lane_model> lanes;
  sequence last = 20;

  void SetUp() override {
    ASSERT_TRUE(kill_buckets::define(db));
    buckets = std::make_unique<kill_buckets>(db);
    ASSERT_TRUE(buckets->prepare());
    log->base.store(last);
    for (unsigned i = 0; i < kill_log::lanes; ++i)
      lanes.emplace_back(seed, i, kill_orders::is_pipelined(i));
  }

  kill_log::step& entry(unsigned lane) {
    return log->steps[lane][static_cast<std::size_t>(lanes[lane].done())];
  }
  /// The next step of a lane is begun.
  void begin(unsigned lane) { entry(lane).attempted.store(log->ticket()); }
  /// It takes the next place in the order, but the disk never hears of it.
  void order(unsigned lane) { entry(lane).seq.store(++last); }
  /// It is there, its place not known.
  void write(unsigned lane) {
    auto& model = lanes[lane];
    auto s = model.next();
    auto number = buckets->start(s, model, durability::none).get();
    ASSERT_TRUE(number) << number.error().to_string();
    entry(lane).number.store(*number);
    model.apply(s, *number);
  }
  /// All that a step goes through; nobody hears the answer.
  void step(unsigned lane) {
    begin(lane);
    order(lane);
    write(lane);
  }
  /// Goes on until a lane is about to make a transfer.
  kill_step before_transfer(unsigned lane) {
    while (lanes[lane].next().what != kill_step::kind::transfer)
      step(lane);
    return lanes[lane].next();
  }

  std::vector<std::string> check() {
    kill_orders orders;
    return kill_checker{seed}.check(db, last, *log, orders);
  }
};

TEST_F(kill_oracle, is_content_with_the_steps_of_all_lanes_in_any_order) {
  for (int i = 0; i < 40; ++i)
    for (unsigned lane = 0; lane < kill_log::lanes; ++lane)
      step((lane + static_cast<unsigned>(i)) % kill_log::lanes);
  EXPECT_THAT(check(), IsEmpty());
}

TEST_F(kill_oracle, is_content_when_nobody_lived_to_tell_the_order) {
  for (unsigned lane = 0; lane < kill_log::lanes; ++lane) {
    begin(lane);
    write(lane);
    ++last;
  }
  EXPECT_THAT(check(), IsEmpty());
}

TEST_F(kill_oracle, names_a_step_that_is_lost_in_the_middle_though_none_was_acknowledged) {
  begin(0);
  begin(1);
  order(0);
  order(1);
  write(1);
  EXPECT_THAT(check(),
              Contains("lane 0: step 1 is lost: it is commit 21 of the 22 that are there"));
}

TEST_F(kill_oracle, names_a_step_that_came_before_one_that_precedes_it) {
  begin(0);
  begin(1);
  order(0);
  order(1);
  write(1);
  last = 21; // one commit was recovered, and it is the second one
  EXPECT_THAT(check(), ::testing::UnorderedElementsAre(
                           "lane 0: step 1 is lost: it is commit 21 of the 21 that are there",
                           "lane 1: step 1 is there: it is commit 22, behind the last, 21"));
}

TEST_F(kill_oracle, counts_commits_that_nobody_was_told_of) {
  step(0);
  begin(1);
  ++last;
  EXPECT_THAT(check(), Contains("commits: there are 1 steps behind commit 20, and the last commit "
                                "is 22"));
}

TEST_F(kill_oracle, knows_that_what_was_answered_precedes_what_began_later) {
  begin(0);
  write(0);
  auto& answered = log->steps[0][0];
  answered.acknowledged.store(log->ticket());
  step(1); // commit 21
  answered.seq.store(++last);
  EXPECT_THAT(check(), Contains("step 1 of lane 1, commit 21: was begun when step 1 of lane 0, "
                                "commit 22, had been acknowledged"));
}

TEST_F(kill_oracle, finds_that_one_account_of_a_transfer_was_not_written) {
  auto move = before_transfer(3).move;
  auto account = *db.bucket("savings")->get(account_key(move.to)).get();
  step(3);
  EXPECT_THAT(check(), IsEmpty());
  ASSERT_TRUE(db.bucket("savings")
                  ->update(account.key().as_string(), {{"amount", account["amount"].as_int()}})
                  .get());
  EXPECT_THAT(check(), Contains(HasSubstr("in sum, 8000 was put in")));
}

TEST_F(kill_oracle, finds_that_the_ledger_misses_a_transfer_that_the_accounts_have) {
  auto n = before_transfer(2).n;
  begin(2);
  order(2);
  auto ledger = *db.bucket("ledger");
  auto before = ledger.get(ledger_key(2)).get();
  write(2);
  ASSERT_TRUE(ledger.erase(ledger_key(2)).get());
  if (before) {
    ASSERT_TRUE(ledger.insert(before->to_object()).get());
  }
  EXPECT_THAT(check(), Contains(HasSubstr("step " + std::to_string(n) +
                                          " of lane 2, wrote it, and "
                                          "is not in the ledger")));
}

TEST_F(kill_oracle, finds_that_two_lanes_wrote_an_account_in_the_other_order) {
  // Until two transfers of two lanes, one right behind the other, give to the same account.
  unsigned to = 0;
  for (unsigned tries = 0; to == 0; ++tries) {
    ASSERT_LT(tries, 100U);
    auto first = before_transfer(2).move, second = before_transfer(3).move;
    if (first.to == second.to && first.from != second.from)
      to = first.to;
    else
      step(2);
  }
  auto first = lanes[2].next().n, second = lanes[3].next().n;
  begin(2);
  begin(3);
  order(3); // the store says that lane 3 came first, and the record that lane 2 did
  order(2);
  write(2);
  write(3);
  auto said = [](std::int64_t n, const char* lane) {
    return "step " + std::to_string(n) + " of lane " + lane;
  };
  EXPECT_THAT(check(), Contains(account_key(to) + ": was written last by " + said(second, "3") +
                                ", but " + said(first, "2") + ", commit " + std::to_string(last) +
                                ", comes behind that"));
}

} // namespace
} // namespace holdfast::testing
