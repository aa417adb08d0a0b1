// A purge within a transaction: what has expired goes with the transaction's commit, or not at all.
#include "tests/support/options_at.hpp"

#include <holdfast/store/detail/bucket_core.hpp>
#include <holdfast/store/memory_journal.hpp>
#include <holdfast/store/record_input.hpp>
#include <holdfast/store/store.hpp>

#include <gmock/gmock.h>

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace holdfast::testing {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;

/// Sessions end after ten seconds of the test's clock; nothing purges them but who asks. In memory,
/// and over a journal.
struct a_purge_in_a_transaction : ::testing::TestWithParam<bool> {
  manual_clock clock;
  std::shared_ptr<memory_disk> disk = std::make_shared<memory_disk>();
  std::optional<store> db = start();
  bucket<> sessions = std::move(*db->define(
      schema("sessions").key("id", integer()).field("user", string()).expire_after(seconds{10})));

  std::optional<store> start() {
    auto options = options_at(clock);
    if (GetParam())
      options.journal = memory_journal(disk);
    return std::move(*store::start(std::move(options)));
  }
  void put(int first, int last) {
    for (int i = first; i <= last; ++i)
      ASSERT_TRUE(sessions.insert({{"id", i}, {"user", "u"}}).get());
  }
  bucket<> define_hits(on_delete what) {
    return std::move(*db->define(schema("hits")
                                     .key("id", integer())
                                     .field("of", integer().references("sessions", what))
                                     .index("of")));
  }
  template <class F>
  result<void> run(F&& f, transact_options how = {}) {
    return db->transact(
        [&](transaction& tx) -> result<void> {
          f(tx);
          return {};
        },
        how);
  }
  sequence commits() const {
    const auto now = db->snapshot();
    return now.memory_seq() + now.durable_seq();
  }
  /// Records that are held, whether or not reads see them.
  std::uint64_t held() const { return sessions.core().data().live_count(); }
  /// What subscribers hear of `f`, and of how many commits.
  template <class F>
  std::vector<std::string> heard_of(F&& f) {
    std::vector<std::string> told;
    std::set<sequence> commits;
    auto token = *db->on("bucket.**", [&](const change& c) {
      told.push_back(std::string{to_string(c.kind)} + " " + c.key().to_string() + " " +
                     std::string{to_string(c.why)});
      commits.insert(c.seq);
    });
    f();
    EXPECT_TRUE(db->stop()); // every handler has run
    EXPECT_EQ(commits.size(), 1u);
    return told;
  }
};

INSTANTIATE_TEST_SUITE_P(in_memory_and_over_a_journal, a_purge_in_a_transaction, ::testing::Bool(),
                         [](auto& of) { return of.param ? "over_a_journal" : "in_memory"; });

TEST_P(a_purge_in_a_transaction, takes_what_has_expired_at_its_time_and_counts_it) {
  put(1, 3);
  clock.advance(seconds{5});
  put(4, 5);
  clock.advance(seconds{5});
  const auto before = commits();
  std::uint64_t removed = 0, again = 7, seen = 0;
  ASSERT_TRUE(run([&](transaction& tx) {
    clock.advance(seconds{4}); // 4 and 5 are there at its time, whatever happens meanwhile
    removed = tx.in(sessions).purge().value();
    again = tx.in(sessions).purge().value();
    seen = tx.in(sessions).count().get().value();
    EXPECT_EQ(held(), 5u) << "nobody else knows of it yet";
  }));
  EXPECT_EQ(removed, 3u);
  EXPECT_EQ(again, 0u);
  EXPECT_EQ(seen, 2u);
  EXPECT_EQ(held(), 2u);
  EXPECT_EQ(commits() - before, 1u) << "one commit";
  clock.advance(seconds{1});
  EXPECT_EQ(*sessions.purge(), 2u);
}

TEST_P(a_purge_in_a_transaction, is_told_by_its_cause_with_the_rest_of_the_commit) {
  put(1, 2);
  clock.advance(seconds{10});
  auto heard = heard_of([&] {
    ASSERT_TRUE(run([&](transaction& tx) {
      EXPECT_TRUE(tx.in(sessions).insert({{"id", 9}}).get());
      EXPECT_EQ(*tx.in(sessions).purge(), 2u);
    }));
  });
  EXPECT_THAT(heard, ElementsAre("inserted 9 transaction", "erased 1 ttl", "erased 2 ttl"));
}

TEST_P(a_purge_in_a_transaction, is_taken_back_with_the_part_or_the_transaction_that_fails) {
  put(1, 3);
  clock.advance(seconds{10});
  EXPECT_FALSE(db->transact([&](transaction& tx) -> result<void> {
    EXPECT_EQ(*tx.in(sessions).purge(), 3u);
    return fail(errc::cancelled, "no");
  }));
  EXPECT_EQ(held(), 3u);
  ASSERT_TRUE(run([&](transaction& tx) {
    (void)tx.nested([&]() -> result<void> {
      EXPECT_EQ(*tx.in(sessions).purge(), 3u);
      return fail(errc::cancelled, "no");
    });
    EXPECT_TRUE(tx.in(sessions).insert({{"id", 9}}).get());
  }));
  EXPECT_EQ(held(), 4u);
  ASSERT_TRUE(run([&](transaction& tx) {
    (void)tx.nested([&]() -> result<void> {
      (void)tx.in(sessions).purge();
      return fail(errc::cancelled, "no");
    });
    EXPECT_EQ(*tx.in(sessions).purge(), 3u) << "what was taken back is there to be purged";
  }));
  EXPECT_EQ(held(), 1u);
}

TEST_P(a_purge_in_a_transaction, leaves_the_keys_that_it_took_free) {
  put(1, 3);
  clock.advance(seconds{10});
  ASSERT_TRUE(run([&](transaction& tx) {
    auto mine = tx.in(sessions);
    EXPECT_TRUE(mine.insert({{"id", 2}, {"user", "before"}}).get());
    EXPECT_EQ(*mine.purge(), 2u) << "the place of one was taken already";
    EXPECT_TRUE(mine.insert({{"id", 1}, {"user", "behind"}}).get());
    EXPECT_EQ(*mine.purge(), 0u);
    EXPECT_EQ(*mine.count().get(), 2u);
  }));
  EXPECT_EQ((*sessions.get(1).get())["user"], value_view{"behind"});
  EXPECT_EQ((*sessions.get(2).get())["user"], value_view{"before"});
  EXPECT_EQ(held(), 2u);
}

TEST_P(a_purge_in_a_transaction, conflicts_with_who_purges_or_replaces_a_record_meanwhile) {
  put(1, 3);
  clock.advance(seconds{10});
  std::vector<std::uint64_t> removed;
  ASSERT_TRUE(run([&](transaction& tx) {
    removed.push_back(tx.in(sessions).purge().value());
    if (removed.size() == 1) {
      EXPECT_TRUE(sessions.insert({{"id", 2}, {"user", "new"}}).get());
    }
  }));
  EXPECT_THAT(removed, ElementsAre(3, 2)) << "its number is that of the records that it erased";
  EXPECT_EQ((*sessions.get(2).get())["user"], value_view{"new"});
  EXPECT_EQ(held(), 1u);

  clock.advance(seconds{10});
  removed.clear();
  auto late = run(
      [&](transaction& tx) {
        removed.push_back(tx.in(sessions).purge().value());
        EXPECT_EQ(*sessions.purge(), 1u);
      },
      {.retries = 0, .exclusive_retries = 0});
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error(), errc::conflict);
  EXPECT_EQ(late.error().where().key, "2");
  EXPECT_EQ(held(), 0u);
}

