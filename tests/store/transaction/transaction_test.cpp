// What a transaction reads and writes.
#include "transaction_fixture.hpp"

namespace holdfast::testing {
namespace {

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
  EXPECT_EQ(done.error().where(), (location{"accounts", "1", "owner"}));
  EXPECT_EQ(balance(3), 100);
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

} // namespace
} // namespace holdfast::testing
