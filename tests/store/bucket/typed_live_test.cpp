// Lists of live queries as structs.
#include <holdfast/store/store.hpp>

#include <gmock/gmock.h>

#include <mutex>
#include <string>
#include <vector>

namespace holdfast_tests {

struct runner {
  std::string name;
  int points = 0;
};

} // namespace holdfast_tests

template <>
inline constexpr auto
    holdfast::mapping<holdfast_tests::runner> = holdfast::map_to<holdfast_tests::runner>(
        "runners", holdfast::key<&holdfast_tests::runner::name>(),
        holdfast::field<&holdfast_tests::runner::points>(holdfast::indexed));

namespace holdfast {
namespace {

using holdfast_tests::runner;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

struct a_live_list_of_structs : ::testing::Test {
  store db = std::move(*store::start());
  bucket<runner> runners = std::move(*db.define<runner>());

  void SetUp() override {
    ASSERT_TRUE(runners.insert_many({{"ann", 30}, {"bob", 20}, {"eve", 10}}).get());
    const auto best = query{f<&runner::points> >= 5}.order_by(f<&runner::points>, descending);
    ASSERT_TRUE(db.define_query("declared", {.bucket = "runners", .what = best}));
    ASSERT_TRUE(db.define_query("structs", [&](query_context& in) {
      return in.in(runners)
          .where(f<&runner::points> >= 5)
          .order_by(f<&runner::points>, descending)
          .all();
    }));
    ASSERT_TRUE(db.define_query("records", [&](query_context& in) {
      return in.in(runners)
          .where(f<&runner::points> >= 5)
          .order_by(f<&runner::points>, descending)
          .plain()
          .all();
    }));
  }
  static constexpr auto descending = direction::descending;

  static std::string text(const std::vector<runner>& list) {
    std::string out;
    for (auto& each : list)
      out += each.name + std::to_string(each.points) + " ";
    return out;
  }
  /// `list | added | removed | changed | moved`
  static std::string text(const query_update& now) {
    const auto list = now.list<runner>();
    const auto changes = now.changes<runner>();
    if (!list || !changes)
      return list ? changes.error().message() : list.error().message();
    auto out = text(*list) + "| " + text(changes->added) + "| " + text(changes->removed) + "| ";
    for (auto& each : changes->changed)
      out += each.before.name + std::to_string(each.before.points) + ">" +
             std::to_string(each.after.points) + " ";
    EXPECT_EQ(changes->empty(), now.changes().empty());
    return out + "| " + text(changes->moved);
  }
  subscription hear(std::string_view name) {
    return db
        .subscribe(name,
                   [this](const query_update& now) {
                     const std::lock_guard lock{mutex};
                     told.push_back(text(now));
                   })
        .value();
  }
  std::vector<std::string> heard() {
    EXPECT_TRUE(db.settle());
    const std::lock_guard lock{mutex};
    return std::exchange(told, {});
  }

  std::mutex mutex;
  std::vector<std::string> told;
};

TEST_F(a_live_list_of_structs, tells_what_became_of_it) {
  for (const auto* name : {"declared", "structs", "records"}) {
    SCOPED_TRACE(name);
    auto token = hear(name);
    EXPECT_THAT(heard(), ElementsAre("ann30 bob20 eve10 | ann30 bob20 eve10 | | | "));
    ASSERT_TRUE(runners.update("eve", set<&runner::points>(40)).get());
    EXPECT_THAT(heard(), ElementsAre("eve40 ann30 bob20 | | | eve10>40 | eve40 "));
    ASSERT_TRUE(runners.insert({"zoe", 35}).get());
    EXPECT_THAT(heard(), ElementsAre("eve40 zoe35 ann30 bob20 | zoe35 | | | "));
    ASSERT_TRUE(db.transact([&](transaction& tx) -> result<void> {
      EXPECT_TRUE(tx.in(runners).erase("zoe").get());
      EXPECT_TRUE(tx.in(runners).update("eve", set<&runner::points>(10)).get());
      return {};
    }));
    EXPECT_THAT(heard(), ElementsAre("ann30 bob20 eve10 | | zoe35 | eve40>10 | eve10 "));
  }
}

TEST_F(a_live_list_of_structs, is_given_by_a_run) {
  EXPECT_EQ(text(db.run("declared")->list<runner>().value()), "ann30 bob20 eve10 ");
  EXPECT_EQ(text(db.run("structs")->list<runner>().value()), "ann30 bob20 eve10 ");
  ASSERT_TRUE(db.define_query("number", [&](query_context& in) { return in.in(runners).count(); }));
  EXPECT_THROW((void)db.run("number")->list<runner>(), std::bad_cast) << "it is no list";
}

TEST_F(a_live_list_of_structs, says_why_there_is_none) {
  ASSERT_TRUE(db.define_query("broken", [](query_context&) -> result<std::vector<runner>> {
    return fail(errc::invalid, "broken");
  }));
  auto token = hear("broken");
  EXPECT_THAT(heard(), ElementsAre("broken"));
}

TEST_F(a_live_list_of_structs, says_what_does_not_fit) {
  auto loose = db.define(schema("loose").key("name", string())).value();
  ASSERT_TRUE(loose.insert({{"name", "x"}, {"points", "many"}}).get());
  ASSERT_TRUE(db.define_query("loose", {.bucket = "loose"}));
  auto token = hear("loose");
  EXPECT_THAT(heard(), ElementsAre("loose.points: \"many\" does not fit the member"));
}

TEST_F(a_live_list_of_structs, sees_what_a_read_filter_leaves) {
  live_options how;
  how.filters["runners"] = f<&runner::points> < 30;
  std::vector<std::string> told_here;
  auto token = db.subscribe(
      "structs", [&](const query_update& now) { told_here.push_back(text(now)); }, how);
  ASSERT_TRUE(token);
  ASSERT_TRUE(db.settle());
  EXPECT_THAT(told_here, ElementsAre("bob20 eve10 | bob20 eve10 | | | "));
}

TEST_F(a_live_list_of_structs, may_have_parameters_in_typed_filters) {
  const auto some =
      f<&runner::points>.between(parameter("least"), 25) && f<&runner::name> != parameter("but");
  ASSERT_TRUE(db.define_query("some", {.bucket = "runners", .what = query{some}}));
  const auto found = db.run("some", {{"least", 10}, {"but", "eve"}}).value();
  EXPECT_EQ(text(found.list<runner>().value()), "bob20 ");
  EXPECT_EQ(db.run("some", {{"least", "many"}, {"but", "eve"}}).error(), errc::invalid_argument);
  EXPECT_EQ(db.run("some", {{"least", 10}}).error(), errc::invalid_argument);
}

} // namespace
} // namespace holdfast
