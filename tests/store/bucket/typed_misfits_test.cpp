// What does not fit a record, or a struct.
#include "typed_members.hpp"

#include <cmath>

namespace holdfast::testing {
namespace {

using namespace std::chrono_literals;

TEST_F(typed_members, that_no_record_can_hold_are_refused) {
  auto refused = [&](auto change) {
    auto item = full();
    change(item);
    auto got = all.insert(item).get();
    return got ? std::vector<std::string>{} : messages(got.error().issues());
  };
  using ::testing::ElementsAre;
  using ::testing::HasSubstr;
  EXPECT_THAT(refused([](auto& x) { x.hits = ~std::uint64_t{0}; }),
              ElementsAre(HasSubstr("everything.hits: ")));
  EXPECT_THAT(refused([](auto& x) { x.role = static_cast<part>(77); }),
              ElementsAre(HasSubstr("everything.role: ")));
  EXPECT_THAT(refused([](auto& x) { x.joined = std::chrono::sys_seconds::max(); }),
              ElementsAre(HasSubstr("everything.joined: ")));
  EXPECT_THAT(refused([](auto& x) { x.born = std::chrono::sys_days::min(); }),
              ElementsAre(HasSubstr("everything.born: ")));
  EXPECT_THAT(refused([](auto& x) { x.lap = std::chrono::duration<float>{NAN}; }),
              ElementsAre(HasSubstr("everything.lap: ")));
  EXPECT_EQ(*all.count().get(), 0u);
}

TEST_F(typed_members, say_with_their_path_what_does_not_fit) {
  EXPECT_THAT(
      messages(misread({{"hits", -1},
                        {"share", 1e300},
                        {"role", "boss"},
                        {"tone", 3},
                        {"joined", 1500},
                        {"seen", INT64_MAX},
                        {"grid", array{array{1}, array{1, 128}}},
                        {"tags", array{"a", nullptr}},
                        {"home", object{{"street", "s"}, {"city", 5}}},
                        {"stays", array{object{{"street", "s"}}}},
                        {"any", array{}},
                        {"list", object{}}})),
      ::testing::ElementsAre(
          "loose.role: \"boss\" is none of guest, member, admin",
          "loose.tone: 3 is none of day, night", "loose.home.city: 5 does not fit the member",
          "loose.home.parts: null does not fit the member",
          "loose.tags[1]: null does not fit the member",
          "loose.grid[1][1]: 128 does not fit the member",
          "loose.stays[0].city: null does not fit the member",
          "loose.stays[0].parts: null does not fit the member",
          "loose.joined: 1500 does not fit the member",
          "loose.seen: 9223372036854775807 does not fit the member",
          "loose.hits: -1 does not fit the member", "loose.share: 1e+300 does not fit the member",
          "loose.any: [] does not fit the member", "loose.list: {} does not fit the member"));
}

TEST_F(typed_members, take_what_fits_from_a_looser_bucket) {
  EXPECT_TRUE(misread({{"seen", nullptr}, {"share", 3}, {"hits", 2.0}, {"surplus", 1}}).empty());
}

} // namespace
} // namespace holdfast::testing
