// Inverted indexes: what `contains` and `ends_with` find without looking at every record.
#include <holdfast/store/detail/parts.hpp>
#include <holdfast/store/memory_journal.hpp>
#include <holdfast/store/schema_json.hpp>
#include <holdfast/store/store.hpp>

#include <gmock/gmock.h>

#include <string>
#include <vector>

namespace holdfast {
namespace {

using namespace literals;
using source = explanation::source;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

schema notes_schema() {
  return schema("notes")
      .key("id", integer())
      .field("title", string())
      .field("tags", array_of())
      .inverted_index("title")
      .inverted_index("tags");
}

class inverted_indexes : public ::testing::TestWithParam<bool> {
protected:
  store start() {
    store_options options;
    if (GetParam())
      options.journal = memory_journal(disk);
    return std::move(*store::start(std::move(options)));
  }
  void fill(std::int64_t count) {
    std::vector<object> list;
    for (std::int64_t i = 0; i < count; ++i)
      list.push_back({{"id", i},
                      {"title", "Note number " + std::to_string(i) + "."},
                      {"tags", array{i % 7, "t" + std::to_string(i % 100)}}});
    ASSERT_TRUE(notes.insert_many(list).get());
  }
  static std::vector<std::int64_t> ids(const bucket<>& in, const filter& which) {
    std::vector<std::int64_t> out;
    const auto found = in.where(which).all().get().value();
    for (auto& r : found)
      out.push_back(r.key().as_int());
    return out;
  }
  std::vector<std::int64_t> ids(const filter& which) const { return ids(notes, which); }
  explanation why(const filter& which) const { return notes.where(which).explain().value(); }
  std::uint64_t entries(std::size_t index = 0) const {
    return db->stats().buckets.at(0).indexes.at(index).entries;
  }
  void restart() {
    db.reset();
    db.emplace(start());
    notes = db->bucket("notes").value();
  }

