// When a transaction that met a conflict is run again: not before the other commit is published,
// for until then it could only meet the same conflict.
#include "transaction_fixture.hpp"

#include <holdfast/store/memory_journal.hpp>

#include <functional>
#include <future>

namespace holdfast::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// A transaction that another commit overtakes, which is sealed and waits for the disk.
struct an_overtaken_transaction : ::testing::Test {
  std::shared_ptr<memory_disk> disk = std::make_shared<memory_disk>();
  store db = store::start({.journal = memory_journal(disk)}).value();
  bucket<> accounts =
      db.define(schema("accounts").key("id", integer()).field("balance", integer())).value();
  int attempts = 0;
  std::vector<std::int64_t> read;
  std::future<result<record>> other;

  void SetUp() override {
    for (int id : {1, 2})
      ASSERT_TRUE(accounts.insert({{"id", id}, {"balance", 100}}).get());
  }
  void TearDown() override { disk->release(); }

  void overtake() {
    disk->hold();
    other = accounts.update(1, {{"balance", 7}}).as_future();
    disk->wait_until_held();
  }
  /// `overtaken` is called when the first attempt has been.
  result<void> run(milliseconds timeout, const std::function<void()>& overtaken) {
    return db.transact(
        [&](transaction& tx) -> result<void> {
          read.push_back((*tx.in(accounts).get(1).get())["balance"].as_int());
          if (++attempts == 1) {
            overtake();
            overtaken();
          }
          return tx.in(accounts).update(2, {{"balance", read.back()}}).get().map([](const auto&) {
          });
        },
        {.retries = 1, .exclusive_retries = 0, .timeout = timeout});
  }
};

TEST_F(an_overtaken_transaction, is_not_run_again_while_the_other_commit_waits_for_the_disk) {
  EXPECT_FALSE(run(milliseconds{200}, [] {}));
  EXPECT_EQ(attempts, 1);
  EXPECT_EQ(other.wait_for(seconds{0}), std::future_status::timeout) << "it is not published";
  disk->release();
  ASSERT_TRUE(other.get());
  EXPECT_EQ((*accounts.get(2).get())["balance"], value_view{100}) << "no trace is left";
}

TEST_F(an_overtaken_transaction, sees_the_other_commit_when_it_is_run_again) {
  std::promise<void> met;
  auto releases = std::async(std::launch::async, [&] {
    met.get_future().wait();
    disk->release();
  });
  auto done = run(seconds{20}, [&] { met.set_value(); });
  ASSERT_TRUE(done) << done.error().to_string();
  EXPECT_EQ(attempts, 2) << "one more was enough";
  EXPECT_THAT(read, ::testing::ElementsAre(100, 7));
  EXPECT_EQ((*accounts.get(2).get())["balance"], value_view{7});
}

} // namespace
} // namespace holdfast::testing
