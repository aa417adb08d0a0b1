// Reads of records with deadlines, while others write and time goes on between a read's steps.
#include "tests/support/options_at.hpp"

#include <holdfast/store/store.hpp>

#include <gmock/gmock.h>

#include <functional>
#include <thread>
#include <utility>

namespace holdfast::testing {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using id_list = std::vector<std::int64_t>;

/// Others do something before or behind a look at the store's time by the thread that made it.
class interrupted_clock final : public clock {
public:
  void before_look(std::function<void()> then, int looks = 1) {
    set(before_, std::move(then), looks);
  }
  void behind_look(std::function<void()> then, int looks = 1) {
    set(behind_, std::move(then), looks);
  }
  void advance(seconds by) noexcept { time_.advance(by); }
  bool has_been_looked_at() const { return before_.looks + behind_.looks == 0; }

  timestamp now() const noexcept override {
    run(before_);
    looks_ = looks_ || std::this_thread::get_id() == thread_;
    return time_.now();
  }
  std::chrono::nanoseconds steady() const noexcept override {
    const auto seen = time_.steady();
    if (std::this_thread::get_id() == thread_ && std::exchange(looks_, false)) // else for a wait
      run(behind_);
    return seen;
  }

private:
  struct others {
    std::function<void()> what;
    int looks = 0;
  };
  void set(others& at, std::function<void()> then, int looks) { at = {std::move(then), looks}; }
  void run(others& at) const noexcept {
    if (at.looks == 0 || std::this_thread::get_id() != thread_ || std::exchange(busy_, true))
      return;
    --at.looks;
    at.what();
    busy_ = false;
  }

  const std::thread::id thread_ = std::this_thread::get_id();
  manual_clock time_;
  mutable others before_, behind_;
  mutable bool looks_ = false; ///< the time is that of both clocks
  mutable bool busy_ = false;  ///< it looks at the clock, too
};

struct reads_with_deadlines : ::testing::Test {
  interrupted_clock clock;
  store db = store::start(options_at(clock)).value();
  bucket<> items =
      std::move(*db.define(schema("items").key("id", integer()).field("n", integer())));

  void SetUp() override {
    ASSERT_TRUE(items.insert({{"id", 1}, {"n", 1}}, {.expires_in = seconds{5}}).get());
    ASSERT_TRUE(db.define_query("all", declared_query{.bucket = "items", .what = query{}}));
  }
  void TearDown() override { EXPECT_TRUE(clock.has_been_looked_at()); }

  /// Who inserts 2 finds that 1 is there no more.
  void end_1_and_insert_2() {
    clock.advance(seconds{10});
    EXPECT_FALSE(items.contains(1));
    EXPECT_TRUE(items.insert({{"id", 2}, {"n", 2}}).get());
  }
  /// So it is there at all times.
  void save_1_in_time() {
    EXPECT_TRUE(items.touch(1, {.expires_in = seconds{100}}).get());
    clock.advance(seconds{10});
  }
  static id_list of(const records& list) {
    id_list out;
    for (auto& item : list)
      out.push_back(item.key().as_int());
    return out;
  }
  static id_list short_read(const bucket<>& in) { return of(in.first(10).get().value()); }
  static id_list walk(const bucket<>& in) { return of(in.all().get().value()); }
};

using snapshots_with_deadlines = reads_with_deadlines;

TEST_F(snapshots_with_deadlines, hide_what_had_ended_for_who_made_what_they_see) {
  clock.behind_look([this] { end_1_and_insert_2(); });
  const auto at = db.snapshot();
  EXPECT_THAT(walk(items.at(at)), ElementsAre(2));
  EXPECT_FALSE(items.at(at).contains(1));
}

TEST_F(snapshots_with_deadlines, show_what_was_saved_in_time) {
  clock.before_look([this] { save_1_in_time(); });
  EXPECT_TRUE(items.at(db.snapshot()).contains(1));
}

TEST_F(reads_with_deadlines, of_a_transaction_are_of_a_time_of_its_moment) {
  clock.behind_look([this] { end_1_and_insert_2(); });
  id_list seen;
  ASSERT_TRUE(db.transact(
      [&](transaction& in) -> result<void> {
        seen = walk(in.in(items));
        return {};
      },
      {.timeout = seconds{60}}));
  EXPECT_THAT(seen, ElementsAre(2));
}

/// Found by its law under load: a live query showed what had ended until the next commit.
TEST_F(reads_with_deadlines, of_a_query_are_of_a_time_of_its_moment) {
  clock.behind_look([this] { end_1_and_insert_2(); });
  EXPECT_THAT(of(db.run("all")->as<query_list>().items), ElementsAre(2));
}

TEST_F(reads_with_deadlines, of_one_record_find_it_if_it_was_saved_in_time) {
  clock.before_look([this] { save_1_in_time(); });
  EXPECT_TRUE(items.get(1).get());
}

TEST_F(reads_with_deadlines, of_one_record_do_not_find_it_if_it_was_erased_then) {
  clock.before_look([this] {
    EXPECT_TRUE(items.erase(1).get());
    clock.advance(seconds{10});
  });
  EXPECT_FALSE(items.get(1).get());
}

TEST_F(reads_with_deadlines, of_many_find_what_was_saved_in_time) {
  clock.before_look([this] { save_1_in_time(); });
  EXPECT_THAT(short_read(items), ElementsAre(1));
}

TEST_F(reads_with_deadlines, of_a_long_walk_find_what_was_saved_in_time) {
  clock.before_look([this] { save_1_in_time(); });
  EXPECT_THAT(walk(items), ElementsAre(1));
}

TEST_F(reads_with_deadlines, of_a_long_walk_do_not_find_what_had_ended_for_others) {
  clock.behind_look([this] { end_1_and_insert_2(); });
  EXPECT_THAT(walk(items), ElementsAre(2));
}

/// As often as they look without the line's lock; with it nobody can get in between.
constexpr int all_looks = 8;

TEST_F(reads_with_deadlines, come_to_an_end_though_others_always_get_in_between) {
  int writes = 0;
  const auto write = [&] {
    clock.advance(seconds{1});
    EXPECT_TRUE(items.upsert({{"id", 2}, {"n", ++writes}}).get());
  };
  clock.behind_look(write, all_looks);
  EXPECT_THAT(short_read(items), ElementsAre(2));
  EXPECT_EQ(writes, all_looks);
  ASSERT_TRUE(items.upsert({{"id", 1}, {"n", 1}}, {.expires_in = seconds{5}}).get());
  clock.behind_look(write, all_looks);
  EXPECT_THAT(walk(items), ElementsAre(2));
  ASSERT_TRUE(items.upsert({{"id", 1}, {"n", 1}}, {.expires_in = seconds{5}}).get());
  clock.behind_look(write, all_looks);
  EXPECT_THAT(walk(items.at(db.snapshot())), ElementsAre(2));
  EXPECT_EQ(writes, 3 * all_looks);
}

} // namespace
} // namespace holdfast::testing
