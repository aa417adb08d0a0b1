// The reference's table of what a store does (1.1), one test per row, with what holdfast decides
// differently as decided. What has a table of its own there has a file of its own here.
#include "reference_fixture.hpp"

namespace holdfast::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct store_rows : reference_fixture {
  static schema notes() {
    return schema("notes").key("id", integer()).field("tag", string()).index("tag");
  }
};

TEST_F(store_rows, start) {
  auto tree = db.tree();
  for (auto part : {"app", "persistence", "event_bus", "query_manager", "ttl_manager", "buckets"})
    EXPECT_THAT(tree, HasSubstr(part));
  store_options same;
  same.name = "app";
  EXPECT_TRUE(store::start(std::move(same))) << "names are for people: two stores may share one";
}

TEST_F(store_rows, name) { EXPECT_EQ(db.stats().name, "app"); }

TEST_F(store_rows, define_bucket) {
  auto made = db.define(notes());
  ASSERT_TRUE(made);
  auto twice = db.define(notes());
  EXPECT_EQ(twice.error(), errc::already_exists);
  EXPECT_EQ(twice.error().where().bucket, "notes");
  EXPECT_EQ(db.define(schema("a").field("x", string())).error(), errc::invalid_schema) << "no key";
  EXPECT_EQ(db.define(schema("b").key("id", string()).index("x")).error(), errc::invalid_schema);
  auto needed = schema("c")
                    .key("id", string())
                    .field("note", integer().required().references("notes", on_delete::set_null));
  EXPECT_EQ(db.define(needed).error(), errc::invalid_schema) << "set_null of a required field";
  EXPECT_THAT(db.bucket_names(), ElementsAre("notes"));
  EXPECT_THAT(db.tree(), HasSubstr("notes")) << "supervised under its name";
}

TEST_F(store_rows, define_bucket_loads_persisted_data) {
  ASSERT_TRUE(define(notes()).insert({{"id", 1}, {"tag", "x"}}).get());
  restart();
  EXPECT_EQ(*db.bucket("notes")->count("tag"_f == "x").get(), 1u);
}

TEST_F(store_rows, bucket) {
  auto made = define(notes());
  ASSERT_TRUE(db.bucket("notes")->insert({{"id", 1}}).get());
  EXPECT_TRUE(made.contains(1)) << "every handle is of the same bucket";
  auto unknown = db.bucket("none");
  EXPECT_EQ(unknown.error(), errc::not_found);
  EXPECT_EQ(unknown.error().where().bucket, "none");
}

TEST_F(store_rows, drop_bucket) {
  auto made = define(notes());
  ASSERT_TRUE(made.insert({{"id", 1}}).get());
  ASSERT_TRUE(db.define_query("all", {.bucket = "notes"}));
  std::promise<error> ended;
  auto token = db.subscribe("all", [&](const query_update& now) {
                   if (!now.outcome)
                     ended.set_value(now.outcome.error());
                 }).value();
  listener heard{db};
  EXPECT_TRUE(db.drop("notes").value());
  EXPECT_FALSE(db.drop("notes").value());
  EXPECT_EQ(made.get(1).get().error(), errc::dropped);
  EXPECT_EQ(ended.get_future().get().where().bucket, "notes") << "dependants are told";
  EXPECT_THAT(heard.texts(1), ElementsAre("notes.dropped")) << "none per record";
  EXPECT_THAT(keys(define(notes()).all().get()), IsEmpty()) << "and its data is gone";
}

TEST_F(store_rows, has_bucket_and_get_bucket_schema) {
  EXPECT_FALSE(db.has_bucket("notes"));
  EXPECT_EQ(db.bucket_schema("notes").error(), errc::not_found);
  define(notes());
  EXPECT_TRUE(db.has_bucket("notes"));
  EXPECT_EQ(*db.bucket_schema("notes"), notes());
}

