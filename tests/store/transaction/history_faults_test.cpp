// Faults that are planted into a recorded history: what the same transactions would have seen on a
// store that does one thing wrong. The checks must find each, and say what it was.
#include "history_faults.hpp"
#include "history_workloads.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <random>

namespace holdfast::testing {
namespace {

using fault_kind = store_fault::what;
using ::testing::IsEmpty;

history recorded(std::uint64_t seed) {
  return serial(run_history({.transactions = 50, .seed = seed, .interleaved = true}));
}

TEST(a_recorded_history, is_what_a_store_without_faults_shows) {
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    auto ran = recorded(seed);
    EXPECT_THAT(differences(ran, rerun(ran, std::nullopt)), IsEmpty());
    EXPECT_FALSE(find_fault(ran));
  }
}

/// Whether anybody could tell: a read or an answer that was another one; of a commit, more than one
/// read, which would explain it by itself, and something else than if more or less of it were lost.
/// Who else would have been refused, or not, then went another way, which nobody knows.
bool shows(const history& ran, const store_fault& f, const history& faulty) {
  for (std::size_t i = 0; i < ran.all.size(); ++i)
    if (i != f.at && ran.all[i].refused != faulty.all[i].refused)
      return false;
  const auto seen = differences(ran, faulty).size();
  const bool torn = f.kind == fault_kind::torn_commit;
  if (!torn && f.kind != fault_kind::lost_commit)
    return seen > 0;
  for (bool right : {false, true}) {
    const store_fault other{torn ? fault_kind::lost_commit : fault_kind::torn_commit, f.at, 0,
                            right};
    if (differences(rerun(ran, other), faulty).empty())
      return false;
  }
  return seen > 1;
}

/// Some of the faults of that kind that a history may have, in any order.
template <class Wanted>
std::vector<store_fault> some_faults(const history& ran, fault_kind kind, Wanted&& wanted) {
  auto all = possible_faults(ran);
  std::erase_if(all, [&](const store_fault& f) { return f.kind != kind || !wanted(f); });
  std::mt19937_64 random{7};
  std::ranges::shuffle(all, random);
  return all;
}

struct a_planted_fault : ::testing::TestWithParam<fault_kind> {};

TEST_P(a_planted_fault, is_found_and_called_by_its_name) {
  std::size_t planted = 0;
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    const auto ran = recorded(seed);
    for (auto& f : some_faults(ran, GetParam(), [](auto&) { return true; })) {
      const auto faulty = rerun(ran, f);
      if (!shows(ran, f, faulty))
        continue;
      // Who only reads may see what there was at any moment meanwhile.
      EXPECT_TRUE(!ran.all[f.at].wrote() || find_anomaly(faulty)) << to_string(f);
      auto found = find_fault(faulty);
      ASSERT_TRUE(found) << to_string(f);
      EXPECT_EQ(found->kind, f.kind) << to_string(f) << " is taken for " << to_string(*found);
      if (++planted == 8)
        return;
    }
  }
  FAIL() << "only " << planted << " were tried";
}

INSTANTIATE_TEST_SUITE_P(all, a_planted_fault,
                         ::testing::Values(fault_kind::torn_commit, fault_kind::lost_commit,
                                           fault_kind::stale_read, fault_kind::phantom,
                                           fault_kind::shared_value, fault_kind::false_duplicate));

/// How many of the planted faults of that kind the check finds, and whether it says why.
void expect_called(fault_kind kind, const std::string& why) {
  std::size_t planted = 0;
  for (std::uint64_t seed = 1; seed <= 8 && planted < 8; ++seed) {
    const auto ran = recorded(seed);
    for (auto& f : some_faults(ran, kind, [](auto&) { return true; })) {
      const auto faulty = rerun(ran, f);
      if (!shows(ran, f, faulty))
        continue;
      EXPECT_THAT(find_anomaly(faulty).value_or(""), ::testing::HasSubstr(why)) << to_string(f);
      ++planted;
    }
  }
  EXPECT_GE(planted, 8U);
}

TEST(a_unique_value, of_two_records_is_found) {
  expect_called(fault_kind::shared_value, "gave one unique value to two records");
}

TEST(a_duplicate, that_nobody_else_has_is_found) {
  expect_called(fault_kind::false_duplicate, "was refused as it would have been at no moment");
}

/// Whether a check that knows nothing of commit numbers finds one of the faults of that kind in
/// what transactions saw of such records.
template <class Check, class Wanted>
bool finds_one(Check&& check, fault_kind kind, Wanted&& wanted) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    const auto ran = serial(run_history({.transactions = 150, .seed = seed, .interleaved = true}));
    EXPECT_FALSE(check(ran)) << "seed " << seed;
    for (auto& f : some_faults(ran, kind, [&](auto& each) { return wanted(ran.all[each.at]); }))
      if (check(rerun(ran, f)))
        return true;
  }
  return false;
}

auto with_keys_from(std::int64_t least) {
  return [least](const done_transaction& t) { return t.steps.front().key >= least; };
}

TEST(a_stale_read, of_a_list_makes_a_cycle) {
  auto check = [](const history& ran) { return !find_cycle(ran).empty(); };
  auto lists = [](const done_transaction& t) {
    return std::ranges::any_of(t.steps, [](auto& s) { return s.gave.find(",\"") != s.gave.npos; });
  };
  EXPECT_TRUE(finds_one(check, fault_kind::stale_read, lists));
}

TEST(a_stale_read, of_an_account_misses_money) {
  auto check = [](const history& ran) { return find_lost_money(ran).has_value(); };
  EXPECT_TRUE(finds_one(check, fault_kind::stale_read, with_keys_from(account_keys.front())));
}

TEST(a_stale_read, of_the_ring_breaks_it) {
  auto check = [](const history& ran) { return find_broken_ring(ran).has_value(); };
  EXPECT_TRUE(finds_one(check, fault_kind::stale_read, with_keys_from(node_keys.front())));
}

TEST(a_torn_commit, of_the_bank_misses_money) {
  auto check = [](const history& ran) { return find_lost_money(ran).has_value(); };
  EXPECT_TRUE(finds_one(check, fault_kind::torn_commit, with_keys_from(account_keys.front())));
}

} // namespace
} // namespace holdfast::testing
