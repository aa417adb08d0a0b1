// What a store tells of a bucket of structs.
#include <holdfast/store/store.hpp>

#include <gmock/gmock.h>

#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace holdfast_tests {

struct letter {
  std::int64_t id = 0;
  std::string to;
  std::optional<int> weight{};
};

} // namespace holdfast_tests

template <>
inline constexpr auto holdfast::mapping<holdfast_tests::letter> =
    holdfast::map_to<holdfast_tests::letter>("letters",
                                             holdfast::key<&holdfast_tests::letter::id>(),
                                             holdfast::field<&holdfast_tests::letter::to>(),
                                             holdfast::field<&holdfast_tests::letter::weight>());

namespace holdfast {
namespace {

using holdfast_tests::letter;
using ::testing::ElementsAre;

struct a_typed_change : ::testing::Test {
  store db = std::move(*store::start());
  bucket<letter> letters = std::move(*db.define<letter>());

  /// `updated 1 Brno>Praha at 2 (user)`, and `-` for what is not there.
  void note(const typed_change<letter>& c) {
    const auto to = [](const result<letter>& p) {
      return p ? p->to : p.error() == errc::not_found ? "-" : p.error().message();
    };
    EXPECT_EQ(c.plain().bucket(), "letters");
    const std::lock_guard lock{mutex};
    told.push_back(std::string{to_string(c.kind)} + " " +
                   (c.key() ? std::to_string(*c.key()) : std::to_string(c.count) + " records") +
                   " " + to(c.before()) + ">" + to(c.after()) + " at " + std::to_string(c.seq) +
                   " (" + std::string{to_string(c.why)} + ")");
    came.notify_all();
  }
  std::vector<std::string> all(std::size_t n) {
    std::unique_lock lock{mutex};
    came.wait_for(lock, std::chrono::seconds{20}, [&] { return told.size() >= n; });
    return told;
  }
  auto noting() {
    return [this](const typed_change<letter>& c) { note(c); };
  }

  std::mutex mutex;
  std::condition_variable came;
  std::vector<std::string> told;
};

TEST_F(a_typed_change, shows_the_structs_before_and_after) {
  auto token = db.on<letter>(noting());
  ASSERT_TRUE(token) << token.error().to_string();
  ASSERT_TRUE(letters.insert({.id = 1, .to = "Brno"}).get());
  ASSERT_TRUE(letters.update(1, set<&letter::to>("Praha")).get());
  ASSERT_TRUE(db.transact([&](transaction& tx) -> result<void> {
    return tx.in(letters).insert({.id = 2, .to = "Wien"}).get().map([](auto&&) {});
  }));
  ASSERT_TRUE(letters.erase(1).get());
  ASSERT_TRUE(letters.clear().get());
  EXPECT_THAT(all(5),
              ElementsAre("inserted 1 ->Brno at 1 (user)", "updated 1 Brno>Praha at 2 (user)",
                          "inserted 2 ->Wien at 3 (transaction)", "erased 1 Praha>- at 4 (user)",
                          "cleared 1 records ->- at 5 (user)"));
}

TEST_F(a_typed_change, is_told_of_one_kind_if_that_is_asked_for) {
  auto updates = db.on<letter>(change_kind::updated, noting());
  ASSERT_TRUE(updates) << updates.error().to_string();
  ASSERT_TRUE(letters.insert({.id = 1, .to = "a"}).get());
  ASSERT_TRUE(letters.update(1, set<&letter::to>("b")).get());
  ASSERT_TRUE(letters.erase(1).get());
  ASSERT_TRUE(letters.insert({.id = 1, .to = "c"}).get());
  ASSERT_TRUE(letters.update(1, set<&letter::to>("d")).get());
  EXPECT_THAT(all(2), ElementsAre("updated 1 a>b at 2 (user)", "updated 1 c>d at 5 (user)"));
}

TEST_F(a_typed_change, is_of_its_bucket_only) {
  auto others = db.define(schema("letter").key("id", integer()).field("to", string())).value();
  auto token = db.on<letter>(noting()).value();
  ASSERT_TRUE(others.insert({{"id", 1}}).get());
  ASSERT_TRUE(letters.insert({.id = 1, .to = "a"}).get());
  EXPECT_THAT(all(1), ElementsAre("inserted 1 ->a at 2 (user)"));
}

TEST_F(a_typed_change, is_served_as_the_subscriber_asks) {
  const auto heavy = [](const event& e) {
    return typed_change<letter>{static_cast<const change&>(e)}.after()->weight > 10;
  };
  auto token = db.on<letter>(noting(), {.accept = heavy}).value();
  ASSERT_TRUE(letters.insert({.id = 1, .to = "light", .weight = 3}).get());
  ASSERT_TRUE(letters.insert({.id = 2, .to = "heavy", .weight = 30}).get());
  EXPECT_THAT(all(1), ElementsAre("inserted 2 ->heavy at 2 (user)"));
}

TEST_F(a_typed_change, says_what_does_not_fit_the_struct) {
  ASSERT_TRUE(db.drop("letters"));
  auto loose = db.define(schema("letters").key("id", integer())).value();
  auto token = db.on<letter>(noting()).value();
  ASSERT_TRUE(loose.insert({{"id", 7}, {"to", 3}}).get());
  const auto got = all(1);
  ASSERT_EQ(got.size(), 1u);
  EXPECT_THAT(got[0], ::testing::StartsWith("inserted 7 ->letters.to: 3 does not fit the member"));
}

TEST_F(a_typed_change, comes_of_a_handle_that_was_found_by_its_struct) {
  auto token = db.on<letter>(noting()).value();
  ASSERT_TRUE(db.bucket<letter>()->insert({.id = 1, .to = "a"}).get());
  EXPECT_THAT(all(1), ElementsAre("inserted 1 ->a at 1 (user)"));
  ASSERT_TRUE(db.drop("letters"));
  EXPECT_EQ(db.bucket<letter>().error(), errc::not_found);
}

} // namespace
} // namespace holdfast
