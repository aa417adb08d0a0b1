#include <holdfast/runtime/fault.hpp>
#include <holdfast/store/detail/pool.hpp>
#include <holdfast/store/memory_journal.hpp>
#include <holdfast/store/store.hpp>

#include <gmock/gmock.h>

#include <atomic>
#include <mutex>
#include <thread>

namespace holdfast {
namespace {

using ::testing::HasSubstr;

struct a_transaction : ::testing::Test {
  store db = std::move(*store::start());
  bucket<> accounts = std::move(*db.define(schema("accounts")
                                               .key("id", integer())
                                               .field("owner", string().unique())
                                               .field("balance", integer().required())
                                               .index("balance")));
  bucket<> orders = std::move(*db.define(schema("orders")
                                             .key("no", integer().generated(autoincrement))
                                             .field("account", integer())
                                             .field("what", string())));

  void SetUp() override {
    for (int i = 1; i <= 3; ++i)
      ASSERT_TRUE(
          accounts.insert({{"id", i}, {"owner", std::string(1, char('a' + i))}, {"balance", 100}})
              .get());
  }
  std::int64_t balance(std::int64_t id) { return (*accounts.get(id).get())["balance"].as_int(); }
  template <class F>
  result<void> run(F&& f, transact_options options = {}) {
    return db.transact(
        [&](transaction& tx) -> result<void> {
          f(tx);
          return {};
        },
        options);
  }
};

result<void> move_money(const bucket<>& accounts, std::int64_t from, std::int64_t to,
                        std::int64_t amount) {
  auto a = accounts.get(from).get(), b = accounts.get(to).get();
  if (!a || !b)
    return fail((a ? b : a).error());
  auto paid = accounts.update(from, {{"balance", (*a)["balance"].as_int() - amount}}).get();
  auto got = accounts.update(to, {{"balance", (*b)["balance"].as_int() + amount}}).get();
  if (!paid || !got)
    return fail((paid ? got : paid).error());
  return {};
}

TEST_F(a_transaction, becomes_one_commit_of_all_that_it_wrote) {
  auto before = db.snapshot().memory_seq();
  ASSERT_TRUE(db.transact([&](transaction& tx) -> result<void> {
    auto mine = tx.in(accounts);
    if (auto moved = move_money(mine, 1, 2, 30); !moved)
      return moved;
    EXPECT_TRUE(tx.in(orders).insert({{"account", 1}, {"what", "transfer"}}).get());
    EXPECT_EQ(balance(1), 100) << "seen outside before the commit";
    return {};
  }));
  EXPECT_EQ(db.snapshot().memory_seq(), before + 1);
  EXPECT_EQ(balance(1), 70);
  EXPECT_EQ(balance(2), 130);
  EXPECT_EQ(*orders.count().get(), 1u);
}

TEST_F(a_transaction, does_nothing_when_its_function_fails_or_throws) {
  auto failed = db.transact([&](transaction& tx) -> result<int> {
    EXPECT_TRUE(tx.in(accounts).erase(1).get());
    return fail(errc::cancelled, "no");
  });
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error(), errc::cancelled);
  EXPECT_THROW(run([&](transaction& tx) {
                 EXPECT_TRUE(tx.in(accounts).erase(1).get());
                 throw std::runtime_error{"no"};
               }).error(),
               std::runtime_error);
  EXPECT_TRUE(accounts.contains(1));
}

TEST_F(a_transaction, gives_what_its_function_gave) {
  auto sum = db.transact([&](transaction& tx) -> result<std::int64_t> {
    auto all = tx.bucket("accounts");
    EXPECT_TRUE(all);
    return all->everything().sum("balance").get().map([](value v) { return v.as_int(); });
  });
  ASSERT_TRUE(sum) << sum.error().to_string();
  EXPECT_EQ(*sum, 300);
}

TEST_F(a_transaction, reads_one_moment_whatever_is_written_meanwhile) {
  ASSERT_TRUE(run([&](transaction& tx) {
    auto mine = tx.in(accounts);
    EXPECT_EQ((*mine.get(1).get())["balance"], value_view{100});
    ASSERT_TRUE(accounts.update(1, {{"balance", 1}}).get());
    ASSERT_TRUE(accounts.erase(2).get());
    EXPECT_EQ((*mine.get(1).get())["balance"], value_view{100});
    EXPECT_EQ(*mine.count().get(), 3u);
    EXPECT_TRUE(mine.contains(2));
  }));
}

TEST_F(a_transaction, sees_its_own_writes_in_every_kind_of_read) {
  ASSERT_TRUE(run([&](transaction& tx) {
    auto mine = tx.in(accounts);
    ASSERT_TRUE(mine.update(2, {{"balance", 50}}).get());
    ASSERT_TRUE(mine.erase(3).get());
    ASSERT_TRUE(mine.insert({{"id", 9}, {"owner", "z"}, {"balance", 10}}).get());
    ASSERT_TRUE(mine.insert({{"id", 8}, {"owner", "y"}, {"balance", 20}}).get());
    auto ids = [](const records& list) {
      std::vector<std::int64_t> out;
      for (auto& r : list)
        out.push_back(r.key().as_int());
      return out;
    };
    using list = std::vector<std::int64_t>;
    EXPECT_EQ(ids(*mine.all().get()), (list{1, 2, 9, 8}));
    EXPECT_EQ(ids(*mine.everything().order_by("balance").all().get()), (list{9, 8, 2, 1}));
    EXPECT_EQ(ids(*mine.where("balance"_f <= 50).all().get()), (list{2, 9, 8}));
    EXPECT_EQ(ids(*mine.where("owner"_f == "z").all().get()), (list{9}));
    EXPECT_EQ(ids(*mine.where("id"_f == 3).all().get()), (list{}));
    EXPECT_EQ(ids(*mine.first(3).get()), (list{1, 2, 9}));
    EXPECT_EQ(ids(*mine.last(3).get()), (list{2, 9, 8}));
    EXPECT_EQ(*mine.count().get(), 4u);
    EXPECT_EQ(*mine.count("balance"_f < 100).get(), 3u);
    EXPECT_EQ(*mine.everything().sum("balance").get(), value{180});
    EXPECT_EQ(*mine.everything().max("balance").get(), value{100});
    auto page = mine.everything().page_of(3).get();
    EXPECT_EQ(ids(page->items), (list{1, 2, 9}));
    EXPECT_EQ(ids(mine.everything().page_of(3, page->next).get()->items), (list{8}));
    EXPECT_EQ(mine.everything().group_by({}, {aggregate::count()}).get()->size(), 1u);
    EXPECT_EQ(mine.find_one("balance"_f == 20).get()->key(), value_view{8});
    EXPECT_FALSE(mine.contains(3));
    std::uint64_t visited = 0;
    EXPECT_EQ(*mine.everything().visit([&](const record_view&) { ++visited; }), visited);
    EXPECT_EQ(visited, 4u);
  }));
  EXPECT_EQ(accounts.get(8).get()->version(), 1u);
  EXPECT_EQ(accounts.get(2).get()->version(), 2u);
}

TEST_F(a_transaction, may_write_a_key_as_often_as_it_likes) {
  ASSERT_TRUE(run([&](transaction& tx) {
    auto mine = tx.in(accounts);
    // Update, then erase.
    ASSERT_TRUE(mine.update(1, {{"balance", 1}}).get());
    ASSERT_TRUE(mine.erase(1).get());
    // Erase, then insert, then update.
    ASSERT_TRUE(mine.erase(2).get());
    ASSERT_TRUE(mine.insert({{"id", 2}, {"owner", "new"}, {"balance", 2}}).get());
    ASSERT_TRUE(mine.update(2, {{"balance", 22}}).get());
    EXPECT_EQ(mine.get(2).get()->version(), 1u);
    // Insert, then erase.
    ASSERT_TRUE(mine.insert({{"id", 7}, {"balance", 7}}).get());
    ASSERT_TRUE(mine.erase(7).get());
    EXPECT_EQ(mine.erase(7).get().error(), errc::not_found);
    EXPECT_EQ(mine.insert({{"id", 2}, {"balance", 3}}).get().error(), errc::duplicate);
  }));
  EXPECT_FALSE(accounts.contains(1));
  EXPECT_FALSE(accounts.contains(7));
  EXPECT_EQ((*accounts.get(2).get())["owner"], value_view{"new"});
  EXPECT_EQ(balance(2), 22);
  EXPECT_EQ(accounts.all().get()->back().key(), value_view{2}) << "a new life, a new place";
}

TEST_F(a_transaction, may_exchange_two_unique_values) {
  ASSERT_TRUE(run([&](transaction& tx) {
    auto mine = tx.in(accounts);
    ASSERT_TRUE(mine.update(1, {{"owner", "c"}}).get());
    ASSERT_TRUE(mine.update(2, {{"owner", "b"}}).get());
  }));
  EXPECT_EQ(accounts.find_one("owner"_f == "c").get()->key(), value_view{1});
  EXPECT_EQ(accounts.find_one("owner"_f == "b").get()->key(), value_view{2});
}

TEST_F(a_transaction, may_hand_a_unique_value_over) {
  ASSERT_TRUE(run([&](transaction& tx) {
    auto mine = tx.in(accounts);
    ASSERT_TRUE(mine.insert({{"id", 4}, {"owner", "b"}, {"balance", 0}}).get());
    ASSERT_TRUE(mine.erase(1).get());
  }));
  EXPECT_EQ(accounts.find_one("owner"_f == "b").get()->key(), value_view{4});
}

TEST_F(a_transaction, fails_when_two_records_have_a_unique_value_in_the_end) {
  auto done = run([&](transaction& tx) {
    ASSERT_TRUE(tx.in(accounts).update(1, {{"owner", "c"}}).get());
    ASSERT_TRUE(tx.in(accounts).update(3, {{"balance", 0}}).get());
  });
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error(), errc::duplicate);
  EXPECT_EQ(done.error().message(), "accounts.owner: \"c\" is taken by another record");
  EXPECT_EQ(balance(3), 100);
}

