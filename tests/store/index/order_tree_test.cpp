#include "blocks.hpp"

#include <holdfast/store/detail/order_cursor.hpp>

#include <gmock/gmock.h>

#include <algorithm>
#include <limits>
#include <random>
#include <set>

namespace holdfast::testing {
namespace {

using namespace detail;

/// Values that meet: few numbers, many texts with equal beginnings, the edges of the exact ranges.
cell random_value(index_kind kind, std::mt19937_64& random) {
  const auto below = [&](std::uint64_t n) { return random() % n; };
  if (below(8) == 0)
    return {};
  switch (kind) {
  case index_kind::boolean:
    return static_cast<std::int64_t>(below(2));
  case index_kind::integer:
    switch (below(4)) {
    case 0:
      return std::numeric_limits<std::int64_t>::min() + static_cast<std::int64_t>(below(2));
    case 1:
      return std::numeric_limits<std::int64_t>::max() - static_cast<std::int64_t>(below(2));
    default:
      return static_cast<std::int64_t>(below(200)) - 100;
    }
  case index_kind::number:
    switch (below(6)) {
    case 0:
      return static_cast<std::int64_t>(below(6)) + (std::int64_t{1} << 53) - 3;
    case 1:
      return static_cast<double>(below(6)) + 9007199254740992.0 - 3;
    case 2:
      return static_cast<double>(below(50)) / 8 - 3;
    case 3:
      return below(2) == 0 ? -std::numeric_limits<double>::infinity()
                           : std::numeric_limits<double>::quiet_NaN();
    case 4:
      return below(2) == 0 ? 0.0 : -0.0;
    default:
      return static_cast<std::int64_t>(random());
    }
  case index_kind::part: // not by value
  case index_kind::text: {
    std::string s = below(2) == 0 ? std::string(below(10), 'x') : "the same beginning ";
    for (auto n = below(4); n > 0; --n)
      s.push_back(static_cast<char>(below(2) == 0 ? below(2) : below(256)));
    return s;
  }
  }
  return {};
}

key_view typed(index_kind kind, const cell& c) {
  const key_view v = view_of(c);
  return kind == index_kind::boolean && v.tag != slot_tag::null ? key_view(v.integer != 0) : v;
}

class index_kinds : public ::testing::TestWithParam<index_kind> {};
INSTANTIATE_TEST_SUITE_P(all, index_kinds,
                         ::testing::Values(index_kind::boolean, index_kind::integer,
                                           index_kind::number, index_kind::text));

TEST_P(index_kinds, have_prefixes_that_follow_the_order) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 200'000; ++i) {
    const cell ca = random_value(GetParam(), random), cb = random_value(GetParam(), random);
    const key_view a = typed(GetParam(), ca), b = typed(GetParam(), cb);
    const auto pa = prefix_of(GetParam(), a), pb = prefix_of(GetParam(), b);
    const int order = compare(a, b);
    ASSERT_EQ(order, -compare(b, a));
    if (order < 0) {
      ASSERT_LE(pa, pb);
    }
    if (order == 0) {
      ASSERT_EQ(pa, pb);
      ASSERT_EQ(hash_of(a), hash_of(b));
    }
    if (pa == pb && (prefix_decides(GetParam(), a) || prefix_decides(GetParam(), b))) {
      ASSERT_EQ(order, 0);
    }
  }
}

TEST(index_keys, compare_integers_with_reals_exactly) {
  constexpr std::int64_t big = (std::int64_t{1} << 53) + 1;
  EXPECT_EQ(compare(key_view(std::int64_t{1}), key_view(1.0)), 0);
  EXPECT_LT(compare(key_view(std::int64_t{1}), key_view(1.5)), 0);
  EXPECT_GT(compare(key_view(std::int64_t{-1}), key_view(-1.5)), 0);
  EXPECT_GT(compare(key_view(big), key_view(9007199254740992.0)), 0);
  EXPECT_LT(compare(key_view(std::numeric_limits<std::int64_t>::max()), key_view(9.3e18)), 0);
  EXPECT_GT(compare(key_view(std::numeric_limits<std::int64_t>::min()), key_view(-9.3e18)), 0);
}

TEST(index_keys, place_bounds_of_another_number_type_in_an_integer_index) {
  for (const double bound : {-2.5, -2.0, 0.0, 0.5, 2.0, 1e300, -1e300}) {
    const order_probe p = order_probe::before(index_kind::integer, key_view(bound));
    for (std::int64_t i = -4; i <= 4; ++i) {
      const auto prefix = prefix_of(index_kind::integer, key_view(i));
      if (static_cast<double>(i) < bound) {
        EXPECT_LE(prefix, p.prefix);
      } else if (static_cast<double>(i) > bound) {
        EXPECT_GE(prefix, p.prefix);
      }
    }
  }
}

