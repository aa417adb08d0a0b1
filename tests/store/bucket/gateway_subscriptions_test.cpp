// What actors may ask the gateway about the store as a whole: purges, queries by name, and to be
// told of changes and of the values of queries.
#include "gateway_listener.hpp"

namespace holdfast {
namespace {

using namespace std::chrono_literals;
using holdfast_tests::guest;
using gateway_subscriptions = testing::a_gateway_with_listeners;

TEST_P(gateway_subscriptions, purge_all_buckets_as_a_handle_does) {
  auto others = db.define(schema("others").key("id", integer())).value();
  ASSERT_TRUE(guests.insert({"ann", 1}, {.expires_in = 1ms}).get());
  ASSERT_TRUE(others.insert({{"id", 1}}, {.expires_in = 1ms}).get());
  ASSERT_TRUE(others.insert({{"id", 2}}).get());
  while (guests.contains("ann") || others.contains(1))
    std::this_thread::yield();
  auto gone = ask<std::uint64_t>(purge_store{});
  ASSERT_TRUE(gone) << gone.error().to_string();
  EXPECT_LE(*gone, 2u); // the store's own purge may come first
  for (auto& b : db.stats().buckets)
    EXPECT_EQ(b.records, b.name == "others" ? 1u : 0u);
  EXPECT_EQ(*ask<std::uint64_t>(purge_store{}), 0u);
}

TEST_P(gateway_subscriptions, run_a_query_by_its_name) {
  ASSERT_TRUE(db.define_query("older", {.bucket = "guests",
                                        .what = query{"age"_f > parameter("than")},
                                        .aggregates = {aggregate::count()}}));
  add("ann");
  auto found = ask<query_value>(run_query{"older", {{"than", 20}}});
  ASSERT_TRUE(found) << found.error().to_string();
  EXPECT_EQ(found->as<value>(), 1);
  auto none = ask<query_value>(run_query{"older", {{"than", 20}}, {{"guests", "id"_f == "bob"}}});
  EXPECT_EQ(none.value().as<value>(), 0);
  EXPECT_EQ(ask<query_value>(run_query{"older"}).error(), errc::invalid_argument);
  EXPECT_EQ(ask<query_value>(run_query{"younger"}).error(), errc::not_found);
}

TEST_P(gateway_subscriptions, tell_an_actor_of_changes_behind_the_answer) {
  listen(subscribe_events{.pattern = "bucket.guests.*"});
  run_until([&] { return news.size() == 1; });
  add("ann");
  add("bob");
  ASSERT_TRUE(guests.erase("ann").get());
  run_until([&] { return news.size() == 4; });
  auto all = news.all();
  EXPECT_EQ(all[0], "began");
  EXPECT_THAT(all[1], ::testing::HasSubstr("guests.inserted \"ann\""));
  EXPECT_THAT(all[2], ::testing::HasSubstr("guests.inserted \"bob\""));
  EXPECT_THAT(all[3], ::testing::HasSubstr("guests.erased \"ann\""));
  EXPECT_EQ(news.ids, std::vector(4, news.ids[0])) << "mails carry the id of the answer";
}

TEST_P(gateway_subscriptions, give_an_actor_the_values_of_a_query_behind_the_answer) {
  define_count();
  add("ann");
  listen(subscribe_query{.query = "all"});
  expect_heard({"began", "1"});
  add("bob");
  expect_heard({"began", "1", "2"});
  EXPECT_EQ(news.ids, std::vector(3, news.ids[0]));
}

TEST_P(gateway_subscriptions, end_by_their_id) {
  listen(subscribe_events{.pattern = "bucket.**"});
  expect_heard({"began"});
  const subscription_id id{news.ids[0]};
  EXPECT_EQ(watched(), 1u);
  EXPECT_TRUE(*ask<bool>(unsubscribe{id}));
  EXPECT_EQ(watched(), 0u);
  EXPECT_FALSE(*ask<bool>(unsubscribe{id}));
  EXPECT_FALSE(*ask<bool>(unsubscribe{subscription_id{77}}));
  add("ann");
  expect_heard({"began"});
  listen(subscribe_events{.pattern = "bucket.**"});
  run_until([&] { return news.size() == 2; });
  EXPECT_GT(news.ids[1], id.number) << "an id is not used again";
}

TEST_P(gateway_subscriptions, end_with_their_subscriber) {
  define_count();
  listen(subscribe_query{.query = "all"});
  expect_heard({"began", "0"});
  EXPECT_EQ(watched(), 1u);
  end_listener();
  run_until([&] { return watched() == 0; });
  EXPECT_FALSE(*ask<bool>(unsubscribe{subscription_id{news.ids[0]}}));
}

TEST_P(gateway_subscriptions, outlive_the_gateway_that_made_them) {
  listen(subscribe_events{.pattern = "bucket.guests.inserted"});
  expect_heard({"began"});
  auto old = gateway;
  caf::anon_send_exit(old, caf::exit_reason::kill);
  run_until([&] { return (gateway = gateway_of(db).value()) != old; });
  add("ann");
  run_until([&] { return news.size() == 2; });
  EXPECT_TRUE(*ask<bool>(unsubscribe{subscription_id{news.ids[0]}}));
}

TEST_P(gateway_subscriptions, end_with_their_query_of_which_they_are_told) {
  define_count();
  listen(subscribe_query{.query = "all"});
  expect_heard({"began", "0"});
  ASSERT_TRUE(db.remove_query("all"));
  expect_heard({"began", "0", "dropped"});
  run_until([&] { return !*ask<bool>(unsubscribe{subscription_id{news.ids[0]}}); });
}

TEST_P(gateway_subscriptions, are_refused_with_the_errors_of_a_handle) {
  auto refused = [&](auto request) { return ask<subscription_id>(request).error().code(); };
  EXPECT_EQ(refused(subscribe_events{.pattern = "a..b"}), errc::invalid_argument);
  EXPECT_EQ(refused(subscribe_query{.query = "nothing"}), errc::not_found);
  EXPECT_EQ(watched(), 0u);
}

TEST_P(gateway_subscriptions, may_be_asked_for_by_somebody_else) {
  listener = rt.system().spawn([news = kept](caf::event_based_actor* self) -> caf::behavior {
    quiet(self);
    return {[news](const change_mail& mail) {
      mail.take([&](const change& c) { news->note(std::string{c.key().as_string()}, 0); });
    }};
  });
  ASSERT_TRUE(
      ask<subscription_id>(subscribe_events{.pattern = "bucket.guests.*", .subscriber = listener}));
  add("ann");
  expect_heard({"ann"});
}

INSTANTIATE_TEST_SUITE_P(, gateway_subscriptions, ::testing::Bool(),
                         [](auto& param) { return param.param ? "deterministic" : "threaded"; });

} // namespace
} // namespace holdfast