TEST_P(a_purge_in_a_transaction, is_no_conflict_for_who_writes_other_records) {
  put(1, 2);
  clock.advance(seconds{10});
  int runs = 0;
  ASSERT_TRUE(run([&](transaction& tx) {
    ++runs;
    EXPECT_EQ(*tx.in(sessions).purge(), 2u);
    EXPECT_TRUE(sessions.insert({{"id", 3}}).get());
  }));
  EXPECT_EQ(runs, 1);
  EXPECT_TRUE(sessions.contains(3));
  EXPECT_EQ(held(), 1u);
}

TEST_P(a_purge_in_a_transaction, takes_along_what_refers_and_shows_it) {
  auto hits = define_hits(on_delete::cascade);
  put(1, 2);
  ASSERT_TRUE(hits.insert({{"id", 7}, {"of", 1}}).get());
  clock.advance(seconds{10});
  put(3, 3);
  ASSERT_TRUE(hits.insert({{"id", 8}, {"of", 3}}).get());
  ASSERT_TRUE(run([&](transaction& tx) {
    EXPECT_TRUE(tx.in(hits).contains(7));
    EXPECT_EQ(*tx.in(sessions).purge(), 2u);
    EXPECT_FALSE(tx.in(hits).contains(7));
    EXPECT_EQ(*tx.in(hits).count().get(), 1u);
  }));
  EXPECT_FALSE(hits.contains(7));
  EXPECT_TRUE(hits.contains(8));
  EXPECT_EQ(held(), 1u);
}

