// Writes of many records: one commit each, all or none, one event per record.
#include <holdfast/store/store.hpp>

#include <gmock/gmock.h>

#include <condition_variable>
#include <mutex>

namespace holdfast {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct bulk_writes : ::testing::TestWithParam<bool> {
  manual_clock clock;
  store db = start();
  bucket<> people = *db.define(schema("people")
                                   .key("id", integer())
                                   .field("name", string().unique())
                                   .field("age", integer().max(150))
                                   .index("age"));
  std::mutex mutex;
  std::condition_variable came;
  std::vector<std::string> told;
  subscription token = *db.on("bucket.**", [this](const change& c) {
    std::lock_guard lock{mutex};
    told.push_back(c.bucket() + "." + std::string{to_string(c.kind)} + " " + c.key().to_string());
    came.notify_all();
  });

  store start() {
    store_options options;
    options.runtime_settings.clock = &clock;
    return std::move(*store::start(std::move(options)));
  }
  void fill(int n) {
    std::vector<object> list;
    for (int i = 1; i <= n; ++i)
      list.push_back({{"id", i}, {"name", "n" + std::to_string(i)}, {"age", 10 * i}});
    ASSERT_TRUE(people.insert_many(list).get());
    (void)events(static_cast<std::size_t>(n));
    std::lock_guard lock{mutex};
    told.clear();
  }
  std::vector<std::string> events(std::size_t n) {
    std::unique_lock lock{mutex};
    came.wait_for(lock, std::chrono::seconds{20}, [&] { return told.size() >= n; });
    return told;
  }
  /// Runs `f(bucket)` on the bucket, or in a transaction; what it gives, and how many commits it
  /// took.
  template <class F>
  auto run(F f) -> decltype(f(std::declval<bucket<>&>())) {
    const auto before = db.stats().memory_published;
    using outcome = decltype(f(people));
    std::optional<outcome> out;
    if (GetParam()) {
      (void)db.transact([&](transaction& tx) -> result<void> {
        auto in = tx.in(people);
        out.emplace(f(in));
        return {};
      });
    } else {
      out.emplace(f(people));
    }
    commits = db.stats().memory_published - before;
    return *out;
  }
  std::uint64_t commits = 0;
};

TEST_P(bulk_writes, update_many_changes_what_the_filter_finds) {
  fill(5);
  auto changed = run([](auto& b) { return b.update_many("age"_f >= 30, {{"age", 99}}).get(); });
  ASSERT_TRUE(changed) << changed.error().to_string();
  EXPECT_EQ(*changed, 3u);
  EXPECT_EQ(commits, 1u);
  EXPECT_EQ(*people.count("age"_f == 99).get(), 3u);
  EXPECT_EQ(people.get(4).get()->version(), 2u);
  EXPECT_THAT(events(3), ElementsAre("people.updated 3", "people.updated 4", "people.updated 5"));
  EXPECT_EQ(*run([](auto& b) { return b.update_many("age"_f == 1, {{"age", 2}}).get(); }), 0u);
  EXPECT_EQ(commits, 0u);
}

TEST_P(bulk_writes, erase_many_erases_what_the_filter_finds) {
  fill(5);
  auto gone = run([](auto& b) { return b.erase_many("age"_f < 30).get(); });
  ASSERT_TRUE(gone) << gone.error().to_string();
  EXPECT_EQ(*gone, 2u);
  EXPECT_EQ(commits, 1u);
  EXPECT_EQ(*people.count().get(), 3u);
  EXPECT_THAT(events(2), ElementsAre("people.erased 1", "people.erased 2"));
}

TEST_P(bulk_writes, upsert_many_updates_or_inserts_each) {
  fill(2);
  auto stored = run([](auto& b) {
    return b
        .upsert_many(
            {{{"id", 2}, {"age", 7}}, {{"id", 3}, {"name", "new"}}, {{"id", 3}, {"age", 8}}})
        .get();
  });
  ASSERT_TRUE(stored) << stored.error().to_string();
  EXPECT_EQ(stored->size(), 3u);
  EXPECT_EQ(commits, 1u);
  EXPECT_EQ((*people.get(2).get())["name"], value_view{"n2"});
  EXPECT_EQ((*people.get(2).get())["age"], value_view{7});
  EXPECT_EQ((*people.get(3).get())["name"], value_view{"new"});
  EXPECT_EQ((*people.get(3).get())["age"], value_view{8});
}

TEST_P(bulk_writes, change_nothing_if_one_record_fails_and_name_it) {
  fill(4);
  auto check = [&](const error& e, errc code, const std::string& number, const std::string& key) {
    EXPECT_EQ(e, code);
    EXPECT_THAT(e.message(), HasSubstr("record " + number));
    EXPECT_EQ(e.where().bucket, "people");
    EXPECT_EQ(e.where().key, key);
    EXPECT_EQ(commits, 0u);
    EXPECT_EQ(*people.count().get(), 4u);
    EXPECT_EQ(*people.everything().sum("age").get(), value{100});
  };
  auto twice = run([](auto& b) { return b.update_many("age"_f >= 30, {{"name", "same"}}).get(); });
  if (GetParam()) // unique values are looked at when the transaction commits
    EXPECT_EQ(*people.count("name"_f == "same").get(), 0u);
  else
    check(twice.error(), errc::duplicate, "1 of 2", "4");
  check(run([](auto& b) {
          return b.update_many("age"_f >= 20, {{"age", 151}}).get();
        }).error(),
        errc::invalid, "0 of 3", "2");
  check(run([](auto& b) {
          return b.update_many("age"_f >= 20, {{"id", 2}}).get();
        }).error(),
        errc::invalid, "1 of 3", "3");
  check(run([](auto& b) {
          return b.upsert_many({{{"id", 1}, {"age", 2}}, {{"id", 9}, {"age", 999}}}).get();
        }).error(),
        errc::invalid, "1 of 2", "9");
  check(run([](auto& b) {
          return b.insert_many({{{"id", 8}, {"age", 2}}, {{"id", 2}, {"age", 9}}}).get();
        }).error(),
        errc::duplicate, "1 of 2", "2");
}

TEST_P(bulk_writes, refuse_what_makes_no_sense) {
  fill(1);
  EXPECT_EQ(run([](auto& b) {
              return b.update_many("none"_f == 1, {{"age", 1}}).get();
            }).error(),
            errc::invalid_argument);
  EXPECT_EQ(run([](auto& b) { return b.erase_many("none"_f == 1).get(); }).error(),
            errc::invalid_argument);
  write_options third{.expected_version = 3};
  auto e = run([&](auto& b) { return b.update_many({}, {{"age", 1}}, third).get(); }).error();
  EXPECT_EQ(e.message(), "people: expected_version 3 is for one record and not for many");
  EXPECT_EQ(run([&](auto& b) { return b.insert_many({}, third).get(); }).error(),
            errc::invalid_argument);
  EXPECT_EQ(run([&](auto& b) { return b.upsert_many({}, third).get(); }).error(),
            errc::invalid_argument);
}

TEST_P(bulk_writes, check_the_changes_of_an_update_that_finds_nothing) {
  for (auto& changes : {object{{"age", "text"}}, object{{"age", 151}}, object{{"name", "\xff"}},
                        object{{"", 1}}, object{{"a.b", 1}}, object{{"a/b", 1}}}) {
    auto r = run([&](auto& b) { return b.update_many("age"_f == 12345, changes).get(); });
    ASSERT_FALSE(r) << value{changes}.to_string();
    EXPECT_EQ(r.error(), errc::invalid) << r.error().to_string();
  }
}

TEST_P(bulk_writes, refuse_the_key_in_an_update_that_finds_nothing) {
  fill(1);
  for (auto& changes : {object{{"id", 3}}, object{{"id", nullptr}}, object{{"id", 1}}}) {
    auto r = run([&](auto& b) { return b.update_many("age"_f == 12345, changes).get(); });
    ASSERT_FALSE(r) << value{changes}.to_string();
    EXPECT_EQ(r.error().issues().at(0).code, "immutable") << r.error().to_string();
  }
}

TEST_P(bulk_writes, check_their_options_though_there_is_nothing_to_write) {
  fill(1);
  const write_options past{.expires_in = std::chrono::milliseconds{-1}};
  const write_options two{.expires_in = std::chrono::seconds{1}, .never_expires = true};
  for (auto& how : {past, two})
    for (auto& e : {run([&](auto& b) {
                      return b.update_many("age"_f == 12345, {{"age", 1}}, how).get();
                    }).error(),
                    run([&](auto& b) {
                      return b.update_many({}, {{"age", 1}}, how).get();
                    }).error(),
                    run([&](auto& b) { return b.insert_many({}, how).get(); }).error(),
                    run([&](auto& b) { return b.upsert_many({}, how).get(); }).error()}) {
      EXPECT_EQ(e, errc::invalid_argument) << e.to_string();
      EXPECT_EQ(e.where().bucket, "people");
    }
}

TEST_P(bulk_writes, see_and_give_deadlines) {
  fill(4);
  auto lasting = [](auto& b) {
    return b.update_many("age"_f <= 20, {{"age", 20}}, {.expires_in = std::chrono::seconds{5}})
        .get();
  };
  EXPECT_EQ(*run(lasting), 2u);
  clock.advance(std::chrono::seconds{5});
  EXPECT_EQ(*people.count().get(), 2u);
  EXPECT_EQ(*run([](auto& b) { return b.update_many({}, {{"age", 1}}).get(); }), 2u);
  EXPECT_EQ(*run([](auto& b) { return b.erase_many("age"_f == 20).get(); }), 0u);
  auto in_place = [](auto& b) {
    return b.upsert_many({{{"id", 1}, {"name", "n2"}}}, {.expires_in = std::chrono::seconds{5}})
        .get();
  };
  EXPECT_EQ(run(in_place)->front().version(), 1u)
      << "a new record, with the value of an expired one";
  EXPECT_EQ(*people.count().get(), 3u);
}

TEST_P(bulk_writes, erase_many_takes_referrers_along_once) {
  auto nodes = *db.define(schema("nodes")
                              .key("id", integer())
                              .field("up", integer().references("nodes", on_delete::cascade))
                              .index("up"));
  ASSERT_TRUE(
      nodes.insert_many({{{"id", 1}}, {{"id", 2}, {"up", 1}}, {{"id", 3}, {"up", 2}}}).get());
  std::uint64_t gone = 0;
  if (GetParam()) {
    ASSERT_TRUE(db.transact([&](transaction& tx) -> result<void> {
      gone = *tx.in(nodes).erase_many("id"_f <= 2).get();
      return {};
    }));
  } else {
    gone = *nodes.erase_many("id"_f <= 2).get();
  }
  EXPECT_EQ(gone, 2u);
  EXPECT_EQ(*nodes.count().get(), 0u);
}

INSTANTIATE_TEST_SUITE_P(each, bulk_writes, ::testing::Bool(),
                         [](auto& param) { return param.param ? "transaction" : "handle"; });

} // namespace
} // namespace holdfast
