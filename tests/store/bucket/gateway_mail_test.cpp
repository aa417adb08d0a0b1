// The mails in which the gateway tells actors of changes and values: however slow their reader,
// they are bounded. And how many subscriptions it takes.
#include "gateway_listener.hpp"

#include <deque>

namespace holdfast {
namespace {

using holdfast_tests::go;
using ::testing::IsEmpty;

/// On the deterministic scheduler, so that the subscriber runs when the test says so.
struct slow_subscriber : testing::a_gateway_with_listeners {
  void expect_bounded(overflow policy, const std::vector<std::string>& expected) {
    std::deque<change_mail> mails; // not taken yet
    listener = rt.system().spawn([&](caf::event_based_actor* self) -> caf::behavior {
      quiet(self);
      return {[&](const change_mail& mail) { mails.push_back(mail); }};
    });
    ASSERT_TRUE(ask<subscription_id>(subscribe_events{.pattern = "bucket.guests.*",
                                                      .subscriber = listener,
                                                      .how = {.limit = 2, .overflow = policy}}));
    for (auto* id : {"a", "b", "c"})
      add(id);
    settle();
    ASSERT_EQ(mails.size(), 1u) << "one at a time, whatever comes";
    mails.front().take([&](const change& c) { news.note(std::string{c.key().as_string()}, 0); });
    mails.clear();
    settle();
    EXPECT_EQ(news.all(), expected);
    EXPECT_EQ(watched(), policy == overflow::disconnect ? 0u : 1u);
    EXPECT_EQ(db.stats().event_queues.dropped, 1u);
  }
};

TEST_P(slow_subscriber, loses_the_oldest_changes_past_its_limit) {
  expect_bounded(overflow::drop_oldest, {"b", "c"});
}
TEST_P(slow_subscriber, loses_the_newest_changes_past_its_limit) {
  expect_bounded(overflow::drop_newest, {"a", "b"});
}
TEST_P(slow_subscriber, is_disconnected_past_its_limit) {
  expect_bounded(overflow::disconnect, {"a", "b"});
}

TEST_P(slow_subscriber, gets_the_latest_value_alone) {
  define_count();
  std::deque<query_mail> mails;
  listener = rt.system().spawn([&](caf::event_based_actor* self) -> caf::behavior {
    quiet(self);
    return {[&](const query_mail& mail) { mails.push_back(mail); }};
  });
  ASSERT_TRUE(ask<subscription_id>(subscribe_query{.query = "all", .subscriber = listener}));
  for (auto* id : {"a", "b", "c"}) {
    add(id);
    settle();
  }
  ASSERT_EQ(mails.size(), 1u);
  mails.front().take([&](const query_update& now) { news.note(now.as<value>().to_string(), 0); });
  mails.clear();
  settle();
  EXPECT_EQ(news.all(), std::vector<std::string>{"3"});
}

TEST_P(slow_subscriber, ends_its_subscription_with_a_mail_that_it_loses) {
  listener = rt.system().spawn([](caf::event_based_actor* self) -> caf::behavior {
    quiet(self);
    return {[](const change_mail&) {}};
  });
  auto id =
      ask<subscription_id>(subscribe_events{.pattern = "bucket.guests.*", .subscriber = listener});
  ASSERT_TRUE(id);
  add("ann");
  settle();
  EXPECT_EQ(watched(), 0u);
  EXPECT_FALSE(*ask<bool>(unsubscribe{*id}));
}

TEST_P(slow_subscriber, is_handed_nothing_by_a_mail_that_an_unsubscribe_has_overtaken) {
  std::deque<change_mail> mails;
  listener = rt.system().spawn([&](caf::event_based_actor* self) -> caf::behavior {
    quiet(self);
    return {[&](const change_mail& mail) { mails.push_back(mail); }};
  });
  auto id =
      ask<subscription_id>(subscribe_events{.pattern = "bucket.guests.*", .subscriber = listener});
  ASSERT_TRUE(id);
  add("ann");
  settle();
  ASSERT_EQ(mails.size(), 1u);
  EXPECT_TRUE(*ask<bool>(unsubscribe{*id}));
  mails.front().take([&](const change& c) { news.note(c.to_string(), 0); });
  mails.clear();
  EXPECT_THAT(news.all(), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(, slow_subscriber, ::testing::Values(true),
                         [](auto&) { return "deterministic"; });

TEST(gateway_subscription_limit, refuses_more_until_one_has_ended) {
  runtime rt{{.deterministic = true}};
  auto db = std::move(*store::start({.gateway_subscriptions = 2, .runtime = &rt}));
  std::vector<std::string> answers;
  std::vector<subscription_id> ids;
  auto asker = rt.system().spawn([&](caf::event_based_actor* self) -> caf::behavior {
    quiet(self);
    auto to = gateway_of(db).value();
    return {[&, self, to](go) {
              for (int i = 0; i < 3; ++i)
                self->request(to, caf::infinite, subscribe_events{.pattern = "bucket.**"})
                    .then([&](const result<subscription_id>& r) {
                      answers.push_back(r ? "began" : r.error().message());
                      if (r)
                        ids.push_back(*r);
                    });
            },
            [self, to](const unsubscribe& m) { self->send(to, m); }, [](const result<bool>&) {}};
  });
  auto tell = [&](auto message) {
    caf::anon_send(asker, message);
    while (rt.run_one()) {
    }
  };
  const std::string refused = "gateway: actors already have 2 subscriptions";
  tell(go{});
  EXPECT_THAT(answers, ::testing::UnorderedElementsAre("began", "began", refused));
  tell(unsubscribe{ids.at(0)});
  answers.clear();
  tell(go{});
  EXPECT_THAT(answers, ::testing::UnorderedElementsAre("began", refused, refused));
  EXPECT_EQ(store::start({.gateway_subscriptions = 0, .runtime = &rt}).error(),
            errc::invalid_argument);
  caf::anon_send_exit(asker, caf::exit_reason::kill);
}

} // namespace
} // namespace holdfast
