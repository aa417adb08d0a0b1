// What a transaction conflicts with, and what becomes of it then.
#include "transaction_fixture.hpp"

#include <holdfast/store/memory_journal.hpp>

#include <atomic>
#include <functional>
#include <memory>
#include <thread>
#include <utility>

namespace holdfast::testing {
namespace {

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

auto insert(std::int64_t id, std::int64_t balance) {
  return [=](const bucket<>& b) {
    ASSERT_TRUE(b.insert({{"id", id}, {"balance", balance}}).get());
  };
}
auto update(std::int64_t id, std::int64_t balance) {
  return [=](const bucket<>& b) { ASSERT_TRUE(b.update(id, {{"balance", balance}}).get()); };
}

std::vector<meanwhile> reads_of_records() {
  auto get = [](std::int64_t id) { return [=](const bucket<>& b) { (void)b.get(id).get(); }; };
  auto erase = [](const bucket<>& b) { ASSERT_TRUE(b.erase(1).get()); };
  return {{"a record", get(1), update(1, 7), true},
          {"another record", get(1), update(2, 7), false},
          {"an erased record", get(1), erase, true},
          {"an absent key", get(40), insert(40, 1), true},
          {"another absent key", get(40), insert(41, 1), false}};
}

std::vector<meanwhile> reads_of_ranges() {
  auto low = [](auto& b) { return b.where("balance"_f < 50); };
  return {
      {"a range that gets a record", [&](auto& b) { (void)low(b).all().get(); }, insert(42, 1),
       true},
      {"a range beside the record", [&](auto& b) { (void)low(b).all().get(); }, insert(43, 60),
       false},
      {"a record that comes into a range", [&](auto& b) { (void)low(b).count().get(); },
       update(2, 8), true},
      {"a record that comes into what was left out of a range",
       [&](auto& b) { (void)b.count(!("balance"_f >= 50)).get(); }, insert(47, 40), true},
      {"a record that stays out of it", [&](auto& b) { (void)b.count(!("balance"_f >= 50)).get(); },
       update(2, 60), false},
      {"a record that begins to differ",
       [&](auto& b) { (void)b.where("balance"_f != 100).all().get(); }, update(2, 8), true},
      {"a new record that differs", [&](auto& b) { (void)b.count("balance"_f != 100).get(); },
       insert(48, 101), true},
      {"a new record that does not", [&](auto& b) { (void)b.count("balance"_f != 100).get(); },
       insert(49, 100), false},
      {"a record of none in a list",
       [&](auto& b) { (void)b.where(!("balance"_f.in(100, 200))).all().get(); }, update(3, 150),
       true},
      {"a record that goes from one in the list to another",
       [&](auto& b) { (void)b.where(!("balance"_f.in(100, 200))).all().get(); }, update(3, 200),
       false},
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
       update(3, 3), false}};
}

/// All have 100 as their balance, so they come in the order of their insertion.
std::vector<meanwhile> reads_of_parts() {
  auto in_order = [](auto& b) { return b.everything().order_by("balance"); };
  auto first_page = [=](const bucket<>& b) { EXPECT_TRUE(in_order(b).page_of(1).get()->next); };
  auto two_pages = [=](const bucket<>& b) {
    auto first = in_order(b).page_of(1).get();
    EXPECT_TRUE(in_order(b).page_of(1, first->next).get()->next);
  };
  auto last_page = [=](const bucket<>& b) { EXPECT_FALSE(in_order(b).page_of(3).get()->next); };
  auto last_one = [=](const bucket<>& b) { EXPECT_TRUE(in_order(b).last(1).get()); };
  auto erase = [](std::int64_t id) {
    return [=](const bucket<>& b) { ASSERT_TRUE(b.erase(id).get()); };
  };
  auto above_500 = [](auto change) {
    return [=](const bucket<>& b) { ASSERT_EQ(change(b, "balance"_f > 500).get(), 0U); };
  };
  return {{"a record of the first page", first_page, update(1, 101), true},
          {"a record that comes into the first page", first_page, insert(50, 1), true},
          {"the record behind a page, for which there is another", first_page, erase(2), true},
          {"behind that", first_page, update(3, 101), false},
          {"a new one behind that", first_page, insert(51, 200), false},
          {"a record of the first of two pages", two_pages, update(1, 101), true},
          {"a record of the second", two_pages, update(2, 101), true},
          {"behind both", two_pages, insert(52, 200), false},
          {"behind the last page", last_page, insert(53, 200), true},
          {"a new last one", [](auto& b) { (void)b.last(1).get(); }, insert(54, 1), true},
          {"in front of the last one", [](auto& b) { (void)b.last(1).get(); }, update(1, 7), false},
          {"the last one", [](auto& b) { (void)b.last(1).get(); }, update(3, 7), true},
          {"in front of the last one of an order", last_one, insert(59, 1), false},
          {"a record that stays in front of it", last_one, update(1, 99), false},
          {"a record that comes behind it", last_one, update(1, 101), true},
          {"the one that is last of equals", last_one, update(3, 100), true},
          {"one of equals in front of it", last_one, update(2, 100), false},
          {"more last ones than there are", [=](auto& b) { (void)in_order(b).last(4).get(); },
           insert(60, 1), true},
          {"the last of a part", [=](auto& b) { (void)in_order(b).limit(2).last(1).get(); },
           insert(61, 1), true},
          {"what others insert in front of one's own",
           [=](auto& b) {
             ASSERT_TRUE(b.insert({{"id", 62}, {"owner", "own"}, {"balance", 100}}).get());
             EXPECT_EQ(in_order(b).last(1).get()->front()["id"], 62);
           },
           insert(63, 100), false},
          {"and behind it",
           [=](auto& b) {
             ASSERT_TRUE(b.insert({{"id", 64}, {"owner", "own"}, {"balance", 100}}).get());
             EXPECT_EQ(in_order(b).last(1).get()->front()["id"], 64);
           },
           insert(65, 101), true},
          {"what was left out", [=](auto& b) { (void)in_order(b).offset(1).limit(1).all().get(); },
           erase(1), true},
          {"what a bulk update would have changed", above_500([](auto& b, auto f) {
             return b.update_many(f, {{"balance", 1}});
           }),
           insert(55, 600), true},
          {"what it would not", above_500([](auto& b, auto f) {
             return b.update_many(f, {{"balance", 1}});
           }),
           insert(56, 400), false},
          {"what a bulk erase would have erased",
           above_500([](auto& b, auto f) { return b.erase_many(f); }), insert(57, 600), true},
          {"what groups are of",
           [](auto& b) { (void)b.everything().group_by({"owner"}, {}).get(); }, insert(58, 1),
           true}};
}

struct a_read : a_transaction {
  /// As if nothing had been before.
  void begin_anew() {
    TearDown();
    db = std::move(*store::start());
    accounts = std::move(*db.define(schema("accounts")
                                        .key("id", integer())
                                        .field("owner", string().unique())
                                        .field("balance", integer().required())
                                        .index("balance")));
    orders = std::move(*db.define(schema("orders").key("no", integer()).field("n", integer())));
    SetUp();
  }
  using use = std::function<void(const bucket<>&)>;
  /// What becomes of a transaction that reads before something else happens, and commits behind it.
  result<void> outcome(const use& read, const use& happens) {
    begin_anew();
    return run(
        [&](transaction& tx) {
          read(tx.in(accounts));
          happens(accounts);
          ASSERT_TRUE(tx.in(orders).insert({{"no", 1}}).get());
        },
        {.retries = 0, .exclusive_retries = 0});
  }
  void expect_right(const meanwhile& each) {
    const auto done = outcome(each.read, each.happens);
    EXPECT_EQ(!done, each.conflicts) << each.name;
    if (!done) {
      EXPECT_EQ(done.error(), errc::conflict) << done.error().to_string();
      EXPECT_EQ(done.error().where().bucket, "accounts");
    }
  }
};

TEST_F(a_read, of_records_conflicts_with_what_changes_them_and_nothing_else) {
  for (auto& each : reads_of_records())
    expect_right(each);
}

TEST_F(a_read, of_ranges_conflicts_with_what_changes_them_and_nothing_else) {
  for (auto& each : reads_of_ranges())
    expect_right(each);
}

TEST_F(a_read, of_parts_of_an_order_conflicts_with_what_changes_them_and_nothing_else) {
  for (auto& each : reads_of_parts())
    expect_right(each);
}

/// What was read, what happened, and how the conflict names them.
TEST_F(a_read, of_a_range_is_named_by_its_conflict) {
  struct named {
    use read, happens;
    std::string text, key;
  };
  const auto low = [](const bucket<>& b) { (void)b.count("balance"_f < 50).get(); };
  const auto first = [](const bucket<>& b) {
    (void)b.everything().order_by("balance").first(1).get();
  };
  const auto all = [](const bucket<>& b) {
    for (std::int64_t id = 0; id <= 65'536; ++id) // more look-ups than are told apart
      (void)b.contains(1'000 + id);
  };
  const auto define = [this](const bucket<>&) {
    ASSERT_TRUE(db.update_bucket("accounts", bucket_update{}.add_field("note", string())));
  };
  for (auto& each : std::vector<named>{
           {low, insert(42, 1), "balance < 50, read at 3, was changed by commit 4", "42"},
           {low, update(2, 8), "balance < 50, read at 3, was changed by commit 4", "2"},
           {first, insert(43, 1), "by balance limit 1, read at 3, was changed by commit 4", "43"},
           {all, insert(44, 1), "the whole bucket, read at 3, was changed by commit 4", "44"},
           {low, define, "the definition, read at 3, was changed by commit 4", ""}}) {
    const auto done = outcome(each.read, each.happens);
    ASSERT_FALSE(done) << each.text;
    EXPECT_THAT(done.error().message(), HasSubstr(each.text));
    EXPECT_EQ(done.error().where().bucket, "accounts");
    EXPECT_EQ(done.error().where().key, each.key) << each.text;
    EXPECT_EQ(std::get<commit_conflict>(done.error().detail()).changed_by, 4U) << each.text;
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

TEST_F(a_transaction, says_which_of_its_records_has_a_value_that_others_took) {
  auto done = run(
      [&](transaction& tx) {
        ASSERT_TRUE(tx.in(accounts).insert({{"id", 9}, {"owner", "new"}, {"balance", 1}}).get());
        ASSERT_TRUE(accounts.update(3, {{"owner", "new"}}).get());
      },
      {.retries = 0, .exclusive_retries = 0});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error(), errc::conflict) << done.error().to_string();
  EXPECT_THAT(done.error().message(), HasSubstr("\"new\" is taken by another record"));
  EXPECT_EQ(done.error().where().bucket, "accounts");
  EXPECT_EQ(done.error().where().key, "9");
  EXPECT_EQ(done.error().where().field, "owner");
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

/// Was taken for a conflict with a commit that there never was: run 21 times, and over a journal
/// waited for until the time was over.
TEST(one_transaction, that_gives_a_unique_value_twice_is_run_once) {
  for (auto durable : {false, true}) {
    store_options options;
    if (durable)
      options.journal = memory_journal(std::make_shared<memory_disk>());
    auto db = store::start(std::move(options)).value();
    auto b =
        db.define(
              schema("b").key("id", integer()).field("u", integer().unique()).field("n", integer()))
            .value();
    ASSERT_TRUE(b.insert_many({{{"id", 1}, {"u", 1}}, {{"id", 2}, {"u", 2}}}).get());
    using writes = std::function<void(const bucket<>&)>;
    for (const auto& write : {writes{[](auto& x) {
                                (void)x.insert({{"id", 3}, {"u", 5}}).get();
                                (void)x.insert({{"id", 4}, {"u", 5}}).get();
                              }},
                              writes{[](auto& x) {
                                (void)x.update(1, {{"n", 7}}).get();
                                (void)x.insert({{"id", 3}, {"u", 1}}).get();
                              }},
                              writes{[](auto& x) {
                                (void)x.update(1, {{"u", 5}}).get();
                                (void)x.update(2, {{"u", 5}}).get();
                              }}}) {
      int attempts = 0;
      const auto done = db.transact([&](transaction& tx) -> result<void> {
        ++attempts;
        write(tx.in(b));
        return {};
      });
      ASSERT_FALSE(done);
      EXPECT_EQ(done.error(), errc::duplicate) << done.error().to_string();
      EXPECT_EQ(done.error().where().field, "u");
      EXPECT_EQ(attempts, 1);
    }
    EXPECT_EQ(*b.count().get(), 2u);
  }
}

} // namespace
} // namespace holdfast::testing
