// Identifiers come from the runtime's randomness: who injects it gets the same ones again.
#include <holdfast/store/store.hpp>

#include <gmock/gmock.h>

#include <string>
#include <vector>

namespace holdfast {
namespace {

using ::testing::Contains;
using ::testing::Not;
using ::testing::SizeIs;

/// The identifiers that a store with this seed makes, in plain writes and in a transaction.
std::vector<std::string> identifiers(std::uint64_t seed) {
  seeded_random random{seed};
  manual_clock clock;
  store_options options;
  options.runtime_settings = {.clock = &clock, .random = &random};
  auto db = store::start(std::move(options)).value();
  auto things = db.define(schema("things")
                              .key("id", string().generated(uuid))
                              .field("c", string().generated(cuid)))
                    .value();
  std::vector<std::string> out;
  auto keep = [&](const result<record>& r) {
    ASSERT_TRUE(r) << r.error().to_string();
    out.emplace_back(r->key().as_string());
    out.emplace_back((*r)["c"].as_string());
  };
  for (int i = 0; i < 3; ++i)
    keep(things.insert({}).get());
  EXPECT_TRUE(db.transact([&](transaction& tx) -> result<void> {
    keep(tx.in(things).insert({}).get());
    return {};
  }));
  return out;
}

TEST(stores_with_their_own_randomness, make_the_same_identifiers_from_the_same_seed) {
  const auto first = identifiers(7);
  EXPECT_THAT(first, SizeIs(8));
  EXPECT_EQ(identifiers(7), first);
}

TEST(stores_with_their_own_randomness, make_others_from_another_seed) {
  const auto first = identifiers(7);
  for (auto& id : identifiers(8))
    EXPECT_THAT(first, Not(Contains(id)));
}

} // namespace
} // namespace holdfast
