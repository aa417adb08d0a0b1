// The reference's table of errors (1.11), one test per row: the same information, and what the
// reference says with a plain error as well.
#include "reference_fixture.hpp"

namespace holdfast::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

struct error_rows : reference_fixture {
  bucket<> users = define(schema("users")
                              .key("id", string())
                              .field("name", string().required().length(2, 5).pattern("^[a-z]+$"))
                              .field("mail", string().unique().format(email))
                              .field("role", string().one_of("admin", "user"))
                              .field("age", integer().min(0).max(150))
                              .field("odd", integer().validate(is_odd)));
  static std::optional<std::string> is_odd(value_view v, const record_input&) {
    return v.as_int() % 2 ? std::nullopt : std::optional<std::string>{"odd: is even"};
  }
};

TEST_F(error_rows, validation_error) {
  auto bad =
      users.insert({{"id", "a"}, {"mail", "x"}, {"role", "boss"}, {"age", -1}, {"odd", 2}}).get();
  ASSERT_EQ(bad.error(), errc::invalid);
  std::vector<std::string> found;
  for (auto& i : bad.error().issues()) {
    found.push_back(i.field + " " + i.code);
    EXPECT_THAT(i.message, HasSubstr(i.field)) << "for a person";
  }
  EXPECT_THAT(found, UnorderedElementsAre("name required", "mail format", "role enum", "age min",
                                          "odd custom"));
  EXPECT_EQ(bad.error().where().bucket, "users");
  auto worse = users.insert({{"id", 7}, {"name", "ANNABELLA"}, {"age", 151}}).get();
  found.clear();
  for (auto& i : worse.error().issues())
    found.push_back(i.field + " " + i.code);
  EXPECT_THAT(found, UnorderedElementsAre("id type", "name max_length", "name pattern", "age max"));
  EXPECT_EQ(users.insert({{"id", "a"}, {"name", "a"}}).get().error().issues().at(0).code,
            "min_length");
}

TEST_F(error_rows, unique_constraint_error) {
  ASSERT_TRUE(users.insert({{"id", "a"}, {"name", "ann"}, {"mail", "a@b.c"}}).get());
  auto taken = users.insert({{"id", "b"}, {"name", "bob"}, {"mail", "a@b.c"}}).get();
  ASSERT_EQ(taken.error(), errc::duplicate);
  EXPECT_EQ(taken.error().where().bucket, "users");
  auto& what = std::get<duplicate_value>(taken.error().detail());
  EXPECT_EQ(what.field, "mail");
  EXPECT_EQ(what.value, "\"a@b.c\"");
}

TEST_F(error_rows, bucket_already_exists_and_bucket_not_defined) {
  auto twice = db.define(schema("users").key("id", string()));
  EXPECT_EQ(twice.error(), errc::already_exists);
  EXPECT_EQ(twice.error().where().bucket, "users");
  EXPECT_EQ(db.bucket("none").error(), errc::not_found);
  EXPECT_EQ(db.bucket("none").error().where().bucket, "none");
}

TEST_F(error_rows, transaction_conflict_error) {
  ASSERT_TRUE(users.insert({{"id", "a"}, {"name", "ann"}}).get());
  auto done = db.transact(
      [&](transaction& tx) -> result<void> {
        auto in = tx.in(users);
        (void)in.get("a").get();
        (void)users.upsert({{"id", "a"}, {"name", "ann"}}).get();
        return in.update("a", {{"age", 1}}).get().map([](const record&) {});
      },
      {.retries = 0, .exclusive_retries = 0});
  ASSERT_EQ(done.error(), errc::conflict);
  EXPECT_EQ(done.error().where().bucket, "users");
  EXPECT_EQ(done.error().where().key, "\"a\"");
  auto& by = std::get<commit_conflict>(done.error().detail());
  EXPECT_EQ(by.changed_by, by.read_at + 1) << "and the other commit";
  EXPECT_TRUE(by.persistent);
}

TEST_F(error_rows, version_of_a_write) {
  ASSERT_TRUE(users.insert({{"id", "a"}, {"name", "ann"}}).get());
  auto other = users.update("a", {{"age", 1}}, {.expected_version = 7}).get();
  ASSERT_EQ(other.error(), errc::conflict);
  EXPECT_EQ(std::get<version_conflict>(other.error().detail()).actual, 1u);
  EXPECT_EQ(std::get<version_conflict>(other.error().detail()).expected, 7u);
}

TEST_F(error_rows, query_already_defined_and_query_not_defined) {
  ASSERT_TRUE(db.define_query("all", {.bucket = "users"}));
  auto twice = db.define_query("all", {.bucket = "users"});
  EXPECT_EQ(twice.error(), errc::already_exists);
  EXPECT_EQ(twice.error().where().query, "all");
  EXPECT_EQ(db.run("none").error(), errc::not_found);
  EXPECT_EQ(db.run("none").error().where().query, "none");
}