TEST_F(a_transaction, is_run_again_when_what_it_read_has_changed) {
  int attempts = 0;
  ASSERT_TRUE(run([&](transaction& tx) {
    auto now = tx.in(accounts).get(1).get();
    if (++attempts == 1) {
      ASSERT_TRUE(accounts.update(1, {{"balance", 500}}).get());
    }
    ASSERT_TRUE(tx.in(accounts).update(2, {{"balance", (*now)["balance"].as_int() + 1}}).get());
  }));
  EXPECT_EQ(attempts, 2);
  EXPECT_EQ(balance(2), 501);
}

/// What a transaction reads, what happens meanwhile, and whether that is a conflict.
struct meanwhile {
  const char* name;
  std::function<void(const bucket<>&)> read;
  std::function<void(const bucket<>&)> happens;
  bool conflicts;
};

TEST_F(a_transaction, conflicts_with_what_changes_its_reads_and_nothing_else) {
  auto low = [](auto& b) { return b.where("balance"_f < 50); };
  auto insert = [](std::int64_t id, std::int64_t balance) {
    return [=](const bucket<>& b) {
      ASSERT_TRUE(b.insert({{"id", id}, {"balance", balance}}).get());
    };
  };
  auto update = [](std::int64_t id, std::int64_t balance) {
    return [=](const bucket<>& b) { ASSERT_TRUE(b.update(id, {{"balance", balance}}).get()); };
  };
  auto get = [](std::int64_t id) { return [=](const bucket<>& b) { (void)b.get(id).get(); }; };
  auto erase = [](const bucket<>& b) { ASSERT_TRUE(b.erase(1).get()); };
  std::vector<meanwhile> cases{
      {"a record", get(1), update(1, 7), true},
      {"another record", get(1), update(2, 7), false},
      {"an erased record", get(1), erase, true},
      {"an absent key", get(40), insert(40, 1), true},
      {"another absent key", get(40), insert(41, 1), false},
      {"a range that gets a record", [&](auto& b) { (void)low(b).all().get(); }, insert(42, 1),
       true},
      {"a range beside the record", [&](auto& b) { (void)low(b).all().get(); }, insert(43, 60),
       false},
      {"a record that comes into a range", [&](auto& b) { (void)low(b).count().get(); },
       update(2, 8), true},
      {"a record that changes within what was counted",
       [&](auto& b) { (void)b.count("balance"_f > 50).get(); }, update(2, 80), false},
      {"a record that changes within what was read",
       [&](auto& b) { (void)b.where("balance"_f > 50).all().get(); }, update(2, 90), true},
      {"behind the first ones of an order",
       [&](auto& b) { (void)b.everything().order_by("balance").first(1).get(); }, update(2, 101),
       false},
      {"among the first ones of an order",
       [&](auto& b) { (void)b.everything().order_by("balance").first(1).get(); }, update(2, 1),
       true},
      {"behind the first ones of all", [&](auto& b) { (void)b.first(1).get(); }, insert(44, 1),
       false},
      {"a number of all", [&](auto& b) { (void)b.count().get(); }, insert(45, 1), true},
      {"a sum", [&](auto& b) { (void)b.everything().sum("balance").get(); }, insert(46, 1), true},
      {"a unique value that was not there",
       [&](auto& b) { (void)b.find_one("owner"_f == "new").get(); },
       [](auto& b) {
         ASSERT_TRUE(b.update(3, {{"owner", "new"}}).get());
       },
       true},
      {"a visit that ended early",
       [&](auto& b) { (void)b.everything().visit([](const record_view&) { return false; }); },
       update(3, 3), false},
  };
  for (auto& each : cases) {
    TearDown();
    db = std::move(*store::start());
    accounts = std::move(*db.define(schema("accounts")
                                        .key("id", integer())
                                        .field("owner", string().unique())
                                        .field("balance", integer().required())
                                        .index("balance")));
    orders = std::move(*db.define(schema("orders").key("no", integer()).field("n", integer())));
    SetUp();
    auto done = run(
        [&](transaction& tx) {
          each.read(tx.in(accounts));
          each.happens(accounts);
          ASSERT_TRUE(tx.in(orders).insert({{"no", 1}}).get());
        },
        {.retries = 0, .exclusive_retries = 0});
    EXPECT_EQ(!done, each.conflicts) << each.name;
    if (!done) {
      EXPECT_EQ(done.error(), errc::conflict) << done.error().to_string();
      EXPECT_EQ(done.error().where().bucket, "accounts");
    }
  }
}

