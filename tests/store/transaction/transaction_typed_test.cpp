// Transactions over structs.
#include "transaction_fixture.hpp"

#include <optional>

namespace holdfast {
namespace {

struct pet {
  std::string name;
  std::int64_t age = 0;
  std::optional<std::string> owner;
  std::optional<std::string> kind = {};
};

} // namespace

template <>
inline constexpr auto mapping<pet> = map_to<pet>("pets", key<&pet::name>(), field<&pet::age>(),
                                                 field<&pet::owner>(),
                                                 field<&pet::kind>(otherwise("dog")));

namespace testing {
namespace {

TEST_F(a_transaction, takes_and_gives_structs) {
  auto pets = std::move(*db.define<pet>());
  ASSERT_TRUE(pets.insert({"Rex", 3, "Ann"}).get());
  auto ages = db.transact([&](transaction& tx) -> result<std::int64_t> {
    auto mine = tx.bucket<pet>();
    EXPECT_TRUE(mine->insert({"Tom", 5, std::nullopt}).get());
    EXPECT_TRUE(tx.in(pets).update("Rex", set<&pet::age>(4)).get());
    std::int64_t sum = 0;
    auto old = mine->where(f<&pet::age> >= 4).all().get().value();
    for (auto& each : old)
      sum += each.age;
    return sum;
  });
  EXPECT_EQ(ages.value(), 9);
  auto older = pets.modify("Rex", [](pet& p) {
    ++p.age;
    p.owner.reset();
    EXPECT_EQ(p.kind, "dog");
    p.kind.reset(); // which an insert would fill in
  });
  ASSERT_TRUE(older) << older.error().to_string();
  EXPECT_EQ(older->age, 5);
  EXPECT_FALSE(pets.get("Rex").get()->owner);
  EXPECT_FALSE(pets.get("Rex").get()->kind);
}

} // namespace
} // namespace testing
} // namespace holdfast
