// What a typed handle can do besides what typed_bucket_test.cpp shows: all that a plain one can.
#include <holdfast/store/store.hpp>

#include <gmock/gmock.h>

#include <string>
#include <vector>

namespace holdfast_tests {

struct stay {
  std::string place;
  int minute = 0;
};

} // namespace holdfast_tests

template <>
inline constexpr auto
    holdfast::mapping<holdfast_tests::stay> = holdfast::map_to<holdfast_tests::stay>(
        "stays", holdfast::key<&holdfast_tests::stay::place>(),
        holdfast::field<&holdfast_tests::stay::minute>(holdfast::indexed));

namespace holdfast {
namespace {

using holdfast_tests::stay;
using ::testing::ElementsAre;

struct a_typed_handle : ::testing::Test {
  manual_clock clock;
  store db = start();
  bucket<stay> stays = std::move(*db.define<stay>());

  store start() {
    store_options options;
    options.runtime_settings.clock = &clock;
    return std::move(*store::start(std::move(options)));
  }
  void SetUp() override {
    for (int i = 0; i < 5; ++i)
      ASSERT_TRUE(stays.insert({.place = std::string(1, char('a' + i)), .minute = 10 * i}).get());
  }
  static std::vector<int> minutes(const std::vector<stay>& list) {
    std::vector<int> out;
    for (auto& each : list)
      out.push_back(each.minute);
    return out;
  }
};

TEST_F(a_typed_handle, walks_by_pages) {
  const auto in_order = stays.everything().order_by(f<&stay::minute>, direction::descending);
  const auto first = in_order.page_of(2).get();
  ASSERT_TRUE(first) << first.error().to_string();
  EXPECT_THAT(minutes(first->items), ElementsAre(40, 30));
  const auto second = in_order.page_of(3, first->next).get();
  ASSERT_TRUE(second) << second.error().to_string();
  EXPECT_THAT(minutes(second->items), ElementsAre(20, 10, 0));
  EXPECT_FALSE(second->next);
}

TEST_F(a_typed_handle, gives_the_last_ones) {
  EXPECT_THAT(minutes(*stays.last(2).get()), ElementsAre(30, 40));
  EXPECT_THAT(minutes(*stays.where(f<&stay::minute> < 30).last(1).get()), ElementsAre(20));
}

TEST_F(a_typed_handle, says_how_it_would_be_answered) {
  const auto how = stays.where(f<&stay::minute> == 20).explain();
  ASSERT_TRUE(how) << how.error().to_string();
  EXPECT_THAT(how->indexes, ElementsAre("minute"));
}

TEST_F(a_typed_handle, puts_in_or_over) {
  EXPECT_EQ(stays.upsert({.place = "a", .minute = 7}).get()->minute, 7);
  EXPECT_EQ(stays.upsert({.place = "z", .minute = 8}).get()->place, "z");
  EXPECT_EQ(*stays.count().get(), 6u);
}

TEST_F(a_typed_handle, moves_a_deadline) {
  const auto touched = stays.touch("b", {.expires_in = std::chrono::seconds{10}}).get();
  ASSERT_TRUE(touched) << touched.error().to_string();
  EXPECT_EQ(touched->minute, 10);
  clock.advance(std::chrono::seconds{20});
  EXPECT_EQ(stays.get("b").get().error(), errc::not_found);
}

TEST_F(a_typed_handle, reads_a_snapshot_and_writes_at_a_level) {
  const auto before = db.snapshot();
  const auto quick = stays.with(durability::none); // in memory all levels are one
  EXPECT_EQ(*quick.clear().get(), 5u);
  EXPECT_EQ(*stays.count().get(), 0u);
  EXPECT_EQ(stays.at(before).get("c").get()->minute, 20);
  EXPECT_EQ(*stays.at(before).count().get(), 5u);
}

} // namespace
} // namespace holdfast
