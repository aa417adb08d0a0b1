// What a change of a bucket's definition does not mention stays as it is; and a compound index that
// it adds answers what a scan answered.
#include "tests/support/options_at.hpp"

#include <holdfast/store/memory_journal.hpp>
#include <holdfast/store/record_input.hpp>
#include <holdfast/store/store.hpp>

#include <gmock/gmock.h>

#include <mutex>

namespace holdfast {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using ::testing::ElementsAre;

/// In memory or over a journal, on a clock that the test moves.
struct an_updated_bucket : ::testing::TestWithParam<bool> {
  store start() {
    auto options = testing::options_at(clock);
    if (GetParam())
      options.journal = memory_journal(disk);
    auto made = store::start(std::move(options)).value();
    made.runtime_in_use().log().redirect(nullptr, log_level::off);
    return made;
  }
  /// A change that mentions nothing that is there.
  void change(std::string_view name, int i = 0) {
    auto done = db.update_bucket(
        name, bucket_update().add_field("more_" + std::to_string(i), string().otherwise("x")));
    ASSERT_TRUE(done) << done.error().to_string();
  }

  manual_clock clock;
  std::shared_ptr<memory_disk> disk = std::make_shared<memory_disk>();
  store db = start();
};

TEST_P(an_updated_bucket, keeps_its_ttl_and_the_deadlines_that_it_gave) {
  auto sessions = db.define(schema("sessions").key("id", integer()).expire_after(hours{1})).value();
  ASSERT_TRUE(sessions.insert({{"id", 1}}).get());
  ASSERT_TRUE(sessions.insert({{"id", 2}}, {.never_expires = true}).get());
  const auto ends = clock.now() + hours{1};
  clock.advance(minutes{20});
  change("sessions");
  EXPECT_EQ(db.bucket_schema("sessions")->expires_after(), hours{1});
  EXPECT_EQ(sessions.get(1).get()->expires_at(), ends);
  EXPECT_FALSE(sessions.get(2).get()->expires_at());
  EXPECT_EQ(sessions.insert({{"id", 3}}).get()->expires_at(), clock.now() + hours{1});
  EXPECT_EQ(sessions.touch(2).get()->expires_at(), clock.now() + hours{1})
      << "as an insert would give it now";
  clock.advance(minutes{40});
  EXPECT_EQ(sessions.get(1).get().error(), errc::not_found);
  EXPECT_EQ(*sessions.count().get(), 2u);
  clock.advance(minutes{20});
  EXPECT_EQ(*sessions.count().get(), 0u);
  EXPECT_EQ(*sessions.purge(), 3u);
}

TEST_P(an_updated_bucket, counts_on_where_its_counter_was) {
  auto orders =
      db.define(
            schema("orders").key("no", integer().generated(autoincrement)).field("what", string()))
          .value();
  auto next = [&] { return orders.insert({{"what", "a"}}).get()->key().as_int(); };
  EXPECT_EQ(next(), 1);
  EXPECT_EQ(next(), 2);
  ASSERT_TRUE(orders.erase(2).get());
  change("orders", 1);
  EXPECT_EQ(next(), 3) << "not 2, though no record of the new form ever had it";
  ASSERT_TRUE(orders.insert({{"no", 10}}).get());
  ASSERT_TRUE(orders.erase(10).get());
  change("orders", 2);
  EXPECT_EQ(next(), 11);
  ASSERT_TRUE(orders.clear().get());
  change("orders", 3);
  ASSERT_TRUE(db.crash("orders"));
  EXPECT_EQ(next(), 12);
  if (!GetParam())
    return;
  ASSERT_TRUE(orders.clear().get());
  change("orders", 4);
  ASSERT_TRUE(db.stop());
  db = start();
  orders = db.bucket("orders").value();
  EXPECT_EQ(next(), 13);
}

TEST_P(an_updated_bucket, keeps_the_rules_and_checks_of_its_fields) {
  auto even = [](value_view v, const record_input&) {
    return v.as_int() % 2 ? std::optional<std::string>{"is odd"} : std::nullopt;
  };
  auto pairs =
      db.define(schema("pairs").key("id", integer()).field("n", integer().min(0).validate(even)))
          .value();
  ASSERT_TRUE(pairs.insert({{"id", 1}, {"n", 2}}).get());
  change("pairs");
  auto told = [](const result<record>& r) {
    return r ? std::string{"no error"} : r.error().issues().at(0).message;
  };
  EXPECT_EQ(told(pairs.insert({{"id", 2}, {"n", 3}}).get()), "pairs.n: is odd");
  EXPECT_EQ(told(pairs.update(1, {{"n", 3}}).get()), "pairs.n: is odd");
  EXPECT_EQ(told(pairs.update(1, {{"n", -2}}).get()), "pairs.n: -2 is below the minimum 0");
  EXPECT_EQ((*pairs.get(1).get())["n"], value_view{2});
  EXPECT_EQ((*pairs.update(1, {{"n", 4}}).get())["n"], value_view{4});
  ASSERT_TRUE(db.crash("pairs"));
  EXPECT_EQ(told(pairs.insert({{"id", 2}, {"n", 3}}).get()), "pairs.n: is odd");
  EXPECT_EQ(*pairs.count().get(), 1u);
}

TEST_P(an_updated_bucket, keeps_the_check_of_its_records_which_sees_the_new_field) {
  auto check = [](const record_input& whole) {
    std::vector<std::string> wrong;
    if (whole["low"] > whole["high"])
      wrong.emplace_back("low is above high");
    if (whole["more_0"] == value_view{"bad"})
      wrong.emplace_back("more is bad");
    return wrong;
  };
  auto ranges = db.define(schema("ranges")
                              .key("id", integer())
                              .field("low", integer())
                              .field("high", integer())
                              .validate(check))
                    .value();
  ASSERT_TRUE(ranges.insert({{"id", 1}, {"low", 1}, {"high", 2}}).get());
  change("ranges");
  auto crossed = ranges.insert({{"id", 2}, {"low", 3}, {"high", 2}}).get();
  ASSERT_FALSE(crossed);
  EXPECT_EQ(crossed.error(), errc::invalid);
  EXPECT_EQ(crossed.error().issues().at(0).message, "ranges._record: low is above high");
  auto changed = ranges.update(1, {{"low", 5}, {"more_0", "bad"}}).get();
  ASSERT_FALSE(changed);
  ASSERT_EQ(changed.error().issues().size(), 2u);
  EXPECT_EQ(changed.error().issues()[0].message, "ranges._record: low is above high");
  EXPECT_EQ(changed.error().issues()[1].message, "ranges._record: more is bad");
  EXPECT_EQ((*ranges.get(1).get())["low"], value_view{1});
  ASSERT_TRUE(ranges.update(1, {{"low", 2}}).get());
  EXPECT_EQ(*ranges.count().get(), 1u);
}

TEST_P(an_updated_bucket, answers_by_a_new_compound_index_what_a_scan_answered) {
  auto people = db.define(schema("people")
                              .key("id", integer())
                              .field("role", string())
                              .field("age", integer())
                              .field("city", string()))
                    .value();
  std::vector<object> list;
  for (int i = 0; i < 300; ++i)
    list.push_back({{"id", i},
                    {"role", i % 4 ? value{"user"} : value{"admin"}},
                    {"age", i % 10 == 9 ? value{} : value{i * 7 % 40}},
                    {"city", "c" + std::to_string(i % 3)}});
  ASSERT_TRUE(people.insert_many(list).get());
  const auto users = "role"_f == "user";
  const query asked[] = {query{users && "age"_f == 21},
                         query{users && "age"_f >= 30},
                         query{users && "age"_f.between(5, 12) && "city"_f == "c1"},
                         query{users && "age"_f.is_null()},
                         query{"role"_f == "admin"},
                         query{"role"_f == "admin"}.order_by("age").limit(20),
                         query{users}.order_by("age", direction::descending).offset(3).limit(30),
                         query{"role"_f == "nobody" && "age"_f == 1}};
  auto run = [](const bucket<>& in, const query& q) {
    auto what = in.where(q.which());
    for (auto& term : q.order())
      what = std::move(what).then_by(term.field, term.way);
    return std::move(what).offset(q.offset()).limit(q.limit());
  };
  auto answers = [&](const bucket<>& in) {
    std::vector<std::vector<std::int64_t>> out;
    for (auto& q : asked) {
      auto& keys = out.emplace_back();
      const auto found = run(in, q).all().get().value();
      for (auto& each : found)
        keys.push_back(each.key().as_int());
    }
    return out;
  };
  const auto scanned = answers(people);
  for (auto& q : asked)
    EXPECT_EQ(run(people, q).explain()->from, explanation::source::scan) << q.to_string();
  auto before = db.snapshot();

  ASSERT_TRUE(db.update_bucket("people",
                               bucket_update().add_index(std::vector<std::string>{"role", "age"})));
  for (auto& q : asked) {
    auto how = run(people, q).explain().value();
    if (how.from == explanation::source::nothing)
      continue; // known from the index: there is no such record
    EXPECT_EQ(how.from, explanation::source::index) << how.to_string();
    EXPECT_THAT(how.indexes, ElementsAre("(role, age)")) << how.to_string();
  }
  EXPECT_EQ(run(people, asked[1])
                .explain()
                ->to_string()
                .find("people: index (role, age) (role == \"user\" and age >= 30)"),
            0u);
  EXPECT_EQ(run(people, asked[6]).explain()->order, explanation::ordering::index);
  EXPECT_EQ(answers(people), scanned);
  EXPECT_EQ(*people.count(asked[1].which()).get(), scanned[1].size());

  ASSERT_TRUE(people.update(scanned[0].front(), {{"age", 35}}).get());
  ASSERT_TRUE(people.erase(scanned[1].back()).get());
  EXPECT_EQ(*people.count(asked[0].which()).get(), scanned[0].size() - 1);
  EXPECT_EQ(*people.count(asked[1].which()).get(), scanned[1].size()) << "one came and one went";
  EXPECT_EQ(answers(people.at(before)), scanned);
  EXPECT_EQ(run(people.at(before), asked[0]).explain()->from, explanation::source::scan);
}

/// One whose deadline had come, and that another one kept, counted as a record: a new unique field
/// found it to be a duplicate.
TEST_P(an_updated_bucket, gives_nothing_to_what_has_ended_and_does_not_count_it) {
  auto rooms = db.define(schema("rooms").key("id", integer()).field("n", integer())).value();
  auto guests = db.define(schema("guests")
                              .key("id", integer())
                              .field("room", integer().references("rooms", on_delete::restrict)))
                    .value();
  ASSERT_TRUE(rooms.insert({{"id", 1}, {"n", 7}}, {.expires_in = std::chrono::seconds{1}}).get());
  ASSERT_TRUE(guests.insert({{"id", 1}, {"room", 1}}).get());
  ASSERT_TRUE(rooms.insert({{"id", 2}, {"n", 7}}).get());
  clock.advance(std::chrono::seconds{2});
  std::mutex mutex;
  std::vector<std::string> told;
  auto token = db.on("bucket.rooms.*", [&](const holdfast::change& c) {
                   const std::lock_guard lock{mutex};
                   told.push_back(c.to_string().substr(0, c.to_string().find(" at")) + " " +
                                  std::to_string(c.count));
                 }).value();
  int filled = 0;
  auto updated = db.update_bucket(
      "rooms",
      bucket_update().add_field("code", integer().unique().max(9),
                                [&](const record& r) -> value { return ++filled, value{r["n"]}; }));
  ASSERT_TRUE(updated) << updated.error().to_string();
  EXPECT_EQ(filled, 1);
  EXPECT_EQ(*rooms.count().get(), 1u);
  EXPECT_EQ((*rooms.get(2).get())["code"], value_view{7});
  ASSERT_TRUE(rooms.insert({{"id", 3}, {"code", 8}}).get());
  ASSERT_TRUE(db.stop());
  ASSERT_GE(told.size(), 2u);
  EXPECT_THAT(told[0], ::testing::EndsWith(" 1")) << told[0];
  EXPECT_THAT(told[1], ::testing::StartsWith("rooms.updated 2"));
}

/// What an ended record has outside the schema was carried into the new field as it was, and no
/// restart could read it.
TEST_P(an_updated_bucket, can_be_read_after_a_restart_whatever_ended_records_had) {
  auto visits = db.define(schema("visits").key("id", integer())).value();
  const auto briefly = write_options{.expires_in = std::chrono::seconds{1}};
  ASSERT_TRUE(visits.insert({{"id", 1}, {"age", "old"}, {"when", "2024-01-01"}}, briefly).get());
  ASSERT_TRUE(visits.insert({{"id", 2}, {"age", 7}, {"note", "stays"}}).get());
  clock.advance(std::chrono::seconds{2});
  auto updated = db.update_bucket(
      "visits",
      bucket_update().add_field("age", integer()).add_field("when", date()).add_index("age"));
  ASSERT_TRUE(updated) << updated.error().to_string();
  EXPECT_EQ(*visits.count("age"_f > 0).get(), 1u);
  if (GetParam()) {
    ASSERT_TRUE(db.stop());
    db = start();
    EXPECT_EQ((*db.bucket("visits")->get(2).get())["note"], value_view{"stays"});
  }
  EXPECT_EQ(*db.purge(), 1u);
}

/// The new generation's deadlines were taken for those of the next commit, which edited them where
/// readers see them: when it failed, they were not what they had been.
TEST_P(an_updated_bucket, has_its_deadlines_when_the_next_write_fails) {
  auto sessions = db.define(schema("sessions").key("id", integer()).field("i", integer())).value();
  for (int i = 1; i <= 3; ++i)
    ASSERT_TRUE(sessions.insert({{"id", i}}, {.expires_in = minutes{i}}).get());
  ASSERT_TRUE(db.update_bucket("sessions", bucket_update().add_index("i")));
  const auto before = db.snapshot();
  const auto twice = std::vector<object>{{{"id", 4}}, {{"id", 4}}};
  for (int i = 0; i < 3; ++i)
    EXPECT_FALSE(sessions.insert_many(twice, {.expires_in = std::chrono::seconds{1}}).get());
  ASSERT_TRUE(sessions.insert({{"id", 5}}, {.expires_in = hours{1}}).get());
  EXPECT_EQ(*sessions.at(before).count().get(), 3u);
  clock.advance(std::chrono::seconds{2});
  EXPECT_EQ(*sessions.count().get(), 4u);
  EXPECT_EQ(*sessions.purge(), 0u);
  clock.advance(minutes{2});
  EXPECT_EQ(*sessions.count().get(), 2u);
  EXPECT_EQ(*sessions.purge(), 2u);
}

INSTANTIATE_TEST_SUITE_P(over, an_updated_bucket, ::testing::Bool(),
                         [](auto& p) { return std::string{p.param ? "a_journal" : "memory"}; });

} // namespace
} // namespace holdfast