TEST_F(a_transaction, says_what_it_conflicts_with) {
  auto done = run(
      [&](transaction& tx) {
        (void)tx.in(accounts).get(1).get();
        ASSERT_TRUE(accounts.update(1, {{"balance", 7}}).get());
        ASSERT_TRUE(tx.in(orders).insert({{"what", "x"}}).get());
      },
      {.retries = 0, .exclusive_retries = 0});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().message(), "accounts: the record 1, read at 3, was changed by commit 4");
  auto* detail = std::get_if<commit_conflict>(&done.error().detail());
  ASSERT_TRUE(detail);
  EXPECT_EQ(detail->read_at, 3u);
  EXPECT_EQ(detail->changed_by, 4u);
  EXPECT_FALSE(detail->persistent);
}

TEST_F(a_transaction, that_others_overtake_gets_the_right_of_way) {
  std::atomic<std::uint64_t> written{0};
  std::atomic<bool> enough{false};
  std::thread other{[&] {
    while (!enough) {
      EXPECT_TRUE(accounts.update(1, {{"balance", 1}}).get());
      ++written;
    }
  }};
  constexpr int retries = 2;
  int attempts = 0;
  std::uint64_t meanwhile = 0;
  auto done = run(
      [&](transaction& tx) {
        auto now = tx.in(accounts).get(1).get();
        const auto before = written.load();
        if (++attempts <= retries + 1) {
          while (written < before + 2) // until it is certain that this attempt comes too late
            std::this_thread::yield();
        } else {
          for (int i = 0; i < 20'000; ++i)
            (void)tx.in(accounts).get(1).get();
          meanwhile = written - before;
        }
        ASSERT_TRUE(tx.in(accounts).update(2, {{"balance", 7}}).get());
      },
      {.retries = retries});
  enough = true;
  other.join();
  EXPECT_TRUE(done) << done.error().to_string();
  EXPECT_GT(attempts, retries + 1);
  EXPECT_LE(meanwhile, 1u) << "others went on";
  EXPECT_EQ(balance(2), 7);
}

TEST_F(a_transaction, that_only_reads_never_conflicts) {
  EXPECT_TRUE(run(
      [&](transaction& tx) {
        (void)tx.in(accounts).all().get();
        ASSERT_TRUE(accounts.update(1, {{"balance", 7}}).get());
        (void)tx.in(accounts).all().get();
      },
      {.retries = 0, .exclusive_retries = 0}));
}

TEST_F(a_transaction, numbers_records_without_gaps) {
  (void)run([&](transaction& tx) {
    ASSERT_TRUE(tx.in(orders).insert({{"what", "a"}}).get());
    EXPECT_FALSE(tx.in(orders).insert({{"what", 7}}).get());
    (void)tx.nested([&]() -> result<void> {
      EXPECT_EQ(tx.in(orders).insert({{"what", "b"}}).get()->key(), value_view{2});
      return fail(errc::cancelled, "no");
    });
    EXPECT_EQ(tx.in(orders).insert({{"what", "c"}}).get()->key(), value_view{2});
  });
  (void)db.transact([&](transaction& tx) -> result<void> {
    EXPECT_EQ(tx.in(orders).insert({{"what", "d"}}).get()->key(), value_view{3});
    return fail(errc::cancelled, "no");
  });
  EXPECT_EQ(orders.insert({{"what", "e"}}).get()->key(), value_view{3});
}

TEST_F(a_transaction, takes_its_numbers_anew_when_others_took_them) {
  int attempts = 0;
  ASSERT_TRUE(run([&](transaction& tx) {
    auto added = tx.in(orders).insert({{"what", "a"}}).get();
    if (++attempts == 1) {
      ASSERT_TRUE(orders.insert({{"what", "b"}}).get());
    }
    EXPECT_EQ(added->key(), value_view{attempts});
  }));
  EXPECT_EQ(attempts, 2);
  EXPECT_EQ(*orders.count().get(), 2u);
}

TEST_F(a_transaction, takes_back_only_what_a_failed_part_wrote) {
  ASSERT_TRUE(run([&](transaction& tx) {
    auto mine = tx.in(accounts);
    ASSERT_TRUE(mine.update(1, {{"balance", 1}}).get());
    auto part = tx.nested([&]() -> result<int> {
      EXPECT_TRUE(mine.update(1, {{"balance", 2}}).get());
      EXPECT_TRUE(mine.erase(2).get());
      EXPECT_TRUE(tx.nested([&] { return mine.erase(3).get(); }));
      EXPECT_EQ(*mine.count().get(), 1u);
      return fail(errc::cancelled, "no");
    });
    EXPECT_FALSE(part);
    EXPECT_EQ((*mine.get(1).get())["balance"], value_view{1});
    EXPECT_EQ(*mine.count().get(), 3u);
    try {
      (void)tx.nested([&]() -> result<void> {
        EXPECT_TRUE(mine.erase(1).get());
        throw 1;
      });
    } catch (int) {
    }
    EXPECT_TRUE(tx.nested([&] { return mine.erase(3).get(); }));
  }));
  EXPECT_EQ(balance(1), 1);
  EXPECT_TRUE(accounts.contains(2));
  EXPECT_FALSE(accounts.contains(3));
}

TEST_F(a_transaction, takes_back_all_of_a_bulk_write_that_fails) {
  ASSERT_TRUE(run([&](transaction& tx) {
    auto done =
        tx.in(accounts).insert_many({object{{"id", 10}, {"balance", 1}}, object{{"id", 1}}}).get();
    ASSERT_FALSE(done);
    EXPECT_THAT(done.error().message(), HasSubstr("record 1 of 2: "));
    EXPECT_FALSE(tx.in(accounts).contains(10));
    ASSERT_TRUE(
        tx.in(accounts)
            .insert_many({object{{"id", 11}, {"balance", 1}}, object{{"id", 12}, {"balance", 1}}})
            .get());
  }));
  EXPECT_EQ(*accounts.count().get(), 5u);
}

TEST_F(a_transaction, clears_what_it_sees) {
  ASSERT_TRUE(run([&](transaction& tx) {
    auto mine = tx.in(accounts);
    ASSERT_TRUE(mine.insert({{"id", 9}, {"balance", 1}}).get());
    EXPECT_EQ(*mine.clear().get(), 4u);
    ASSERT_TRUE(mine.insert({{"id", 1}, {"balance", 1}}).get());
  }));
  EXPECT_EQ(*accounts.count().get(), 1u);
}

TEST_F(a_transaction, leaves_handles_behind_that_say_that_it_has_ended) {
  std::optional<bucket<>> kept;
  std::optional<record> read;
  ASSERT_TRUE(run([&](transaction& tx) {
    kept = tx.in(accounts);
    read = *kept->insert({{"id", 9}, {"owner", "nine"}, {"balance", 1}}).get();
  }));
  for (auto& failed : {kept->get(1).get().error(), kept->insert({{"id", 77}}).get().error(),
                       kept->erase(1).get().error(), kept->count().get().error()}) {
    EXPECT_EQ(failed, errc::invalid_argument);
    EXPECT_EQ(failed.message(), "accounts: the transaction that this handle belongs to has ended");
  }
  EXPECT_EQ((*read)["owner"], value_view{"nine"});
}

TEST_F(a_transaction, is_one_commit_of_events_with_their_cause) {
  std::mutex guard;
  std::vector<std::string> seen;
  auto token = db.on("bucket.**", [&](const change& c) {
    std::lock_guard lock{guard};
    seen.push_back(c.to_string());
  });
  ASSERT_TRUE(token);
  ASSERT_TRUE(run([&](transaction& tx) {
    ASSERT_TRUE(tx.in(accounts).update(1, {{"balance", 1}}).get());
    ASSERT_TRUE(tx.in(accounts).update(1, {{"balance", 2}}).get());
    ASSERT_TRUE(tx.in(orders).insert({{"what", "x"}}).get());
    ASSERT_TRUE(tx.in(accounts).erase(2).get());
  }));
  ASSERT_TRUE(db.stop());
  EXPECT_THAT(seen, ::testing::ElementsAre("accounts.updated 1 at 4 (transaction)",
                                           "accounts.erased 2 at 4 (transaction)",
                                           "orders.inserted 1 at 4 (transaction)"));
}

TEST_F(a_transaction, ends_with_an_error_when_a_bucket_is_dropped_meanwhile) {
  auto done = run([&](transaction& tx) {
    ASSERT_TRUE(tx.in(accounts).update(1, {{"balance", 1}}).get());
    ASSERT_TRUE(tx.in(orders).insert({{"what", "x"}}).get());
    ASSERT_TRUE(db.drop("accounts"));
    EXPECT_EQ(tx.in(accounts).get(1).get().error(), errc::dropped);
  });
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error(), errc::dropped);
  EXPECT_EQ(*orders.count().get(), 0u);
}

