// Buckets of structs whose definitions grow.
#include <holdfast/store/memory_journal.hpp>
#include <holdfast/store/store.hpp>

#include <gmock/gmock.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace holdfast_tests {

/// As it was.
struct old_member {
  std::int64_t id = 0;
  std::string name;
};
/// As it is: of the same bucket.
struct new_member {
  std::int64_t id = 0;
  std::string name;
  std::string initial;
  int visits = 0;
  std::optional<std::string> note;
  std::chrono::minutes spent{};
};

} // namespace holdfast_tests

namespace holdfast {

template <>
inline constexpr auto mapping<holdfast_tests::old_member> = map_to<holdfast_tests::old_member>(
    "members", key<&holdfast_tests::old_member::id>(), field<&holdfast_tests::old_member::name>());
template <>
inline constexpr auto mapping<holdfast_tests::new_member> = map_to<holdfast_tests::new_member>(
    "members", key<&holdfast_tests::new_member::id>(), field<&holdfast_tests::new_member::name>(),
    field<&holdfast_tests::new_member::initial>(length(1, 1)),
    field<&holdfast_tests::new_member::visits>(indexed, minimum(0)),
    field<&holdfast_tests::new_member::note>(inverted, otherwise("none")),
    field<&holdfast_tests::new_member::spent>());

namespace {

using holdfast_tests::new_member;
using holdfast_tests::old_member;
using namespace std::chrono_literals;

struct an_update_of_a_typed_bucket : ::testing::Test {
  std::shared_ptr<memory_disk> disk = std::make_shared<memory_disk>();
  std::optional<store> db;

  void SetUp() override {
    start();
    auto members = db->define<old_member>().value();
    ASSERT_TRUE(members.insert_many({{1, "Ann"}, {2, "Bob"}}).get());
  }
  void start() {
    db.reset();
    db.emplace(store::start({.journal = memory_journal(disk)}).value());
    db->runtime_in_use().log().redirect(nullptr, log_level::off);
  }
  static auto first_letter() {
    return
        [](const typed_view<new_member>& old) { return old.get<&new_member::name>().substr(0, 1); };
  }
};

TEST_F(an_update_of_a_typed_bucket, adds_members_as_the_mapping_says) {
  auto done = db->update_bucket(typed_bucket_update<new_member>()
                                    .add_field<&new_member::initial>(first_letter())
                                    .add_field<&new_member::visits>(3)
                                    .add_field<&new_member::note>()
                                    .add_field<&new_member::spent>(2h));
  ASSERT_TRUE(done) << done.error().to_string();
  auto members = db->bucket<new_member>().value();
  const auto ann = members.get(1).get().value();
  EXPECT_EQ(ann.initial, "A");
  EXPECT_EQ(ann.visits, 3);
  EXPECT_EQ(ann.note, "none") << "its default";
  EXPECT_EQ(ann.spent, 120min);
  EXPECT_EQ(*members.count(f<&new_member::visits> == 3).get(), 2u);
  EXPECT_FALSE(members.update(1, set<&new_member::initial>("long")).get()) << "a rule";
  EXPECT_EQ(*db->bucket_schema("members"), schema_of<new_member>());
}

/// What does not fit was cut to what does, in every record.
TEST_F(an_update_of_a_typed_bucket, cuts_no_number_to_what_its_member_holds) {
  for (std::int64_t visits : {std::int64_t{1} << 40, std::int64_t{-3'000'000'000}}) {
    const auto done =
        db->update_bucket(typed_bucket_update<new_member>().add_field<&new_member::visits>(visits));
    ASSERT_FALSE(done) << visits;
    EXPECT_EQ(done.error(), errc::invalid);
  }
  EXPECT_EQ(db->bucket_schema("members")->fields().size(), 2u);
}

TEST_F(an_update_of_a_typed_bucket, leaves_what_the_next_start_defines) {
  EXPECT_EQ(db->define<new_member>().error(), errc::already_exists);
  ASSERT_TRUE(db->update_bucket(typed_bucket_update<new_member>()
                                    .add_field<&new_member::initial>("x")
                                    .add_field<&new_member::visits>(0)
                                    .add_field<&new_member::note>(std::nullopt)
                                    .add_field<&new_member::spent>(1min)));
  start();
  auto members = db->define<new_member>();
  ASSERT_TRUE(members) << members.error().to_string();
  EXPECT_EQ(members->get(2).get()->initial, "x");
  EXPECT_EQ(members->get(2).get()->note, std::nullopt) << "that is what fills it in";
}

TEST_F(an_update_of_a_typed_bucket, adds_indexes_and_deadlines) {
  ASSERT_TRUE(db->update_bucket(typed_bucket_update<old_member>()
                                    .add_index<&old_member::name>()
                                    .add_index<&old_member::name, &old_member::id>()
                                    .add_inverted_index<&old_member::name>()
                                    .expire_after(24h)));
  EXPECT_EQ(db->bucket_schema("members")->expires_after(), 24h);
  const auto indexes = db->bucket_schema("members")->indexes();
  ASSERT_EQ(indexes.size(), 3u);
  EXPECT_EQ(indexes[1].fields, (std::vector<std::string>{"name", "id"}));
  EXPECT_EQ(indexes[2], (index_definition{{"name"}, true}));
  EXPECT_EQ(*db->bucket<old_member>()->count(f<&old_member::name>.contains("NN")).get(), 1u);
  ASSERT_TRUE(db->update_bucket(typed_bucket_update<old_member>().never_expire()));
  EXPECT_FALSE(db->bucket_schema("members")->expires_after());
}

TEST_F(an_update_of_a_typed_bucket, that_reads_what_is_not_there_changes_nothing) {
  const auto done =
      db->update_bucket(typed_bucket_update<new_member>().add_field<&new_member::initial>(
          [](const typed_view<new_member>& old) { return old.get<&new_member::initial>(); }));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error(), errc::invalid);
  EXPECT_THAT(done.error().issues().at(0).message,
              ::testing::HasSubstr("null does not fit the member"));
  EXPECT_EQ(db->bucket_schema("members")->fields().size(), 2u);
}

TEST_F(an_update_of_a_typed_bucket, that_records_do_not_fit_changes_nothing) {
  const auto done =
      db->update_bucket(typed_bucket_update<new_member>().add_field<&new_member::visits>(-1));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error(), errc::invalid);
  EXPECT_EQ(db->bucket<old_member>()->get(1).get()->name, "Ann");
}

} // namespace
} // namespace holdfast
