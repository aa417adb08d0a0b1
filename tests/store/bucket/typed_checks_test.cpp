// Checks of the user's own in the mapping of a struct, and writes with options through it.
#include <holdfast/store/store.hpp>

#include <gmock/gmock.h>

namespace holdfast_tests {

enum class size : std::uint8_t { small, large };
struct parcel {
  std::string id;
  size kind = size::small;
  std::optional<int> weight{};
  std::vector<std::string> labels{};
};

} // namespace holdfast_tests

template <>
inline constexpr auto
    holdfast::mapping<holdfast_tests::parcel> = holdfast::map_to<holdfast_tests::parcel>(
        "parcels", key<&holdfast_tests::parcel::id>(),
        field<&holdfast_tests::parcel::kind>(
            validate([](value_view kind, const record_input& whole) -> std::optional<std::string> {
              if (kind == value_view{"small"} && whole["weight"] > value_view{10})
                return "a small one is not that heavy";
              return std::nullopt;
            })),
        field<&holdfast_tests::parcel::weight>(
            validate([](const int& kg) -> std::optional<std::string> {
              return kg % 2 == 0 ? std::nullopt : std::optional<std::string>{"is odd"};
            })),
        field<&holdfast_tests::parcel::labels>(
            items(validate([](const std::string& text) -> std::optional<std::string> {
              return text == "no" ? std::optional<std::string>{"is no label"} : std::nullopt;
            }))),
        validate_record([](const record_input& whole) -> std::vector<std::string> {
          return whole.key() == value_view{"none"} ? std::vector<std::string>{"none is no parcel"}
                                                   : std::vector<std::string>{};
        }));

namespace holdfast {
namespace {

using namespace std::chrono_literals;
using holdfast_tests::parcel;
using holdfast_tests::size;
using ::testing::ElementsAre;

struct typed_checks : ::testing::Test {
  store db = store::start().value();
  bucket<parcel> parcels = db.define<parcel>().value();

  static std::vector<std::string> issues(const result<parcel>& of) {
    std::vector<std::string> out;
    if (!of)
      for (auto& i : of.error().issues())
        out.push_back(i.field + " " + i.code);
    return out;
  }
};

TEST_F(typed_checks, see_the_member_or_the_whole_record) {
  EXPECT_TRUE(parcels.insert({"a", size::small, 10, {"yes"}}).get());
  EXPECT_TRUE(parcels.insert({"b"}).get()) << "what is not there is not checked";
  EXPECT_THAT(issues(parcels.insert({"c", size::large, 11}).get()), ElementsAre("weight custom"));
  EXPECT_THAT(issues(parcels.insert({"c", size::small, 12}).get()), ElementsAre("kind custom"));
  EXPECT_THAT(issues(parcels.insert({"c", size::large, 2, {"yes", "no"}}).get()),
              ElementsAre("labels[1] custom"));
  EXPECT_THAT(issues(parcels.insert({"none"}).get()), ElementsAre("_record custom"));
  EXPECT_THAT(issues(parcels.update("a", set<&parcel::weight>(12)).get()),
              ElementsAre("kind custom"));
  EXPECT_EQ(*parcels.count().get(), 2u);
}

TEST_F(typed_checks, of_many_take_write_options) {
  ASSERT_TRUE(parcels.insert_many({{"a", size::small, 2}, {"b", size::small, 4}}).get());
  EXPECT_EQ(*parcels.update_many({}, {.expires_in = 1h}, set<&parcel::kind>(size::large)).get(),
            2u);
  EXPECT_TRUE(parcels.plain().get("a").get()->expires_at());
  EXPECT_EQ(*parcels.update_many(f<&parcel::weight> == 2, set<&parcel::weight>(8)).get(), 1u);
  EXPECT_EQ(parcels.get("a").get()->weight, 8);
}

} // namespace
} // namespace holdfast
