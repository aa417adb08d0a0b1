// What a full bucket lets go: how much it looks at, and in which order.
#include "driver.hpp"

#include <holdfast/store/detail/evictor.hpp>

#include <algorithm>
#include <map>
#include <optional>
#include <string>

namespace holdfast::testing {
namespace {

using namespace detail;

/// A full bucket of which others keep some records.
struct a_search : ::testing::Test {
  driver d{1};
  evictor keeper{1000, evict::oldest};
  std::map<std::uint64_t, std::int64_t> kept; ///< rows, and until when
  std::int64_t now = 100;
  std::size_t looks = 0;

  void insert(int n) {
    for (int i = 0; i < n; ++i)
      d.data_.insert(
          make_block(d.data_.memory(), {"key-" + std::to_string(made_++), {}, {}, {}, {}}));
    d.data_.seal();
  }
  auto kept_until() {
    return [this](const record_block& each) -> std::optional<std::int64_t> {
      ++looks;
      auto found = kept.find(each.row);
      return found == kept.end() ? std::nullopt : std::optional{found->second};
    };
  }
  void keep(std::uint64_t from, std::uint64_t to, std::int64_t until = evictor::always) {
    for (auto row = from; row < to; ++row)
      kept[row] = until;
  }
  void release(std::uint64_t row) {
    kept.erase(row);
    keeper.release(*d.data_.head(row));
  }
  /// The row that one more record would push out; nothing if it is none.
  std::optional<std::uint64_t> let_go() {
    looks = 0;
    evictor::search search{keeper, d.data_, now};
    auto* found = search.next(kept_until());
    if (!found)
      return std::nullopt;
    d.data_.erase(found);
    d.data_.seal();
    return found->row;
  }

private:
  int made_ = 0;
};

TEST_F(a_search, looks_at_what_is_kept_once) {
  insert(1000);
  keep(0, 900);
  EXPECT_EQ(let_go(), 900u);
  EXPECT_EQ(looks, 901u);
  for (std::uint64_t row = 901; row < 2000; ++row) {
    insert(1);
    ASSERT_EQ(let_go(), row);
    ASSERT_EQ(looks, 1u);
  }
}

TEST_F(a_search, looks_at_what_was_released_where_it_stood) {
  insert(1000);
  keep(0, 3);
  EXPECT_EQ(let_go(), 3u);
  release(1);
  release(500); // which it had not come to
  EXPECT_EQ(let_go(), 1u);
  EXPECT_EQ(let_go(), 4u);
  keep(5, 1000);
  EXPECT_EQ(let_go(), std::nullopt);
  EXPECT_EQ(let_go(), std::nullopt);
  EXPECT_EQ(looks, 0u);
  release(777);
  EXPECT_EQ(let_go(), 777u);
  EXPECT_EQ(looks, 1u);
  kept.erase(600);
  EXPECT_EQ(let_go(), std::nullopt) << "nobody said so";
  keeper.release_all();
  EXPECT_EQ(let_go(), 600u);
  EXPECT_EQ(let_go(), std::nullopt) << "all were kept again";
}

TEST_F(a_search, comes_back_when_the_deadline_has_come_of_what_keeps_a_record) {
  insert(10);
  keep(0, 2, 200);
  keep(2, 4, 300);
  keep(4, 10);
  EXPECT_EQ(let_go(), std::nullopt);
  now = 199;
  EXPECT_EQ(let_go(), std::nullopt);
  now = 200;
  keep(0, 1, 400); // by another one
  kept.erase(1);
  EXPECT_EQ(let_go(), 1u);
  EXPECT_EQ(let_go(), std::nullopt);
  now = 500;
  kept.erase(0);
  kept.erase(2);
  kept.erase(3);
  for (std::uint64_t row : {0u, 2u, 3u})
    EXPECT_EQ(let_go(), row);
  EXPECT_EQ(let_go(), std::nullopt);
}

TEST_F(a_search, leaves_in_front_what_its_own_commit_keeps) {
  insert(10);
  keep(0, 1, now);
  EXPECT_EQ(let_go(), 1u);
  EXPECT_EQ(looks, 2u);
  kept.clear();
  EXPECT_EQ(let_go(), 0u);
}

TEST_F(a_search, whose_commit_was_rolled_back_lets_the_same_go_again) {
  insert(10);
  keep(0, 1);
  keep(2, 3);
  for (int i = 0; i < 3; ++i) {
    evictor::search search{keeper, d.data_, now};
    for (std::uint64_t row : {1u, 3u, 4u}) {
      auto* found = search.next(kept_until());
      ASSERT_TRUE(found);
      EXPECT_EQ(found->row, row);
    }
  }
}

TEST_F(a_search, forgets_what_is_gone_for_good) {
  insert(3000);
  keep(0, 3000);
  EXPECT_EQ(let_go(), std::nullopt);
  d.data_.clear();
  d.data_.seal();
  EXPECT_TRUE(keeper.keeps_any());
  insert(1);
  EXPECT_EQ(let_go(), 3000u);
  EXPECT_FALSE(keeper.keeps_any());
}

/// Found in review: what was kept again and again was queued as often.
TEST_F(a_search, has_each_row_once_however_often_it_is_kept_and_released) {
  insert(3);
  keep(0, 2);
  for (int i = 0; i < 5; ++i) {
    auto* first = d.data_.head(0);
    keeper.keep(*first, evictor::always);
    keeper.release(*first);
  }
  kept.erase(0);
  EXPECT_EQ(let_go(), 0u);
  EXPECT_EQ(let_go(), 2u);
  EXPECT_EQ(looks, 2u);
}

TEST_F(a_search, goes_on_where_the_expired_are_kept_but_not_past_what_was_rolled_back) {
  keeper.begin_expiry();
  keeper.expired_kept({50, 3});
  keeper.rollback();
  EXPECT_EQ(keeper.expired_kept(), detail::deadline_place{});
  keeper.begin_expiry();
  keeper.expired_kept({50, 3});
  keeper.begin_expiry();
  keeper.expired_kept({60, 5});
  keeper.rollback();
  EXPECT_EQ(keeper.expired_kept(), (detail::deadline_place{50, 3}));
}

} // namespace
} // namespace holdfast::testing
