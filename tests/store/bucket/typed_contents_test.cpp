// Keys and contents of single members that a typed handle is given: what does not fit is refused,
// and what nobody gave is left as it is.
#include <holdfast/store/store.hpp>

#include <gmock/gmock.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast_tests {

struct shop {
  std::string city;
};
struct crate {
  std::int64_t id = 0;
  std::string label;
  std::optional<std::string> note{};
  std::optional<int> weight{};
  std::int8_t level = 0;
  std::uint8_t floor = 0;
  float share = 0;
  double value = 0;
  std::chrono::duration<std::int32_t> lasts{};
  std::optional<std::chrono::sys_seconds> due{};
  shop at{};
};

} // namespace holdfast_tests

template <>
inline constexpr auto holdfast::mapping<holdfast_tests::shop> =
    holdfast::map_object<holdfast_tests::shop>(field<&holdfast_tests::shop::city>());
template <>
inline constexpr auto
    holdfast::mapping<holdfast_tests::crate> = holdfast::map_to<holdfast_tests::crate>(
        "crates", key<&holdfast_tests::crate::id>(), field<&holdfast_tests::crate::label>(),
        field<&holdfast_tests::crate::note>(), field<&holdfast_tests::crate::weight>(),
        field<&holdfast_tests::crate::level>(maximum(1000)),
        field<&holdfast_tests::crate::floor>(minimum(-5), maximum(100)),
        field<&holdfast_tests::crate::share>(), field<&holdfast_tests::crate::value>(),
        field<&holdfast_tests::crate::lasts>(), field<&holdfast_tests::crate::due>(),
        field<&holdfast_tests::crate::at>());

namespace holdfast {
namespace {

using holdfast_tests::crate;
using ::testing::ElementsAre;

struct typed_contents : ::testing::Test {
  store db = store::start().value();
  bucket<crate> crates = db.define<crate>().value();

  void SetUp() override {
    ASSERT_TRUE(crates.insert({.id = 1, .label = "one", .weight = 2, .level = 3}).get());
    ASSERT_TRUE(crates.insert({.id = -1, .label = "minus one"}).get());
  }
  template <class Change>
  std::vector<std::string> issues(const Change& change) {
    std::vector<std::string> out;
    const auto before = crates.plain().get(1).get()->to_string();
    if (auto refused = crates.update(1, change).get(); !refused)
      for (auto& i : refused.error().issues())
        out.push_back(i.field + " " + i.code);
    EXPECT_EQ(crates.plain().get(1).get()->to_string(), before) << "nothing is changed";
    return out;
  }
};

/// Was cut off: 4294967298 became 2, and a million hours a negative number of seconds.
TEST_F(typed_contents, that_the_member_cannot_hold_are_refused) {
  const std::int64_t far = (std::int64_t{1} << 32) + 2;
  EXPECT_THAT(issues(set<&crate::weight>(far)), ElementsAre("weight max"));
  EXPECT_THAT(issues(set<&crate::weight>(-far)), ElementsAre("weight min"));
  EXPECT_THAT(issues(set<&crate::weight>(std::optional{far})), ElementsAre("weight max"));
  EXPECT_THAT(issues(set<&crate::weight>(~std::uint64_t{0})), ElementsAre("weight type"));
  EXPECT_THAT(issues(set<&crate::level>(300)), ElementsAre("level max"));
  EXPECT_THAT(issues(set<&crate::lasts>(std::chrono::hours{1'000'000})), ElementsAre("lasts max"));
  EXPECT_EQ(crates.update_many({}, set<&crate::weight>(far)).get().error(), errc::invalid);
}

TEST_F(typed_contents, may_be_of_every_type_that_says_the_same) {
  auto stored = crates
                    .update(1, set<&crate::label>(std::string_view{"new"}),
                            set<&crate::note>(std::string_view{"n"}),
                            set<&crate::weight>(std::optional<std::uint64_t>{8}),
                            set<&crate::level>(7L), set<&crate::lasts>(std::chrono::hours{1}),
                            set<&crate::due>(std::chrono::sys_days{}), set<&crate::at>({"Brno"}),
                            set<&crate::value>((std::int64_t{1} << 53) + 1))
                    .get()
                    .value();
  EXPECT_EQ(stored.label, "new");
  EXPECT_EQ(stored.note, "n");
  EXPECT_EQ(stored.weight, 8);
  EXPECT_EQ(stored.level, 7);
  EXPECT_EQ(stored.lasts.count(), 3600);
  EXPECT_EQ(stored.due, std::chrono::sys_seconds{});
  EXPECT_EQ(stored.at.city, "Brno");
  EXPECT_EQ(*crates.count(f<&crate::value> == (std::int64_t{1} << 53) + 1).get(), 1u) << "exactly";
  stored = crates
               .update(1, set<&crate::note>(nullptr), set<&crate::weight>(std::nullopt),
                       set<&crate::due>(std::optional<std::chrono::sys_days>{}))
               .get()
               .value();
  EXPECT_FALSE(stored.note || stored.weight || stored.due);
}

/// `maximum(1000)` on an int8 took the place of the member's own bound: 300 was stored, and could
/// not be read.
TEST_F(typed_contents, have_the_bounds_of_their_type_whatever_the_mapping_adds) {
  const auto fields = db.bucket_schema("crates")->fields();
  const auto of = [&](std::string_view name) {
    return std::ranges::find(fields, name, &field_definition::name)->options;
  };
  EXPECT_EQ(of("level").max, value{127});
  EXPECT_EQ(of("level").min, value{-128});
  EXPECT_EQ(of("floor").min, value{0});
  EXPECT_EQ(of("floor").max, value{100});
}

/// `get(1.9)` read record 1, and `get(~0ull)` record -1.
TEST_F(typed_contents, of_keys_are_integers_of_any_type) {
  EXPECT_EQ(crates.get(std::uint8_t{1}).get()->label, "one");
  EXPECT_EQ(crates.get(-1L).get()->label, "minus one");
  EXPECT_EQ(crates.get(~std::uint64_t{0}).get().error(), errc::not_found);
  EXPECT_EQ(crates.erase(~std::uint64_t{0}).get().error(), errc::not_found);
  EXPECT_FALSE(crates.contains(std::uint64_t{1} << 63));
}

/// The whole struct was written back, in the form in which it holds things.
TEST_F(typed_contents, that_modify_leaves_alone_stay_what_they_were) {
  ASSERT_TRUE(crates.plain()
                  .update(1, {{"share", 0.1},
                              {"value", (std::int64_t{1} << 53) + 1},
                              {"at", object{{"city", "Brno"}, {"street", "Long"}}}})
                  .get());
  ASSERT_TRUE(crates.modify(1, [](crate& c) { c.label = "x"; }));
  const auto now = crates.plain().get(1).get().value();
  EXPECT_EQ(now["label"], value_view{"x"});
  EXPECT_EQ(now["share"], value_view{0.1});
  EXPECT_EQ(now["value"], value_view{(std::int64_t{1} << 53) + 1});
  EXPECT_EQ(now["at"]["street"], value_view{"Long"});
  ASSERT_TRUE(crates.modify(1, [](crate& c) {
    c.weight.reset();
    c.share = 2;
  }));
  EXPECT_TRUE((*crates.plain().get(1).get())["weight"].is_null());
  EXPECT_EQ(crates.get(1).get()->share, 2);
  EXPECT_EQ(crates.modify(1, [](crate& c) { c.id = 7; }).error(), errc::invalid) << "the key stays";
}

} // namespace
} // namespace holdfast
