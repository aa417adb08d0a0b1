// A bucket's definition changes while it is in use.
#include <holdfast/store/memory_journal.hpp>
#include <holdfast/store/store.hpp>

#include <gmock/gmock.h>

#include <thread>

namespace holdfast {
namespace {

/// In memory or over a journal.
struct an_update_of_a_bucket : ::testing::TestWithParam<bool> {
  store start() {
    store_options options;
    if (GetParam())
      options.journal = memory_journal(disk);
    auto made = store::start(std::move(options)).value();
    made.runtime_in_use().log().redirect(nullptr, log_level::off);
    return made;
  }
  void fill(int n) {
    for (int i = 0; i < n; ++i)
      ASSERT_TRUE(
          users.insert({{"id", i}, {"name", "n" + std::to_string(i)}, {"age", 20 + i % 50}}).get());
  }

  std::shared_ptr<memory_disk> disk = std::make_shared<memory_disk>();
  store db = start();
  bucket<> users = db.define(schema("users").key("id", integer()).field("name", string())).value();
};

TEST_P(an_update_of_a_bucket, fills_new_fields_in_by_function_default_or_not_at_all) {
  fill(10);
  auto changed = db.update_bucket(
      "users", bucket_update()
                   .add_field("role", string().one_of("admin", "user").otherwise("user"))
                   .add_field("length", integer(),
                              [](const record& r) -> value { return r["name"].as_string().size(); })
                   .add_field("note", string()));
  ASSERT_TRUE(changed) << changed.error().to_string();
  auto r = users.get(3).get().value();
  EXPECT_EQ(r["role"], value_view{"user"});
  EXPECT_EQ(r["length"], value_view{2});
  EXPECT_TRUE(r["note"].is_null());
  EXPECT_EQ(r.version(), 2u);
  EXPECT_EQ(*users.count("role"_f == "user").get(), 10u);
  EXPECT_FALSE(users.insert({{"id", 99}, {"role", "king"}}).get());
  ASSERT_TRUE(users.insert({{"id", 99}, {"note", "x"}}).get());
  EXPECT_EQ((*users.get(99).get())["role"], value_view{"user"});
  ASSERT_TRUE(users.update(3, {{"note", "y"}}).get());
}

TEST_P(an_update_of_a_bucket, adds_an_index_over_fields_that_are_listed_in_braces) {
  fill(10);
  ASSERT_TRUE(db.update_bucket("users", bucket_update()
                                            .add_field("age", integer())
                                            .add_field("role", string())
                                            .add_index({"age", "role"})
                                            .add_index({"role", "age", "name"})));
  auto indexes = db.bucket_schema("users")->indexes();
  ASSERT_EQ(indexes.size(), 2u);
  EXPECT_EQ(indexes[0].fields, (std::vector<std::string>{"age", "role"}));
  EXPECT_EQ(indexes[1].fields, (std::vector<std::string>{"role", "age", "name"}));
}

TEST_P(an_update_of_a_bucket, takes_a_field_from_outside_the_schema_into_it) {
  fill(10);
  ASSERT_TRUE(db.update_bucket(
      "users", bucket_update().add_field("age", integer().min(0)).add_index("age")));
  EXPECT_EQ(*users.count("age"_f >= 25).get(), 5u);
  EXPECT_EQ(users.where("age"_f == 25).explain()->from, explanation::source::index);
}

TEST_P(an_update_of_a_bucket, adds_ordered_and_unique_indexes_over_what_is_there) {
  fill(100);
  ASSERT_TRUE(db.update_bucket("users", bucket_update().add_index("name")));
  auto how = users.where("name"_f == "n7").explain().value();
  EXPECT_EQ(how.from, explanation::source::index);
  EXPECT_EQ(*users.count("name"_f == "n7").get(), 1u);
  ASSERT_TRUE(db.update_bucket("users", bucket_update().add_index("name")))
      << "it is there already";
  ASSERT_TRUE(db.update_bucket(
      "users", bucket_update().add_field("mail", string().unique(), [](const record& r) -> value {
        return std::string{r["name"].as_string()} + "@x";
      })));
  EXPECT_EQ(users.insert({{"id", 1000}, {"mail", "n5@x"}}).get().error(), errc::duplicate);
}

TEST_P(an_update_of_a_bucket, that_records_do_not_fit_changes_nothing) {
  fill(10);
  auto required = db.update_bucket("users", bucket_update().add_field("x", string().required()));
  ASSERT_FALSE(required);
  EXPECT_EQ(required.error(), errc::invalid);
  EXPECT_EQ(required.error().where().key, "0");
  EXPECT_EQ(
      db.update_bucket("users", bucket_update().add_field("x", string().unique().otherwise("same")))
          .error(),
      errc::duplicate);
  EXPECT_EQ(db.update_bucket("users", bucket_update().add_field("name", string())).error(),
            errc::already_exists);
  EXPECT_EQ(db.update_bucket("users", bucket_update().add_index("none")).error(),
            errc::invalid_schema);
  EXPECT_EQ(db.update_bucket("none", bucket_update().add_index("name")).error(), errc::not_found);
  EXPECT_EQ(db.update_bucket("users", bucket_update().add_field("x", integer(),
                                                                [](const record&) -> value {
                                                                  throw std::runtime_error{"no"};
                                                                }))
                .error(),
            errc::invalid);
  auto odd = integer().otherwise(7).validate([](value_view v, const record_input&) {
    return v.as_int() % 2 ? std::optional<std::string>{"is odd"} : std::nullopt;
  });
  auto checked = db.update_bucket("users", bucket_update().add_field("x", odd));
  ASSERT_FALSE(checked) << "the user's own checks count, too";
  EXPECT_EQ(checked.error(), errc::invalid);
  EXPECT_EQ(users.get(3).get()->version(), 1u);
  EXPECT_EQ(db.bucket_schema("users")->fields().size(), 2u);
  ASSERT_TRUE(users.insert({{"id", 50}}).get());
  EXPECT_EQ(*users.count().get(), 11u);
}

TEST_P(an_update_of_a_bucket, leaves_snapshots_and_handles_as_they_are) {
  fill(10);
  auto before = db.snapshot();
  auto held = users.get(3).get().value();
  ASSERT_TRUE(db.update_bucket(
      "users", bucket_update().add_field("role", string().otherwise("user")).add_index("role")));
  ASSERT_TRUE(users.erase(4).get());
  auto then = users.at(before);
  EXPECT_EQ(*then.count().get(), 10u);
  EXPECT_TRUE((*then.get(3).get())["role"].is_null());
  EXPECT_FALSE(then.where("role"_f == "user").all().get()) << "there was no such field then";
  EXPECT_TRUE(held["role"].is_null());
  EXPECT_EQ(*users.count("role"_f == "user").get(), 9u);
  EXPECT_EQ(users.all().get()->front().key(), value_view{0}) << "the order of insertion stays";
}

/// The first write behind it edited the new indexes in place, under readers and past a rollback.
TEST_P(an_update_of_a_bucket, leaves_its_indexes_as_they_are_to_snapshots_and_rollbacks) {
  fill(10);
  ASSERT_TRUE(db.update_bucket(
      "users", bucket_update().add_field("age", integer().min(0)).add_index("age")));
  auto then = db.snapshot();
  EXPECT_FALSE(db.transact([&](transaction& tx) -> result<void> {
    EXPECT_TRUE(tx.in(users).erase(3).get());
    return fail(errc::cancelled);
  }));
  EXPECT_FALSE(users.insert_many({{{"id", 50}, {"age", 23}}, {{"id", 3}}}).get());
  EXPECT_EQ(*users.count("age"_f == 23).get(), 1u);
  ASSERT_TRUE(users.erase(3).get());
  EXPECT_EQ(*users.count("age"_f == 23).get(), 0u);
  EXPECT_EQ(*users.at(then).count("age"_f == 23).get(), 1u);
}

TEST_P(an_update_of_a_bucket, frees_the_old_form_once_nobody_can_see_it) {
  fill(2000);
  auto once = db.stats().buckets[0].memory_bytes;
  {
    auto before = db.snapshot();
    ASSERT_TRUE(db.update_bucket("users", bucket_update().add_index("name")));
  }
  ASSERT_TRUE(users.update(1, {{"name", "x"}}).get());
  EXPECT_LT(db.stats().buckets[0].memory_bytes, 2 * once);
  EXPECT_EQ(*users.count().get(), 2000u);
}

TEST_P(an_update_of_a_bucket, tells_that_it_was_redefined_and_what_changed) {
  fill(2);
  std::mutex mutex;
  std::vector<std::string> told;
  std::promise<void> done;
  auto token = db.on("bucket.users.*", [&](const change& c) {
                   std::lock_guard lock{mutex};
                   told.push_back(c.to_string().substr(0, c.to_string().find(" at")) + " " +
                                  std::string{to_string(c.why)});
                   if (told.size() == 3)
                     done.set_value();
                 }).value();
  ASSERT_TRUE(
      db.update_bucket("users", bucket_update().add_field("role", string().otherwise("user"))));
  ASSERT_EQ(done.get_future().wait_for(std::chrono::seconds{20}), std::future_status::ready);
  EXPECT_THAT(told, ::testing::ElementsAre("users.redefined of 2 schema", "users.updated 0 schema",
                                           "users.updated 1 schema"));
}

TEST_P(an_update_of_a_bucket, stays_over_a_crash_and_a_restart) {
  fill(10);
  ASSERT_TRUE(db.update_bucket(
      "users", bucket_update().add_field("role", string().otherwise("user")).add_index("role")));
  ASSERT_TRUE(db.crash("users"));
  EXPECT_EQ(*users.count("role"_f == "user").get(), 10u);
  if (!GetParam())
    return;
  ASSERT_TRUE(db.stop());
  db = start();
  auto again = db.bucket("users").value();
  EXPECT_EQ(*again.count("role"_f == "user").get(), 10u);
  EXPECT_EQ(again.get(3).get()->version(), 2u);
  ASSERT_TRUE(db.update_bucket("users", bucket_update().expire_after(std::chrono::hours{1})));
  EXPECT_FALSE(again.get(3).get()->expires_at());
}

/// Readers and writers go on while definitions change under them.
TEST_P(an_update_of_a_bucket, disturbs_nobody) {
  fill(500);
  std::atomic<bool> done{false};
  std::atomic<int> wrong{0}, reads{0};
  std::vector<std::jthread> others;
  others.emplace_back([&] {
    while (!done) {
      auto all = users.everything().count().get();
      if (!all || *all != 500)
        ++wrong;
      std::uint64_t seen = 0;
      if (!users.everything().visit([&](const record_view& r) { seen += !r["name"].is_null(); }) ||
          seen != 500)
        ++wrong;
      if (!users.get(7).get())
        ++wrong;
      ++reads;
    }
  });
  others.emplace_back([&] {
    for (int i = 0; !done; ++i)
      if (!users.update(i % 500, {{"name", "m" + std::to_string(i)}}).get())
        ++wrong;
  });
  for (int i = 0; i < 8; ++i)
    ASSERT_TRUE(
        db.update_bucket("users", bucket_update()
                                      .add_field("f" + std::to_string(i), integer().otherwise(i))
                                      .add_index("f" + std::to_string(i))));
  while (reads < 20)
    std::this_thread::yield();
  done = true;
  others.clear();
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(*users.count("f7"_f == 7).get(), 500u);
}

INSTANTIATE_TEST_SUITE_P(over, an_update_of_a_bucket, ::testing::Bool(),
                         [](auto& p) { return std::string{p.param ? "a_journal" : "memory"}; });

} // namespace
} // namespace holdfast