TEST_F(a_transaction, does_not_care_for_the_crash_of_a_bucket_before_its_commit) {
  ASSERT_TRUE(run([&](transaction& tx) {
    ASSERT_TRUE(tx.in(accounts).update(1, {{"balance", 1}}).get());
    ASSERT_TRUE(db.crash("accounts"));
    EXPECT_EQ((*tx.in(accounts).get(1).get())["balance"], value_view{1});
  }));
  EXPECT_EQ(balance(1), 1);
}

TEST_F(a_transaction, leaves_no_trace_when_its_commit_crashes_anywhere) {
  ASSERT_TRUE(orders.insert({{"what", "first"}}).get());
  for (auto* point : {"bucket.inserted", "bucket.replaced", "bucket.erased", "bucket.sealing",
                      "data.row_added", "data.key_added", "data.unique_added", "data.index_changed",
                      "data.version_ended", "data.row_replaced", "data.key_replaced"}) {
    const auto before = db.snapshot().memory_seq();
    holdfast::testing::fault strike{point};
    auto done = run([&](transaction& tx) {
      auto mine = tx.in(accounts);
      ASSERT_TRUE(mine.update(1, {{"balance", 1}, {"owner", "new"}}).get());
      ASSERT_TRUE(mine.erase(2).get());
      ASSERT_TRUE(mine.insert({{"id", 9}, {"owner", "b"}, {"balance", 1}}).get());
      ASSERT_TRUE(tx.in(orders).insert({{"what", "second"}}).get());
    });
    EXPECT_TRUE(strike.struck()) << point;
    ASSERT_FALSE(done) << point;
    EXPECT_EQ(done.error(), errc::bucket_crashed) << point;
    EXPECT_EQ(db.snapshot().memory_seq(), before) << point;
    EXPECT_EQ(*accounts.everything().sum("balance").get(), value{300}) << point;
    EXPECT_EQ(accounts.find_one("owner"_f == "b").get()->key(), value_view{1}) << point;
    EXPECT_FALSE(accounts.find_one("owner"_f == "new").get()) << point;
  }
  EXPECT_EQ(orders.insert({{"what", "second"}}).get()->key(), value_view{2});
  ASSERT_TRUE(accounts.insert({{"id", 9}, {"balance", 1}}).get());
}

