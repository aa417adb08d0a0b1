// In which order a transaction's events come: that in which its function did what they tell of.
#include "transaction_fixture.hpp"

#include <algorithm>
#include <mutex>
#include <random>
#include <set>
#include <vector>

namespace holdfast::testing {
namespace {

using ::testing::ElementsAre;

struct events_of_a_transaction : a_transaction {
  std::mutex mutex;
  std::vector<std::string> heard;
  subscription token;

  void SetUp() override {
    a_transaction::SetUp();
    token = *db.on("bucket.accounts.*", [this](const change& c) {
      const std::lock_guard lock{mutex};
      heard.push_back(std::string{to_string(c.kind)} + ' ' + c.key().to_string());
    });
  }

  /// Those of all that was committed until now.
  std::vector<std::string> told() {
    EXPECT_TRUE(db.stop()); // every handler has run
    return heard;
  }
};

TEST_F(events_of_a_transaction, come_in_the_order_of_what_was_done) {
  ASSERT_TRUE(run([&](transaction& tx) {
    auto in = tx.in(accounts);
    ASSERT_TRUE(in.insert({{"id", 10}, {"balance", 1}}).get());
    ASSERT_TRUE(in.update(2, {{"balance", 1}}).get());
    ASSERT_TRUE(in.erase(1).get());
    ASSERT_TRUE(in.insert({{"id", 11}, {"balance", 1}}).get());
    ASSERT_TRUE(in.update(10, {{"balance", 2}}).get());
    ASSERT_TRUE(in.update(2, {{"balance", 2}}).get());
    ASSERT_TRUE(in.insert({{"id", 1}, {"balance", 1}}).get()); // another life of the key
    ASSERT_TRUE(in.insert({{"id", 12}, {"balance", 1}}).get());
    ASSERT_TRUE(in.erase(12).get()); // it never was
    ASSERT_TRUE(in.update(3, {{"balance", 1}}).get());
    ASSERT_TRUE(in.erase(3).get());
  }));
  EXPECT_THAT(told(), ElementsAre("inserted 10", "updated 2", "inserted 11", "erased 1",
                                  "inserted 1", "erased 3"));
}

TEST_F(events_of_a_transaction, come_in_the_order_of_an_upsert_many) {
  ASSERT_TRUE(run([&](transaction& tx) {
    ASSERT_TRUE(tx.in(accounts)
                    .upsert_many({{{"id", 7}, {"balance", 1}},
                                  {{"id", 1}, {"balance", 2}},
                                  {{"id", 8}, {"balance", 3}},
                                  {{"id", 2}, {"balance", 4}}})
                    .get());
  }));
  EXPECT_THAT(told(), ElementsAre("inserted 7", "updated 1", "inserted 8", "updated 2"));
}

/// What is to be heard of one transaction, by the words of design.md.
class expected_events {
public:
  explicit expected_events(std::set<int> there) : before_(std::move(there)), now_(before_) {}

  bool has(int key) const { return now_.contains(key); }
  void insert(int key) {
    now_.insert(key);
    const auto erased = forget("erased ", key);
    if (erased)
      list_.push_back(text("erased ", key));
    list_.push_back(text("inserted ", key));
  }
  void update(int key) {
    for (const auto* kind : {"inserted ", "updated "})
      if (std::ranges::find(list_, text(kind, key)) != list_.end())
        return;
    list_.push_back(text("updated ", key));
  }
  void erase(int key) {
    now_.erase(key);
    forget("inserted ", key);
    forget("updated ", key);
    forget("erased ", key);
    if (before_.contains(key))
      list_.push_back(text("erased ", key));
  }
  const std::vector<std::string>& list() const { return list_; }

private:
  static std::string text(const char* kind, int key) { return kind + std::to_string(key); }
  bool forget(const char* kind, int key) { return std::erase(list_, text(kind, key)) > 0; }

  std::set<int> before_, now_;
  std::vector<std::string> list_;
};

class orders_of_events : public events_of_a_transaction,
                         public ::testing::WithParamInterface<std::uint64_t> {};
INSTANTIATE_TEST_SUITE_P(seeds, orders_of_events, ::testing::Range<std::uint64_t>(0, 30));

/// Random writes of a few keys, or of many (whose entries are looked up otherwise), with parts that
/// are taken back.
TEST_P(orders_of_events, are_those_of_a_model) {
  std::mt19937_64 random{GetParam()};
  const auto below = [&](std::uint64_t n) { return random() % n; };
  const auto keys = GetParam() % 2 == 0 ? 6 : 60;
  expected_events expected({1, 2, 3});
  ASSERT_TRUE(run([&](transaction& tx) {
    auto in = tx.in(accounts);
    const auto write = [&](expected_events& all) {
      const auto key = static_cast<int>(1 + below(static_cast<std::uint64_t>(keys)));
      if (!all.has(key)) {
        ASSERT_TRUE(in.insert({{"id", key}, {"balance", 1}}).get());
        all.insert(key);
      } else if (below(2) == 0) {
        ASSERT_TRUE(in.erase(key).get());
        all.erase(key);
      } else {
        ASSERT_TRUE(
            in.update(key, {{"balance", static_cast<std::int64_t>(random() % 1000)}}).get());
        all.update(key);
      }
    };
    for (int i = 0; i < 40; ++i) {
      write(expected);
      if (below(5) > 0)
        continue;
      auto taken_back = expected;
      (void)tx.nested([&]() -> result<void> {
        for (auto n = below(10); n > 0; --n)
          write(taken_back);
        return fail(errc::invalid_argument, "not this");
      });
    }
  }));
  EXPECT_EQ(told(), expected.list());
}

} // namespace
} // namespace holdfast::testing