  std::shared_ptr<memory_disk> disk = std::make_shared<memory_disk>();
  std::optional<store> db{start()};
  bucket<> notes = db->define(notes_schema()).value();
};

TEST_P(inverted_indexes, find_a_part_an_end_and_an_item) {
  fill(1000);
  const struct {
    filter which;
    std::vector<std::int64_t> expected;
    std::uint64_t most_rows;
  } table[] = {
      {"title"_f.contains("98"),
       {98,  198, 298, 398, 498, 598, 698, 798, 898, 980,
        981, 982, 983, 984, 985, 986, 987, 988, 989, 998},
       20},
      {"title"_f.contains("NUMBER 77."), {77}, 1},
      {"title"_f.contains("er 77."), {77}, 1},
      {"title"_f.ends_with("Note number 5."), {5}, 1},
      {"title"_f.ends_with("note number 5."), {}, 1},
      {"title"_f.ends_with(" 5."), {5}, 1},
      {"title"_f.ends_with("number"), {}, 0},
      {"title"_f.contains("nowhere"), {}, 0},
      {"tags"_f.contains("t42") && "tags"_f.contains(0), {42, 742}, 10},
      {"tags"_f.contains("t42") && "title"_f.contains("r 7"), {742}, 10},
      {"title"_f.contains("r 77.") || "title"_f.contains("r 78.") || "tags"_f.contains("t5") ||
           "id"_f == 3,
       {3, 5, 77, 78, 105, 205, 305, 405, 505, 605, 705, 805, 905},
       13},
  };
  for (auto& [which, expected, most_rows] : table) {
    SCOPED_TRACE(why(which).to_string());
    EXPECT_EQ(ids(which), expected);
    EXPECT_EQ(*notes.count(which).get(), expected.size());
    EXPECT_NE(why(which).from, source::scan);
    EXPECT_LE(why(which).estimated_rows, most_rows);
  }
  EXPECT_EQ(why("title"_f.contains("98")).to_string(),
            "notes: inverted index title, 20 of 1000 rows, filter title contains \"98\", "
            "stored order");
}

TEST_P(inverted_indexes, are_of_no_use_for_what_their_parts_do_not_tell) {
  fill(10);
  ASSERT_TRUE(notes.insert({{"id", 10}}).get());
  const struct {
    filter which;
    std::size_t found;
  } table[] = {{"title"_f.contains(""), 10},
               {"title"_f.ends_with(""), 10},
               {!"title"_f.contains("3"), 10},
               {filter::contains("tags.1", "t3"), 1}};
  for (auto& [which, found] : table) {
    EXPECT_EQ(why(which).from, source::scan);
    EXPECT_EQ(ids(which).size(), found) << why(which).to_string();
  }
}

TEST_P(inverted_indexes, find_what_has_more_parts_than_they_tell_apart) {
  const std::string filler(max_parts, 'x');
  array many;
  for (std::int64_t i = 0; i <= static_cast<std::int64_t>(max_parts); ++i)
    many.push_back(i);
  ASSERT_TRUE(notes.insert({{"id", 1}, {"title", filler + "Needle"}}).get());
  ASSERT_TRUE(notes.insert({{"id", 2}, {"title", filler.substr(8) + " needle"}}).get());
  ASSERT_TRUE(notes.insert({{"id", 3}, {"tags", many}}).get());
  EXPECT_THAT(ids("title"_f.contains("needle")), ElementsAre(1, 2));
  EXPECT_THAT(ids("title"_f.ends_with("Needle")), ElementsAre(1));
  EXPECT_THAT(ids("tags"_f.contains(77)), ElementsAre(3));
  EXPECT_EQ(why("tags"_f.contains(77)).from, source::inverted_index);
  EXPECT_EQ(entries(1), 1U);
  ASSERT_TRUE(notes.update(1, {{"title", "short"}}).get());
  ASSERT_TRUE(notes.update(3, {{"tags", array{77, 77.0}}}).get()); // equal: one part
  EXPECT_THAT(ids("title"_f.contains("needle")), ElementsAre(2));
  EXPECT_THAT(ids("tags"_f.contains(77)), ElementsAre(3));
  EXPECT_EQ(entries(1), 1U);
}

TEST_P(inverted_indexes, follow_every_write) {
  fill(3);
  ASSERT_TRUE(notes.update(1, {{"title", "Straße"}}).get());
  EXPECT_THAT(ids("title"_f.contains("STRA")), ElementsAre(1));
  EXPECT_THAT(ids("title"_f.contains("aẞe")), ElementsAre(1)) << "a letter of two bytes";
  EXPECT_THAT(ids("title"_f.contains("number 1")), IsEmpty());
  const auto earlier = db->snapshot();
  ASSERT_TRUE(notes.update(1, {{"title", nullptr}}).get());
  ASSERT_TRUE(notes.erase(2).get());
  EXPECT_THAT(ids("title"_f.contains("e")), ElementsAre(0));
  EXPECT_THAT(ids(notes.at(earlier), "title"_f.contains("e")), ElementsAre(0, 1, 2));
  EXPECT_EQ(entries(), 14U) << "each character of \"Note number 0.\"";
  ASSERT_TRUE(notes.clear().get());
  EXPECT_EQ(entries(), 0U);
  EXPECT_THAT(ids("title"_f.contains("e")), IsEmpty());
}

TEST_P(inverted_indexes, let_a_transaction_see_its_own_writes_and_no_phantoms) {
  fill(50);
  const auto which = "title"_f.contains("number 4");
  auto done = db->transact([&](transaction& tx) -> result<void> {
    auto mine = tx.in(notes);
    EXPECT_THAT(ids(mine, which), ElementsAre(4, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49));
    EXPECT_TRUE(mine.update(44, {{"title", "gone"}}).get());
    EXPECT_TRUE(mine.insert({{"id", 60}, {"title", "NUMBER 4!"}}).get());
    EXPECT_THAT(ids(mine, which), ElementsAre(4, 40, 41, 42, 43, 45, 46, 47, 48, 49, 60));
    return {};
  });
  ASSERT_TRUE(done) << done.error().to_string();
  EXPECT_THAT(ids(which), ElementsAre(4, 40, 41, 42, 43, 45, 46, 47, 48, 49, 60));
  const auto refused = db->transact(
      [&](transaction& tx) -> result<void> {
        const auto seen = ids(tx.in(notes), "title"_f.contains("phantom"));
        EXPECT_THAT(seen, IsEmpty());
        EXPECT_TRUE(notes.insert({{"id", 70}, {"title", "a Phantom"}}).get());
        auto put = tx.in(notes).insert({{"id", 71}, {"title", "saw none"}}).get();
        return put ? result<void>{} : fail(put.error());
      },
      {.retries = 0, .exclusive_retries = 0});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error(), errc::conflict);
}

TEST_P(inverted_indexes, are_added_to_a_bucket_in_use_and_outlive_it) {
  auto plain = db->define(schema("plain").key("id", string()).field("title", string())).value();
  for (int i = 0; i < 20; ++i)
    ASSERT_TRUE(plain.insert({{"id", std::to_string(i)}, {"title", "hay"}}).get());
  ASSERT_TRUE(plain.insert({{"id", "a"}, {"title", "Needle in hay"}}).get());
  const auto which = "title"_f.contains("needle");
  EXPECT_EQ(plain.where(which).explain()->from, source::scan);
  const auto change = bucket_update().add_inverted_index("title");
  ASSERT_TRUE(db->update_bucket("plain", change));
  ASSERT_TRUE(db->update_bucket("plain", change)) << "one that is there is left alone";
  EXPECT_EQ(plain.where(which).explain()->from, source::inverted_index);
  EXPECT_EQ(*plain.count(which).get(), 1U);
  auto wrong = db->update_bucket("plain", bucket_update().add_inverted_index("nothing"));
  ASSERT_FALSE(wrong);
  EXPECT_THAT(wrong.error().message(), HasSubstr("index field \"nothing\" is not defined"));
  if (!GetParam())
    return;
  restart();
  plain = db->bucket("plain").value();
  EXPECT_EQ(plain.where(which).explain()->from, source::inverted_index);
  EXPECT_EQ(*plain.count(which).get(), 1U);
}

TEST_P(inverted_indexes, outlive_crashes_and_restarts) {
  fill(300);
  ASSERT_TRUE(notes.erase_many("title"_f.ends_with("7.")).get());
  ASSERT_TRUE(db->crash("notes"));
  EXPECT_THAT(ids("title"_f.contains("r 12")),
              ElementsAre(12, 120, 121, 122, 123, 124, 125, 126, 128, 129));
  const auto before = entries();
  if (!GetParam())
    return;
  restart();
  EXPECT_EQ(entries(), before);
  EXPECT_THAT(ids("title"_f.contains("r 12")),
              ElementsAre(12, 120, 121, 122, 123, 124, 125, 126, 128, 129));
}

INSTANTIATE_TEST_SUITE_P(stores, inverted_indexes, ::testing::Bool(),
                         [](auto& p) { return p.param ? "durable" : "in_memory"; });

/// The index of a reference must find values, whatever else stands over its field.
TEST(an_inverted_index, does_not_take_the_place_of_that_of_a_reference_or_of_the_key) {
  auto db = store::start().value();
  auto teams = db.define(schema("teams").key("id", string()).persistent(false)).value();
  auto users = db.define(schema("users")
                             .key("id", string())
                             .field("team", string().references("teams"))
                             .inverted_index("team")
                             .inverted_index("id")
                             .ordered())
                   .value();
  ASSERT_TRUE(teams.insert({{"id", "red"}}).get());
  ASSERT_TRUE(users.insert({{"id", "b"}, {"team", "red"}}).get());
  ASSERT_TRUE(users.insert({{"id", "a"}, {"team", "red"}}).get());
  EXPECT_EQ(teams.erase("red").get().error(), errc::broken_reference);
  EXPECT_EQ(users.first(1).get()->front().key(), value_view{"a"});
  EXPECT_EQ(users.where("team"_f == "blue").explain()->from, source::nothing) << "an index knows";
}

TEST(parts, are_the_endings_of_a_text_without_case_and_the_items_of_an_array) {
  auto db = store::start().value();
  auto notes = db.define(notes_schema()).value();
  const struct {
    value title, tags;
    std::size_t of_title, of_tags;
  } table[] = {
      {nullptr, nullptr, 0, 0},
      {"", array{}, 0, 0},
      {"aAa", array{1, 1.0, "1", nullptr}, 3, 3},
      {"ééé", array{array{1}, array{1}}, 3, 1},
      {std::string(100, 'a'), array{object{{"a", 1}, {"b", 2}}, object{{"b", 2}, {"a", 1}}}, 8, 1}};
  for (auto& row : table) {
    auto r = notes.upsert({{"id", 1}, {"title", row.title}, {"tags", row.tags}}).get();
    ASSERT_TRUE(r) << r.error().to_string();
    EXPECT_EQ(detail::parts_of(*r->block(), 1).size(), row.of_title) << row.title.to_string();
    EXPECT_EQ(detail::parts_of(*r->block(), 2).size(), row.of_tags) << row.tags.to_string();
  }
}

} // namespace
} // namespace holdfast