#ifndef NDEBUG
TEST_F(a_transaction, leaves_no_trace_when_its_commit_runs_out_of_memory) {
  std::uint64_t failures = 0;
  for (std::uint64_t n = 1;; ++n) {
    auto done = run([&](transaction& tx) {
      auto mine = tx.in(accounts);
      ASSERT_TRUE(mine.update(1, {{"balance", 1}, {"owner", "new"}}).get());
      ASSERT_TRUE(mine.erase(2).get());
      ASSERT_TRUE(mine.insert({{"id", 9}, {"owner", "b"}, {"balance", 1}}).get());
      detail::pool::set_fuse(n);
    });
    detail::pool::set_fuse(0);
    if (done)
      break;
    ++failures;
    EXPECT_EQ(done.error(), errc::out_of_memory) << n;
    EXPECT_EQ(*accounts.everything().sum("balance").get(), value{300}) << n;
    EXPECT_EQ(accounts.find_one("owner"_f == "b").get()->key(), value_view{1}) << n;
  }
  EXPECT_GT(failures, 3u);
  EXPECT_EQ(accounts.find_one("owner"_f == "b").get()->key(), value_view{9});
}
#endif

TEST_F(a_transaction, looks_its_own_writes_up_when_they_are_many) {
  constexpr int many = 500;
  ASSERT_TRUE(run([&](transaction& tx) {
    auto mine = tx.in(accounts);
    for (int i = 0; i < many; ++i)
      ASSERT_TRUE(mine.insert({{"id", 100 + i}, {"balance", i}}).get());
    for (int i = 0; i < many; i += 2)
      ASSERT_TRUE(mine.erase(100 + i).get());
    for (int i = 0; i < many; i += 4)
      ASSERT_TRUE(mine.insert({{"id", 100 + i}, {"balance", 1}}).get());
    ASSERT_TRUE(mine.update(2, {{"balance", 5}}).get());
    for (int i = 0; i < many; ++i)
      EXPECT_EQ(mine.contains(100 + i), i % 2 == 1 || i % 4 == 0) << i;
    EXPECT_EQ(*mine.count().get(), 3u + many / 2 + many / 4);
    EXPECT_EQ(*mine.count("balance"_f == 5).get(), 2u);
  }));
  EXPECT_EQ(*accounts.count().get(), 3u + many / 2 + many / 4);
}

