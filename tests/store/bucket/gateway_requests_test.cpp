// What actors may ask besides the plain writes and reads: closures, purges, groups, transactions,
// definitions.
#include "gateway_fixture.hpp"

#include <atomic>
#include <string>
#include <thread>
#include <vector>

namespace holdfast {
namespace {

using namespace std::chrono_literals;
using holdfast_tests::guest;

struct a_gateway_asked : testing::a_gateway {
  void add(std::initializer_list<guest> all) {
    for (auto& g : all)
      ASSERT_TRUE(guests.insert(g).get());
  }
  bool deterministic() const { return rt.options().deterministic; }
};

TEST_P(a_gateway_asked, takes_the_options_of_writes) {
  add({{"ann", 30}});
  auto refused = ask<record>(update_record{
      .bucket = "guests", .key = "ann", .changes = {{"age", 31}}, .how = {.expected_version = 7}});
  EXPECT_EQ(refused.error(), errc::conflict) << refused.error().to_string();
  auto brief = ask<record>(insert_record{
      .bucket = "guests", .fields = {{"id", "bob"}, {"age", 1}}, .how = {.expires_in = 1h}});
  ASSERT_TRUE(brief) << brief.error().to_string();
  EXPECT_TRUE(brief->expires_at());
  auto kept =
      ask<record>(touch_record{.bucket = "guests", .key = "bob", .how = {.never_expires = true}});
  ASSERT_TRUE(kept) << kept.error().to_string();
  EXPECT_FALSE(kept->expires_at());
  EXPECT_EQ(ask<record>(touch_record{"guests", "ann"}).error(), errc::invalid_argument);
}

TEST_P(a_gateway_asked, modifies_a_record_by_what_it_is) {
  add({{"ann", 30}});
  auto older = [](const record& now) -> result<object> {
    return object{{"age", now["age"].as_int() + 1}};
  };
  EXPECT_EQ((*ask<record>(modify_record{"guests", "ann", older}))["age"], 31);
  EXPECT_EQ(ask<record>(modify_record{"guests", "bob", older}).error(), errc::not_found);
  auto not_so = [](const record&) -> result<object> {
    return fail(errc::invalid_argument, "not so");
  };
  EXPECT_EQ(ask<record>(modify_record{"guests", "ann", not_so}).error().message(), "not so");
  auto throws = [](const record&) -> result<object> { throw std::runtime_error("no"); };
  EXPECT_EQ(ask<record>(modify_record{"guests", "ann", throws}).error(), errc::invalid_argument);
  EXPECT_EQ(guests.get("ann").get()->age, 31);
}

TEST_P(a_gateway_asked, names_the_record_whose_change_threw) {
  add({{"ann", 30}});
  auto throws = [](const record&) -> result<object> { throw std::runtime_error("boom"); };
  const auto e = ask<record>(modify_record{"guests", "ann", throws}).error();
  EXPECT_EQ(e.message(), "guests: \"ann\": modify_record: the function threw: boom");
  EXPECT_EQ(e.where().bucket, "guests");
  EXPECT_EQ(e.where().key, "\"ann\"");
  auto throws_a_number = [](const record&) -> result<object> { throw 7; };
  EXPECT_EQ(ask<record>(modify_record{"guests", "ann", throws_a_number}).error().where().key,
            "\"ann\"");
}

TEST_P(a_gateway_asked, modifies_again_when_the_record_was_changed_meanwhile) {
  add({{"ann", 0}});
  static constexpr int requests = 40;
  std::promise<void> done;
  rt.system().spawn([&](caf::event_based_actor* self) {
    quiet(self);
    auto left = std::make_shared<int>(requests);
    auto one_more = [](const record& now) -> result<object> {
      return object{{"age", now["age"].as_int() + 1}};
    };
    for (int i = 0; i < requests; ++i)
      self->request(gateway, caf::infinite, modify_record{"guests", "ann", one_more})
          .then([&done, left](const result<record>& r) {
            ASSERT_TRUE(r) << r.error().to_string();
            if (--*left == 0)
              done.set_value();
          });
  });
  auto all = done.get_future();
  while (deterministic() && all.wait_for(0s) != std::future_status::ready)
    ASSERT_TRUE(rt.run_one());
  all.get();
  EXPECT_EQ(guests.get("ann").get()->age, requests);
}

TEST_P(a_gateway_asked, reads_ends_projections_groups_and_plans) {
  add({{"ann", 30}, {"bob", 20}, {"cyd", 30}});
  auto last = ask<records>(last_records{"guests", {}, 2});
  ASSERT_TRUE(last) << last.error().to_string();
  EXPECT_EQ((*last)[0]["id"], "bob");
  EXPECT_EQ((*last)[1]["id"], "cyd");
  EXPECT_EQ(ask<records>(last_records{"guests", {}, -1}).error(), errc::invalid_argument);
  auto ids =
      ask<std::vector<object>>(find_objects{"guests", query{f<&guest::age> == 30}.fields({"id"})});
  ASSERT_TRUE(ids) << ids.error().to_string();
  EXPECT_THAT(*ids, ::testing::ElementsAre(object{{"id", "ann"}}, object{{"id", "cyd"}}));
  auto by_age = ask<groups>(group_records{"guests", {"age"}, {aggregate::count()}});
  ASSERT_TRUE(by_age) << by_age.error().to_string();
  EXPECT_THAT(*by_age, ::testing::ElementsAre(group{{30}, {2}}, group{{20}, {1}}));
  auto plan = ask<explanation>(explain_query{"guests", query{f<&guest::age> == 30}});
  ASSERT_TRUE(plan) << plan.error().to_string();
  EXPECT_EQ(plan->from, explanation::source::index);
  EXPECT_EQ(plan->estimated_rows, 2u);
}

TEST_P(a_gateway_asked, purges_a_bucket) {
  ASSERT_TRUE(guests.insert({"ann", 30}, {.expires_in = 1ms}).get());
  ASSERT_TRUE(guests.insert({"bob", 30}).get());
  while (guests.contains("ann"))
    std::this_thread::yield();
  auto gone = ask<std::uint64_t>(purge_bucket{"guests"});
  ASSERT_TRUE(gone) << gone.error().to_string();
  EXPECT_LE(*gone, 1u); // the store's own purge may come first
  EXPECT_EQ(db.stats().buckets[0].records, 1u);
  EXPECT_EQ(*ask<std::uint64_t>(purge_bucket{"guests"}), 0u);
  EXPECT_EQ(ask<std::uint64_t>(purge_bucket{"nobody"}).error(), errc::not_found);
}

TEST_P(a_gateway_asked, gets_over_the_crash_of_a_bucket) {
  add({{"ann", 30}, {"bob", 20}});
  auto older = [](const record& now) -> result<object> {
    return object{{"age", now["age"].as_int() + 1}};
  };
  ASSERT_TRUE(db.crash("guests"));
  EXPECT_EQ((*ask<record>(modify_record{"guests", "ann", older}))["age"], 31);
  ASSERT_TRUE(db.crash("guests"));
  EXPECT_EQ(*ask<std::uint64_t>(purge_bucket{"guests"}), 0u);
  ASSERT_TRUE(db.crash("guests"));
  EXPECT_EQ(ask<groups>(group_records{"guests", {"age"}, {aggregate::count()}})->size(), 2u);
  if (deterministic())
    return;
  auto both = [guests = guests](transaction& tx) -> result<value> {
    return tx.in(guests).update_many({}, set<&guest::age>(1)).get().map([](std::uint64_t n) {
      return value{n};
    });
  };
  EXPECT_EQ(*ask<value>(run_transaction{both}), 2);
}

TEST_P(a_gateway_asked, runs_a_transaction) {
  add({{"ann", 30}, {"bob", 20}});
  auto swap_ages = [guests = guests](transaction& tx) -> result<value> {
    auto in = tx.in(guests);
    auto ann = in.get("ann").get(), bob = in.get("bob").get();
    if (!ann || !bob)
      return fail(errc::not_found, "somebody is gone");
    (void)in.update("ann", set<&guest::age>(bob->age)).get();
    (void)in.update("bob", set<&guest::age>(ann->age)).get();
    return value{ann->age + bob->age};
  };
  auto sum = ask<value>(run_transaction{swap_ages});
  if (deterministic()) {
    EXPECT_EQ(sum.error(), errc::unavailable) << sum.error().to_string();
    return;
  }
  ASSERT_TRUE(sum) << sum.error().to_string();
  EXPECT_EQ(*sum, 50);
  EXPECT_EQ(guests.get("ann").get()->age, 20);
  EXPECT_EQ(guests.get("bob").get()->age, 30);
  auto fails = [swap_ages](transaction& tx) -> result<value> {
    (void)swap_ages(tx);
    return fail(errc::invalid_argument, "not so");
  };
  EXPECT_EQ(ask<value>(run_transaction{fails}).error().message(), "not so");
  auto throws = [](transaction&) -> result<value> { throw std::runtime_error("no"); };
  EXPECT_EQ(ask<value>(run_transaction{throws}).error(), errc::invalid_argument);
  EXPECT_EQ(guests.get("ann").get()->age, 20);
}

TEST_P(a_gateway_asked, defines_changes_and_drops_buckets) {
  auto rooms = schema{"rooms"}.key("id", integer()).field("name", string());
  auto made = ask<schema>(define_bucket{rooms});
  if (deterministic()) {
    EXPECT_EQ(made.error(), errc::unavailable) << made.error().to_string();
    EXPECT_FALSE(db.has_bucket("rooms"));
    return;
  }
  ASSERT_TRUE(made) << made.error().to_string();
  EXPECT_EQ(ask<schema>(define_bucket{rooms}).error(), errc::already_exists);
  ASSERT_TRUE(ask<record>(insert_record{"rooms", {{"id", 1}, {"name", "hall"}}}));
  auto wider = ask<schema>(
      change_bucket{"rooms", bucket_update().add_field("beds", integer().otherwise(2))});
  ASSERT_TRUE(wider) << wider.error().to_string();
  EXPECT_EQ((*ask<record>(get_record{"rooms", 1}))["beds"], 2);
  EXPECT_EQ(*ask<schema>(describe_bucket{"rooms"}), *wider);
  EXPECT_EQ(
      ask<schema>(change_bucket{"rooms", bucket_update().add_field("beds", integer())}).error(),
      errc::already_exists);
  EXPECT_EQ(ask<bool>(drop_bucket{"rooms"}).value(), true);
  EXPECT_EQ(ask<bool>(drop_bucket{"rooms"}).value(), false);
  EXPECT_EQ(ask<schema>(describe_bucket{"rooms"}).error(), errc::not_found);
}

TEST_P(a_gateway_asked, describes_the_store) {
  add({{"ann", 30}});
  auto seen = ask<store_stats>(describe_store{});
  ASSERT_TRUE(seen) << seen.error().to_string();
  EXPECT_EQ(seen->records, 1u);
  EXPECT_EQ(seen->buckets.at(0).name, "guests");
}

TEST_P(a_gateway_asked, reads_several_things_at_one_moment) {
  add({{"ann", 30}});
  auto then = ask<snapshot>(take_snapshot{});
  ASSERT_TRUE(then) << then.error().to_string();
  add({{"bob", 40}});
  EXPECT_EQ(ask<std::uint64_t>(count_records{"guests", {}, *then}).value(), 1u);
  EXPECT_EQ(ask<record>(get_record{"guests", "bob", *then}).error(), errc::not_found);
  EXPECT_EQ(ask<std::uint64_t>(count_records{"guests"}).value(), 2u);
  EXPECT_EQ(ask<std::vector<std::string>>(list_buckets{}).value(),
            std::vector<std::string>{"guests"});
  EXPECT_THAT(ask<std::string>(describe_tree{}).value(), ::testing::HasSubstr("guests"));
}

TEST_P(a_gateway_asked, keeps_queries) {
  add({{"ann", 30}, {"bob", 70}});
  EXPECT_EQ(ask<void>(define_query{"old", {.bucket = "nowhere"}}).error(), errc::not_found);
  EXPECT_EQ(
      ask<void>(define_query{"old", {.bucket = "guests", .what = query{"height"_f > 6}}}).error(),
      errc::invalid_argument);
  auto made = ask<void>(define_query{"old", {.bucket = "guests", .what = query{"age"_f > 60}}});
  ASSERT_TRUE(made) << made.error().to_string();
  EXPECT_EQ(ask<void>(define_query{"old", {.bucket = "guests"}}).error(), errc::already_exists);
  EXPECT_EQ(ask<query_value>(run_query{"old"})->as<query_list>().items.size(), 1u);
  auto known = ask<std::vector<query_info>>(list_queries{});
  ASSERT_TRUE(known);
  ASSERT_EQ(known->size(), 1u);
  EXPECT_EQ(known->at(0).name, "old");
  EXPECT_EQ(ask<query_why>(explain_subscription{"old"}).error(), errc::not_found);
  auto token = db.subscribe("old", [](const query_update&) {});
  auto why = ask<query_why>(explain_subscription{"old"});
  ASSERT_TRUE(why) << why.error().to_string();
  EXPECT_EQ(why->runs, 1u);
  EXPECT_EQ(why->last_run, run_cause::arrival);
  EXPECT_EQ(ask<bool>(remove_query{"old"}).value(), true);
  EXPECT_EQ(ask<bool>(remove_query{"old"}).value(), false);
}

TEST_P(a_gateway_asked, keeps_queries_that_are_functions) {
  add({{"ann", 30}, {"bob", 70}});
  auto older_than = [guests = guests.plain()](query_context& in, const object& with) {
    return in.in(guests).where("age"_f > with.find("least")->as_int()).count();
  };
  auto made = ask<void>(define_function_query::of("older", older_than));
  ASSERT_TRUE(made) << made.error().to_string();
  EXPECT_EQ(ask<query_value>(run_query{"older", {{"least", 50}}})->as<std::uint64_t>(), 1u);
  EXPECT_EQ(ask<void>(define_function_query::of("older", older_than)).error(),
            errc::already_exists);
  auto all = [guests = guests.plain()](query_context& in) { return in.in(guests).count(); };
  ASSERT_TRUE(ask<void>(define_function_query::of("all", all)));
  EXPECT_EQ(ask<query_value>(run_query{"all", {{"least", 50}}}).error(), errc::invalid_argument)
      << "it has no parameters";
  auto known = ask<query_info>(describe_query{"older"});
  ASSERT_TRUE(known) << known.error().to_string();
  EXPECT_EQ(known->name, "older");
  EXPECT_EQ(known->runs, 1u);
  EXPECT_FALSE(known->declared);
  EXPECT_EQ(ask<query_info>(describe_query{"young"}).error(), errc::not_found);
  EXPECT_EQ(ask<void>(define_function_query{"none", {}}).error(), errc::invalid_argument);
  EXPECT_EQ(ask<void>(define_function_query::of("", all)).error(), errc::invalid_argument);
}

TEST_P(a_gateway_asked, looks_whether_a_record_is_there) {
  add({{"ann", 30}});
  const auto then = db.snapshot();
  ASSERT_TRUE(guests.erase("ann").get());
  EXPECT_EQ(ask<bool>(contains_record{"guests", "ann"}).value(), false);
  EXPECT_EQ(ask<bool>(contains_record{"guests", "ann", then}).value(), true);
  EXPECT_EQ(ask<bool>(contains_record{"nobody", "ann"}).error(), errc::not_found);
}

TEST_P(a_gateway_asked, waits_for_subscribers_and_the_disk) {
  if (deterministic()) {
    EXPECT_EQ(ask<void>(settle_queries{}).error(), errc::unavailable);
    EXPECT_EQ(ask<void>(sync_store{}).error(), errc::unavailable);
    return;
  }
  ASSERT_TRUE(db.define_query("all", declared_query{.bucket = "guests"}));
  std::atomic<std::size_t> seen{0};
  auto token = db.subscribe(
      "all", [&](const query_update& u) { seen = u.outcome->as<query_list>().items.size(); });
  add({{"ann", 30}, {"bob", 70}});
  EXPECT_TRUE(ask<void>(settle_queries{}));
  EXPECT_EQ(seen, 2u);
  EXPECT_TRUE(ask<void>(sync_store{}));
  EXPECT_EQ(ask<reopen_report>(reopen_store{}).error(), errc::invalid_argument) << "no journal";
  EXPECT_EQ(ask<void>(revive_bucket{"guests"}).error(), errc::conflict) << "it is not quarantined";
  EXPECT_EQ(ask<void>(revive_bucket{"nowhere"}).error(), errc::not_found);
}

INSTANTIATE_TEST_SUITE_P(, a_gateway_asked, ::testing::Bool(),
                         [](auto& param) { return param.param ? "deterministic" : "threaded"; });

TEST(a_stopping_gateway, waits_for_the_transaction_that_it_runs) {
  for (int round = 0; round < 10; ++round) {
    runtime rt;
    auto db = std::move(*store::start({.runtime = &rt}));
    auto guests = std::move(*db.define<guest>());
    std::promise<void> begun;
    std::promise<result<value>> answer;
    rt.system().spawn([&, to = gateway_of(db).value()](caf::event_based_actor* self) {
      quiet(self);
      auto body = [&](transaction& tx) -> result<value> {
        begun.set_value();
        return tx.in(guests).insert({"ann", 1}).get().map([](const guest& g) {
          return value{g.age};
        });
      };
      self->request(to, caf::infinite, run_transaction{body})
          .then([&](const result<value>& r) { answer.set_value(r); },
                [&](const caf::error&) { answer.set_value(fail(errc::stopped, "gone")); });
    });
    begun.get_future().get();
    ASSERT_TRUE(db.stop());
    auto got = answer.get_future().get();
    ASSERT_TRUE(got) << got.error().to_string();
    EXPECT_EQ(*got, 1);
    rt.stop();
  }
}

} // namespace
} // namespace holdfast