/// An ordered index beside a std::set of (value, row).
class tree_driver {
public:
  tree_driver(index_kind kind, std::uint64_t seed) : kind_(kind), random_(seed) {}

  struct less {
    bool operator()(const record_block* a, const record_block* b) const {
      const int c = compare(key_view::of(*a, 0), key_view::of(*b, 0));
      return c != 0 ? c < 0 : a->row < b->row;
    }
  };

  void insert() {
    record_block* b = make_block(memory_, {random_value(kind_, random_)});
    if (kind_ == index_kind::boolean && b->slots()[0].tag == slot_tag::integer)
      b->slots()[0].tag = slot_tag::boolean;
    b->row = next_row_++;
    rows_.reserve(b->row);
    rows_.add(b->row, b);
    tree_.insert(*b, b->row);
    open_.insert(b);
  }
  void erase() {
    auto at = open_.begin();
    std::advance(at, static_cast<std::ptrdiff_t>(random_() % open_.size()));
    tree_.erase(**at);
    open_.erase(at);
  }
  void end_operation() {
    if (random_() % 4 == 0) {
      tree_.rollback();
      open_ = sealed_;
      return;
    }
    std::vector<order_node*> dead;
    for (order_node* n : tree_.replaced())
      dead.push_back(n);
    tree_.seal();
    tree_.begin(++edit_);
    for (order_node* n : dead)
      memory_.free(n, node_bytes(*n));
    sealed_ = open_;
  }
  void check() {
    const entry_order order{&rows_, kind_, 0, never};
    ASSERT_EQ(subtree_size(tree_.root()), open_.size());
    ASSERT_EQ(tree_.bytes(), subtree_bytes(tree_.root()));
    order_cursor at(tree_.root());
    std::uint64_t rank = 0;
    for (const record_block* b : open_) {
      ASSERT_FALSE(at.at_end());
      ASSERT_EQ(at.entry().row, b->row);
      at.next();
      const key_view value = key_view::of(*b, 0);
      ASSERT_EQ(rank_of(tree_.root(), order_probe(kind_, value, b->row), order), rank);
      order_cursor there(tree_.root());
      there.seek_rank(rank++);
      ASSERT_EQ(there.entry().row, b->row);
      there.seek(order_probe(kind_, value, b->row + 1), order);
      ASSERT_EQ(there.at_end(), rank == open_.size());
    }
    ASSERT_TRUE(at.at_end());
    for (auto b = open_.rbegin(); b != open_.rend(); ++b) {
      ASSERT_TRUE(at.previous());
      ASSERT_EQ(at.entry().row, (*b)->row);
    }
    ASSERT_FALSE(at.previous());
  }
  void check_counts() {
    const entry_order order{&rows_, kind_, 0, never};
    for (int i = 0; i < 100; ++i) {
      const cell c = random_value(kind_, random_);
      const key_view v = typed(kind_, c);
      const auto count = [&](auto&& includes) {
        return static_cast<std::uint64_t>(
            std::count_if(open_.begin(), open_.end(), [&](const record_block* b) {
              return includes(compare(key_view::of(*b, 0), v));
            }));
      };
      ASSERT_EQ(rank_of(tree_.root(), order_probe::before(kind_, v), order),
                count([](int x) { return x < 0; }));
      ASSERT_EQ(rank_of(tree_.root(), order_probe::behind(kind_, v), order),
                count([](int x) { return x <= 0; }));
      // At the row of a record that may have another value.
      const std::uint64_t row = random_() % (next_row_ + 1);
      const auto before = std::count_if(open_.begin(), open_.end(), [&](const record_block* b) {
        const int x = compare(key_view::of(*b, 0), v);
        return x < 0 || (x == 0 && b->row < row);
      });
      ASSERT_EQ(rank_of(tree_.root(), order_probe(kind_, v, row), order),
                static_cast<std::uint64_t>(before));
    }
  }

  index_kind kind_;
  std::mt19937_64 random_;
  commit_lines lines_;
  pool memory_;
  limbo limbo_{lines_.memory, memory_};
  row_table rows_{memory_, limbo_};
  order_tree tree_{memory_, kind_, 0, rows_};
  std::uint64_t edit_ = 0;
  std::uint64_t next_row_ = 0;
  std::set<record_block*, less> open_, sealed_;
};

TEST_P(index_kinds, keep_a_tree_equal_to_a_sorted_set) {
  for (std::uint64_t seed = 0; seed < 3; ++seed) {
    tree_driver d(GetParam(), seed);
    // It grows to some thousands, shrinks to nothing, and grows again.
    for (int i = 0; i < 3000 && !HasFatalFailure(); ++i) {
      const std::uint64_t erasing = i % 1500 < 700 ? 2 : 6;
      for (auto n = d.random_() % 8; n > 0; --n) {
        if (d.random_() % 8 < erasing && !d.open_.empty())
          d.erase();
        else if (i % 1500 < 700 || d.random_() % 2 == 0)
          d.insert();
      }
      d.end_operation();
      if (i % 100 == 0) {
        d.check();
        d.check_counts();
      }
    }
  }
}

