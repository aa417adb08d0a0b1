// The reference's table of what a bucket's handle does (1.2), one test per row, with what holdfast
// decides differently as decided. Bulk work has a file of its own.
#include "reference_fixture.hpp"

namespace holdfast::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

struct bucket_handle : reference_fixture {
  bucket<> notes = define(schema("notes")
                              .key("id", integer().generated(autoincrement))
                              .field("text", string().otherwise("none"))
                              .field("n", number())
                              .field("tag", string())
                              .index("tag"));
  void fill() {
    for (auto [n, tag] : {std::pair{3, "x"}, {1, "y"}, {2, "x"}})
      ASSERT_TRUE(notes.insert({{"n", n}, {"tag", tag}}).get());
  }
};

TEST_F(bucket_handle, insert) {
  auto first = notes.insert({{"n", 1}, {"extra", true}}).get();
  ASSERT_TRUE(first);
  EXPECT_EQ(first->key(), value_view{1}) << "generated";
  EXPECT_EQ((*first)["text"], value_view{"none"}) << "by default";
  EXPECT_EQ((*first)["extra"], value_view{true}) << "unknown fields are stored";
  EXPECT_EQ(first->version(), 1u);
  EXPECT_EQ(first->created_at(), clock.now());
  EXPECT_EQ(notes.insert({{"id", 1}}).get().error(), errc::duplicate) << "the key must be free";
}

TEST_F(bucket_handle, get) {
  fill();
  EXPECT_EQ((*notes.get(2).get())["n"], value_view{1});
  EXPECT_EQ(notes.get(9).get().error(), errc::not_found);
}

TEST_F(bucket_handle, update) {
  fill();
  clock.advance(std::chrono::seconds{1});
  auto changed = notes.update(2, {{"n", 5}}).get();
  ASSERT_TRUE(changed);
  EXPECT_EQ((*changed)["tag"], value_view{"y"}) << "merged";
  EXPECT_EQ(changed->version(), 2u);
  EXPECT_EQ(changed->updated_at(), clock.now());
  EXPECT_LT(changed->created_at(), clock.now());
  EXPECT_EQ(notes.update(2, {{"n", "text"}}).get().error(), errc::invalid);
  EXPECT_EQ(notes.update(9, {{"n", 5}}).get().error(), errc::not_found);
}

TEST_F(bucket_handle, erase) {
  fill();
  listener heard{db};
  EXPECT_EQ((*notes.erase(2).get())["n"], value_view{1}) << "gives it as it was";
  EXPECT_EQ(notes.erase(2).get().error(), errc::not_found);
  ASSERT_TRUE(notes.insert({{"n", 7}}).get());
  EXPECT_THAT(heard.texts(2), ElementsAre("notes.erased 2", "notes.inserted 4"));
}

TEST_F(bucket_handle, clear) {
  fill();
  EXPECT_EQ(*notes.clear().get(), 3u);
  EXPECT_EQ(*notes.count().get(), 0u);
  EXPECT_EQ(*notes.count("tag"_f == "x").get(), 0u);
  EXPECT_EQ(notes.insert({{"n", 1}}).get()->key(), value_view{4}) << "the counter is kept";
}

TEST_F(bucket_handle, all) {
  fill();
  EXPECT_THAT(keys(notes.all().get()), ElementsAre("1", "2", "3"));
}

TEST_F(bucket_handle, where_find_one_and_count) {
  fill();
  EXPECT_THAT(keys(notes.where("tag"_f == "x").all().get()), ElementsAre("1", "3"));
  EXPECT_THAT(keys(notes.where("tag"_f == "x" && "n"_f < 3).all().get()), ElementsAre("3"));
  EXPECT_EQ(notes.find_one("tag"_f == "y").get()->key(), value_view{2});
  EXPECT_EQ(notes.find_one("tag"_f == "z").get().error(), errc::not_found);
  EXPECT_EQ(*notes.count().get(), 3u);
  EXPECT_EQ(*notes.count("tag"_f == "x").get(), 2u);
}

TEST_F(bucket_handle, first_and_last) {
  fill();
  EXPECT_THAT(keys(notes.first(2).get()), ElementsAre("1", "2"));
  EXPECT_THAT(keys(notes.last(2).get()), ElementsAre("2", "3"));
  EXPECT_THAT(keys(notes.first(9).get()), ElementsAre("1", "2", "3"));
}

TEST_F(bucket_handle, paginate) {
  fill();
  auto one = notes.everything().page_of(2).get();
  ASSERT_TRUE(one);
  EXPECT_THAT(keys(one->items), ElementsAre("1", "2"));
  ASSERT_TRUE(one->next);
  auto two = notes.everything().page_of(2, one->next).get();
  ASSERT_TRUE(two);
  EXPECT_THAT(keys(two->items), ElementsAre("3"));
  EXPECT_FALSE(two->next);
}

TEST_F(bucket_handle, sum_avg_min_and_max) {
  fill();
  ASSERT_TRUE(notes.insert({{"tag", "x"}}).get()) << "without a number, so it does not count";
  auto all = notes.everything();
  EXPECT_EQ(*all.sum("n").get(), value{6});
  EXPECT_EQ(*all.avg("n").get(), value{2.0});
  EXPECT_EQ(*all.min("n").get(), value{1});
  EXPECT_EQ(*all.max("n").get(), value{3});
  EXPECT_EQ(*notes.where("tag"_f == "x").sum("n").get(), value{5});
}

TEST_F(bucket_handle, group_by) {
  fill();
  auto found = notes.everything().group_by({"tag"}, {aggregate::sum("n")}).get();
  ASSERT_TRUE(found);
  EXPECT_EQ(*found, (groups{{{"x"}, {5}}, {{"y"}, {1}}}));
  auto both = notes.where("n"_f > 1).group_by({"tag", "n"}, {aggregate::count()}).get();
  ASSERT_TRUE(both);
  EXPECT_EQ(*both, (groups{{{"x", 3}, {1}}, {{"x", 2}, {1}}}));
}

TEST_F(bucket_handle, name) { EXPECT_EQ(notes.name(), "notes"); }

TEST_F(bucket_handle, without_records_gives_nothing) {
  EXPECT_THAT(keys(notes.all().get()), IsEmpty());
  EXPECT_THAT(keys(notes.first(3).get()), IsEmpty());
  EXPECT_EQ(*notes.clear().get(), 0u);
}

} // namespace
} // namespace holdfast::testing
