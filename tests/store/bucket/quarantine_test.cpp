// A bucket that crashes too often is left alone, its siblings are not, until somebody revives it.
#include <holdfast/runtime/caf.hpp>
#include <holdfast/store/store.hpp>

#include <gmock/gmock.h>

namespace holdfast {
namespace {

using ::testing::HasSubstr;

struct a_bucket_that_crashes_too_often : ::testing::Test {
  static store start() {
    store_options options;
    options.restart_budget = 2;
    options.restart_period = std::chrono::hours{1};
    return store::start(std::move(options)).value();
  }
  store db = start();
  bucket<> users = db.define(schema("users").key("id", integer())).value();
  bucket<> notes = db.define(schema("notes").key("id", integer())).value();

  void exhaust() {
    ASSERT_TRUE(users.insert({{"id", 1}}).get());
    EXPECT_TRUE(db.crash("users"));
    EXPECT_TRUE(db.crash("users"));
    EXPECT_FALSE(db.crash("users"));
  }
};

TEST_F(a_bucket_that_crashes_too_often, is_unavailable_while_reads_and_siblings_go_on) {
  exhaust();
  const auto refused = users.insert({{"id", 2}}).get().error();
  EXPECT_EQ(refused, errc::unavailable);
  EXPECT_EQ(refused.where().bucket, "users");
  EXPECT_TRUE(users.get(1).get()) << "what is published can be read";
  EXPECT_TRUE(notes.insert({{"id", 1}}).get());
  EXPECT_THAT(db.tree(), HasSubstr("quarantine"));
}

TEST_F(a_bucket_that_crashes_too_often, is_unavailable_to_transactions_too) {
  exhaust();
  const auto tried = db.transact([&](transaction& tx) -> result<void> {
    return tx.in(users).insert({{"id", 2}}).get().map([](const auto&) {});
  });
  EXPECT_EQ(tried.error(), errc::unavailable);
  EXPECT_EQ(tried.error().where().bucket, "users");
  EXPECT_EQ(users.modify(1, [](const record&) { return object{}; }).error(), errc::unavailable);
  EXPECT_EQ(*users.count().get(), 1u);
}

TEST_F(a_bucket_that_crashes_too_often, takes_writes_again_when_it_is_revived) {
  EXPECT_EQ(db.revive("users").error(), errc::conflict) << "it is well";
  EXPECT_EQ(db.revive("nobody").error(), errc::not_found);
  exhaust();
  auto revived = db.revive("users");
  ASSERT_TRUE(revived) << revived.error().to_string();
  EXPECT_TRUE(users.insert({{"id", 2}}).get());
  EXPECT_EQ(*users.count().get(), 2u);
  EXPECT_TRUE(db.crash("users")) << "its budget is fresh";
}

/// On the deterministic scheduler, whose time is virtual.
struct a_bucket_that_is_to_be_tried_again : ::testing::Test {
  store db = start();
  bucket<> users = db.define(schema("users").key("id", integer())).value();

  static store start() {
    store_options options;
    options.restart_budget = 0;
    options.revive_after = std::chrono::seconds{30};
    options.ttl_interval = std::chrono::milliseconds{0};
    options.runtime_settings.deterministic = true;
    auto made = store::start(std::move(options)).value();
    made.runtime_in_use().log().redirect(nullptr, log_level::off);
    return made;
  }
  void pass(std::chrono::milliseconds time) {
    auto& rt = db.runtime_in_use();
    auto settle = [&] {
      while (rt.run_one()) {
      }
    };
    settle();
    dynamic_cast<caf::scheduler::test_coordinator&>(rt.system().scheduler()).advance_time(time);
    settle();
  }
  bool takes_writes(int key) { return users.insert({{"id", key}}).get().has_value(); }
};

TEST_F(a_bucket_that_is_to_be_tried_again, comes_back_by_itself_when_its_time_has_come) {
  ASSERT_TRUE(takes_writes(1));
  EXPECT_FALSE(db.crash("users"));
  const auto refused = users.insert({{"id", 2}}).get().error();
  EXPECT_EQ(refused, errc::unavailable);
  const auto* hint = std::get_if<retry_hint>(&refused.detail());
  ASSERT_TRUE(hint);
  EXPECT_EQ(hint->retry_after, std::chrono::seconds{30});
  pass(std::chrono::milliseconds{29'999});
  EXPECT_FALSE(takes_writes(2)) << "not yet";
  pass(std::chrono::milliseconds{1});
  EXPECT_TRUE(takes_writes(2));
  EXPECT_EQ(*users.count().get(), 2u);
}

} // namespace
} // namespace holdfast
