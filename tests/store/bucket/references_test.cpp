// Records that refer to records of other buckets, or of their own.
#include <holdfast/store/memory_journal.hpp>
#include <holdfast/store/store.hpp>

#include <gmock/gmock.h>

#include <map>
#include <mutex>
#include <random>
#include <thread>

namespace holdfast {
namespace {

schema teams_schema() { return schema("teams").key("id", string()); }
schema users_schema(on_delete what) {
  return schema("users")
      .key("id", string())
      .field("team", string().references("teams", what))
      .field("n", integer());
}

/// In memory or over a journal.
struct references : ::testing::TestWithParam<bool> {
  store start() {
    store_options options;
    options.restart_budget = 1000;
    if (GetParam())
      options.journal = memory_journal(disk);
    auto made = store::start(std::move(options)).value();
    made.runtime_in_use().log().redirect(nullptr, log_level::off);
    return made;
  }
  void define(on_delete what) {
    teams.emplace(db.define(teams_schema()).value());
    users.emplace(db.define(users_schema(what)).value());
    ASSERT_TRUE(teams->insert({{"id", "red"}}).get());
    ASSERT_TRUE(teams->insert({{"id", "blue"}}).get());
    ASSERT_TRUE(users->insert({{"id", "ann"}, {"team", "red"}}).get());
    ASSERT_TRUE(users->insert({{"id", "bob"}, {"team", "red"}}).get());
    ASSERT_TRUE(users->insert({{"id", "cid"}, {"team", "blue"}}).get());
    ASSERT_TRUE(users->insert({{"id", "dan"}}).get());
  }
  static void expect_broken(const error& e, std::string_view field, std::string_view key) {
    EXPECT_EQ(e.code(), errc::broken_reference) << e.to_string();
    auto* detail = std::get_if<reference_violation>(&e.detail());
    ASSERT_TRUE(detail);
    EXPECT_EQ(detail->source_bucket, "users");
    EXPECT_EQ(detail->source_field, field);
    EXPECT_EQ(detail->target_bucket, "teams");
    EXPECT_EQ(detail->target_key, key);
  }