TEST_F(error_rows, referential_integrity_error) {
  auto notes =
      define(schema("notes").key("id", integer()).field("by", string().references("users")));
  auto dangling = notes.insert({{"id", 1}, {"by", "a"}}).get();
  ASSERT_EQ(dangling.error(), errc::broken_reference);
  auto& what = std::get<reference_violation>(dangling.error().detail());
  EXPECT_EQ(what.source_bucket, "notes");
  EXPECT_EQ(what.source_field, "by");
  EXPECT_EQ(what.target_bucket, "users");
  EXPECT_EQ(what.target_key, "\"a\"");
  ASSERT_TRUE(users.insert({{"id", "a"}, {"name", "ann"}}).get());
  ASSERT_TRUE(notes.insert({{"id", 1}, {"by", "a"}}).get());
  auto kept = users.erase("a").get();
  ASSERT_EQ(kept.error(), errc::broken_reference);
  auto& by = std::get<reference_violation>(kept.error().detail());
  EXPECT_EQ(by.source_bucket, "notes");
  EXPECT_EQ(by.source_field, "by");
  EXPECT_EQ(by.target_bucket, "users");
  EXPECT_EQ(by.target_key, "\"a\"");
}

TEST_F(error_rows, update_of_a_missing_key) {
  auto none = users.update("x", {{"age", 1}}).get();
  EXPECT_EQ(none.error(), errc::not_found);
  EXPECT_EQ(none.error().where().bucket, "users");
  EXPECT_EQ(none.error().where().key, "\"x\"");
}

TEST_F(error_rows, bad_definitions) {
  auto bad = db.define(schema("b")
                           .key("none")
                           .field("a", string().pattern("("))
                           .field("c", integer().min(2).max(1))
                           .index("d")
                           .expire_after("soon"));
  ASSERT_EQ(bad.error(), errc::invalid_schema);
  EXPECT_EQ(bad.error().where().bucket, "b");
  for (auto part : {"none", "a", "c", "d", "soon"})
    EXPECT_THAT(bad.error().to_string(), HasSubstr(part)) << "all of them at once";
}

TEST_F(error_rows, key_clash_in_bulk) {
  auto twice =
      users.insert_many({{{"id", "a"}, {"name", "ann"}}, {{"id", "a"}, {"name", "bob"}}}).get();
  ASSERT_EQ(twice.error(), errc::duplicate);
  EXPECT_EQ(twice.error().where().key, "\"a\"");
  EXPECT_EQ(*users.count().get(), 0u);
}

TEST_F(error_rows, unknown_bucket_in_a_transaction) {
  auto done = db.transact([](transaction& tx) -> result<void> {
    auto none = tx.bucket("none");
    return none ? result<void>{} : fail(none.error());
  });
  EXPECT_EQ(done.error(), errc::not_found);
  EXPECT_EQ(done.error().where().bucket, "none");
}

TEST_F(error_rows, call_timeout_and_server_not_running) {
  disk->hold();
  auto late = users.insert({{"id", "a"}, {"name", "ann"}}).get(std::chrono::milliseconds{1});
  EXPECT_EQ(late.error(), errc::outcome_unknown) << "begun, so it may still happen";
  EXPECT_THAT(late.error().to_string(), HasSubstr("1 ms"));
  disk->release();
  ASSERT_TRUE(db.stop());
  const auto down = users.insert({{"id", "b"}, {"name", "bob"}}).get();
  EXPECT_EQ(down.error(), errc::stopped);
  EXPECT_EQ(down.error().where().bucket, "users");
}

/// A start that fails says where and why, and leaves nothing behind.
TEST_F(error_rows, initialization_error) {
  ASSERT_TRUE(db.stop());
  disk->fail_open(true);
  const auto start_again = [this] {
    store_options options;
    options.journal = memory_journal(disk);
    return store::start(std::move(options));
  };
  const auto failed = start_again();
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error(), errc::io);
  EXPECT_THAT(failed.error().to_string(), HasSubstr("open failed"));
  disk->fail_open(false);
  EXPECT_TRUE(start_again());
}

/// Where the reference registers names of processes, a store has the names of its buckets; names of
/// stores are for people, and two may have one.
TEST_F(error_rows, already_registered_error) {
  const auto taken = db.define(schema("users").key("id", integer()));
  EXPECT_EQ(taken.error(), errc::already_exists);
  EXPECT_EQ(taken.error().where().bucket, "users");
  auto one = store::start({.name = "twin"}), other = store::start({.name = "twin"});
  EXPECT_TRUE(one && other);
}

} // namespace
} // namespace holdfast::testing
