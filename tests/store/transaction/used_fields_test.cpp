// Of the records that it reads, a transaction depends on the fields that it uses.
#include "transaction_fixture.hpp"

#include <functional>

namespace holdfast::testing {
namespace {

struct use_of_fields {
  const char* name;
  std::function<void(const bucket<>&)> read;
  bool uses_owner;
  bool uses_balance;
};

std::vector<use_of_fields> uses_of_fields() {
  const auto all = [](auto& b) { return b.where("id"_f <= 3); };
  return {
      {"records", [=](auto& b) { (void)all(b).all().get(); }, true, true},
      {"a count", [=](auto& b) { (void)all(b).count().get(); }, false, false},
      {"a sum", [=](auto& b) { (void)all(b).sum("balance").get(); }, false, true},
      {"a mean", [=](auto& b) { (void)all(b).avg("balance").get(); }, false, true},
      {"a least value", [=](auto& b) { (void)all(b).min("owner").get(); }, true, false},
      {"a greatest value", [=](auto& b) { (void)all(b).max("balance").get(); }, false, true},
      {"groups", [=](auto& b) { (void)all(b).group_by({"owner"}, {aggregate::count()}).get(); },
       true, false},
      {"numbers of groups",
       [=](auto& b) { (void)all(b).group_by({"id"}, {aggregate::sum("balance")}).get(); }, false,
       true},
      {"objects",
       [=](auto& b) {
         (void)all(b).fields({"id", "owner"}).objects().get();
       },
       true, false},
      {"objects in an order",
       [=](auto& b) { (void)all(b).fields({"owner"}).order_by("balance").objects().get(); }, true,
       true},
      {"a sum of the first ones of an order",
       [=](auto& b) { (void)all(b).order_by("owner").limit(2).sum("balance").get(); }, true, true},
      {"a sum of the first ones", [=](auto& b) { (void)all(b).limit(2).sum("balance").get(); },
       false, true},
      {"whole objects", [=](auto& b) { (void)all(b).objects().get(); }, true, true},
  };
}

TEST_F(a_transaction, conflicts_with_changes_of_the_fields_that_it_used) {
  for (const auto& each : uses_of_fields())
    for (const auto* field : {"owner", "balance"}) {
      std::int64_t now = 0;
      const auto done = run(
          [&](transaction& tx) {
            each.read(tx.in(accounts));
            const auto change = std::string{field} == "owner" ? value{"someone"} : value{++now};
            ASSERT_TRUE(accounts.update(2, {{field, change}}).get());
            ASSERT_TRUE(tx.in(orders).insert({{"what", "x"}}).get());
          },
          {.retries = 0, .exclusive_retries = 0});
      const auto uses = std::string{field} == "owner" ? each.uses_owner : each.uses_balance;
      EXPECT_EQ(!done, uses) << each.name << ", " << field;
      if (!done) {
        EXPECT_EQ(done.error(), errc::conflict) << done.error().to_string();
      }
      ASSERT_TRUE(accounts.update(2, {{"owner", "B"}, {"balance", 200}}).get());
    }
}

/// Runs a transaction of so many counts, of which none is touched by a commit amid its first run.
template <class Count>
int runs_of(a_transaction& in, int counts, Count&& count) {
  int runs = 0;
  const auto done = in.run([&](transaction& tx) {
    for (int i = 0; i < counts; ++i)
      (void)count(tx.in(in.accounts), i);
    if (++runs == 1) {
      EXPECT_TRUE(in.accounts.update(2, {{"balance", 200}}).get());
    }
    EXPECT_TRUE(tx.in(in.orders).insert({{"what", "x"}}).get());
  });
  EXPECT_TRUE(done) << done.error().to_string();
  return runs;
}

TEST_F(a_transaction, tells_the_commits_of_others_apart_by_so_many_queries) {
  const auto other = [](const bucket<>& b, int i) { return b.count("balance"_f == -1 - i).get(); };
  EXPECT_EQ(runs_of(*this, 1'000, other), 1);
  EXPECT_EQ(runs_of(*this, 5'000, other), 2) << "past the limit all of the bucket is read";
  const auto same = [](const bucket<>& b, int) { return b.count("balance"_f < 0).get(); };
  EXPECT_EQ(runs_of(*this, 5'000, same), 1) << "it is one";
}

} // namespace
} // namespace holdfast::testing