  std::shared_ptr<memory_disk> disk = std::make_shared<memory_disk>();
  store db = start();
  std::optional<bucket<>> teams, users;
};

TEST_P(references, to_no_record_are_refused_by_insert_update_and_bulk_work) {
  define(on_delete::restrict);
  auto added = users->insert({{"id", "eve"}, {"team", "green"}}).get();
  ASSERT_FALSE(added);
  expect_broken(added.error(), "team", "\"green\"");
  EXPECT_EQ(added.error().message(), "users.team: \"green\" is no record of teams");
  auto moved = users->update("dan", {{"team", "green"}}).get();
  ASSERT_FALSE(moved);
  expect_broken(moved.error(), "team", "\"green\"");
  EXPECT_FALSE(users->upsert({{"id", "dan"}, {"team", "green"}}).get());
  EXPECT_FALSE(users
                   ->insert_many({object{{"id", "x"}, {"team", "red"}},
                                  object{{"id", "y"}, {"team", "green"}}})
                   .get());
  EXPECT_EQ(*users->count().get(), 4u);
  EXPECT_TRUE(users->get("dan").get()->operator[]("team").is_null());
  EXPECT_TRUE(users->update("dan", {{"team", "blue"}}).get());
}

TEST_P(references, of_another_type_than_the_key_are_no_definition) {
  define(on_delete::restrict);
  auto wrong =
      db.define(schema("late").key("id", integer()).field("team", integer().references("teams")));
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error(), errc::invalid_schema);
  EXPECT_EQ(wrong.error().where().field, "team");
  EXPECT_FALSE(db.has_bucket("late"));
  EXPECT_EQ(db.define(schema("self").key("id", integer()).field("up", string().references("self")))
                .error(),
            errc::invalid_schema);
  // The bucket that is referred to may come later.
  ASSERT_TRUE(
      db.define(schema("early").key("id", integer()).field("to", integer().references("target"))));
  EXPECT_EQ(db.define(schema("target").key("id", string())).error(), errc::invalid_schema);
  EXPECT_TRUE(db.define(schema("target").key("id", integer())));
}

TEST_P(references, restrict_keeps_the_record_that_is_referred_to) {
  define(on_delete::restrict);
  auto erased = teams->erase("red").get();
  ASSERT_FALSE(erased);
  expect_broken(erased.error(), "team", "\"red\"");
  EXPECT_TRUE(teams->contains("red"));
  ASSERT_TRUE(users->erase("ann").get());
  EXPECT_FALSE(teams->erase("red").get());
  ASSERT_TRUE(users->update("bob", {{"team", nullptr}}).get());
  EXPECT_TRUE(teams->erase("red").get());
}

TEST_P(references, restrict_refuses_clear_and_drop) {
  define(on_delete::restrict);
  EXPECT_EQ(teams->clear().get().error(), errc::broken_reference);
  EXPECT_EQ(db.drop("teams").error(), errc::broken_reference);
  EXPECT_EQ(*teams->count().get(), 2u) << "the handle is as good as before";
  ASSERT_TRUE(users->clear().get());
  EXPECT_TRUE(teams->clear().get());
  EXPECT_TRUE(db.drop("teams").value());
}

TEST_P(references, cascade_erases_the_referrers_in_the_same_commit) {
  define(on_delete::cascade);
  std::mutex mutex;
  std::vector<change> told;
  std::promise<void> three;
  auto token = db.on("bucket.*.erased", [&](const change& c) {
                   std::lock_guard lock{mutex};
                   told.push_back(c);
                   if (told.size() == 3)
                     three.set_value();
                 }).value();
  ASSERT_TRUE(teams->erase("red").get());
  EXPECT_EQ(*users->count().get(), 2u);
  EXPECT_TRUE(users->contains("cid"));
  ASSERT_EQ(three.get_future().wait_for(std::chrono::seconds{20}), std::future_status::ready);
  std::lock_guard lock{mutex};
  EXPECT_EQ(told[0].bucket(), "teams");
  EXPECT_EQ(told[1].bucket(), "users");
  EXPECT_EQ(told[1].why, cause::reference);
  EXPECT_EQ(told[0].seq, told[2].seq);
}

TEST_P(references, set_null_empties_the_referring_field) {
  define(on_delete::set_null);
  ASSERT_TRUE(teams->erase("red").get());
  EXPECT_EQ(*users->count().get(), 4u);
  EXPECT_TRUE((*users->get("ann").get())["team"].is_null());
  EXPECT_EQ(users->get("ann").get()->version(), 2u);
  EXPECT_EQ((*users->get("cid").get())["team"], value_view{"blue"});
  ASSERT_TRUE(db.drop("teams").value());
  EXPECT_TRUE((*users->get("cid").get())["team"].is_null());
}

TEST_P(references, cascades_go_on_and_end_in_cycles_and_at_a_restriction) {
  auto a = db.define(schema("a")
                         .key("id", integer())
                         .field("b", integer().references("b", on_delete::cascade)))
               .value();
  auto b = db.define(schema("b")
                         .key("id", integer())
                         .field("a", integer().references("a", on_delete::cascade)))
               .value();
  auto c =
      db.define(schema("c").key("id", integer()).field("b", integer().references("b"))).value();
  ASSERT_TRUE(a.insert({{"id", 1}}).get());
  ASSERT_TRUE(b.insert({{"id", 1}, {"a", 1}}).get());
  ASSERT_TRUE(a.update(1, {{"b", 1}}).get());
  ASSERT_TRUE(a.insert({{"id", 2}, {"b", 1}}).get());
  ASSERT_TRUE(c.insert({{"id", 1}, {"b", 1}}).get());
  EXPECT_EQ(a.erase(1).get().error(), errc::broken_reference);
  EXPECT_EQ(*a.count().get(), 2u);
  EXPECT_EQ(*b.count().get(), 1u);
  ASSERT_TRUE(c.erase(1).get());
  ASSERT_TRUE(a.erase(1).get());
  EXPECT_EQ(*a.count().get(), 0u);
  EXPECT_EQ(*b.count().get(), 0u);
}

TEST_P(references, hold_in_clears_and_bulk_updates_of_either_side) {
  define(on_delete::cascade);
  EXPECT_EQ(*teams->clear().get(), 2u);
  EXPECT_EQ(*users->count().get(), 1u) << "dan is in no team";
  ASSERT_TRUE(teams->insert({{"id", "red"}}).get());
  auto moved = users->update_many({}, {{"team", "green"}}).get();
  ASSERT_FALSE(moved);
  expect_broken(moved.error(), "team", "\"green\"");
  EXPECT_EQ(*users->update_many({}, {{"team", "red"}}).get(), 1u);
  EXPECT_TRUE(db.drop("teams").value()) << "with those that refer to it";
  EXPECT_EQ(*users->count().get(), 0u);
}

TEST_P(references, are_emptied_by_a_clear_and_a_drop) {
  define(on_delete::set_null);
  EXPECT_EQ(*teams->clear().get(), 2u);
  EXPECT_EQ(*users->count("team"_f.is_null()).get(), 4u);
  ASSERT_TRUE(teams->insert({{"id", "red"}}).get());
  EXPECT_EQ(*users->update_many("id"_f < "c", {{"team", "red"}}).get(), 2u);
  EXPECT_TRUE(db.drop("teams").value());
  EXPECT_EQ(*users->count("team"_f.is_null()).get(), 4u);
}

TEST_P(references, within_a_bucket_may_come_in_any_order_of_one_commit) {
  auto tree = db.define(schema("tree")
                            .key("id", integer())
                            .field("up", integer().references("tree", on_delete::cascade)))
                  .value();
  ASSERT_TRUE(tree.insert_many({object{{"id", 3}, {"up", 2}}, object{{"id", 2}, {"up", 1}},
                                object{{"id", 1}, {"up", 3}}})
                  .get());
  EXPECT_FALSE(tree.insert({{"id", 4}, {"up", 5}}).get());
  ASSERT_TRUE(tree.insert({{"id", 4}, {"up", 4}}).get());
  ASSERT_TRUE(tree.erase(2).get());
  EXPECT_EQ(*tree.count().get(), 1u);
  ASSERT_TRUE(tree.clear().get());
  EXPECT_TRUE(db.drop("tree").value());
}

TEST_P(references, a_long_chain_of_cascades_needs_no_stack) {
  constexpr int length = 20'000;
  auto chain = db.define(schema("chain")
                             .key("id", integer())
                             .field("up", integer().references("chain", on_delete::cascade)))
                   .value();
  std::vector<object> all;
  all.push_back(object{{"id", 0}});
  for (int i = 1; i < length; ++i)
    all.push_back(object{{"id", i}, {"up", i - 1}});
  ASSERT_TRUE(chain.insert_many(all).get());
  ASSERT_TRUE(chain.erase(0).get());
  EXPECT_EQ(*chain.count().get(), 0u);
}

TEST_P(references, to_a_bucket_that_is_not_defined_are_refused_until_it_is) {
  users.emplace(db.define(users_schema(on_delete::restrict)).value());
  auto added = users->insert({{"id", "ann"}, {"team", "red"}}).get();
  ASSERT_FALSE(added);
  EXPECT_EQ(added.error().message(),
            "users.team: \"red\" refers to a bucket teams that is not defined");
  ASSERT_TRUE(users->insert({{"id", "dan"}}).get());
  teams.emplace(db.define(teams_schema()).value());
  ASSERT_TRUE(teams->insert({{"id", "red"}}).get());
  ASSERT_TRUE(users->insert({{"id", "ann"}, {"team", "red"}}).get());
  EXPECT_FALSE(teams->erase("red").get());
}

TEST_P(references, between_a_kept_bucket_and_one_in_memory_are_refused_at_definition) {
  if (!GetParam())
    return;
  define(on_delete::restrict);
  auto sessions = schema("sessions")
                      .key("id", string())
                      .field("user", string().references("users"))
                      .persistent(false);
  EXPECT_EQ(db.define(sessions).error(), errc::invalid_schema);
  EXPECT_EQ(db.define(sessions).error().message(),
            "sessions.user: references users, which is kept in the journal, while sessions is in "
            "memory only: a plain write commits to one of the two, not to both");
  auto logs = db.define(schema("logs").key("id", string()).persistent(false)).value();
  auto later = bucket_update().add_field("user", string().references("users"));
  EXPECT_EQ(db.update_bucket("logs", later).error(), errc::invalid_schema);
  ASSERT_TRUE(db.define(schema("a").key("id", string()).field("b", string().references("b"))));
  const auto dangling = db.define(schema("b").key("id", string()).persistent(false));
  EXPECT_EQ(dangling.error(), errc::invalid_schema);
  EXPECT_EQ(dangling.error().message(),
            "a.b: references b, which is in memory only, while a is kept in the journal: after a "
            "restart there would be nothing to refer to");
  EXPECT_TRUE(db.define(schema("b").key("id", string())));
}

TEST_P(references, are_found_by_an_index_of_their_own) {
  define(on_delete::restrict);
  auto how = users->where("team"_f == "red").explain().value();
  EXPECT_EQ(how.from, explanation::source::index);
}

TEST_P(references, hold_over_a_restart_of_the_store_and_of_buckets) {
  define(on_delete::cascade);
  if (GetParam()) {
    ASSERT_TRUE(db.stop());
    db = start();
    teams.emplace(db.bucket("teams").value());
    users.emplace(db.bucket("users").value());
  }
  ASSERT_TRUE(db.crash("teams"));
  EXPECT_FALSE(users->insert({{"id", "eve"}, {"team", "green"}}).get());
  ASSERT_TRUE(teams->erase("red").get());
  EXPECT_EQ(*users->count().get(), 2u);
  if (GetParam()) {
    ASSERT_TRUE(db.stop());
    db = start();
    EXPECT_EQ(*db.bucket("users")->count().get(), 2u);
  }
}

TEST(a_definition_with_references, is_refused_when_it_contradicts_itself) {
  auto refused = [](field_spec f) {
    return !compile(schema("x").key("id", string()).field("f", std::move(f)));
  };
  EXPECT_FALSE(refused(string().references("y", on_delete::set_null)));
  EXPECT_TRUE(refused(string().required().references("y", on_delete::set_null)));
  EXPECT_TRUE(refused(boolean().references("y")));
  EXPECT_TRUE(refused(string().references("")));
  EXPECT_TRUE(refused(string().references("a.b")));
  EXPECT_TRUE(refused(string().generated(uuid).references("y")));
}

/// Threads that insert, move and erase in two buckets that refer to one another: at every moment
/// that a snapshot shows, no record refers to one that is not there.
TEST_P(references, never_dangle_whatever_runs_at_once) {
  define(on_delete::cascade);
  auto boss = db.define(schema("boss")
                            .key("id", integer())
                            .field("user", string().references("users", on_delete::set_null)))
                  .value();
  std::atomic<bool> done{false};
  std::atomic<int> wrong{0}, commits{0};
  auto write = [&](unsigned seed) {
    std::mt19937 random{seed};
    for (int i = 0; i < 800; ++i) {
      auto team = "t" + std::to_string(random() % 4), user = "u" + std::to_string(random() % 16);
      auto ok = false;
      switch (random() % 6) {
      case 0:
        ok = teams->upsert({{"id", team}}).get().has_value();
        break;
      case 1:
        ok = teams->erase(team).get().has_value();
        break;
      case 2:
      case 3:
        ok = users->upsert({{"id", user}, {"team", team}}).get().has_value();
        break;
      case 4:
        ok =
            boss.upsert({{"id", static_cast<int>(random() % 4)}, {"user", user}}).get().has_value();
        break;
      case 5:
        ok = random() % 8 == 0 ? db.crash("users").has_value()
                               : users->erase(user).get().has_value();
        break;
      }
      commits += ok;
    }
  };
  std::jthread looker{[&] {
    while (!done) {
      auto then = db.snapshot();
      auto t = teams->at(then), u = users->at(then), b = boss.at(then);
      (void)u.everything().visit([&](const record_view& r) {
        if (!r["team"].is_null() && !t.contains(r["team"]))
          ++wrong;
      });
      (void)b.everything().visit([&](const record_view& r) {
        if (!r["user"].is_null() && !u.contains(r["user"]))
          ++wrong;
      });
    }
  }};
  {
    std::vector<std::jthread> writers;
    for (unsigned i = 0; i < 3; ++i)
      writers.emplace_back(write, i);
  }
  done = true;
  looker.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_GT(commits, 500);
}

INSTANTIATE_TEST_SUITE_P(over, references, ::testing::Bool(),
                         [](auto& p) { return std::string{p.param ? "a_journal" : "memory"}; });

} // namespace
} // namespace holdfast
