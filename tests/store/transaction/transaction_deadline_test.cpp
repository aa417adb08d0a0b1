// A record that comes to its deadline while a transaction runs has ended for that transaction, too:
// others may have seen it gone.
#include "tests/support/options_at.hpp"

#include <holdfast/store/store.hpp>

#include <gmock/gmock.h>

namespace holdfast {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// Sessions end after ten seconds of the test's clock; nothing purges them.
struct a_deadline_amid_a_transaction : ::testing::Test {
  manual_clock clock;
  store db = store::start(testing::options_at(clock)).value();
  bucket<> sessions =
      db.define(
            schema("sessions").key("id", integer()).field("n", integer()).expire_after(seconds{10}))
          .value();
  bucket<> counts = db.define(schema("counts").key("id", integer()).field("n", integer())).value();
  int runs = 0;

  void SetUp() override {
    ASSERT_TRUE(sessions.insert({{"id", 1}, {"n", 7}}).get());
    clock.advance(seconds{9});
  }
  /// Time goes on amid the first run.
  template <class F>
  result<void> run(F&& f, int retries = 16) {
    return db.transact(
        [&](transaction& tx) -> result<void> {
          auto done = f(tx);
          if (++runs == 1)
            clock.advance(seconds{2});
          return done;
        },
        {.retries = retries, .exclusive_retries = 0});
  }
  std::uint64_t count(transaction& tx, int n) {
    return tx.in(sessions).where("n"_f == n).count().get().value();
  }
  result<void> keep(transaction& tx, std::uint64_t n) {
    return none(tx.in(counts).upsert({{"id", 1}, {"n", static_cast<std::int64_t>(n)}}).get());
  }
  static result<void> none(auto&& x) { return x ? result<void>{} : result<void>{fail(x.error())}; }
};

TEST_F(a_deadline_amid_a_transaction, brings_no_record_back) {
  const auto touched = run([&](transaction& tx) {
    return none(tx.in(sessions).touch(1, {.expires_in = std::chrono::hours{1}}).get());
  });
  EXPECT_EQ(touched.error(), errc::not_found) << "as run again";
  EXPECT_EQ(runs, 2);
  EXPECT_EQ(sessions.get(1).get().error(), errc::not_found);
}

TEST_F(a_deadline_amid_a_transaction, is_a_conflict_that_names_the_record) {
  const auto written = run(
      [&](transaction& tx) {
        auto n = tx.in(sessions).get(1).get();
        return none(tx.in(counts).insert({{"id", 1}, {"n", (*n)["n"].as_int()}}).get());
      },
      0);
  ASSERT_EQ(written.error(), errc::conflict);
  EXPECT_THAT(written.error().message(), HasSubstr("has come to its deadline"));
  EXPECT_EQ(written.error().where().bucket, "sessions");
  EXPECT_EQ(written.error().where().key, "1");
  EXPECT_EQ(*counts.count().get(), 0u);
}

TEST_F(a_deadline_amid_a_transaction, changes_what_was_counted) {
  ASSERT_TRUE(run([&](transaction& tx) { return keep(tx, count(tx, 7)); }));
  EXPECT_EQ(runs, 2);
  EXPECT_EQ((*counts.get(1).get())["n"], 0);
}

TEST_F(a_deadline_amid_a_transaction, of_what_it_did_not_read_does_not_matter) {
  ASSERT_TRUE(run([&](transaction& tx) { return keep(tx, count(tx, 8)); }));
  EXPECT_EQ(runs, 1);
}

TEST_F(a_deadline_amid_a_transaction, that_another_moves_changes_what_was_counted) {
  ASSERT_TRUE(run([&](transaction& tx) {
    const auto n = count(tx, 7);
    if (runs == 0) { // to a time that will have come when this commits
      EXPECT_TRUE(sessions.touch(1, {.expires_in = std::chrono::milliseconds{1}}).get());
    }
    return keep(tx, n);
  }));
  EXPECT_EQ(runs, 2);
  EXPECT_EQ((*counts.get(1).get())["n"], 0);
}

TEST_F(a_deadline_amid_a_transaction, ends_a_modify) {
  const auto modified = sessions.modify(1, [&](const record& now) -> object {
    if (++runs == 1)
      clock.advance(seconds{2});
    return {{"n", now["n"].as_int() + 1}};
  });
  EXPECT_EQ(modified.error(), errc::not_found);
}

/// Found by the histories: the transaction had seen its own record, which was gone when it
/// committed.
TEST_F(a_deadline_amid_a_transaction, of_its_own_record_is_a_conflict_too) {
  const auto written = run([&](transaction& tx) -> result<void> {
    auto in = tx.in(sessions);
    if (auto done = in.insert({{"id", 2}, {"n", 5}}, {.expires_in = seconds{1}}).get(); !done)
      return fail(done.error());
    return keep(tx, count(tx, 5));
  });
  EXPECT_TRUE(written) << written.error().to_string();
  EXPECT_EQ(runs, 2) << "and the second time it has a second again";
  EXPECT_TRUE(sessions.get(2).get());

  runs = 0;
  ASSERT_TRUE(sessions.insert({{"id", 3}}, {.never_expires = true}).get());
  const auto at = clock.now() + seconds{1};
  const auto late = run(
      [&](transaction& tx) { return none(tx.in(sessions).touch(3, {.expires_at = at}).get()); }, 0);
  ASSERT_EQ(late.error(), errc::conflict);
  EXPECT_THAT(
      late.error().message(),
      HasSubstr("the record 3, written by the transaction, has come to its deadline since"));
  EXPECT_EQ(late.error().where().key, "3");
}

/// What it took back again has no deadline to come to.
TEST_F(a_deadline_amid_a_transaction, of_what_it_erased_again_is_none) {
  const auto written = run([&](transaction& tx) -> result<void> {
    auto in = tx.in(sessions);
    if (auto done = in.insert({{"id", 2}}, {.expires_in = seconds{1}}).get(); !done)
      return fail(done.error());
    if (auto gone = in.erase(2).get(); !gone)
      return fail(gone.error());
    return keep(tx, 3);
  });
  EXPECT_TRUE(written) << written.error().to_string();
  EXPECT_EQ(runs, 1);
}

} // namespace
} // namespace holdfast