TEST_P(index_kinds, build_from_blocks_in_any_order_what_inserts_build) {
  tree_driver d(GetParam(), 5);
  for (int i = 0; i < 3000; ++i)
    d.insert();
  std::vector<record_block*> blocks(d.open_.begin(), d.open_.end());
  std::shuffle(blocks.begin(), blocks.end(), d.random_);
  d.tree_.rollback();
  d.tree_.build(blocks);
  d.tree_.seal();
  d.check();
  d.check_counts();
}

/// A tree over three fields, and the set sorted by all of them, then by row, that it must equal.
class three_fields : public ::testing::Test {
protected:
  static constexpr std::uint64_t rows_at_first = 3000;

  struct less {
    bool operator()(const record_block* a, const record_block* b) const {
      for (std::uint32_t slot = 0; slot < 3; ++slot)
        if (const int c = compare(key_view::of(*a, slot), key_view::of(*b, slot)); c != 0)
          return c < 0;
      return a->row < b->row;
    }
  };

  void SetUp() override {
    tree_.begin(1);
    for (std::uint64_t row = 0; row < rows_at_first; ++row) {
      insert(row);
      if (random_() % 3 == 0)
        erase_any();
    }
  }
  void insert(std::uint64_t row) {
    const cell first = random_() % 2 == 0 ? random_value(index_kind::text, random_) : cell{"same"};
    record_block* b = make_block(memory_, {first, static_cast<std::int64_t>(random_() % 4),
                                           random_value(index_kind::text, random_)});
    b->row = row;
    rows_.reserve(row);
    rows_.add(row, b);
    tree_.insert(*b, row);
    all_.insert(b);
    blocks_.push_back(b);
  }
  void erase_any() {
    auto at = all_.begin();
    std::advance(at, static_cast<std::ptrdiff_t>(random_() % all_.size()));
    tree_.erase(**at);
    all_.erase(at);
  }
  void expect_equal(const order_tree& tree) const {
    order_cursor at(tree.root());
    for (const record_block* b : all_) {
      ASSERT_EQ(at.entry().row, b->row);
      at.next();
    }
    ASSERT_TRUE(at.at_end());
  }
  /// How many come before these values of the first fields, and this row.
  std::uint64_t before(std::span<const key_view> keys, std::uint64_t row) const {
    return static_cast<std::uint64_t>(std::ranges::count_if(all_, [&](const record_block* b) {
      for (std::uint32_t slot = 0; slot < keys.size(); ++slot)
        if (const int c = compare(key_view::of(*b, slot), keys[slot]); c != 0)
          return c < 0;
      return b->row < row;
    }));
  }
  std::uint64_t rank(std::span<const key_view> keys, std::uint64_t row) const {
    const entry_order order{&rows_, index_kind::text, 0, never, more_};
    return rank_of(tree_.root(), order_probe(index_kind::text, keys, row), order);
  }

  std::mt19937_64 random_{3};
  commit_lines lines_;
  pool memory_;
  limbo retired_{lines_.memory, memory_};
  row_table rows_{memory_, retired_};
  const std::vector<std::uint32_t> more_{1, 2};
  order_tree tree_{memory_, index_kind::text, 0, rows_, more_};
  std::set<record_block*, less> all_;
  std::vector<record_block*> blocks_; ///< those that were erased, too
};

TEST_F(three_fields, keep_a_tree_equal_to_a_sorted_set) { expect_equal(tree_); }

TEST_F(three_fields, give_each_place_its_rank) {
  for (int i = 0; i < 300; ++i) {
    const record_block* like = blocks_[random_() % blocks_.size()];
    const std::array<key_view, 3> keys{key_view::of(*like, 0), key_view::of(*like, 1),
                                       key_view::of(*like, 2)};
    for (std::size_t n = 1; n <= 3; ++n)
      for (const std::uint64_t row : {std::uint64_t{0}, ~std::uint64_t{0}}) {
        const auto first = std::span(keys).first(n);
        ASSERT_EQ(rank(first, row), before(first, row));
      }
    const std::uint64_t row = random_() % (rows_at_first + 1);
    ASSERT_EQ(rank(keys, row), before(keys, row));
  }
}

TEST_F(three_fields, build_from_blocks_in_any_order_what_inserts_build) {
  order_tree built{memory_, index_kind::text, 0, rows_, more_};
  built.begin(1);
  std::vector<record_block*> live(all_.begin(), all_.end());
  std::shuffle(live.begin(), live.end(), random_);
  built.build(live);
  expect_equal(built);
}

} // namespace
} // namespace holdfast::testing