TEST_F(a_transaction, is_run_again_when_a_definition_changes) {
  int attempts = 0;
  ASSERT_TRUE(run([&](transaction& tx) {
    if (++attempts == 1) {
      EXPECT_TRUE(tx.in(accounts).contains(1));
      ASSERT_TRUE(db.update_bucket("accounts", bucket_update{}.add_field("note", string())));
    }
    (void)tx.in(accounts).update(1, {{"note", "x"}, {"balance", 5}}).get();
  }));
  EXPECT_EQ(attempts, 2);
  EXPECT_EQ((*accounts.get(1).get())["note"], value_view{"x"});
}

TEST_F(a_transaction, of_one_record_is_a_modification_that_never_conflicts) {
  constexpr int times = 2000;
  auto add = [&] {
    for (int i = 0; i < times; ++i) {
      auto done = accounts.modify(1, [](const record& now) {
        return object{{"balance", now["balance"].as_int() + 1}};
      });
      ASSERT_TRUE(done) << done.error().to_string();
    }
  };
  std::thread other{add};
  add();
  other.join();
  EXPECT_EQ(balance(1), 100 + 2 * times);
  auto refuse = [](const record&) -> result<object> { return fail(errc::cancelled, "no"); };
  EXPECT_EQ(accounts.modify(1, refuse).error(), errc::cancelled);
  EXPECT_EQ(accounts.modify(77, refuse).error(), errc::not_found);
  ASSERT_TRUE(run([&](transaction& tx) {
    EXPECT_TRUE(tx.in(accounts).modify(2, [](const record&) { return object{{"balance", 1}}; }));
    EXPECT_EQ((*tx.in(accounts).get(2).get())["balance"], value_view{1});
  }));
  EXPECT_EQ(balance(2), 1);
}

