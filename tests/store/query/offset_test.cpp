// Offsets that are counted instead of walked give what walking gives: over whole chunks of rows and
// parts of them, groups of equal values, old snapshots, what has expired, a transaction's own
// writes.
#include "tests/support/options_at.hpp"

#include <holdfast/store/store.hpp>

#include <gmock/gmock.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace holdfast {
namespace {

using std::chrono::seconds;

/// A few chunks of rows, the last of which is not full.
constexpr std::int64_t inserted = 2'500;
/// Spread over everything, and around the ends of chunks.
constexpr std::uint64_t offsets[] = {0,     1,     100,   1'023, 1'024, 1'025,
                                     1'500, 2'048, 2'400, 2'499, 2'500, 9'999};

struct ordering {
  std::string name;
  std::function<selection(const bucket<>&)> of;
};

std::vector<ordering> orderings() {
  auto all = [](const bucket<>& b) { return b.everything(); };
  return {
      {"the bucket's own", all},
      {"of an index", [](auto& b) { return b.everything().order_by("n"); }},
      {"against an index",
       [](auto& b) { return b.everything().order_by("n", direction::descending); }},
      {"of one value", [](auto& b) { return b.where("n"_f == 3); }},
      {"of a range", [](auto& b) { return b.where("n"_f >= 3 && "n"_f < 7).order_by("n"); }},
      {"against a range",
       [](auto& b) { return b.where("n"_f > 3).order_by("n", direction::descending); }},
      {"of several ranges",
       [](auto& b) {
         return b.where(filter::in("n", {value{1}, value{5}, value{8}}))
             .order_by("n", direction::descending);
       }},
      {"within one value of two fields",
       [](auto& b) { return b.where("role"_f == "user").order_by("n"); }},
      {"with a filter left", [](auto& b) { return b.where("x"_f < 5); }},
      {"sorted", [](auto& b) { return b.everything().order_by("x"); }},
  };
}

class offsets_of : public ::testing::TestWithParam<bool> {
protected:
  static store opened(clock& c) { return store::start(testing::options_at(c)).value(); }
  static schema things(bool ordered) {
    auto s = schema("things")
                 .key("id", integer())
                 .field("n", integer())
                 .field("x", integer())
                 .field("role", string())
                 .index("n")
                 .index({"role", "n"});
    return ordered ? std::move(s.ordered()) : s;
  }
  void SetUp() override {
    for (std::int64_t i = 0; i < inserted; ++i)
      insert(i);
  }
  void insert(std::int64_t i, write_options how = {}) {
    object fields{{"id", i * 7'919 % 100'003}, {"x", any(10)}};
    fields.set("role", any(3) == 0 ? "admin" : "user");
    if (any(6) != 0)
      fields.set("n", any(10));
    ids_.push_back(i * 7'919 % 100'003);
    ASSERT_TRUE(b_.insert(std::move(fields), how).get());
  }
  void erase_some(std::size_t count) {
    for (; count > 0; --count) {
      auto at = ids_.begin() + any(static_cast<std::int64_t>(ids_.size()));
      ASSERT_TRUE(b_.erase(*at).get());
      ids_.erase(at);
    }
  }
  void change_some(std::size_t count) {
    for (; count > 0; --count)
      ASSERT_TRUE(
          b_.update(ids_[static_cast<std::size_t>(any(static_cast<std::int64_t>(ids_.size())))],
                    {{"n", any(10)}})
              .get());
  }
  std::int64_t any(std::int64_t below) {
    return static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(below));
  }

  /// Each offset leaves out of the whole what it should.
  static void check(const bucket<>& b) {
    for (auto& by : orderings()) {
      SCOPED_TRACE(by.name);
      const auto whole = keys(by.of(b).all());
      for (auto offset : offsets) {
        SCOPED_TRACE(offset);
        const auto from =
            whole.begin() + static_cast<std::ptrdiff_t>(std::min(offset, whole.size()));
        for (std::uint64_t limit : {std::uint64_t{20}, query::unlimited}) {
          const auto left = static_cast<std::uint64_t>(whole.end() - from);
          const auto count = std::min(limit, left);
          const std::vector expected(from, from + static_cast<std::ptrdiff_t>(count));
          ASSERT_EQ(keys(by.of(b).offset(offset).limit(limit).all()), expected);
          ASSERT_EQ(by.of(b).offset(offset).limit(limit).count().get(), count);
        }
        auto page = by.of(b).offset(offset).page_of(20).get().value();
        const auto count = std::min<std::ptrdiff_t>(20, whole.end() - from);
        ASSERT_EQ(keys(page.items), std::vector(from, from + count));
        ASSERT_EQ(page.next.has_value(), whole.end() - from > 20);
      }
    }
  }
  template <class Records>
  static std::vector<std::int64_t> keys(const Records& list) {
    std::vector<std::int64_t> out;
    for (auto& r : list)
      out.push_back(r.key().as_int());
    return out;
  }
  static std::vector<std::int64_t> keys(pending<records> list) {
    return keys(std::move(list).get().value());
  }

  manual_clock clock_{timestamp{seconds{1'000'000}}};
  store db_ = opened(clock_);
  bucket<> b_ = db_.define(things(GetParam())).value();
  std::vector<std::int64_t> ids_;
  std::mt19937_64 random_{5};
};

TEST_P(offsets_of, a_bucket_of_which_nothing_was_erased) { check(b_); }

TEST_P(offsets_of, a_bucket_with_gaps_and_changed_records) {
  erase_some(400);
  change_some(500);
  check(b_);
  erase_some(ids_.size() - 30);
  check(b_);
}

TEST_P(offsets_of, an_old_snapshot) {
  erase_some(200);
  const auto held = db_.snapshot();
  check(b_.at(held));
  insert(inserted);
  erase_some(3);
  check(b_.at(held));
  change_some(500);
  erase_some(1'000);
  for (std::int64_t i = 1; i < 500; ++i)
    insert(inserted + i);
  check(b_.at(held));
  check(b_);
  ASSERT_TRUE(b_.clear().get());
  check(b_.at(held));
  check(b_);
}

TEST_P(offsets_of, records_some_of_which_have_expired) {
  for (std::int64_t i = 0; i < 300; ++i)
    insert(inserted + i, {.expires_in = i % 2 == 0 ? seconds{10} : seconds{100}});
  check(b_);
  clock_.advance(seconds{20});
  check(b_);
  ASSERT_EQ(b_.purge(), 150u);
  check(b_);
}

TEST_P(offsets_of, what_a_transaction_sees) {
  ASSERT_TRUE(
      db_.transact([&](transaction& tx) -> result<void> {
           auto mine = tx.in(b_);
           check(mine);
           for (std::size_t i = 0; i < 40; ++i)
             EXPECT_TRUE(mine.erase(ids_[i * 31]).get());
           for (std::int64_t i = 0; i < 40; ++i)
             EXPECT_TRUE(
                 mine.insert({{"id", 200'000 + i}, {"n", i % 10}, {"x", 1}, {"role", "user"}})
                     .get());
           check(mine);
           return fail(errc::invalid_argument, "enough");
         })
          .error() == errc::invalid_argument);
  check(b_);
}

INSTANTIATE_TEST_SUITE_P(, offsets_of, ::testing::Bool(),
                         [](auto& param) { return param.param ? "keys_in_order" : "as_inserted"; });

} // namespace
} // namespace holdfast
