#pragma once

#include "gateway_fixture.hpp"

#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace holdfast::testing {

/// What an actor has heard.
struct heard {
  std::mutex mutex;
  std::vector<std::string> texts;
  std::vector<std::uint64_t> ids; ///< of the mails, and of the answers

  void note(std::string text, std::uint64_t id) {
    std::lock_guard lock{mutex};
    texts.push_back(std::move(text));
    ids.push_back(id);
  }
  std::vector<std::string> all() {
    std::lock_guard lock{mutex};
    return texts;
  }
  std::size_t size() { return all().size(); }
};

struct a_gateway_with_listeners : a_gateway {
  const std::shared_ptr<heard> kept = std::make_shared<heard>(); ///< the actors', too
  heard& news = *kept;
  caf::actor listener;

  ~a_gateway_with_listeners() override { end_listener(); }

  void end_listener() {
    if (listener)
      caf::anon_send_exit(std::exchange(listener, nullptr), caf::exit_reason::user_shutdown);
  }
  void settle() {
    while (rt.run_one()) {
    }
  }
  template <class Condition>
  void run_until(Condition holds) {
    while (!holds())
      if (!rt.run_one())
        std::this_thread::yield();
  }
  void expect_heard(const std::vector<std::string>& expected) {
    run_until([&] { return news.size() >= expected.size(); });
    settle();
    EXPECT_EQ(news.all(), expected);
  }
  std::size_t watched() {
    auto s = db.stats();
    return s.subscribers + s.live_queries;
  }

  /// An actor that notes its mails, and sends the request when it begins.
  template <class Request>
  void listen(Request request) {
    listener = rt.system().spawn([news = kept, to = gateway,
                                  request](caf::event_based_actor* self) -> caf::behavior {
      quiet(self);
      self->request(to, caf::infinite, request).then([news](const result<subscription_id>& began) {
        news->note(began ? "began" : std::string{to_string(began.error().code())},
                   began ? began->number : 0);
      });
      return {[news](const change_mail& mail) {
                mail.take([&](const change& c) { news->note(c.to_string(), mail.of().number); });
              },
              [news](const query_mail& mail) {
                mail.take([&](const query_update& now) {
                  news->note(now.outcome ? now.as<value>().to_string()
                                         : std::string{to_string(now.outcome.error().code())},
                             mail.of().number);
                });
              }};
    });
  }
  void add(const char* id) { ASSERT_TRUE(guests.insert({id, 30}).get()); }
  void define_count() {
    ASSERT_TRUE(db.define_query("all", {.bucket = "guests", .aggregates = {aggregate::count()}}));
  }
};

} // namespace holdfast::testing