TEST_F(store_rows, update_bucket) {
  auto made = define(notes());
  ASSERT_TRUE(made.insert({{"id", 1}, {"tag", "x"}}).get());
  auto change = bucket_update()
                    .add_field("stars", integer().min(0).otherwise(3))
                    .add_index("stars")
                    .add_index("tag")
                    .expire_after(std::chrono::hours{1});
  ASSERT_TRUE(db.update_bucket("notes", change));
  EXPECT_EQ((*made.get(1).get())["stars"], value_view{3}) << "existing records are back-filled";
  EXPECT_TRUE(made.insert({{"id", 2}, {"stars", 5}}).get()->expires_at());
  EXPECT_EQ(made.where("stars"_f == 5).explain()->from, explanation::source::index);
  EXPECT_EQ(made.insert({{"id", 3}, {"stars", -1}}).get().error(), errc::invalid);
  EXPECT_EQ(db.update_bucket("notes", bucket_update().add_field("tag", string())).error(),
            errc::already_exists);
  EXPECT_EQ(db.update_bucket("notes", bucket_update().add_index("none")).error(),
            errc::invalid_schema);
  ASSERT_TRUE(db.update_bucket("notes", bucket_update().never_expire()));
  EXPECT_FALSE(made.insert({{"id", 4}}).get()->expires_at());
  EXPECT_EQ(db.update_bucket("none", bucket_update()).error(), errc::not_found);
}

TEST_F(store_rows, on) {
  auto made = define(notes());
  listener every{db, "bucket.*.*"}, inserted{db, "bucket.notes.inserted"};
  ASSERT_TRUE(made.insert({{"id", 1}}).get());
  ASSERT_TRUE(made.erase(1).get());
  EXPECT_THAT(every.texts(2), ElementsAre("notes.inserted 1", "notes.erased 1"));
  EXPECT_THAT(inserted.texts(1), ElementsAre("notes.inserted 1"));
  EXPECT_EQ(db.on("bucket..x", [](const change&) {}).error(), errc::invalid_argument);
}

TEST_F(store_rows, get_stats) {
  auto made = define(notes());
  define(schema("tokens").key("id", integer()).field("of", string().unique()));
  for (int i = 0; i < 3; ++i)
    ASSERT_TRUE(made.insert({{"id", i}, {"tag", "x"}}).get());
  ASSERT_TRUE(db.define_query("all", {.bucket = "notes"}));
  auto token = db.subscribe("all", [](const query_update&) {}).value();
  auto now = db.stats();
  EXPECT_EQ(now.name, "app");
  ASSERT_EQ(now.buckets.size(), 2u);
  EXPECT_EQ(now.buckets[0].name, "notes");
  EXPECT_EQ(now.buckets[1].name, "tokens");
  EXPECT_EQ(now.records, 3u);
  EXPECT_EQ(now.buckets[0].records, 3u);
  ASSERT_EQ(now.buckets[0].indexes.size(), 1u);
  EXPECT_EQ(now.buckets[0].indexes[0].fields, "tag");
  EXPECT_EQ(now.buckets[0].indexes[0].entries, 3u);
  ASSERT_EQ(now.buckets[1].indexes.size(), 1u);
  EXPECT_TRUE(now.buckets[1].indexes[0].unique);
  EXPECT_EQ(now.queries, 1u);
  EXPECT_EQ(now.live_queries, 1u);
  EXPECT_TRUE(now.persistent);
  EXPECT_EQ(now.ttl_interval, std::chrono::seconds{1});
}

TEST_F(store_rows, settle) {
  auto made = define(notes());
  ASSERT_TRUE(db.define_query("count", {.bucket = "notes", .aggregates = {aggregate::count()}}));
  std::atomic<std::int64_t> last{-1};
  auto token = db.subscribe("count", [&](const query_update& now) {
                   last = now.as<value>().as_int();
                 }).value();
  for (int i = 0; i < 20; ++i)
    ASSERT_TRUE(made.insert({{"id", i}}).get());
  ASSERT_TRUE(db.settle());
  EXPECT_EQ(last, 20) << "all re-evaluations are done and told";
}

TEST_F(store_rows, stop) {
  auto made = define(notes());
  ASSERT_TRUE(made.with(durability::async).insert({{"id", 1}}).get());
  ASSERT_TRUE(db.stop());
  EXPECT_TRUE(db.stop()) << "twice is as once";
  EXPECT_EQ(made.insert({{"id", 2}}).get().error(), errc::stopped);
  EXPECT_EQ(made.get(1).get().error(), errc::stopped);
  EXPECT_EQ(db.define(notes()).error(), errc::stopped);
  db = start();
  EXPECT_THAT(keys(db.bucket("notes")->all().get()), ElementsAre("1")) << "all was saved";
}

} // namespace
} // namespace holdfast::testing