struct pet {
  std::string name;
  std::int64_t age = 0;
  std::optional<std::string> owner;
};

} // namespace

template <>
inline constexpr auto mapping<pet> = map_to<pet>("pets", key<&pet::name>(), field<&pet::age>(),
                                                 field<&pet::owner>());

namespace {

TEST_F(a_transaction, takes_and_gives_structs) {
  auto pets = std::move(*db.define<pet>());
  ASSERT_TRUE(pets.insert({"Rex", 3, "Ann"}).get());
  auto ages = db.transact([&](transaction& tx) -> result<std::int64_t> {
    auto mine = tx.bucket<pet>();
    EXPECT_TRUE(mine->insert({"Tom", 5, std::nullopt}).get());
    EXPECT_TRUE(tx.in(pets).update("Rex", set<&pet::age>(4)).get());
    std::int64_t sum = 0;
    auto old = mine->where(f<&pet::age> >= 4).all().get().value();
    for (auto& each : old)
      sum += each.age;
    return sum;
  });
  EXPECT_EQ(ages.value(), 9);
  auto older = pets.modify("Rex", [](pet& p) {
    ++p.age;
    p.owner.reset();
  });
  ASSERT_TRUE(older) << older.error().to_string();
  EXPECT_EQ(older->age, 5);
  EXPECT_FALSE(pets.get("Rex").get()->owner);
}

/// Teams, and users that refer to them in three ways.
struct a_transaction_over_references : ::testing::TestWithParam<bool> {
  std::shared_ptr<memory_disk> disk = std::make_shared<memory_disk>();
  store db = start();
  bucket<> teams = define(schema("teams").key("id", string()));
  bucket<> users = define(schema("users")
                              .key("id", string())
                              .field("team", string().references("teams", on_delete::cascade))
                              .field("old", string().references("teams", on_delete::set_null))
                              .field("boss_of", string().references("teams")));

