// Records, changes and projections with as many fields as there may be, most of them outside the
// schema.
#include <holdfast/store/store.hpp>

#include <gmock/gmock.h>

#include <string>
#include <vector>

namespace holdfast::testing {
namespace {

using ::testing::HasSubstr;

/// By the handle or in a transaction.
struct many_fields : ::testing::TestWithParam<bool> {
  static constexpr int most = 1024;
  static constexpr int full = most - 2; ///< so many outside the schema
  store db = std::move(*store::start());
  bucket<> things =
      std::move(*db.define(schema("things").key("id", integer()).field("n", integer())));

  static object fields(int from, int to, const value& content, object with = {}) {
    for (int i = from; i < to; ++i)
      with.set("x" + std::to_string(i), content);
    return with;
  }
  template <class F>
  auto run(F f) -> decltype(f(things)) {
    if (!GetParam())
      return f(things);
    std::optional<decltype(f(things))> out;
    auto done = db.transact([&](transaction& tx) -> result<void> {
      out.emplace(f(tx.in(things)));
      return *out ? result<void>{} : fail(out->error());
    });
    return done ? *out : fail(done.error());
  }
  result<record> update(const object& changes) {
    return run([&](const auto& b) { return b.update(1, changes).get(); });
  }
  std::size_t size() { return things.get(1).get()->to_object().size(); }
  static std::string told(const result<record>& r) { return r ? "" : r.error().to_string(); }
};

TEST_P(many_fields, that_an_update_gives_again_count_once) {
  ASSERT_TRUE(things.insert(fields(0, 600, 1, {{"id", 1}})).get());
  EXPECT_EQ(told(update(fields(100, 600, 2))), "");
  EXPECT_EQ(told(run([&](const auto& b) {
              return b.upsert(fields(100, 600, 3, {{"id", 1}})).get();
            })),
            "");
  EXPECT_EQ(told(run([&](const auto& b) {
              return b.modify(1, [](const record&) { return fields(100, 600, 4); });
            })),
            "");
  const auto now = *things.get(1).get();
  EXPECT_EQ(now.to_object().size(), 601u);
  EXPECT_EQ(now["x99"], 1);
  EXPECT_EQ(now["x100"], 4);
  EXPECT_EQ(now["x599"], 4);
}

TEST_P(many_fields, of_a_full_record_can_be_changed_exchanged_and_removed) {
  ASSERT_TRUE(things.insert(fields(0, full, 1, {{"id", 1}, {"n", 1}})).get());
  EXPECT_EQ(told(update({{"x5", 2}})), "");
  EXPECT_EQ(told(update({{"x5", nullptr}, {"y", 1}})), "");
  EXPECT_EQ(size(), std::size_t{most});
  EXPECT_THAT(told(update({{"z", 1}})), HasSubstr("things: 1025 fields are above the limit 1024"));
  EXPECT_EQ(told(update({{"none", nullptr}})), "") << "removes nothing, and adds nothing";
  EXPECT_EQ(told(update({{"y", nullptr}})), "");
  EXPECT_EQ(size(), std::size_t{most - 1});
  auto others = fields(0, full, nullptr);
  for (int i = 0; i < full; ++i)
    others.set("z" + std::to_string(i), i);
  EXPECT_EQ(told(update(others)), "") << "all of them for others";
  EXPECT_EQ(size(), std::size_t{most});
}

TEST_P(many_fields, are_looked_at_no_further_than_to_refuse_too_many) {
  ASSERT_TRUE(things.insert({{"id", 1}}).get());
  const auto endless = fields(0, 5'000, 1);
  const draft input{things.compiled(), endless};
  EXPECT_EQ(input.extra_count(), draft::most_extra) << "the others are not even looked at";
  EXPECT_TRUE(input.rebound(things.compiled()).is_full());
  const auto refused = "things: more than 2048 fields are given, above the limit 1024";
  const auto inserted = run([&](const auto& b) {
    return b.insert(fields(0, 5'000, 1, {{"id", 2}})).get();
  });
  for (auto& r : {update(endless), inserted}) {
    ASSERT_FALSE(r);
    EXPECT_EQ(r.error(), errc::invalid);
    EXPECT_EQ(r.error().message(), refused);
  }
  EXPECT_EQ(run([&](const auto& b) { return b.update_many("n"_f == 7, endless).get(); })
                .error()
                .message(),
            refused);
  EXPECT_EQ(size(), 1u);
}

TEST_P(many_fields, are_written_to_many_records_each_as_they_are_given) {
  std::vector<object> list;
  for (int i = 0; i < 100; ++i)
    list.push_back({{"id", i}, {"mine", i}});
  ASSERT_TRUE(things.insert_many(list).get());
  for (int round = 0; round < 2; ++round) {
    auto done = run([&](const auto& b) {
      return b.update_many({}, fields(0, 1000, std::string(20, 'x'), {{"n", round}})).get();
    });
    ASSERT_TRUE(done) << done.error().to_string();
    EXPECT_EQ(*done, 100u);
  }
  for (int i = 0; i < 100; ++i)
    EXPECT_EQ(value{things.get(i).get()->to_object()},
              value{fields(0, 1000, std::string(20, 'x'), {{"id", i}, {"n", 1}, {"mine", i}})});
}

INSTANTIATE_TEST_SUITE_P(each, many_fields, ::testing::Bool(),
                         [](auto& param) { return param.param ? "transaction" : "handle"; });

TEST(a_bucket_that_gets_more_fields, refuses_them_where_a_record_has_no_room) {
  auto db = std::move(*store::start({.limits = {.fields = 5}}));
  auto notes = std::move(*db.define(schema("notes").key("id", string())));
  ASSERT_TRUE(notes.insert({{"id", "has room"}, {"a", 1}}).get());
  ASSERT_TRUE(notes.insert({{"id", "full"}, {"a", 1}, {"b", 1}, {"c", 1}, {"d", 1}}).get());
  auto refused = db.update_bucket("notes", bucket_update{}.add_field("e", integer().otherwise(7)));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error(), errc::invalid);
  EXPECT_EQ(refused.error().message(), "notes: 6 fields are above the limit 5");
  EXPECT_EQ(refused.error().where().bucket, "notes");
  EXPECT_EQ(refused.error().where().key, "\"full\"");
  EXPECT_EQ(db.bucket_schema("notes")->fields().size(), 1u);
  EXPECT_EQ(notes.get("has room").get()->version(), 1u);
  EXPECT_EQ(notes.get("full").get()->to_object().size(), 5u);
  EXPECT_TRUE(db.update_bucket("notes", bucket_update{}.add_field("d", integer())))
      << "one that it has already";
}

TEST(a_projection_of_many_names, is_refused_past_the_limit_of_fields) {
  auto db = std::move(*store::start());
  auto notes = std::move(*db.define(schema("notes").key("id", string()).field("o", object_of())));
  ASSERT_TRUE(notes.insert({{"id", "a"}}).get());
  std::vector<field_name> names;
  for (int i = 0; i < 1024; ++i)
    names.push_back("o.x" + std::to_string(i));
  EXPECT_TRUE(notes.everything().fields(names).objects().get());
  names.push_back("id");
  const auto refused = notes.everything().fields(names).objects().get();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error(), errc::invalid_argument);
  EXPECT_EQ(refused.error().message(), "notes: a projection of 1025 names is above the limit 1024");
  EXPECT_EQ(notes.everything().fields(names).count().get().error(), errc::invalid_argument);
}

/// Each was looked for among the others when the object was copied out of the record.
TEST(many_members, of_one_object_come_back) {
  auto db = store::start().value();
  auto b = db.define(schema("b").key("id", integer()).field("o", object_of())).value();
  object many;
  for (int i = 0; i < 100'000; ++i)
    many.append("m" + std::to_string(i), i);
  ASSERT_TRUE(b.insert({{"id", 1}, {"o", many}}).get());
  const auto back = (*b.get(1).get())["o"].materialize();
  ASSERT_EQ(back.as_object().size(), 100'000u);
  EXPECT_EQ(back, value{many});
}

} // namespace
} // namespace holdfast::testing
