// Filters asked of single records, which come with events or from elsewhere. That they say what a
// query says is a law of law_test.cpp.
#include <holdfast/store/bridge.hpp>
#include <holdfast/store/matches.hpp>
#include <holdfast/store/store.hpp>

#include <gmock/gmock.h>

#include <vector>

namespace holdfast::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct matches_of_a_record : ::testing::Test {
  store db = store::start().value();
  bucket<> users = db.define(schema("users")
                                 .key("id", string())
                                 .field("age", integer())
                                 .field("address", object_of().property("city", string())))
                       .value();
};

TEST_F(matches_of_a_record, ask_what_where_asks) {
  const auto ada =
      users.insert({{"id", "ada"}, {"age", 36}, {"address", object{{"city", "London"}}}, {"x", 1}})
          .get()
          .value();
  const std::pair<filter, bool> table[] = {{filter{}, true},
                                           {!filter{}, false},
                                           {"age"_f >= 36, true},
                                           {"age"_f > 36, false},
                                           {"address.city"_f == "London", true},
                                           {"age"_f == 36.0, true},
                                           {"address.zip"_f == nullptr, true},
                                           {"age"_f < 20 || "id"_f == "ada", true}};
  for (auto& [which, expected] : table) {
    EXPECT_EQ(matches(which, ada), expected) << which.to_string();
    EXPECT_EQ(users.where(which).count().get(), expected ? 1U : 0U);
  }
  ASSERT_TRUE(users.erase("ada").get());
  EXPECT_EQ(matches("age"_f == 36, ada), true) << "the record as it is here";
}

TEST_F(matches_of_a_record, refuse_what_where_refuses) {
  const auto ada = users.insert({{"id", "ada"}}).get().value();
  for (const auto& which :
       {"age"_f == "old", filter::starts_with("age", "3"),
        filter::compare("age", filter::kind::lt, nullptr), filter{"age"_f == parameter("age")}}) {
    const auto asked = users.where(which).count().get();
    const auto said = matches(which, ada);
    ASSERT_FALSE(said) << which.to_string();
    EXPECT_EQ(said.error(), errc::invalid_argument);
    ASSERT_FALSE(asked);
    EXPECT_EQ(said.error().to_string(), asked.error().to_string());
  }
  const auto empty = matches(filter{}, record{});
  ASSERT_FALSE(empty);
  EXPECT_THAT(empty.error().to_string(), HasSubstr("empty"));
}

TEST_F(matches_of_a_record, choose_what_a_bridge_forwards) {
  std::vector<std::string> got;
  auto to = [&](const std::string&, const object& data) {
    got.push_back(std::string{data.find("key")->as_string()});
  };
  bridge_options options;
  options.filter = [](const change& c) {
    return c.after && matches("age"_f >= 18, c.after).value_or(false);
  };
  auto grown_ups = bridge::connect(db, to, std::move(options)).value();
  for (auto& [id, age] : {std::pair{"ada", 36}, {"tim", 7}, {"bob", 18}})
    ASSERT_TRUE(users.insert({{"id", id}, {"age", age}}).get());
  while (grown_ups.counters().forwarded + grown_ups.counters().filtered < 3)
    std::this_thread::yield();
  grown_ups.disconnect();
  EXPECT_THAT(got, ElementsAre("ada", "bob"));
  EXPECT_EQ(grown_ups.counters().filtered, 1U);
}

} // namespace
} // namespace holdfast::testing