  store start() {
    store_options options;
    if (GetParam())
      options.journal = memory_journal(disk);
    return std::move(*store::start(std::move(options)));
  }
  bucket<> define(const schema& s) { return std::move(*db.define(s)); }
  void SetUp() override {
    for (auto* id : {"red", "blue", "grey"})
      ASSERT_TRUE(teams.insert({{"id", id}}).get());
    ASSERT_TRUE(users.insert({{"id", "ann"}, {"team", "red"}, {"old", "grey"}}).get());
    ASSERT_TRUE(users.insert({{"id", "bob"}, {"team", "blue"}, {"old", "red"}}).get());
    ASSERT_TRUE(users.insert({{"id", "cid"}, {"team", "grey"}, {"boss_of", "blue"}}).get());
  }
};
INSTANTIATE_TEST_SUITE_P(in_memory_and_over_a_journal, a_transaction_over_references,
                         ::testing::Bool());

TEST_P(a_transaction_over_references, sees_what_an_erased_record_takes_with_it) {
  ASSERT_TRUE(db.transact([&](transaction& tx) -> result<void> {
    EXPECT_TRUE(tx.in(teams).erase("red").get());
    EXPECT_FALSE(tx.in(users).contains("ann"));
    EXPECT_TRUE((*tx.in(users).get("bob").get())["old"].is_null());
    return {};
  }));
  EXPECT_EQ(*users.count().get(), 2u);
  EXPECT_TRUE((*users.get("bob").get())["old"].is_null());
}

TEST_P(a_transaction_over_references, may_put_another_record_in_the_place_of_an_erased_one) {
  ASSERT_TRUE(db.transact([&](transaction& tx) -> result<void> {
    EXPECT_TRUE(tx.in(teams).erase("red").get());
    EXPECT_TRUE(tx.in(users).insert({{"id", "dan"}, {"team", "red"}}).get());
    EXPECT_TRUE(tx.in(teams).insert({{"id", "red"}}).get());
    return {};
  }));
  EXPECT_FALSE(users.contains("ann"));
  EXPECT_TRUE(users.contains("dan"));
}

TEST_P(a_transaction_over_references, fails_when_a_record_is_missed_in_the_end) {
  auto erase_blue = [&](bool leave) {
    return db.transact([&](transaction& tx) -> result<void> {
      EXPECT_TRUE(tx.in(teams).erase("blue").get());
      if (leave) {
        EXPECT_TRUE(tx.in(users).update("cid", {{"boss_of", nullptr}}).get());
      }
      return {};
    });
  };
  auto kept = erase_blue(false);
  ASSERT_FALSE(kept);
  EXPECT_EQ(kept.error(), errc::broken_reference);
  EXPECT_TRUE(users.contains("bob")) << "the cascade was done though the transaction failed";
  EXPECT_TRUE(erase_blue(true));
  EXPECT_FALSE(users.contains("bob"));
  auto dangling = db.transact([&](transaction& tx) -> result<void> {
    EXPECT_TRUE(tx.in(users).insert({{"id", "eve"}, {"team", "green"}}).get());
    return {};
  });
  ASSERT_FALSE(dangling);
  EXPECT_EQ(dangling.error(), errc::broken_reference);
}

TEST_P(a_transaction_over_references, conflicts_with_who_refers_to_what_it_erases) {
  int attempts = 0;
  ASSERT_TRUE(db.transact([&](transaction& tx) -> result<void> {
    EXPECT_TRUE(tx.in(teams).erase("red").get());
    if (++attempts == 1) {
      EXPECT_TRUE(users.insert({{"id", "dan"}, {"team", "red"}}).get());
    }
    return {};
  }));
  EXPECT_EQ(attempts, 2);
  EXPECT_FALSE(users.contains("dan"));
}

TEST_P(a_transaction_over_references, is_there_wholly_after_a_restart) {
  if (!GetParam())
    return;
  ASSERT_TRUE(db.transact([&](transaction& tx) -> result<void> {
    EXPECT_TRUE(tx.in(teams).erase("red").get());
    EXPECT_TRUE(tx.in(teams).insert({{"id", "red"}}).get());
    EXPECT_TRUE(tx.in(users).insert({{"id", "dan"}, {"team", "red"}}).get());
    EXPECT_TRUE(tx.in(users).update("dan", {{"old", "blue"}}).get());
    return {};
  }));
  ASSERT_TRUE(db.stop());
  db = start();
  users = std::move(*db.bucket("users"));
  EXPECT_EQ((*users.get("dan").get())["old"], value_view{"blue"});
  EXPECT_FALSE(users.contains("ann"));
  EXPECT_EQ(*db.bucket("teams")->count().get(), 3u);
}

TEST(a_transaction_with_persistent_buckets, is_acknowledged_or_not_there_when_the_store_stops) {
  auto disk = std::make_shared<memory_disk>();
  auto start = [&] {
    store_options options;
    options.journal = memory_journal(disk);
    return std::move(*store::start(std::move(options)));
  };
  auto db = start();
  auto counts = std::move(*db.define(schema("counts").key("id", integer()).field("n", integer())));
  ASSERT_TRUE(counts.insert({{"id", 1}, {"n", 0}}).get());
  std::atomic<std::int64_t> done{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 2; ++t)
    threads.emplace_back([&] {
      for (;;) {
        auto added = db.transact([&](transaction& tx) -> result<void> {
          auto mine = tx.in(counts);
          auto now = mine.get(1).get();
          if (!now)
            return fail(now.error());
          return mine.update(1, {{"n", (*now)["n"].as_int() + 1}}).get().map([](auto&&) {});
        });
        if (!added) {
          EXPECT_EQ(added.error(), errc::stopped) << added.error().to_string();
          return;
        }
        ++done;
      }
    });
  while (done < 20)
    std::this_thread::yield();
  ASSERT_TRUE(db.stop());
  for (auto& t : threads)
    t.join();
  auto again = start();
  EXPECT_EQ((*again.bucket("counts")->get(1).get())["n"], value_view{done.load()});
}

TEST(a_transaction_with_persistent_buckets, cannot_write_to_buckets_in_memory_as_well) {
  store_options options;
  options.journal = memory_journal(std::make_shared<memory_disk>());
  auto db = std::move(*store::start(std::move(options)));
  auto kept = std::move(*db.define(schema("kept").key("id", integer())));
  auto loose = std::move(*db.define(schema("loose").key("id", integer()).persistent(false)));
  auto done = db.transact([&](transaction& tx) -> result<void> {
    EXPECT_TRUE(tx.in(kept).insert({{"id", 1}}).get());
    EXPECT_TRUE(tx.in(loose).insert({{"id", 1}}).get());
    return {};
  });
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error(), errc::invalid_argument);
  EXPECT_EQ(*kept.count().get() + *loose.count().get(), 0u);
  // Reading both is no matter.
  EXPECT_TRUE(db.transact([&](transaction& tx) -> result<void> {
    EXPECT_EQ(*tx.in(loose).count().get(), 0u);
    EXPECT_TRUE(tx.in(kept).insert({{"id", 1}}).get());
    return {};
  }));
}

} // namespace
} // namespace holdfast