TEST_P(a_purge_in_a_transaction, passes_over_what_others_refer_to_and_restrict) {
  auto hits = define_hits(on_delete::restrict);
  put(1, 3);
  ASSERT_TRUE(hits.insert({{"id", 7}, {"of", 2}}).get());
  clock.advance(seconds{10});
  std::vector<std::uint64_t> removed;
  ASSERT_TRUE(run([&](transaction& tx) {
    removed.push_back(tx.in(sessions).purge().value());
    if (removed.size() == 1) {
      EXPECT_TRUE(hits.erase(7).get()) << "with it goes what kept the record";
    }
  }));
  EXPECT_THAT(removed, ElementsAre(2, 3));
  EXPECT_EQ(held(), 0u);
}

TEST_P(a_purge_in_a_transaction, sees_that_it_has_itself_erased_what_kept_a_record) {
  auto hits = define_hits(on_delete::restrict);
  put(1, 2);
  ASSERT_TRUE(hits.insert({{"id", 7}, {"of", 2}}).get());
  clock.advance(seconds{10});
  ASSERT_TRUE(run([&](transaction& tx) {
    EXPECT_EQ(*tx.in(sessions).purge(), 1u);
    EXPECT_TRUE(tx.in(hits).erase(7).get());
    EXPECT_EQ(*tx.in(sessions).purge(), 1u);
  }));
  EXPECT_EQ(held(), 0u);
}

TEST_P(a_purge_in_a_transaction, goes_on_past_a_record_that_cannot_go) {
  auto never_empty = [](const record_input& r) {
    return r["of"].is_null() ? std::vector<std::string>{"of is to stay"}
                             : std::vector<std::string>{};
  };
  auto hits =
      std::move(*db->define(schema("hits")
                                .key("id", integer())
                                .field("of", integer().references("sessions", on_delete::set_null))
                                .index("of")
                                .validate(never_empty)));
  put(1, 5);
  ASSERT_TRUE(hits.insert({{"id", 7}, {"of", 3}}).get());
  clock.advance(seconds{10});
  ASSERT_TRUE(run([&](transaction& tx) { EXPECT_EQ(*tx.in(sessions).purge(), 4u); }));
  EXPECT_EQ((*hits.get(7).get())["of"], value_view{3});
  EXPECT_EQ(held(), 1u);
}

TEST_P(a_purge_in_a_transaction, of_nothing_is_no_commit) {
  put(1, 2);
  const auto before = commits();
  ASSERT_TRUE(run([&](transaction& tx) { EXPECT_EQ(*tx.in(sessions).purge(), 0u); }));
  EXPECT_EQ(commits(), before);
}

TEST_P(a_purge_in_a_transaction, is_on_disk_with_the_rest) {
  if (!GetParam())
    return;
  put(1, 3);
  clock.advance(seconds{10});
  ASSERT_TRUE(run([&](transaction& tx) {
    EXPECT_EQ(*tx.in(sessions).purge(), 3u);
    EXPECT_TRUE(tx.in(sessions).insert({{"id", 9}}).get());
  }));
  ASSERT_TRUE(db->stop());
  db = start();
  sessions = *db->bucket("sessions");
  EXPECT_EQ(held(), 1u);
  EXPECT_TRUE(sessions.contains(9));
}

} // namespace
} // namespace holdfast::testing
